#include "link_frames.h"

#include "answer.h"
#include "ask.h"
#include "clients.h"
#include "clocks.h"
#include "links.h"
#include "log.h"
#include "older.h"
#include "replica.h"
#include "wall.h"

static const struct config *config;

void link_frames_init(const struct config *given)
{
    config = given;
}

static void got_report(struct channel *ch, struct span body, uint32_t *bad_reports)
{
    struct client_record record;
    ch->reports_got++;
    if (frames_get_report(body, config->report_bytes, &record) != HERD_OK) {
        (*bad_reports)++;
        channel_log_frame(EV_LINK_REFUSED, ch, "report");
        return;
    }
    channel_log_report(EV_LINK_GOT, ch, &record);
    int64_t now_ns = 0;
    (void)wall_now_ns(&now_ns);
    if (replica_merge(ch->link, &record, now_ns, clocks_trusted()) != HERD_OK) {
        channel_log_frame(EV_LINK_REFUSED, ch, "report");
        return;
    }
    links_wake(); /* other links may have something to send now */
    older_wake();
}

static int got_ack(const struct channel *ch, struct span body)
{
    uint32_t reports = 0;
    int err = frames_get_ack(body, &reports);
    return err == HERD_OK ? replica_acked(ch->link, reports) : err;
}

static int got_beat(const struct channel *ch, struct span body)
{
    struct frames_beat beat;
    int err = frames_get_beat(body, &beat);
    if (err != HERD_OK) {
        return err;
    }
    clocks_heard(ch->link, beat.now_ns);
    replica_set_floor(ch->link, beat.floor);
    return HERD_OK;
}

static int got_ask(const struct channel *ch, struct span body)
{
    struct frames_ask ask;
    int err = frames_get_ask(body, &ask);
    if (err == HERD_OK) {
        answer_take(ch->link, &ask);
    }
    return err;
}

static int got_answer(const struct channel *ch, struct span body)
{
    struct frames_answer piece;
    int err = frames_get_answer(body, &piece);
    if (err == HERD_OK) {
        ask_take(ch->link, &piece);
    }
    return err;
}

int link_frames_take(struct channel *ch, const struct frames_frame *frame, uint32_t *bad_reports)
{
    switch (frame->type) {
    case FRAMES_REPORT:
        got_report(ch, frame->body, bad_reports);
        return HERD_OK;
    case FRAMES_ACK:
        return got_ack(ch, frame->body);
    case FRAMES_HELLO:
        return HERD_E_PROTOCOL; /* one per connection */
    case FRAMES_BEAT:
        return got_beat(ch, frame->body);
    case FRAMES_ASK:
        return got_ask(ch, frame->body);
    case FRAMES_ANSWER:
        return got_answer(ch, frame->body);
    default:
        return HERD_OK; /* reserved types: the next version's business */
    }
}

void link_frames_say_beat(struct channel *ch)
{
    struct frames_beat beat = {.now_ns = 0, .floor = clients_floor()};
    if (!wall_now_ns(&beat.now_ns)) {
        beat.now_ns = 0;
    }
    channel_say_beat(ch, &beat);
}

bool link_frames_say_records(struct channel *ch)
{
    struct client_record record;
    bool first = false;
    while (!ch->broken && conn_room(ch->conn) >= CHANNEL_RECORD_ROOM) {
        bool idle = replica_in_flight(ch->link) == 0;
        if (replica_next(ch->link, &record) != HERD_OK) {
            break;
        }
        first = first || idle;
        channel_say_report(ch, &record);
    }
    return first;
}

bool link_frames_say_place(struct channel *ch)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    if (conn_room(ch->conn) < CHANNEL_PIECE_ROOM ||
        (!ask_next(ch->link, &t) && !answer_next(ch->link, &t))) {
        return false;
    }
    channel_say(ch, &t);
    return true;
}

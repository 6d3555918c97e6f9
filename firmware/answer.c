#include "answer.h"

#include "log.h"
#include "places.h"
#include "proto.h"
#include "sched.h"

#define LAT_E7_MAX 900000000
#define LNG_E7_MAX 1800000000

/* In the shape of places_format_failure. */
#define FAILURE(status, message)                                                                   \
    SPAN_LIT("{\"html_attributions\":[],\"results\":[],\"status\":\"" status                       \
             "\",\"error_message\":\"" message "\"}")

enum state {
    IDLE,
    QUEUED,  /* no query slot was free yet */
    WAITING, /* for places */
    SENDING, /* what places said */
    REFUSING /* words of our own, which are no query */
};

/* What a neighbour asked. */
struct asked {
    enum state state;
    uint16_t id;
    struct places_query query;
    uint64_t give_up_ms;  /* QUEUED */
    places_ticket ticket; /* WAITING, SENDING */
    struct span words;    /* REFUSING */
    size_t sent;          /* bytes of the answer, or of the words */
};

static const struct config *config;
static struct asked asked[CFG_LINKS];
static struct answer_stats stats;

static void log_one(enum log_event event, unsigned link, const char *key, const char *what)
{
    struct log_line *l = log_begin(event);
    log_str(l, "peer", config->nodes[config->neighbours[link]].name);
    log_u64(l, "id", asked[link].id);
    if (key != NULL) {
        log_str(l, key, what);
    } else {
        log_u64(l, "bytes", asked[link].sent);
    }
    log_end(l);
}

/* --- Asked ---------------------------------------------------------------------------------- */

static void refuse(unsigned link, uint32_t *counter, const char *reason, struct span failure)
{
    struct asked *a = &asked[link];

    (*counter)++;
    a->state = REFUSING;
    a->words = failure;
    a->sent = 0;
    log_one(EV_ASK_REFUSED, link, "reason", reason);
}

static void forget(unsigned link, const char *reason)
{
    struct asked *a = &asked[link];

    if (a->state == IDLE) {
        return;
    }
    if (a->state == WAITING || a->state == SENDING) {
        places_release(a->ticket);
    }
    a->state = IDLE;
    stats.dropped++;
    log_one(EV_ASK_DROPPED, link, "reason", reason);
}

static bool is_in_range(const struct frames_ask *ask)
{
    return ask->at.lat_e7 >= -LAT_E7_MAX && ask->at.lat_e7 <= LAT_E7_MAX &&
           ask->at.lng_e7 >= -LNG_E7_MAX && ask->at.lng_e7 <= LNG_E7_MAX && ask->radius_mm >= 1 &&
           ask->radius_mm <= PROTO_RADIUS_MM_MAX && ask->bound >= 1 &&
           ask->bound <= PROTO_BOUND_MAX && ask->bytes_max >= PLACES_BYTES_MIN;
}

/* Neighbours whose query is with places, or wants to be. */
static unsigned served(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < CFG_LINKS; i++) {
        count += asked[i].state == QUEUED || asked[i].state == WAITING || asked[i].state == SENDING;
    }
    return count;
}

/* As far as it goes without sending. */
static void advance(unsigned link)
{
    struct asked *a = &asked[link];
    struct span json;

    if (a->state == QUEUED) {
        if (places_ask(&a->query, &a->ticket) == HERD_OK) {
            a->state = WAITING;
        } else if (sched_now_ms() >= a->give_up_ms) {
            refuse(link, &stats.busy, "no query slot",
                   FAILURE("UNKNOWN_ERROR", "the neighbour is busy with other queries; try again"));
        }
    }
    if (a->state != WAITING && a->state != SENDING) {
        return;
    }
    int err = places_poll(a->ticket, &json);
    if (err == HERD_OK) {
        a->state = SENDING;
    } else if (err != HERD_E_AGAIN) {
        refuse(link, &stats.busy, "not taken in time",
               FAILURE("UNKNOWN_ERROR", "the answer was not taken in time; try again"));
    }
}

void answer_take(unsigned link, const struct frames_ask *ask)
{
    struct asked *a = &asked[link];

    forget(link, "asked anew");
    stats.asked++;
    a->id = ask->id;
    a->sent = 0;
    log_one(EV_ASK_GOT, link, NULL, NULL);
    if (!places_has_upstream()) { /* one hop: an ASK is never passed on */
        refuse(link, &stats.refused, "no upstream",
               FAILURE("REQUEST_DENIED", "the neighbour has no upstream of its own"));
    } else if (!is_in_range(ask)) {
        refuse(link, &stats.refused, "out of range",
               FAILURE("INVALID_REQUEST", "the query is out of range"));
    } else if (served() >= CFG_ASK_SERVED) {
        refuse(link, &stats.busy, "others are before",
               FAILURE("UNKNOWN_ERROR", "the neighbour is busy with other queries; try again"));
    } else {
        a->state = QUEUED;
        a->query = (struct places_query){ask->at, ask->radius_mm, ask->bound, ask->bytes_max};
        a->give_up_ms = sched_now_ms() + config->places.timeout_ms;
        advance(link);
    }
}

void answer_lost(unsigned link)
{
    forget(link, "connection ended");
}

/* --- Answered ------------------------------------------------------------------------------- */

bool answer_next(unsigned link, struct text *frame)
{
    struct asked *a = &asked[link];
    struct span json = {NULL, 0};

    advance(link);
    if (a->state == REFUSING) {
        json = a->words;
    } else if (a->state != SENDING || places_poll(a->ticket, &json) != HERD_OK) {
        return false;
    }
    bool failure = a->state == REFUSING || places_is_failure(a->ticket);
    size_t bytes_max = (size_t)FRAMES_PIECE_BYTES_MAX(config->report_bytes);
    size_t left = json.bytes - a->sent;
    size_t bytes = left < bytes_max ? left : bytes_max;
    struct frames_answer piece = {.id = a->id,
                                  .last = bytes == left,
                                  .failure = failure && a->sent == 0,
                                  .bytes = {json.at + a->sent, bytes}};
    frames_put_answer(frame, &piece);
    a->sent += bytes;
    stats.pieces++;
    if (piece.last) {
        if (a->state == SENDING) {
            stats.answered++;
            places_release(a->ticket);
        }
        a->state = IDLE;
        log_one(EV_ASK_ANSWERED, link, NULL, NULL);
    }
    return true;
}

uint64_t answer_wake_ms(void)
{
    uint64_t at = SCHED_NEVER;

    for (unsigned i = 0; i < CFG_LINKS; i++) {
        if (asked[i].state == QUEUED && asked[i].give_up_ms < at) {
            at = asked[i].give_up_ms;
        }
    }
    return at;
}

/* --- The room ------------------------------------------------------------------------------- */

void answer_init(const struct config *given)
{
    config = given;
    stats = (struct answer_stats){0};
    for (unsigned i = 0; i < CFG_LINKS; i++) {
        asked[i] = (struct asked){.state = IDLE};
    }
}

uint32_t answer_features(void)
{
    return places_has_upstream() ? FRAMES_FEATURE_ASK : 0;
}

struct answer_stats answer_stats(void)
{
    return stats;
}

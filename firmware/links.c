#include "links.h"

#include <string.h>

#include "backoff.h"
#include "clients.h"
#include "conn.h"
#include "frames.h"
#include "hal_net.h"
#include "log.h"
#include "names.h"
#include "net.h"
#include "nv.h"
#include "older.h"
#include "replica.h"
#include "rng.h"
#include "sched.h"
#include "wall.h"
#include "when.h"

#define NO_LINK    CFG_LINKS /* a caller that has not said who it is */
#define NO_CHANNEL CFG_CONN_LINK_SLOTS

/* Kept free in the send ring for ACK, BEAT and BYE, so that records cannot hold them back. */
#define CONTROL_ROOM 64
_Static_assert(CFG_CONN_TX_BYTES >= FRAMES_BYTES_MAX + CONTROL_ROOM, "a record fits");

/* One TCP connection of class CONN_LINK. */
struct channel {
    conn_handle conn;
    bool used;
    bool hello_sent;
    uint8_t link; /* NO_LINK until HELLO on a connection that was taken */
    uint64_t opened_ms;
    uint32_t reports_got;  /* on this connection */
    uint32_t reports_told; /* of these, acknowledged */
    struct frames_reader reader;
};

/* One neighbour. */
struct link {
    uint8_t node;     /* in the herd file */
    uint8_t live;     /* channel, or NO_CHANNEL */
    uint8_t dialling; /* channel, or NO_CHANNEL */
    bool suspect;
    bool moving; /* up without a live channel: the one that we dial takes over at any moment */
    bool clock_known;
    uint32_t failures;       /* dials since it was last up */
    uint64_t boot;           /* of the neighbour, on the live channel */
    uint64_t retry_ms;       /* when to dial next */
    uint64_t acked_ms;       /* last acknowledgement, or when something was first in flight */
    uint64_t beat_ms;        /* when the next heartbeat is due */
    int64_t clock_offset_ns; /* neighbour's wall clock - ours */
};

static const struct config *config;
static struct channel channels[CFG_CONN_LINK_SLOTS];
static struct link links[CFG_LINKS];
static unsigned link_count;
static uint64_t own_boot;
static bool stopping;
static bool trusted;
static struct links_stats stats;

static void run(void);
static struct sched_task task = {.name = "links", .run = run};

static const struct config_node *self(void)
{
    return &config->nodes[config->self];
}

static const char *peer_name(unsigned link)
{
    return link < link_count ? config->nodes[links[link].node].name : "?";
}

/* Clock */

static bool compute_trust(void)
{
    int64_t now_ns = 0;
    if (!wall_now_ns(&now_ns)) {
        return false;
    }
    int64_t sorted[CFG_LINKS];
    unsigned n = 0;
    for (unsigned i = 0; i < link_count; i++) {
        if (links[i].live == NO_CHANNEL || !links[i].clock_known) {
            continue;
        }
        unsigned at = n++;
        for (; at > 0 && sorted[at - 1] > links[i].clock_offset_ns; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = links[i].clock_offset_ns;
    }
    if (n == 0) {
        return true;
    }
    /* Of two middle values the one nearer to our clock: one wrong neighbour of two proves nothing. */
    int64_t low = sorted[(n - 1) / 2];
    int64_t high = sorted[n / 2];
    int64_t median = low > 0 ? low : high < 0 ? high : 0;
    if (n % 2 == 1) {
        median = low;
    }
    int64_t bound = (int64_t)config->skew_max_s * WHEN_NS_PER_S / 2;
    return median >= -bound && median <= bound;
}

static void update_trust(void)
{
    bool now_trusted = compute_trust();
    if (now_trusted != trusted) {
        trusted = now_trusted;
        struct log_line *l = log_begin(EV_CLOCK_TRUST);
        log_str(l, "trusted", trusted ? "yes" : "no");
        log_end(l);
    }
}

bool links_clock_trusted(void)
{
    return trusted;
}

/* Sending */

static void log_frame(enum log_event event, unsigned link, const char *frame)
{
    struct log_line *l = log_begin(event);
    log_str(l, "peer", peer_name(link));
    log_str(l, "frame", frame);
    log_end(l);
}

/* True when the whole frame went into the send ring. */
static bool send_text(const struct channel *ch, const struct text *t)
{
    HERD_ASSERT(!t->cut);
    if (conn_room(ch->conn) < t->bytes) {
        return false;
    }
    size_t taken = conn_write(ch->conn, t->at, t->bytes);
    HERD_ASSERT(taken == t->bytes);
    return true;
}

static void say_bye(const struct channel *ch, enum frames_bye reason)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    frames_put_bye(&t, reason);
    (void)send_text(ch, &t); /* without room the close alone must do */
    struct log_line *l = log_begin(EV_LINK_SENT);
    log_str(l, "peer", peer_name(ch->link));
    log_str(l, "frame", "bye");
    log_str(l, "reason", frames_bye_name((uint8_t)reason));
    log_end(l);
}

static void say_hello(struct channel *ch, unsigned link)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    struct frames_hello hello = {.version = FRAMES_VERSION,
                                 .boot = own_boot,
                                 .report_bytes = config->report_bytes,
                                 .skew_max_s = config->skew_max_s,
                                 .capacity = CFG_DEVICES,
                                 .name = span_of(self()->name),
                                 .target = span_of(peer_name(link))};
    text_init(&t, buffer, sizeof buffer);
    frames_put_hello(&t, &hello);
    ch->hello_sent = send_text(ch, &t);
    HERD_ASSERT(ch->hello_sent); /* nothing was sent before it */
    log_frame(EV_LINK_SENT, link, "hello");
}

static void say_beat(const struct channel *ch)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    struct frames_beat beat = {.now_ns = 0, .floor = clients_floor()};
    if (!wall_now_ns(&beat.now_ns)) {
        beat.now_ns = 0;
    }
    text_init(&t, buffer, sizeof buffer);
    frames_put_beat(&t, &beat);
    if (send_text(ch, &t)) {
        log_frame(EV_LINK_BEAT, ch->link, "beat");
    }
}

static void say_ack(struct channel *ch)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    frames_put_ack(&t, ch->reports_got);
    if (send_text(ch, &t)) {
        ch->reports_told = ch->reports_got;
    }
}

static void log_report(enum log_event event, unsigned link, const struct client_record *record)
{
    struct log_line *l = log_begin(event);
    if (l == NULL) {
        return;
    }
    char buffer[PROTO_AT_BYTES_MAX(CFG_REPORT_BYTES)];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    proto_format_at(&t, names_get(record->server), record->difference_ns, &record->report);
    log_str(l, "peer", peer_name(link));
    log_span(l, "at", text_span(&t));
    log_end(l);
}

static void send_records(unsigned link)
{
    struct link *k = &links[link];
    const struct channel *ch = &channels[k->live];
    struct client_record record;
    while (conn_room(ch->conn) >= FRAMES_BYTES_MAX + CONTROL_ROOM) {
        bool idle = replica_in_flight(link) == 0;
        if (replica_next(link, &record) != HERD_OK) {
            return;
        }
        if (idle) {
            k->acked_ms = sched_now_ms();
        }
        char buffer[FRAMES_BYTES_MAX];
        struct text t;
        text_init(&t, buffer, sizeof buffer);
        frames_put_report(&t, &record);
        bool sent = send_text(ch, &t);
        HERD_ASSERT(sent);
        log_report(EV_LINK_SENT, link, &record);
    }
}

/* Up and down */

static void schedule_retry(struct link *k)
{
    k->retry_ms = sched_now_ms() + backoff_ms(k->failures, CFG_LINK_RETRY_FIRST_MS,
                                              CFG_LINK_RETRY_LAST_MS, rng_u32());
}

static void link_down(unsigned link, const char *reason)
{
    struct link *k = &links[link];
    k->live = NO_CHANNEL;
    k->suspect = false;
    k->moving = false;
    k->clock_known = false;
    k->failures = 0;
    replica_link_down(link);
    schedule_retry(k);
    stats.down++;
    struct log_line *l = log_begin(EV_LINK_DOWN);
    log_str(l, "peer", peer_name(link));
    log_str(l, "reason", reason);
    log_end(l);
    update_trust();
}

static void drop_log(const struct channel *ch, const char *reason)
{
    uint32_t address = 0;
    uint16_t port = 0;
    conn_peer(ch->conn, &address, &port);
    struct log_line *l = log_begin(EV_LINK_DROPPED);
    log_str(l, "peer", peer_name(ch->link));
    log_ip4(l, "address", address, port);
    log_str(l, "reason", reason);
    log_end(l);
}

/* Forgets a channel whose connection the caller finishes or releases. */
static void channel_free(struct channel *ch, const char *reason)
{
    uint8_t index = (uint8_t)(ch - channels);
    drop_log(ch, reason);
    ch->used = false;
    if (ch->link == NO_LINK) {
        return;
    }
    struct link *k = &links[ch->link];
    if (k->dialling == index) {
        k->dialling = NO_CHANNEL;
        if (k->moving) {
            link_down(ch->link, reason);
        }
        schedule_retry(k);
        k->failures++;
    }
    if (k->live == index) {
        link_down(ch->link, reason);
    }
}

static void channel_finish(struct channel *ch, const char *reason)
{
    channel_free(ch, reason);
    conn_finish(ch->conn);
}

static void channel_abort(struct channel *ch, const char *reason)
{
    channel_free(ch, reason);
    conn_release(ch->conn);
}

static void refuse(struct channel *ch, enum frames_bye reason, struct span name)
{
    stats.refused++;
    struct log_line *l = log_begin(EV_LINK_REFUSED);
    log_span(l, "name", name);
    log_str(l, "reason", frames_bye_name((uint8_t)reason));
    log_end(l);
    say_bye(ch, reason);
    channel_finish(ch, frames_bye_name((uint8_t)reason));
}

/* Of two connections of one link the one dialled by the bytewise lower name stays. */
static bool is_preferred(const struct channel *ch, unsigned link)
{
    bool we_are_lower = span_compare(span_of(self()->name), span_of(peer_name(link))) < 0;
    return conn_is_dialled(ch->conn) == we_are_lower;
}

/* The channel has finished its handshake: it carries the link from now on. */
static void adopt(struct channel *ch, unsigned link, uint64_t boot)
{
    struct link *k = &links[link];
    uint8_t index = (uint8_t)(ch - channels);
    bool was_up = k->live != NO_CHANNEL || k->moving;
    if (k->live != NO_CHANNEL) {
        struct channel *old = &channels[k->live];
        bool restarted = boot != k->boot;
        if (!restarted && !is_preferred(ch, link)) {
            stats.duplicate++;
            say_bye(ch, FRAMES_BYE_DUPLICATE);
            channel_finish(ch, "duplicate");
            return;
        }
        k->live = NO_CHANNEL;
        replica_link_down(link);
        if (restarted) {
            channel_abort(old, "neighbour restarted");
        } else {
            stats.duplicate++;
            say_bye(old, FRAMES_BYE_DUPLICATE);
            channel_finish(old, "duplicate");
        }
    }
    if (k->dialling == index) {
        k->dialling = NO_CHANNEL;
    }
    k->live = index;
    k->boot = boot;
    k->failures = 0;
    k->suspect = false;
    k->moving = false;
    k->clock_known = false;
    k->acked_ms = sched_now_ms();
    k->beat_ms = sched_now_ms(); /* the first heartbeat tells our clock and floor at once */
    replica_link_up(link);
    if (!was_up) {
        stats.up++;
        struct log_line *l = log_begin(EV_LINK_UP);
        log_str(l, "peer", peer_name(link));
        log_str(l, "dialled", conn_is_dialled(ch->conn) ? "yes" : "no");
        log_end(l);
    }
}

/* Receiving */

static unsigned find_link(struct span name)
{
    for (unsigned i = 0; i < link_count; i++) {
        if (span_equal(name, span_of(peer_name(i)))) {
            return i;
        }
    }
    return NO_LINK;
}

static void got_hello(struct channel *ch, struct span body)
{
    struct frames_hello hello;
    if (frames_get_hello(body, &hello) != HERD_OK) {
        stats.protocol++;
        refuse(ch, FRAMES_BYE_PROTOCOL, (struct span){NULL, 0});
        return;
    }
    if (hello.version != FRAMES_VERSION) {
        refuse(ch, FRAMES_BYE_VERSION, hello.name);
        return;
    }
    unsigned link = find_link(hello.name);
    if (link == NO_LINK || (ch->link != NO_LINK && ch->link != link) ||
        !span_equal(hello.target, span_of(self()->name))) {
        refuse(ch, FRAMES_BYE_IDENTITY, hello.name);
        return;
    }
    if (hello.report_bytes != config->report_bytes || hello.skew_max_s != config->skew_max_s) {
        refuse(ch, FRAMES_BYE_SETTINGS, hello.name);
        return;
    }
    ch->link = (uint8_t)link;
    log_frame(EV_LINK_GOT, link, "hello");
    if (!ch->hello_sent) {
        say_hello(ch, link);
    }
    adopt(ch, link, hello.boot);
}

static void got_report(struct channel *ch, struct span body)
{
    struct client_record record;
    ch->reports_got++;
    if (frames_get_report(body, config->report_bytes, &record) != HERD_OK) {
        stats.bad_report++;
        log_frame(EV_LINK_REFUSED, ch->link, "report");
        return;
    }
    log_report(EV_LINK_GOT, ch->link, &record);
    int64_t now_ns = 0;
    (void)wall_now_ns(&now_ns);
    if (replica_merge(ch->link, &record, now_ns, trusted) != HERD_OK) {
        log_frame(EV_LINK_REFUSED, ch->link, "report");
        return;
    }
    sched_wake(&task); /* other links may have something to send now */
    older_wake();
}

static int got_ack(const struct channel *ch, struct span body)
{
    uint32_t reports = 0;
    int err = frames_get_ack(body, &reports);
    if (err == HERD_OK) {
        err = replica_acked(ch->link, reports);
    }
    if (err != HERD_OK) {
        return err;
    }
    struct link *k = &links[ch->link];
    k->acked_ms = sched_now_ms();
    if (k->suspect) {
        k->suspect = false;
        struct log_line *l = log_begin(EV_LINK_RECOVERED);
        log_str(l, "peer", peer_name(ch->link));
        log_end(l);
    }
    return HERD_OK;
}

static int got_beat(const struct channel *ch, struct span body)
{
    struct frames_beat beat;
    int err = frames_get_beat(body, &beat);
    if (err != HERD_OK) {
        return err;
    }
    struct link *k = &links[ch->link];
    int64_t now_ns = 0;
    k->clock_known = beat.now_ns > 0 && wall_now_ns(&now_ns);
    k->clock_offset_ns = beat.now_ns - now_ns;
    replica_set_floor(ch->link, beat.floor);
    update_trust();
    return HERD_OK;
}

/* Both ends dialled, and the neighbour has adopted our connection and dropped its own before its
 * HELLO on ours was here: the link is not down between the two. */
static void move_to_dialled(const struct channel *ch)
{
    if (ch->link == NO_LINK) {
        return;
    }
    struct link *k = &links[ch->link];
    if (k->live == ch - channels && k->dialling != NO_CHANNEL && channels[k->dialling].hello_sent) {
        k->live = NO_CHANNEL;
        k->suspect = false;
        k->clock_known = false;
        k->moving = true;
        replica_link_down(ch->link);
    }
}

static void got_bye(struct channel *ch, struct span body)
{
    uint8_t reason = 0;
    if (frames_get_bye(body, &reason) != HERD_OK) {
        reason = 0;
    }
    struct log_line *l = log_begin(EV_LINK_GOT);
    log_str(l, "peer", peer_name(ch->link));
    log_str(l, "frame", "bye");
    log_str(l, "reason", frames_bye_name(reason));
    log_end(l);
    if (reason == FRAMES_BYE_DUPLICATE) {
        move_to_dialled(ch);
    }
    channel_finish(ch, frames_bye_name(reason));
}

static void protocol_error(struct channel *ch)
{
    stats.protocol++;
    say_bye(ch, FRAMES_BYE_PROTOCOL);
    channel_finish(ch, "protocol error");
}

static void got_frame(struct channel *ch, const struct frames_frame *frame)
{
    bool live = ch->link != NO_LINK && links[ch->link].live == ch - channels;
    if (frame->type == FRAMES_BYE) {
        got_bye(ch, frame->body);
        return;
    }
    if (!live) {
        if (frame->type == FRAMES_HELLO) {
            got_hello(ch, frame->body);
        } else {
            protocol_error(ch);
        }
        return;
    }
    int err = HERD_OK;
    switch (frame->type) {
    case FRAMES_REPORT:
        got_report(ch, frame->body);
        break;
    case FRAMES_ACK:
        err = got_ack(ch, frame->body);
        break;
    case FRAMES_BEAT:
        err = got_beat(ch, frame->body);
        break;
    case FRAMES_HELLO:
        err = HERD_E_PROTOCOL; /* one per connection */
        break;
    default:
        break; /* reserved types: the next version's business */
    }
    if (err != HERD_OK) {
        protocol_error(ch);
    }
}

static void read_frames(struct channel *ch)
{
    while (ch->used && conn_readable(ch->conn) > 0) {
        struct span in = conn_peek(ch->conn);
        struct frames_frame frame;
        size_t used = 0;
        uint32_t skipped = ch->reader.skipped_frames;
        conn_handle conn = ch->conn;
        int err = frames_reader_feed(&ch->reader, (const uint8_t *)in.at, in.bytes, &used, &frame);
        stats.skipped += ch->reader.skipped_frames - skipped;
        conn_consume(conn, used);
        if (err == HERD_OK) {
            got_frame(ch, &frame);
        } else if (err != HERD_E_AGAIN) {
            protocol_error(ch);
        }
    }
}

/* Connections */

static void channel_begin(struct channel *ch, conn_handle h, uint8_t link)
{
    ch->conn = h;
    ch->used = true;
    ch->hello_sent = false;
    ch->link = link;
    ch->opened_ms = sched_now_ms();
    ch->reports_got = 0;
    ch->reports_told = 0;
    frames_reader_init(&ch->reader);
}

static void log_opened(enum log_event event, const struct channel *ch)
{
    uint32_t address = 0;
    uint16_t port = 0;
    conn_peer(ch->conn, &address, &port);
    struct log_line *l = log_begin(event);
    log_str(l, "peer", peer_name(ch->link));
    log_ip4(l, "address", address, port);
    log_end(l);
}

static void serve(conn_handle h)
{
    struct channel *ch = &channels[conn_slot(h)];
    if (!ch->used || ch->conn != h) {
        channel_begin(ch, h, NO_LINK);
        log_opened(EV_LINK_TAKEN, ch);
    }
    if (conn_state(h) == CONN_OPENING) {
        return;
    }
    if (conn_is_dialled(h) && !ch->hello_sent && conn_state(h) == CONN_OPEN) {
        ch->opened_ms = sched_now_ms();
        log_opened(EV_LINK_MADE, ch);
        say_hello(ch, ch->link);
    }
    read_frames(ch);
    if (!ch->used || ch->conn != h) {
        return; /* a frame ended it */
    }
    if (conn_state(h) == CONN_LOST) {
        channel_abort(ch, conn_reason_name(conn_reason(h)));
    } else if (conn_state(h) == CONN_PEER_ENDED) {
        channel_finish(ch, "closed by neighbour");
    }
}

static void dial(unsigned link)
{
    struct link *k = &links[link];
    const struct config_node *node = &config->nodes[k->node];
    conn_handle h = CONN_NONE;
    int err = conn_dial(CONN_LINK, hal_net_dial_address(node->address), node->link_port, &h);
    if (k->failures < 2 || err != HERD_OK) {
        struct log_line *l = log_begin(k->failures == 1 ? EV_LINK_RETRY : EV_LINK_DIAL);
        log_str(l, "peer", node->name);
        log_ip4(l, "address", node->address, node->link_port);
        log_i64(l, "error", err);
        log_end(l);
    }
    if (err != HERD_OK) {
        schedule_retry(k);
        k->failures++;
        return;
    }
    unsigned index = conn_slot(h);
    channel_begin(&channels[index], h, (uint8_t)link);
    k->dialling = (uint8_t)index;
}

static void make_suspect(unsigned link)
{
    links[link].suspect = true;
    stats.suspected++;
    struct log_line *l = log_begin(EV_LINK_SUSPECT);
    log_str(l, "peer", peer_name(link));
    log_u64(l, "in_flight", replica_in_flight(link));
    log_end(l);
}

/* What is due on a link that is up. */
static void tend_live(unsigned link, uint64_t now)
{
    struct link *k = &links[link];
    struct channel *ch = &channels[k->live];
    if (now >= conn_heard_ms(ch->conn) + CFG_LINK_DEAD_MS) {
        stats.dead++;
        channel_abort(ch, "dead");
        return;
    }
    if (ch->reports_told != ch->reports_got) {
        say_ack(ch);
    }
    if (now >= k->beat_ms) {
        say_beat(ch);
        k->beat_ms = now + CFG_LINK_BEAT_MS;
    }
    send_records(link);
    if (!k->suspect && replica_in_flight(link) > 0 && now >= k->acked_ms + CFG_LINK_SUSPECT_MS) {
        make_suspect(link);
    }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_deadline(void)
{
    uint64_t at = SCHED_NEVER;
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        const struct channel *ch = &channels[i];
        if (ch->used && (ch->link == NO_LINK || links[ch->link].live != i) &&
            conn_state(ch->conn) != CONN_OPENING) {
            at = sooner(at, ch->opened_ms + CFG_LINK_HELLO_MS);
        }
    }
    for (unsigned i = 0; i < link_count; i++) {
        const struct link *k = &links[i];
        if (k->live != NO_CHANNEL) {
            at = sooner(at, k->beat_ms);
            at = sooner(at, conn_heard_ms(channels[k->live].conn) + CFG_LINK_DEAD_MS);
            if (!k->suspect && replica_in_flight(i) > 0) {
                at = sooner(at, k->acked_ms + CFG_LINK_SUSPECT_MS);
            }
        } else if (k->dialling == NO_CHANNEL && net_is_up()) {
            at = sooner(at, k->retry_ms);
        }
    }
    return at;
}

static void run(void)
{
    conn_handle h = CONN_NONE;
    while (conn_next_ready(CONN_LINK, &h)) {
        serve(h);
    }
    if (stopping) {
        return;
    }
    uint64_t now = sched_now_ms();
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        struct channel *ch = &channels[i];
        if (ch->used && (ch->link == NO_LINK || links[ch->link].live != i) &&
            conn_state(ch->conn) != CONN_OPENING && now >= ch->opened_ms + CFG_LINK_HELLO_MS) {
            channel_abort(ch, "no hello");
        }
    }
    for (unsigned i = 0; i < link_count; i++) {
        if (links[i].live != NO_CHANNEL) {
            tend_live(i, now);
        } else if (links[i].dialling == NO_CHANNEL && net_is_up() && now >= links[i].retry_ms) {
            dial(i);
        }
    }
    sched_at(&task, next_deadline());
}

int links_init(const struct config *given)
{
    config = given;
    stats = (struct links_stats){0};
    stopping = false;
    link_count = config->neighbour_count;
    /* Different at every start: the epoch, where one is kept, and chance. */
    own_boot = (uint64_t)nv_info().epoch << 32 | rng_u32();
    if (nv_info().epoch == 0) {
        rng_bytes(&own_boot, sizeof own_boot);
    }
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        channels[i].used = false;
    }
    for (unsigned i = 0; i < link_count; i++) {
        links[i] = (struct link){
            .node = config->neighbours[i], .live = NO_CHANNEL, .dialling = NO_CHANNEL};
    }
    replica_init(link_count + config->open_count, (int64_t)config->skew_max_s * WHEN_NS_PER_S);
    trusted = compute_trust();
    sched_add(&task);
    conn_set_owner(CONN_LINK, &task);
    return link_count == 0 ? HERD_OK : conn_listen(CONN_LINK, self()->link_port);
}

void links_wake(void)
{
    sched_wake(&task);
}

enum links_state links_state(unsigned i)
{
    HERD_ASSERT(i < link_count);
    if (links[i].live != NO_CHANNEL) {
        return links[i].suspect ? LINKS_SUSPECT : LINKS_UP;
    }
    return links[i].dialling != NO_CHANNEL ? LINKS_DIALLING : LINKS_DOWN;
}

struct links_stats links_stats(void)
{
    return stats;
}

void links_stop(void)
{
    stopping = true;
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        struct channel *ch = &channels[i];
        if (ch->used) {
            if (conn_state(ch->conn) == CONN_OPEN) {
                say_bye(ch, FRAMES_BYE_STOPPING);
            }
            channel_finish(ch, "stopping");
        }
    }
}

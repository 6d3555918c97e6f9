#include "links.h"

#include <string.h>

#include "answer.h"
#include "ask.h"
#include "backoff.h"
#include "callers.h"
#include "channel.h"
#include "clocks.h"
#include "conn.h"
#include "frames.h"
#include "hal_net.h"
#include "hello.h"
#include "link_frames.h"
#include "log.h"
#include "net.h"
#include "replica.h"
#include "rng.h"
#include "sched.h"
#include "tls_link.h"
#include "wall.h"
#include "when.h"

#define NO_LINK    CHANNEL_NO_LINK
#define NO_CHANNEL CFG_CONN_LINK_SLOTS

/* One neighbour. */
struct link {
    uint8_t node;     /* in the herd file */
    uint8_t live;     /* channel, or NO_CHANNEL */
    uint8_t dialling; /* channel, or NO_CHANNEL */
    bool suspect;
    bool moving;     /* up without a live channel: the one that we dial takes over at any moment */
    bool offers_ask; /* its HELLO said so */
    uint32_t failures; /* dials since it was last up */
    uint64_t boot;     /* of the neighbour, on the live channel */
    uint64_t retry_ms; /* when to dial next */
    uint64_t acked_ms; /* last acknowledgement, or when something was first in flight */
    uint64_t beat_ms;  /* when the next heartbeat is due */
};

static const struct config *config;
static struct channel channels[CFG_CONN_LINK_SLOTS];
static struct link links[CFG_LINKS];
static unsigned link_count;
static bool stopping;
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

bool links_clock_trusted(void)
{
    return clocks_trusted();
}

/* Up and down */

/* The link has no connection any more, or another one. */
static void lose_places(unsigned link)
{
    answer_lost(link);
    ask_lost(link);
}

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
    k->failures = 0;
    replica_link_down(link);
    schedule_retry(k);
    stats.down++;
    struct log_line *l = log_begin(EV_LINK_DOWN);
    log_str(l, "peer", peer_name(link));
    log_str(l, "reason", reason);
    log_end(l);
    clocks_forget(link);
    lose_places(link);
}

/* Forgets a channel whose connection the caller finishes or releases. */
static void channel_free(struct channel *ch, const char *reason)
{
    uint8_t index = (uint8_t)(ch - channels);
    channel_log_conn(EV_LINK_DROPPED, ch, reason);
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
    channel_close(ch);
}

static void channel_abort(struct channel *ch, const char *reason)
{
    channel_free(ch, reason);
    channel_cut(ch);
}

/* Neighbours without a connection: a context, and a slot, are kept for each. */
static unsigned missing(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < link_count; i++) {
        count += links[i].live == NO_CHANNEL && links[i].dialling == NO_CHANNEL;
    }
    return count;
}

static void refuse(struct channel *ch, enum frames_bye reason, struct span name)
{
    stats.refused++;
    struct log_line *l = log_begin(EV_LINK_REFUSED);
    log_span(l, "name", name);
    log_str(l, "reason", frames_bye_name((uint8_t)reason));
    log_end(l);
    channel_say_bye(ch, reason);
    channel_finish(ch, frames_bye_name((uint8_t)reason));
}

/* Of two connections of one link the one dialled by the bytewise lower name stays. */
static bool is_preferred(const struct channel *ch, unsigned link)
{
    bool we_are_lower = span_compare(span_of(self()->name), span_of(peer_name(link))) < 0;
    return conn_is_dialled(ch->conn) == we_are_lower;
}

/* The channel has finished its handshake: it carries the link from now on. */
static void adopt(struct channel *ch, unsigned link, const struct frames_hello *hello)
{
    struct link *k = &links[link];
    uint8_t index = (uint8_t)(ch - channels);
    bool was_up = k->live != NO_CHANNEL || k->moving;
    bool restarted = !was_up || hello->boot != k->boot;
    if (k->live != NO_CHANNEL) {
        struct channel *old = &channels[k->live];
        if (!restarted && !is_preferred(ch, link)) {
            stats.duplicate++;
            channel_say_bye(ch, FRAMES_BYE_DUPLICATE);
            channel_finish(ch, "duplicate");
            return;
        }
        k->live = NO_CHANNEL;
        if (restarted) {
            channel_abort(old, "neighbour restarted");
        } else {
            stats.duplicate++;
            channel_say_bye(old, FRAMES_BYE_DUPLICATE);
            channel_finish(old, "duplicate");
        }
    }
    if (k->dialling == index) {
        k->dialling = NO_CHANNEL;
    }
    k->live = index;
    k->boot = hello->boot;
    k->offers_ask = (hello->features & FRAMES_FEATURE_ASK) != 0;
    k->failures = 0;
    k->suspect = false;
    k->moving = false;
    k->acked_ms = sched_now_ms();
    k->beat_ms = sched_now_ms(); /* the first heartbeat tells our clock and floor at once */
    if (restarted) {
        clocks_forget(link);
        replica_link_up(link);
    } else {
        /* Only the connection is another one. What the neighbour acknowledged is still in its memory,
         * which a start with the same boot number has not lost; what it did not acknowledge is marked
         * still, and what was new meanwhile is marked for every link, up or down. */
        replica_link_resume(link);
    }
    if (was_up) {
        lose_places(link);
    } else {
        stats.up++;
        struct log_line *l = log_begin(EV_LINK_UP);
        log_str(l, "peer", peer_name(link));
        log_str(l, "dialled", conn_is_dialled(ch->conn) ? "yes" : "no");
        log_str(l, "suite", tls_link_suite(ch->tls));
        log_end(l);
    }
}

/* Receiving */

static void got_hello(struct channel *ch, struct span body)
{
    struct frames_hello hello;
    unsigned link = NO_LINK;
    enum frames_bye reason = FRAMES_BYE_PROTOCOL;
    if (hello_judge(ch, body, &hello, &link, &reason) != HERD_OK) {
        stats.protocol += reason == FRAMES_BYE_PROTOCOL ? 1 : 0;
        refuse(ch, reason, hello.name);
        return;
    }
    channel_identify(ch, (uint8_t)link, peer_name(link));
    channel_log_frame(EV_LINK_GOT, ch, "hello");
    if (!ch->hello_sent) {
        hello_say(ch);
    }
    adopt(ch, link, &hello);
}

static void acknowledged(unsigned link)
{
    struct link *k = &links[link];
    k->acked_ms = sched_now_ms();
    if (k->suspect) {
        k->suspect = false;
        struct log_line *l = log_begin(EV_LINK_RECOVERED);
        log_str(l, "peer", peer_name(link));
        log_end(l);
    }
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
        k->moving = true;
        replica_link_down(ch->link);
        lose_places(ch->link);
    }
}

static void got_bye(struct channel *ch, struct span body)
{
    uint8_t reason = 0;
    if (frames_get_bye(body, &reason) != HERD_OK) {
        reason = 0;
    }
    channel_log_bye(EV_LINK_GOT, ch, reason);
    if (reason == FRAMES_BYE_DUPLICATE) {
        move_to_dialled(ch);
    }
    channel_finish(ch, frames_bye_name(reason));
}

static void protocol_error(struct channel *ch)
{
    stats.protocol++;
    channel_say_bye(ch, FRAMES_BYE_PROTOCOL);
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
    int err = link_frames_take(ch, frame, &stats.bad_report);
    if (err == HERD_OK && frame->type == FRAMES_ACK) {
        acknowledged(ch->link);
    }
    if (err != HERD_OK) {
        protocol_error(ch);
    }
}

static void read_frames(struct channel *ch)
{
    struct frames_frame frame;
    int err = HERD_OK;
    while (ch->used && err == HERD_OK) { /* a frame may end it */
        err = channel_read(ch, &frame, &stats.skipped);
        if (err == HERD_OK) {
            got_frame(ch, &frame);
        } else if (err == HERD_E_CLOSED) {
            channel_finish(ch, "closed by neighbour");
        } else if (err != HERD_E_AGAIN) {
            protocol_error(ch);
        }
    }
}

/* Connections */

/* True when it is authenticated. */
static bool authenticate(struct channel *ch)
{
    const char *reason = NULL;
    int err = callers_authenticate(ch, &reason);
    if (err == HERD_E_AGAIN) {
        return false;
    }
    if (err != HERD_OK) {
        channel_free(ch, reason);
        if (callers_may_linger(missing())) {
            channel_close(ch); /* an alert says why */
        } else {
            channel_cut(ch);
        }
        return false;
    }
    channel_identify(ch, ch->tls->link, peer_name(ch->tls->link));
    if (conn_is_dialled(ch->conn)) {
        hello_say(ch);
    }
    return true;
}

static void serve(conn_handle h)
{
    struct channel *ch = &channels[conn_slot(h)];
    if ((!ch->used || ch->conn != h) && !callers_admit(ch, h, missing())) {
        return;
    }
    if (conn_state(h) == CONN_OPENING) {
        return;
    }
    if (!ch->opened && conn_is_dialled(h)) {
        if (conn_state(h) == CONN_LOST) {
            channel_abort(ch, conn_reason_name(conn_reason(h))); /* nobody there */
            return;
        }
        ch->opened_ms = sched_now_ms();
        channel_log_conn(EV_LINK_MADE, ch, NULL);
    }
    ch->opened = true;
    if (!ch->tls->tls.up && !authenticate(ch)) {
        return;
    }
    read_frames(ch);
    if (!ch->used || ch->conn != h) {
        return; /* a frame ended it */
    }
    if (conn_state(h) == CONN_LOST) {
        channel_abort(ch, conn_reason_name(conn_reason(h)));
    } else if (ch->broken) {
        channel_abort(ch, "cannot be written");
    }
}

static void dial(unsigned link)
{
    struct link *k = &links[link];
    const struct config_node *node = &config->nodes[k->node];
    conn_handle h = CONN_NONE;
    int err = rng_is_secret()
                  ? conn_dial(CONN_LINK, hal_net_dial_address(node->address), node->link_port, &h)
                  : HERD_E_ENTROPY;
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
    struct tls_link *tls = tls_link_dial(h, link);
    HERD_ASSERT(tls != NULL); /* it was kept for this neighbour: callers_admit */
    channel_begin(&channels[index], h, tls, (uint8_t)link, node->name);
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
    if (ch->broken) {
        channel_abort(ch, "cannot be written");
        return;
    }
    int64_t now_ns = 0;
    (void)wall_now_ns(&now_ns);
    if (replica_lacks_refused(link, now_ns, clocks_trusted())) {
        channel_abort(ch, "to be told again what was refused");
        return;
    }
    if (ch->reports_told != ch->reports_got) {
        channel_say_ack(ch);
    }
    if (now >= k->beat_ms) {
        link_frames_say_beat(ch);
        k->beat_ms = now + CFG_LINK_BEAT_MS;
    }
    if (link_frames_say_records(ch)) {
        k->acked_ms = now;
    }
    /* Places are told when no record waits for the room that is left, and one piece at a time: what
     * becomes new meanwhile goes before the next one. */
    if (!ch->broken && link_frames_say_place(ch)) {
        sched_wake(&task);
    }
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
    uint64_t at = answer_wake_ms();
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
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        if (channels[i].used && channels[i].again) {
            conn_set_ready(channels[i].conn); /* in the next round */
        }
    }
    if (stopping) {
        return;
    }
    uint64_t now = sched_now_ms();
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        struct channel *ch = &channels[i];
        if (ch->used && (ch->link == NO_LINK || links[ch->link].live != i) &&
            conn_state(ch->conn) != CONN_OPENING && now >= ch->opened_ms + CFG_LINK_HELLO_MS) {
            if (!ch->tls->tls.up) {
                callers_count_late(ch, "not authenticated in time");
            }
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
    hello_init(config);
    link_frames_init(config);
    callers_init(channels);
    clocks_init((int64_t)config->skew_max_s * WHEN_NS_PER_S / 2);
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        channels[i].used = false;
    }
    for (unsigned i = 0; i < link_count; i++) {
        links[i] = (struct link){
            .node = config->neighbours[i], .live = NO_CHANNEL, .dialling = NO_CHANNEL};
    }
    replica_init(link_count + config->open_count, (int64_t)config->skew_max_s * WHEN_NS_PER_S);
    sched_add(&task);
    conn_set_owner(CONN_LINK, &task);
    if (link_count == 0) {
        return HERD_OK;
    }
    int err = tls_link_init(config);
    return err == HERD_OK ? conn_listen(CONN_LINK, self()->link_port) : err;
}

void links_wake(void)
{
    sched_wake(&task);
}

struct sched_task *links_task(void)
{
    return &task;
}

bool links_offers_ask(unsigned i)
{
    const struct link *k = &links[i];
    HERD_ASSERT(i < link_count);
    return k->offers_ask && !k->suspect && (k->live != NO_CHANNEL || k->moving);
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
    struct callers_stats callers = callers_stats();
    stats.auth_failed = callers.failed;
    stats.auth_unknown = callers.unknown;
    stats.auth_old_key = callers.old_key;
    stats.crowded = callers.crowded;
    return stats;
}

void links_stop(void)
{
    stopping = true;
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        struct channel *ch = &channels[i];
        if (ch->used) {
            if (conn_state(ch->conn) == CONN_OPEN && ch->tls->tls.up) {
                channel_say_bye(ch, FRAMES_BYE_STOPPING);
            }
            channel_finish(ch, "stopping");
        }
    }
}

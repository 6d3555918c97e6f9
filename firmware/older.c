/* Neighbours of the older kind; older.h has the contracts.
 *
 * A connection to one of them carries a few lines and ends. When TCP has acknowledged them they count as
 * known to it: there is no better sign. The connection that is lost before that leaves the marks in
 * `replica` as they were, and after a pause the records of that moment are told again.
 */
#include "older.h"

#include "backoff.h"
#include "clients.h"
#include "hal_clock.h"
#include "hal_net.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "net.h"
#include "older_lines.h"
#include "replica.h"
#include "rng.h"
#include "sched.h"
#include "when.h"

#define LINE_BYTES   (OLDER_LINES_BYTES_MAX(CFG_REPORT_BYTES) + 1) /* with its newline */
#define LOUD_RETRIES 2 /* of a row of failures, logged; the rest is for debugging */

_Static_assert(CFG_LINE_BYTES >= OLDER_LINES_BYTES_MAX(CFG_REPORT_BYTES),
               "a line of theirs is no longer than what a client's connection takes");
_Static_assert(CFG_CONN_TX_BYTES >= LINE_BYTES, "a line fits in an empty send ring");

struct neighbour {
    conn_handle conn;  /* CONN_NONE: there is nothing to say, or it is not time yet */
    bool written;      /* the lines of this connection are in the send ring */
    uint32_t lines;    /* so many */
    uint32_t failures; /* in a row */
    uint64_t retry_ms; /* when to dial again */
};

static const struct config *config;
static struct neighbour neighbours[CFG_OPEN_LINKS];
static struct older_stats stats;

static void run(void);
static struct sched_task task = {.name = "older", .run = run};

static const struct config_node *node_of(unsigned i)
{
    return &config->nodes[config->open[i]];
}

static unsigned link_of(unsigned i)
{
    return config->neighbour_count + i;
}

/* --- What they send ------------------------------------------------------------------------- */

/* Who may have sent a line of this kind, as bits; several where the address does not tell. */
static uint32_t candidates(conn_handle from, enum older_lines_kind kind)
{
    uint32_t here = 0; /* at the address, if addresses mean anything */
    uint32_t anyone = 0;
    uint32_t address = 0;
    uint16_t port = 0;

    conn_peer(from, &address, &port);
    for (unsigned i = 0; i < config->open_count; i++) {
        const struct config_node *node = node_of(i);
        bool speaks_at = node->dialect == CONFIG_DIALECT_AT;
        if (speaks_at == (kind == OLDER_LINES_AT)) {
            anyone |= UINT32_C(1) << i;
            here |= (uint32_t)(node->address == address) << i;
        }
    }
    if (hal_net_addresses_are_real() && (here != 0 || !config->open_anyone)) {
        return here;
    }
    return config->open_anyone ? anyone : 0;
}

/* The one candidate, or the one that names itself; CFG_OPEN_LINKS: not known. */
static unsigned identify(uint32_t among, struct span server)
{
    for (unsigned i = 0; i < config->open_count; i++) {
        bool alone = among == UINT32_C(1) << i;
        bool named = (among >> i & 1u) != 0 && span_equal(server, span_of(node_of(i)->name));
        if (alone || named) {
            return i;
        }
    }
    return CFG_OPEN_LINKS;
}

static const char *name_of(unsigned i)
{
    return i < config->open_count ? node_of(i)->name : "?";
}

static void log_line(enum log_event event, unsigned i, struct span line, const char *what)
{
    struct log_line *l = log_begin(event);
    log_str(l, "peer", name_of(i));
    log_span(l, "line", line);
    log_str(l, "result", what);
    log_end(l);
}

/* The report of a line goes into the table; what became of it. */
static const char *enter(const struct older_lines_line *line, unsigned from,
                         enum older_lines_kind kind)
{
    struct client_record record = {.difference_ns = line->difference_ns, .report = line->report};
    int64_t now_ns = 0;
    bool clock_is_set = hal_clock_wall_ns(&now_ns);

    if (names_intern(line->server, &record.server) != HERD_OK) { /* its form was checked */
        stats.no_name++;
        return "no-room-for-server-name";
    }
    if (kind == OLDER_LINES_UPDATE && clock_is_set) { /* it says none; ours is the nearest to it */
        record.difference_ns = when_difference(now_ns, line->report.stamp_ns);
    }
    switch (replica_take_older(from < config->open_count ? link_of(from) : REPLICA_NOBODY, &record,
                               now_ns, links_clock_trusted())) {
    case CLIENTS_STORED:
        stats.fresh++;
        links_wake();
        older_wake();
        return "new";
    case CLIENTS_SAME:
        stats.duplicate++;
        return "duplicate";
    case CLIENTS_OLDER:
        stats.stale++;
        return "older";
    case CLIENTS_REFUSED:
        break;
    }
    stats.no_room++;
    return "no-room";
}

bool older_take(conn_handle from, struct span line)
{
    enum older_lines_kind kind = older_lines_kind(line);
    struct older_lines_line said;

    if (kind == OLDER_LINES_NONE) {
        return false;
    }
    uint32_t among = candidates(from, kind);
    if (among == 0) {
        return false;
    }
    stats.got++;
    if (older_lines_parse(line, config->report_bytes, &said) != HERD_OK) {
        stats.malformed++;
        log_line(EV_OLDER_REFUSED, identify(among, (struct span){NULL, 0}), line, "malformed");
        return true;
    }
    unsigned sender = identify(among, said.server);
    uint32_t refused = stats.no_name;
    const char *what = enter(&said, sender, kind);
    log_line(stats.no_name == refused ? EV_OLDER_GOT : EV_OLDER_REFUSED, sender, line, what);
    return true;
}

/* --- What they are told --------------------------------------------------------------------- */

static void log_peer(enum log_event event, unsigned i, const char *reason)
{
    struct log_line *l = log_begin(event);
    log_str(l, "peer", node_of(i)->name);
    log_ip4(l, "address", node_of(i)->address, node_of(i)->port);
    if (reason != NULL) {
        log_str(l, "reason", reason);
    }
    log_end(l);
}

/* Not all of it arrived: it is told again, as it will be then. */
static void fail(unsigned i, const char *reason)
{
    struct neighbour *n = &neighbours[i];
    uint32_t pause_ms =
        backoff_ms(n->failures, CFG_LINK_RETRY_FIRST_MS, CFG_LINK_RETRY_LAST_MS, rng_u32());

    replica_link_down(link_of(i));
    conn_release(n->conn);
    n->conn = CONN_NONE;
    n->retry_ms = sched_now_ms() + pause_ms;
    stats.failed++;
    log_peer(n->failures < LOUD_RETRIES ? EV_OLDER_RETRY : EV_OLDER_DIAL, i, reason);
    if (n->failures < UINT32_MAX) {
        n->failures++;
    }
}

static void succeed(unsigned i)
{
    struct neighbour *n = &neighbours[i];
    int err = replica_acked(link_of(i), n->lines);

    HERD_ASSERT(err == HERD_OK);
    replica_link_down(link_of(i));
    stats.delivered += n->lines;
    log_peer(EV_OLDER_DROPPED, i, "delivered");
    conn_finish(n->conn); /* a lost one is released */
    n->conn = CONN_NONE;
    n->failures = 0;
    n->retry_ms = sched_now_ms() + 1; /* the slot is free at the end of this round */
}

static void write_line(unsigned i, const struct client_record *record)
{
    char buffer[LINE_BYTES];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    if (node_of(i)->dialect == CONFIG_DIALECT_AT) {
        proto_format_at(&t, names_get(record->server), record->difference_ns, &record->report);
    } else {
        older_lines_format_update(&t, names_get(record->server), record->key_ns, &record->report);
    }
    log_line(EV_OLDER_SENT, i, text_span(&t), "written");
    text_char(&t, '\n');
    HERD_ASSERT(!t.cut);
    size_t taken = conn_write(neighbours[i].conn, t.at, t.bytes);
    HERD_ASSERT(taken == t.bytes);
}

/* The news of this moment, as far as credit, room and the herd file's `lines` go. */
static void write_lines(unsigned i)
{
    struct neighbour *n = &neighbours[i];
    struct client_record record;

    n->written = true;
    n->lines = 0;
    stats.made++;
    log_peer(EV_OLDER_MADE, i, NULL);
    replica_link_resume(link_of(i));
    while (n->lines < node_of(i)->lines && conn_room(n->conn) >= LINE_BYTES &&
           replica_next(link_of(i), &record) == HERD_OK) {
        write_line(i, &record);
        n->lines++;
        stats.sent++;
    }
}

static void drop_input(conn_handle h)
{
    while (conn_readable(h) > 0) {
        conn_consume(h, conn_peek(h).bytes);
    }
}

static void serve(unsigned i)
{
    struct neighbour *n = &neighbours[i];
    enum conn_state state = conn_state(n->conn);

    drop_input(n->conn);
    if (state == CONN_OPENING) {
        return;
    }
    if (!n->written && state != CONN_LOST) {
        write_lines(i);
    }
    if (n->written && conn_unacked(n->conn) == 0) {
        succeed(i);
    } else if (state == CONN_LOST) {
        fail(i, conn_reason_name(conn_reason(n->conn)));
    }
}

static void dial(unsigned i)
{
    struct neighbour *n = &neighbours[i];
    const struct config_node *node = node_of(i);
    int err = conn_dial(CONN_OLDER, hal_net_dial_address(node->address), node->port, &n->conn);

    n->written = false;
    n->lines = 0;
    if (err != HERD_OK) {
        n->conn = CONN_NONE;
        fail(i, err == HERD_E_NETWORK ? "no-route" : "no-connection");
        return;
    }
    log_peer(EV_OLDER_DIAL, i, NULL);
}

static void run(void)
{
    conn_handle h = CONN_NONE;
    uint64_t now = sched_now_ms();
    uint64_t next_ms = SCHED_NEVER;

    while (conn_next_ready(CONN_OLDER, &h)) {
        for (unsigned i = 0; i < config->open_count; i++) {
            if (neighbours[i].conn == h) {
                serve(i);
            }
        }
    }
    for (unsigned i = 0; i < config->open_count; i++) {
        struct neighbour *n = &neighbours[i];
        if (n->conn != CONN_NONE || !replica_has_news(link_of(i)) || !net_is_up()) {
            continue;
        }
        if (now >= n->retry_ms) {
            dial(i);
        }
        if (n->conn == CONN_NONE && n->retry_ms < next_ms) {
            next_ms = n->retry_ms;
        }
    }
    sched_at(&task, next_ms);
}

/* --- The room ------------------------------------------------------------------------------- */

int older_init(const struct config *given)
{
    config = given;
    stats = (struct older_stats){0};
    for (unsigned i = 0; i < CFG_OPEN_LINKS; i++) {
        neighbours[i] = (struct neighbour){.conn = CONN_NONE};
    }
    if (config->open_count > 0 && !config->open_anyone && !hal_net_addresses_are_real()) {
        return HERD_E_REFUSED;
    }
    for (unsigned i = 0; i < config->open_count; i++) {
        struct log_line *l = log_begin(EV_OLDER_OPEN);
        log_str(l, "peer", node_of(i)->name);
        log_span(l, "meaning",
                 config->open_anyone ? SPAN_LIT("whoever reaches the client port can write records")
                                     : SPAN_LIT("whoever has its address can write records"));
        log_end(l);
    }
    sched_add(&task);
    conn_set_owner(CONN_OLDER, &task);
    return HERD_OK;
}

void older_wake(void)
{
    if (config->open_count > 0) {
        sched_wake(&task);
    }
}

struct older_stats older_stats(void)
{
    return stats;
}

void older_stop(void)
{
    for (unsigned i = 0; i < config->open_count; i++) {
        if (neighbours[i].conn != CONN_NONE) {
            log_peer(EV_OLDER_DROPPED, i, "stopping");
            conn_finish(neighbours[i].conn);
            neighbours[i].conn = CONN_NONE;
        }
    }
}

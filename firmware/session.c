#include "session.h"

#include <string.h>

#include "clients.h"
#include "conn.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "older.h"
#include "places.h"
#include "proto.h"
#include "replica.h"
#include "sched.h"
#include "wall.h"
#include "when.h"

#define AT_BYTES_MAX   PROTO_AT_BYTES_MAX(CFG_REPORT_BYTES)
#define LINES_PER_TURN 64  /* then the other sessions have theirs */
#define ASK_AGAIN_MS   100 /* how late it is noticed that a WHATSAT waited, or was read, too long */

/* Room in the send ring before a line is read: the longest answer that is not streamed. */
#define ANSWER_ROOM (CFG_LINE_BYTES + 3 > AT_BYTES_MAX + 1 ? CFG_LINE_BYTES + 3 : AT_BYTES_MAX + 1)
_Static_assert(CFG_CONN_TX_BYTES >= ANSWER_ROOM, "an empty send ring takes any answer");
_Static_assert(CFG_LINE_BYTES >= AT_BYTES_MAX + 1,
               "the AT line of a WHATSAT lies where the command lay");

enum mode {
    MODE_LINE,    /* reading a line */
    MODE_COPY,    /* passing the rest of an overlong line through */
    MODE_ASKING,  /* WHATSAT, this and below: no query slot was free yet */
    MODE_WAITING, /* WHATSAT: the answer is being fetched */
    MODE_SENDING  /* WHATSAT: the answer goes out as room allows */
};

struct session {
    conn_handle conn;
    bool used;
    enum mode mode;
    uint16_t line_bytes;
    char line[CFG_LINE_BYTES]; /* of a WHATSAT, as it goes on: the AT line, the text of a failure */
    /* of a WHATSAT */
    struct places_query query;
    uint64_t give_up_ms; /* MODE_ASKING: when */
    places_ticket ticket;
    uint16_t head_bytes; /* the AT line and its newline, until the rest of the answer is there */
    struct span body;
    size_t sent; /* of body + two newlines */
};

static const struct config *config;
static uint8_t own_name;
static struct session sessions[CFG_SESSIONS];
static unsigned waiting; /* sessions with a WHATSAT that is not done */
static struct session_stats stats;
static bool stopping;

static void run(void);
static struct sched_task task = {.name = "session", .run = run};

int session_init(const struct config *given)
{
    config = given;
    stats = (struct session_stats){0};
    waiting = 0;
    stopping = false;
    for (unsigned i = 0; i < CFG_SESSIONS; i++) {
        sessions[i].used = false;
    }
    int err = names_intern(span_of(config->nodes[config->self].name), &own_name);
    if (err != HERD_OK) {
        return err;
    }
    sched_add(&task);
    conn_set_owner(CONN_SESSION, &task);
    return conn_listen(CONN_SESSION, config->nodes[config->self].port);
}

struct sched_task *session_task(void)
{
    return &task;
}

struct session_stats session_stats(void)
{
    return stats;
}

static void log_bytes(enum log_event event, const struct session *s, const char *key,
                      struct span value)
{
    struct log_line *l = log_begin(event);
    if (l != NULL) { /* asked for, or not even the slot is looked up */
        log_u64(l, "slot", conn_slot(s->conn));
        log_span(l, key, value);
        log_end(l);
    }
}

/* Room was checked before the line was read. */
static void reply(const struct session *s, struct span bytes)
{
    size_t taken = conn_write(s->conn, bytes.at, bytes.bytes);
    HERD_ASSERT(taken == bytes.bytes);
}

static void answer_invalid(struct session *s, struct span line)
{
    stats.invalid++;
    log_bytes(EV_SESSION_INVALID, s, "line", line);
    reply(s, SPAN_LIT("? "));
    reply(s, line);
    reply(s, SPAN_LIT("\n"));
}

static void answer_iamat(struct session *s, const struct proto_report *report)
{
    stats.iamat++;
    int64_t now_ns = 0;
    (void)wall_now_ns(&now_ns); /* never set: the difference says so, and nobody trusts us */
    char buffer[AT_BYTES_MAX + 1];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    proto_format_at(&t, names_get(own_name), when_difference(now_ns, report->stamp_ns), report);
    log_bytes(EV_SESSION_ANSWER, s, "answer", text_span(&t));
    text_char(&t, '\n');
    reply(s, text_span(&t));
    if (replica_take(report, own_name, now_ns, links_clock_trusted()) == CLIENTS_STORED) {
        links_wake();
        older_wake();
    }
}

/* WHATSAT */

static void set_mode(struct session *s, enum mode mode)
{
    waiting -= s->mode >= MODE_ASKING;
    s->mode = mode;
    waiting += s->mode >= MODE_ASKING;
}

static void end(struct session *s, const char *why)
{
    if (s->ticket != PLACES_NONE) {
        places_release(s->ticket);
        s->ticket = PLACES_NONE;
    }
    struct log_line *l = log_begin(EV_SESSION_ENDED);
    log_u64(l, "slot", conn_slot(s->conn));
    log_str(l, "reason", why);
    log_end(l);
    set_mode(s, MODE_LINE);
    s->used = false;
}

/* The AT line goes out, and the session's line is free. Returns the log's line, to be ended. There is
 * room since before the command was read. */
static struct log_line *send_head(struct session *s)
{
    struct span head = {s->line, s->head_bytes};
    struct log_line *l = log_begin(EV_SESSION_ANSWER);
    log_u64(l, "slot", conn_slot(s->conn));
    log_span(l, "answer", (struct span){head.at, head.bytes - 1});
    reply(s, head);
    return l;
}

static void send_body(struct session *s, struct span body, struct log_line *l)
{
    log_u64(l, "json_bytes", body.bytes);
    log_end(l);
    s->body = body;
    s->sent = 0;
    set_mode(s, MODE_SENDING);
}

/* The session's own words in place of an answer of places. */
static void send_own(struct session *s, struct span status, struct span message)
{
    struct log_line *l = send_head(s);
    struct text t;
    text_init(&t, s->line, sizeof s->line);
    if (status.bytes == 0) {
        places_format_empty(&t);
    } else {
        places_format_failure(&t, status, message);
    }
    HERD_ASSERT(!t.cut);
    send_body(s, text_span(&t), l);
}

static void poll_places(struct session *s)
{
    if (s->mode == MODE_ASKING) {
        int err = places_ask(&s->query, &s->ticket);
        if (err == HERD_OK) {
            set_mode(s, MODE_WAITING);
        } else if (sched_now_ms() >= s->give_up_ms) {
            send_own(s, SPAN_LIT("UNKNOWN_ERROR"),
                     SPAN_LIT("this server is busy with other queries; try again"));
        }
    }
    if (s->mode == MODE_WAITING) {
        struct span answer;
        int err = places_poll(s->ticket, &answer);
        if (err == HERD_OK) {
            send_body(s, answer, send_head(s));
        } else if (err != HERD_E_AGAIN) {
            s->ticket = PLACES_NONE;
            send_own(s, SPAN_LIT("UNKNOWN_ERROR"), SPAN_LIT("the answer was lost; try again"));
        }
    }
}

static void answer_whatsat(struct session *s, const struct proto_whatsat *whatsat, struct span line)
{
    unsigned slot = 0;
    struct client_record record;
    struct geo_point at;
    if (clients_find(whatsat->client, &slot) != HERD_OK) {
        answer_invalid(s, line);
        return;
    }
    clients_get(slot, &record);
    if ((record.flags & CLIENTS_FLAG_TOMBSTONE) != 0 ||
        geo_parse(record.report.location, &at) != HERD_OK) {
        answer_invalid(s, line);
        return;
    }
    stats.whatsat++;
    struct text t;
    text_init(&t, s->line, sizeof s->line); /* the command is no longer needed */
    proto_format_at(&t, names_get(record.server), record.difference_ns, &record.report);
    text_char(&t, '\n');
    HERD_ASSERT(!t.cut);
    s->head_bytes = (uint16_t)t.bytes;
    if (whatsat->radius_mm == 0 || whatsat->bound == 0) {
        send_own(s, (struct span){NULL, 0}, (struct span){NULL, 0});
        return;
    }
    s->query =
        (struct places_query){at, whatsat->radius_mm, whatsat->bound, CFG_PLACES_ANSWER_BYTES};
    s->give_up_ms = sched_now_ms() + config->places.timeout_ms;
    set_mode(s, MODE_ASKING);
    poll_places(s);
}

/* Goes on with the answer as far as there is room. True when it is done, or was lost. */
static bool send_more(struct session *s)
{
    /* Asked each time: a reader that was too slow has lost its answer, and the bytes are another's. */
    if (s->ticket != PLACES_NONE && places_poll(s->ticket, &s->body) != HERD_OK) {
        s->ticket = PLACES_NONE;
        stats.too_slow++;
        end(s, "answer not read in time");
        conn_release(s->conn);
        return true;
    }
    const struct span parts[] = {s->body, SPAN_LIT("\n\n")};
    size_t before = 0;
    for (unsigned i = 0; i < 2; i++) {
        while (s->sent < before + parts[i].bytes) {
            size_t skip = s->sent - before;
            size_t n = conn_write(s->conn, parts[i].at + skip, parts[i].bytes - skip);
            if (n == 0) {
                return false;
            }
            s->sent += n;
        }
        before += parts[i].bytes;
    }
    if (s->ticket != PLACES_NONE) {
        places_release(s->ticket);
        s->ticket = PLACES_NONE;
    }
    set_mode(s, MODE_LINE);
    return true;
}

/* Lines */

static void take_line(struct session *s, struct span line)
{
    struct proto_command command;
    proto_parse(line, config->report_bytes, &command);
    switch (command.kind) {
    case PROTO_BLANK:
        break;
    case PROTO_INVALID:
        if (!older_take(s->conn, line)) {
            answer_invalid(s, line);
        }
        break;
    case PROTO_IAMAT:
        log_bytes(EV_SESSION_COMMAND, s, "line", line);
        answer_iamat(s, &command.iamat);
        break;
    case PROTO_WHATSAT:
        log_bytes(EV_SESSION_COMMAND, s, "line", line);
        answer_whatsat(s, &command.whatsat, line);
        break;
    }
}

/* The one that was put together in the session's buffer, which is free for what comes of it. */
static void take_own_line(struct session *s)
{
    struct span line = {s->line, s->line_bytes};
    s->line_bytes = 0;
    take_line(s, line);
}

/* What arrived up to a newline, or all of it; *whole tells whether the newline is there. */
static struct span arrived(const struct session *s, bool *whole)
{
    struct span in = conn_peek(s->conn);
    const char *newline = in.bytes == 0 ? NULL : memchr(in.at, '\n', in.bytes);
    *whole = newline != NULL;
    if (*whole) {
        in.bytes = (size_t)(newline - in.at);
    }
    return in;
}

static bool at_end(const struct session *s)
{
    return conn_state(s->conn) == CONN_PEER_ENDED && conn_readable(s->conn) == 0;
}

/* True when it made progress. */
static bool read_line(struct session *s)
{
    bool whole = false;
    struct span in = arrived(s, &whole);
    bool is_last = in.bytes == 0 && !whole && s->line_bytes > 0 && at_end(s);
    if ((in.bytes == 0 && !whole && !is_last) || conn_room(s->conn) < ANSWER_ROOM) {
        return false;
    }
    if (is_last) { /* it may lack its newline */
        take_own_line(s);
        return true;
    }
    if (whole && s->line_bytes == 0 && in.bytes <= sizeof s->line) { /* mostly: where it arrived */
        take_line(s, in);
        conn_consume(s->conn, in.bytes + 1);
        return true;
    }
    size_t room = sizeof s->line - s->line_bytes;
    if (in.bytes > room) {
        stats.invalid++;
        stats.long_lines++;
        log_bytes(EV_SESSION_INVALID, s, "line", (struct span){s->line, s->line_bytes});
        reply(s, SPAN_LIT("? "));
        reply(s, (struct span){s->line, s->line_bytes});
        s->line_bytes = 0;
        s->mode = MODE_COPY;
        return true;
    }
    memcpy(s->line + s->line_bytes, in.at, in.bytes);
    s->line_bytes = (uint16_t)(s->line_bytes + in.bytes);
    conn_consume(s->conn, in.bytes + whole);
    if (whole) {
        take_own_line(s);
    }
    return true;
}

static bool copy_line(struct session *s)
{
    size_t room = conn_room(s->conn);
    if (room == 0) {
        return false;
    }
    bool whole = false;
    struct span in = arrived(s, &whole);
    if (whole ? in.bytes < room : at_end(s)) { /* the newline fits as well */
        reply(s, in);
        reply(s, SPAN_LIT("\n"));
        conn_consume(s->conn, in.bytes + whole);
        s->mode = MODE_LINE;
        return true;
    }
    size_t n = conn_write(s->conn, in.at, in.bytes);
    conn_consume(s->conn, n);
    return n > 0;
}

/* Sessions */

static void begin(struct session *s, conn_handle h)
{
    s->conn = h;
    s->used = true;
    s->mode = MODE_LINE;
    s->line_bytes = 0;
    s->ticket = PLACES_NONE;
    uint32_t address = 0;
    uint16_t port = 0;
    conn_peer(h, &address, &port);
    struct log_line *l = log_begin(EV_SESSION_TAKEN);
    log_u64(l, "slot", conn_slot(h));
    log_ip4(l, "peer", address, port);
    log_end(l);
}

static bool advance(struct session *s)
{
    switch (s->mode) {
    case MODE_LINE:
        return read_line(s);
    case MODE_COPY:
        return copy_line(s);
    case MODE_ASKING:
    case MODE_WAITING:
        poll_places(s);
        return s->mode == MODE_SENDING;
    case MODE_SENDING:
        return send_more(s);
    }
    return false;
}

static void serve(struct session *s)
{
    if (conn_state(s->conn) == CONN_LOST) {
        end(s, conn_reason_name(conn_reason(s->conn)));
        conn_release(s->conn);
        return;
    }
    unsigned budget = LINES_PER_TURN;
    while (budget > 0 && s->used && advance(s)) {
        budget--;
    }
    if (!s->used) {
        return;
    }
    if (budget == 0) {
        conn_set_ready(s->conn);
    } else if (s->mode == MODE_LINE && s->line_bytes == 0 && at_end(s)) {
        end(s, "client closed");
        conn_finish(s->conn);
    }
}

static void run(void)
{
    conn_handle h = CONN_NONE;
    for (unsigned budget = CFG_SESSIONS; budget > 0 && conn_next_ready(CONN_SESSION, &h);
         budget--) {
        struct session *s = &sessions[conn_slot(h)];
        if (stopping) {
            conn_release(h);
            continue;
        }
        if (!s->used || s->conn != h) {
            begin(s, h);
        }
        serve(s);
    }
    if (waiting > 0) {
        for (unsigned i = 0; i < CFG_SESSIONS; i++) {
            if (sessions[i].used && sessions[i].mode >= MODE_ASKING) {
                serve(&sessions[i]);
            }
        }
        sched_at(&task, sched_now_ms() + ASK_AGAIN_MS);
    }
}

void session_stop(void)
{
    stopping = true;
    for (unsigned i = 0; i < CFG_SESSIONS; i++) {
        struct session *s = &sessions[i];
        if (s->used) {
            end(s, "stopping");
            conn_finish(s->conn);
        }
    }
}

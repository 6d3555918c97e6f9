#include "https.h"

#include "cfg.h"

#if CFG_UPSTREAM

#include <string.h>

#include <lwip/dns.h>
#include <lwip/ip_addr.h>

#include "conn.h"
#include "hal_net.h"
#include "tls_upstream.h"
#include "wall.h"
#include "version.h"

/* Plaintext that one round of the scheduler takes, in pieces of this size. */
#define PIECE_BYTES      1024
#define PIECES_PER_ROUND 16

/* A connection that was just finished may still hold the upstream's slot. ms */
#define DIAL_AGAIN_MS 20

enum phase { IDLE, LOOKUP, DIAL, CONNECT, HANDSHAKE, SEND, WAIT, READ };

static const char *const phase_words[] = {
    [LOOKUP] = "looking up its name", [DIAL] = "waiting for a free connection",
    [CONNECT] = "connecting",         [HANDSHAKE] = "in the TLS handshake",
    [SEND] = "sending the request",   [WAIT] = "waiting for the answer",
    [READ] = "reading the answer",
};

static struct https_server server;
static struct sched_task *owner;
static struct tls_upstream tls;
static struct https_reader reader;
static struct https_stats stats;

static enum phase phase;
static conn_handle conn; /* open while TLS is set up over it, between requests too */
static uint64_t deadline_ms;
static uint64_t started_ms;
static uint64_t keep_until_ms;
static uint64_t dial_again_ms;
static bool on_kept; /* the request went out on a connection that had been idle */
static bool was_sent;
static const struct https_sink *sink;
static void *context;

CFG_SECRET static char request[CFG_HTTPS_REQUEST_BYTES]; /* the key is in it */
static size_t request_bytes;
static size_t request_sent;

/* DNS: lwIP calls back once per question, perhaps long after we gave it up. */
static uint32_t lookup_id;
static enum { LOOKUP_NONE, LOOKUP_ASKED, LOOKUP_FOUND, LOOKUP_FAILED } lookup;
static uint32_t looked_up; /* host byte order */

int https_init(const struct https_server *given, struct sched_task *task)
{
    server = *given;
    owner = task;
    stats = (struct https_stats){0};
    phase = IDLE;
    conn = CONN_NONE;
    conn_set_owner(CONN_UPSTREAM, task);
    return tls_upstream_setup(&tls);
}

/* The request as text */

static void put_host(struct text *t)
{
    text_str(t, server.host);
    if (server.port != 443) {
        text_char(t, ':');
        text_u64(t, server.port);
    }
}

static int build(const struct https_request *r)
{
    struct text t;

    text_init(&t, request, sizeof request);
    text_str(&t, r->method);
    text_char(&t, ' ');
    text_put(&t, r->target);
    text_str(&t, " HTTP/1.1\r\nHost: ");
    put_host(&t);
    text_str(&t, "\r\nUser-Agent: herd/" HERD_VERSION "\r\nAccept: application/json\r\n");
    text_put(&t, r->headers);
    if (r->body.bytes > 0) {
        text_str(&t, "Content-Length: ");
        text_u64(&t, r->body.bytes);
        text_str(&t, "\r\n");
    }
    text_str(&t, "\r\n");
    text_put(&t, r->body);
    request_bytes = t.bytes;
    return t.cut ? HERD_E_RANGE : HERD_OK;
}

/* Connection */

static void hang_up(bool keep_session)
{
    if (conn != CONN_NONE) {
        tls_upstream_stop(&tls, keep_session);
        conn = CONN_NONE;
    }
}

static void begin_connection(void)
{
    lookup = LOOKUP_NONE;
    request_sent = 0;
    on_kept = false;
    phase = server.address == 0 ? LOOKUP : DIAL;
}

int https_start(const struct https_request *r, uint64_t deadline, const struct https_sink *to,
                void *sink_context)
{
    HERD_ASSERT(phase == IDLE);
    int err = build(r);
    if (err != HERD_OK) {
        return err;
    }
    sink = to;
    context = sink_context;
    deadline_ms = deadline;
    started_ms = sched_now_ms();
    was_sent = false;
    stats.requests++;
    https_reader_init(&reader, sink, context);
    if (conn != CONN_NONE) {
        request_sent = 0;
        on_kept = true;
        stats.reused++;
        phase = SEND;
    } else {
        begin_connection();
    }
    sched_wake(owner);
    return HERD_OK;
}

/* Every end of a request comes through here or through finish. */
static int fail(struct text *why, int err, const char *words)
{
    if (words != NULL) {
        text_str(why, server.host);
        text_str(why, words);
    }
    if (phase == CONNECT) {
        conn_release(conn); /* no TLS over it yet */
        conn = CONN_NONE;
    } else if (conn != CONN_NONE) {
        /* A refusal is explained to the server by an alert; one that stalls is not waited for. */
        if (err == HERD_E_TIMEOUT || err == HERD_E_CLOSED) {
            tls_upstream_abort(&tls, true);
        } else {
            tls_upstream_stop(&tls, false);
        }
        conn = CONN_NONE;
    }
    lookup_id++; /* an answer of DNS comes too late from now on */
    stats.failed++;
    phase = IDLE;
    return err;
}

static int fail_late(struct text *why)
{
    text_str(why, server.host);
    text_str(why, " did not answer within ");
    text_u64(why, deadline_ms - started_ms);
    text_str(why, " ms (");
    text_str(why, phase_words[phase]);
    text_char(why, ')');
    return fail(why, HERD_E_TIMEOUT, NULL);
}

static int finish(void)
{
    if (reader.keep_alive) {
        keep_until_ms = sched_now_ms() + CFG_HTTPS_KEEP_MS;
        sched_wake(owner);
    } else {
        hang_up(true);
    }
    phase = IDLE;
    return HERD_OK;
}

/* The connection is gone, or speaks no TLS any more, before any byte of a response. */
static int replace_or_fail(struct text *why, int err)
{
    if (!on_kept) {
        return fail(why, err,
                    err == HERD_E_CLOSED ? " closed the connection before it answered"
                                         : " broke off the TLS connection before it answered");
    }
    stats.replaced++;
    tls_upstream_abort(&tls, true);
    conn = CONN_NONE;
    https_reader_init(&reader, sink, context);
    begin_connection();
    return HERD_OK;
}

/* Phases: HERD_OK goes on with the next one at once. */

static void on_dns(const char *name, const ip_addr_t *address, void *arg)
{
    (void)name;
    if ((uint32_t)(uintptr_t)arg != lookup_id || lookup != LOOKUP_ASKED) {
        return; /* of a request that has ended */
    }
    lookup = address == NULL ? LOOKUP_FAILED : LOOKUP_FOUND;
    looked_up = address == NULL ? 0 : lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(address)));
    sched_wake(owner);
}

/* Blocking resolvers answer 0.0.0.0 or 127.0.0.1 for names that they want nobody to reach. */
static bool is_unicast(uint32_t address)
{
    uint32_t top = address >> 24;

    return top != 0 && top != 127 && top < 224;
}

static void put_address(struct text *t, uint32_t address)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        text_u64(t, address >> (shift - 8) & 0xFFu);
        text_str(t, shift > 8 ? "." : "");
    }
}

static int run_lookup(struct text *why)
{
    if (lookup == LOOKUP_NONE) {
        ip_addr_t address;
        lookup = LOOKUP_ASKED;
        lookup_id++;
        switch (dns_gethostbyname(server.host, &address, on_dns, (void *)(uintptr_t)lookup_id)) {
        case ERR_OK:
            lookup = LOOKUP_FOUND;
            looked_up = lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(&address)));
            break;
        case ERR_INPROGRESS:
            break;
        default: /* no server, no memory, or not a name */
            lookup = LOOKUP_FAILED;
            break;
        }
    }
    if (lookup == LOOKUP_ASKED) {
        return HERD_E_AGAIN;
    }
    if (lookup == LOOKUP_FAILED) {
        return fail(why, HERD_E_NETWORK, " has no address: DNS does not know it or did not answer");
    }
    if (!is_unicast(looked_up)) {
        text_str(why, server.host);
        text_str(why, " has no usable address: DNS says ");
        put_address(why, looked_up);
        return fail(why, HERD_E_NETWORK, NULL);
    }
    phase = DIAL;
    return HERD_OK;
}

static int run_dial(struct text *why)
{
    uint32_t address = server.address != 0 ? hal_net_dial_address(server.address) : looked_up;
    int err = conn_dial(CONN_UPSTREAM, address, server.port, &conn);
    if (err == HERD_E_FULL) {
        dial_again_ms = sched_now_ms() + DIAL_AGAIN_MS;
        return HERD_E_AGAIN;
    }
    if (err != HERD_OK) {
        return fail(why, HERD_E_NETWORK, " cannot be reached: no route");
    }
    phase = CONNECT;
    return HERD_OK;
}

static int run_connect(struct text *why)
{
    switch (conn_state(conn)) {
    case CONN_OPENING:
        return HERD_E_AGAIN;
    case CONN_LOST: {
        enum conn_reason reason = conn_reason(conn);
        return fail(why, HERD_E_NETWORK,
                    reason == CONN_CONNECT_LATE ? " cannot be reached: it does not answer"
                    : reason == CONN_NO_MEMORY  ? " cannot be reached: no memory for a connection"
                                                : " cannot be reached: connection refused");
    }
    default:
        break;
    }
    phase = HANDSHAKE;
    if (tls_upstream_start(&tls, conn, server.host) != HERD_OK) {
        return fail(why, HERD_E_FULL, ": no memory for TLS");
    }
    return HERD_OK;
}

static int run_handshake(struct text *why)
{
    char buffer[80];
    struct text reason;

    text_init(&reason, buffer, sizeof buffer);
    int err = tls_upstream_handshake(&tls, &reason);
    switch (err) {
    case HERD_OK:
        stats.connections++;
        phase = SEND;
        return HERD_OK;
    case HERD_E_AGAIN:
        if (tls.tls.computing) {
            sched_wake(owner);
        }
        return err;
    case HERD_E_TRUST:
        text_str(why, "certificate of ");
        text_str(why, server.host);
        text_str(why, " is not trusted: ");
        text_put(why, text_span(&reason));
        return fail(why, err, NULL);
    case HERD_E_FULL:
        return fail(why, err, ": no memory for the TLS handshake");
    default:
        if (tls.offered) { /* the server may have stumbled over the session: it is forgotten now */
            stats.replaced++;
            tls_upstream_stop(&tls, false);
            conn = CONN_NONE;
            begin_connection();
            return HERD_OK;
        }
        if (err == HERD_E_CLOSED) {
            return fail(why, err, " closed the connection in the TLS handshake");
        }
        return fail(why, err, " speaks no TLS that this node accepts");
    }
}

static int run_send(struct text *why)
{
    while (request_sent < request_bytes) {
        size_t n;
        int err = tls_write(&tls.tls, request + request_sent, request_bytes - request_sent, &n);
        if (err == HERD_E_AGAIN) {
            return err;
        }
        if (err != HERD_OK) {
            return replace_or_fail(why, err);
        }
        was_sent = true;
        request_sent += n;
    }
    phase = WAIT;
    return HERD_OK;
}

static int refuse(struct text *why, int err)
{
    text_str(why, "bad answer of ");
    text_str(why, server.host);
    text_str(why, ": ");
    text_str(why, reader.why);
    return fail(why, err, NULL);
}

/* The response, as much as a round may take. */
static int run_read(struct text *why)
{
    char piece[PIECE_BYTES];

    for (unsigned i = 0; i < PIECES_PER_ROUND; i++) {
        size_t n;
        bool clean = false;
        int err = tls_read(&tls.tls, piece, sizeof piece, &n, &clean);
        if (err == HERD_E_AGAIN) {
            return err;
        }
        if (err != HERD_OK) {
            if (phase == WAIT) {
                return replace_or_fail(why, err);
            }
            return https_reader_end(&reader, clean) == HERD_OK ? finish()
                                                               : refuse(why, HERD_E_CLOSED);
        }
        phase = READ;
        err = https_reader_feed(&reader, (struct span){piece, n});
        if (err == HERD_OK) {
            return finish();
        }
        if (err != HERD_E_AGAIN) {
            return refuse(why, err);
        }
    }
    sched_wake(owner); /* there may be more, and no event tells of it */
    return HERD_E_AGAIN;
}

/* Between requests the server may close, or the connection has been kept long enough. Anything that
 * it sends now is nothing that was asked for. */
static void watch_idle(void)
{
    char byte;
    size_t n;
    bool clean;

    if (conn == CONN_NONE) {
        return;
    }
    if (tls_read(&tls.tls, &byte, sizeof byte, &n, &clean) != HERD_E_AGAIN ||
        conn_state(conn) != CONN_OPEN || sched_now_ms() >= keep_until_ms) {
        hang_up(true);
    }
}

/* Before the clock is set every certificate looks wrong, and without entropy no handshake can be
 * secret: say what is the matter instead, and open no connection. */
static int check_means(struct text *why)
{
    int64_t now_ns;
    if (!wall_now_ns(&now_ns)) {
        return fail(why, HERD_E_TRUST,
                    " was not asked: this server does not know the time yet, so no certificate can "
                    "be checked");
    }
    if (!rng_is_secret()) {
        return fail(why, HERD_E_ENTROPY,
                    " was not asked: this server has no entropy for TLS; its console says what to "
                    "do (status)");
    }
    return HERD_OK;
}

static int run_phase(struct text *why)
{
    if (phase == LOOKUP || phase == DIAL) {
        int err = check_means(why);
        if (err != HERD_OK) {
            return err;
        }
    }
    switch (phase) {
    case LOOKUP:
        return run_lookup(why);
    case DIAL:
        return run_dial(why);
    case CONNECT:
        return run_connect(why);
    case HANDSHAKE:
        return run_handshake(why);
    case SEND:
        return run_send(why);
    default:
        return run_read(why);
    }
}

int https_run(struct text *why)
{
    int err = HERD_OK;

    /* Phases only go forward, but for one replacement of a kept connection, and one of a session. */
    while (err == HERD_OK && phase != IDLE) {
        if (sched_now_ms() >= deadline_ms) {
            return fail_late(why);
        }
        err = run_phase(why);
        if (phase == IDLE) {
            return err;
        }
    }
    if (phase == IDLE) {
        watch_idle();
        return HERD_E_AGAIN;
    }
    return err;
}

uint64_t https_wake_ms(void)
{
    if (phase == IDLE) {
        return conn == CONN_NONE ? SCHED_NEVER : keep_until_ms;
    }
    return phase == DIAL && dial_again_ms < deadline_ms ? dial_again_ms : deadline_ms;
}

bool https_was_sent(void)
{
    return was_sent;
}

struct https_stats https_stats(void)
{
    return stats;
}

#endif

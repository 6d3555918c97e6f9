/* The links' profile of TLS: two endpoints of one program back to back over two pipes in memory, in the place
 * of conn. What keys says of an identity is each test's to choose; keys has tests of its own. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "hal_clock.h"
#include "hal_console.h"
#include "log.h"
#include "rng.h"
#include "sched.h"
#include "tls_link.h"
#include "tls_upstream.h"
#include "wall.h"

#define PIPE_BYTES 4608
#define PSK_LINK   0
#define ECDHE_LINK 1
#ifdef __arm__ /* an emulated one */
#define RECONNECTS 30
#else
#define RECONNECTS 10000
#endif

/* --- Doubles: conn, keys, rng ------------------------------------------------------------------- */

/* What a connection has still to read. Handles come in pairs: 1 writes to 2, 2 to 1; 3 to 4, 4 to 3. */
struct pipe {
    uint8_t bytes[PIPE_BYTES];
    size_t first, end;
    bool ended, lost;
};
static struct pipe pipes[5];

static conn_handle other(conn_handle h)
{
    return h % 2 == 1 ? h + 1 : h - 1;
}

size_t conn_write(conn_handle h, const void *data, size_t n)
{
    struct pipe *p = &pipes[other(h)];
    size_t room = PIPE_BYTES - p->end;
    n = n < room ? n : room;
    memcpy(p->bytes + p->end, data, n);
    p->end += n;
    return n;
}

struct span conn_peek(conn_handle h)
{
    return (struct span){(const char *)pipes[h].bytes + pipes[h].first,
                         pipes[h].end - pipes[h].first};
}

size_t conn_readable(conn_handle h)
{
    return pipes[h].end - pipes[h].first;
}

void conn_consume(conn_handle h, size_t n)
{
    struct pipe *p = &pipes[h];
    p->first += n;
    if (p->first == p->end) {
        p->first = p->end = 0;
    }
}

enum conn_state conn_state(conn_handle h)
{
    return pipes[h].lost ? CONN_LOST : pipes[h].ended ? CONN_PEER_ENDED : CONN_OPEN;
}

void conn_finish(conn_handle h)
{
    pipes[other(h)].ended = true;
}

void conn_release(conn_handle h)
{
    pipes[other(h)].lost = true;
}

static uint8_t offered_key[KEYS_BYTES], judged_key[KEYS_BYTES];
static enum keys_verdict verdict;
static unsigned judged_link;
static char judged_identity[100];

struct span keys_offer(unsigned link, struct text *identity)
{
    text_str(identity, link == PSK_LINK ? "A>B#3" : "A>C#3");
    return (struct span){(const char *)offered_key, KEYS_BYTES};
}

enum keys_verdict keys_judge(struct span identity, unsigned *link, struct span *key)
{
    size_t n =
        identity.bytes < sizeof judged_identity ? identity.bytes : sizeof judged_identity - 1;
    memcpy(judged_identity, identity.at, n);
    judged_identity[n] = '\0';
    if (verdict == KEYS_CURRENT || verdict == KEYS_NEXT) {
        *link = judged_link;
        *key = (struct span){(const char *)judged_key, KEYS_BYTES};
    }
    return verdict;
}

bool config_link_is_ecdhe(const struct config *config, unsigned link)
{
    (void)config;
    return link == ECDHE_LINK;
}

#if CFG_UPSTREAM
struct tls_memory *tls_upstream_memory(void)
{
    static _Alignas(max_align_t) unsigned char bytes[CFG_LINK_SCRATCH_BYTES];
    static struct tls_memory memory;
    if (memory.at == NULL || memory.used == 0) {
        tls_memory_init(&memory, bytes, sizeof bytes, NULL);
    }
    return &memory;
}
#endif

static struct unit_random random_bytes;

int rng_mbedtls(void *context, unsigned char *out, size_t bytes)
{
    (void)context;
    while (bytes-- > 0) {
        *out++ = (unsigned char)(unit_next(&random_bytes) >> 9);
    }
    return 0;
}

size_t hal_console_write(const char *data, size_t bytes)
{
    (void)data;
    return bytes;
}

bool wall_now_ns(int64_t *out)
{
    *out = 0;
    return false;
}

bool hal_clock_wall_ns(int64_t *out)
{
    return wall_now_ns(out);
}

uint64_t hal_clock_ms(void)
{
    return 0;
}

/* --- Two endpoints ------------------------------------------------------------------------------- */

static struct config config;
static uint64_t now_ms;
static size_t baseline;
static struct span refused_identity;

static int setup(void **state)
{
    (void)state;
    memset(pipes, 0, sizeof pipes);
    memset(offered_key, 0x5A, sizeof offered_key);
    memset(judged_key, 0x5A, sizeof judged_key);
    verdict = KEYS_CURRENT;
    judged_link = PSK_LINK;
    random_bytes.state = 1;
    now_ms = 1;
    config.neighbour_count = 2;
    sched_init();
    log_init(LOG_ERROR);
    assert_int_equal(tls_link_init(&config), HERD_OK);
    assert_int_equal(tls_link_free(), TLS_LINK_CONTEXTS);
    baseline = tls_link_stats().memory_used;
    return 0;
}

struct ends {
    struct tls_link *client, *server;
    int client_err, server_err;
};

static void begin(struct ends *e, unsigned link)
{
    memset(pipes, 0, sizeof pipes);
    e->client = tls_link_dial(1, link);
    e->server = tls_link_take(2);
    e->client_err = e->server_err = HERD_E_AGAIN;
    assert_non_null(e->client);
    assert_non_null(e->server);
}

static void one_round(struct ends *e)
{
    (void)sched_round(now_ms++);
    if (e->client_err == HERD_E_AGAIN) {
        e->client_err = tls_link_handshake(e->client);
    }
    if (e->server_err == HERD_E_AGAIN) {
        e->server_err = tls_link_handshake(e->server);
        refused_identity = e->server_err == HERD_E_TRUST ? tls_link_identity() : refused_identity;
    }
}

/* Until both have finished or failed, or nothing moves any more. */
static void shake(struct ends *e)
{
    for (unsigned i = 0; i < 40; i++) {
        one_round(e);
    }
}

static void end(const struct ends *e)
{
    tls_link_abort(e->client);
    tls_link_abort(e->server);
    struct tls_link_stats s = tls_link_stats();
    assert_int_equal(s.memory_used, baseline);
    assert_int_equal(s.scratch_used, 0);
    assert_int_equal(tls_link_free(), TLS_LINK_CONTEXTS);
}

static void send(struct tls_link *from, const void *data, size_t bytes)
{
    size_t taken = 0;
    assert_int_equal(tls_write(&from->tls, data, bytes, &taken), HERD_OK);
    assert_int_equal(taken, bytes);
}

static void receives(struct tls_link *to, const void *data, size_t bytes)
{
    static uint8_t got[CFG_LINK_RECORD_BYTES];
    size_t n = 0;
    bool clean;
    for (size_t all = 0; all < bytes; all += n) {
        assert_int_equal(tls_read(&to->tls, got + all, bytes - all, &n, &clean), HERD_OK);
    }
    assert_memory_equal(got, data, bytes);
}

static void connect(struct ends *e, unsigned link)
{
    judged_link = link;
    begin(e, link);
    shake(e);
    assert_int_equal(e->client_err, HERD_OK);
    assert_int_equal(e->server_err, HERD_OK);
}

/* --- Tests --------------------------------------------------------------------------------------- */

static void carries_bytes(unsigned link, const char *suite, const char *identity)
{
    static uint8_t most[CFG_LINK_OUT_BYTES];
    struct ends e;
    connect(&e, link);
    assert_int_equal(e.server->link, link);
    assert_string_equal(judged_identity, identity);
    assert_string_equal(tls_link_suite(e.client), suite);
    assert_string_equal(tls_link_suite(e.server), suite);
    for (size_t i = 0; i < sizeof most; i++) {
        most[i] = (uint8_t)i;
    }
    send(e.client, "hello", 5);
    send(e.server, most, sizeof most);
    receives(e.server, "hello", 5);
    receives(e.client, most, sizeof most);
    send(e.client, most, sizeof most);
    receives(e.server, most, sizeof most);
    assert_int_equal(tls_link_stats().scratch_used, 0); /* a link that is up lives in its own */
    end(&e);
}

static void right_key_gives_a_link(void **state)
{
    (void)state;
    carries_bytes(PSK_LINK, "psk", "A>B#3");
}

static void right_key_gives_a_link_with_forward_secrecy(void **state)
{
    (void)state;
#if CFG_LINK_ECDHE
    carries_bytes(ECDHE_LINK, "ecdhe-psk", "A>C#3");
#else
    skip();
#endif
}

static void wrong_key_gives_none(void **state)
{
    (void)state;
    struct ends e;
    for (unsigned link = 0; link <= CFG_LINK_ECDHE; link++) {
        judged_link = link;
        judged_key[KEYS_BYTES - 1] ^= 1;
        begin(&e, link);
        shake(&e);
        assert_int_equal(e.server_err, HERD_E_PROTOCOL);
        assert_int_equal(e.server->refusal, TLS_LINK_FAILED);
        assert_int_equal(e.client_err, HERD_E_PROTOCOL);
        assert_int_equal(e.client->refusal, TLS_LINK_FAILED);
        judged_key[KEYS_BYTES - 1] ^= 1;
        end(&e);
    }
}

static void refused_identities_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        enum keys_verdict verdict;
        enum tls_link_refusal refusal;
    } cases[] = {{KEYS_UNKNOWN, TLS_LINK_UNKNOWN}, {KEYS_OLD, TLS_LINK_OLD_KEY}};
    for (unsigned i = 0; i < 2; i++) {
        struct ends e;
        verdict = cases[i].verdict;
        begin(&e, PSK_LINK);
        shake(&e);
        assert_int_equal(e.server_err, HERD_E_TRUST);
        assert_int_equal(e.server->refusal, cases[i].refusal);
        assert_span_equal(refused_identity, "A>B#3");
        assert_int_equal(e.client_err, HERD_E_TRUST);
        assert_int_equal(e.client->refusal, TLS_LINK_NOT_TAKEN);
        end(&e);
    }
}

static void the_next_key_is_taken(void **state)
{
    (void)state;
    verdict = KEYS_NEXT;
    carries_bytes(PSK_LINK, "psk", "A>B#3");
}

/* The key is right, but the herd file has the other suite for this link. */
static void a_links_other_suite_is_refused(void **state)
{
    (void)state;
#if CFG_LINK_ECDHE
    for (unsigned link = 0; link < 2; link++) {
        struct ends e;
        judged_link = 1 - link;
        begin(&e, link);
        shake(&e);
        assert_int_equal(e.server_err, HERD_E_TRUST);
        assert_int_equal(e.server->refusal, TLS_LINK_WRONG_SUITE);
        assert_int_equal(e.client->refusal, TLS_LINK_NOT_TAKEN);
        end(&e);
    }
#else
    skip();
#endif
}

/* A client that leaves it out: its extension has another number on the wire. */
static void extended_master_secret_is_required(void **state)
{
    (void)state;
    static const uint8_t extension[] = {0x00, 0x17, 0x00, 0x00};
    struct ends e;
    begin(&e, PSK_LINK);
    (void)sched_round(now_ms++);
    assert_int_equal(tls_link_handshake(e.client), HERD_E_AGAIN);
    struct pipe *p = &pipes[2];
    size_t at = 0;
    while (at + sizeof extension <= p->end && memcmp(p->bytes + at, extension, sizeof extension)) {
        at++;
    }
    assert_true(at + sizeof extension <= p->end);
    p->bytes[at] = 0xFE;
    shake(&e);
    assert_int_equal(e.server_err, HERD_E_PROTOCOL);
    assert_int_equal(e.client_err, HERD_E_PROTOCOL);
    assert_int_equal(judged_identity[0] != '\0', 1); /* so far it came */
    end(&e);
}

static bool read_fails(struct tls_link *t)
{
    uint8_t byte;
    size_t n = 0;
    bool clean = true;
    int err = tls_read(&t->tls, &byte, 1, &n, &clean);
    return err == HERD_E_PROTOCOL && n == 0;
}

static void oversized_record_ends_the_link(void **state)
{
    (void)state;
    static uint8_t record[5 + 2048] = {23, 3, 3};
    for (size_t bytes = CFG_LINK_RECORD_BYTES + 25; bytes <= 2048; bytes += 333) {
        struct ends e;
        connect(&e, PSK_LINK);
        record[3] = (uint8_t)(bytes >> 8);
        record[4] = (uint8_t)bytes;
        (void)conn_write(1, record, 5 + bytes);
        assert_true(read_fails(e.server));
        end(&e);
    }
}

static void oversized_handshake_is_refused(void **state)
{
    (void)state;
    static uint8_t record[5 + 4096] = {22, 3, 3, 0x10, 0x00, 1, 0, 0x0F, 0xFC, 3, 3};
    struct ends e;
    begin(&e, PSK_LINK);
    (void)conn_write(1, record, sizeof record);
    (void)sched_round(now_ms++);
    e.server_err = tls_link_handshake(e.server);
    assert_int_equal(e.server_err, HERD_E_PROTOCOL);
    assert_int_equal(e.server->refusal, TLS_LINK_FAILED);
    end(&e);
}

static void changed_and_repeated_records_end_the_link(void **state)
{
    (void)state;
    static uint8_t copy[200];
    for (unsigned i = 0; i < 45; i++) { /* each byte of a record of 16 bytes */
        struct ends e;
        connect(&e, PSK_LINK);
        send(e.client, "0123456789abcdef", 16);
        pipes[2].bytes[i] ^= 0x10;
        /* A length that grew waits for more, and gets it. */
        send(e.client, copy, sizeof copy);
        (void)conn_write(1, copy, sizeof copy);
        for (unsigned n = 0; n < 16; n++) {
            (void)conn_write(1, copy, sizeof copy);
        }
        assert_true(read_fails(e.server));
        end(&e);
    }
    struct ends e;
    connect(&e, PSK_LINK);
    send(e.client, "once", 4);
    size_t bytes = pipes[2].end;
    memcpy(copy, pipes[2].bytes, bytes);
    receives(e.server, "once", 4);
    (void)conn_write(1, copy, bytes);
    assert_true(read_fails(e.server));
    end(&e);
}

/* A client that says what it says up to some byte, and then ends its side. */
static void truncated_handshake_fails_and_leaves_nothing(void **state)
{
    (void)state;
    size_t whole = 0;
    for (size_t cut = 0; cut == 0 || cut < whole; cut += 3) {
        struct ends e;
        size_t passed = 0;
        begin(&e, PSK_LINK);
        for (unsigned i = 0; i < 40 && e.server_err == HERD_E_AGAIN; i++) {
            (void)sched_round(now_ms++);
            size_t before = pipes[2].end;
            if (e.client_err == HERD_E_AGAIN) {
                e.client_err = tls_link_handshake(e.client);
            }
            size_t said = pipes[2].end - before;
            if (cut > 0 && passed + said > cut) {
                pipes[2].end -= passed + said - cut;
                pipes[2].ended = true;
                said = cut - passed;
            }
            passed += said;
            (void)sched_round(now_ms++);
            e.server_err = tls_link_handshake(e.server);
        }
        if (cut == 0) {
            assert_int_equal(e.server_err, HERD_OK);
            whole = passed;
            cut = 1;
        } else {
            assert_int_equal(e.server_err, HERD_E_CLOSED);
            assert_int_equal(e.server->refusal, TLS_LINK_CLOSED);
        }
        end(&e);
    }
    assert_true(whole > 100);
}

static void text_instead_of_tls_is_refused(void **state)
{
    (void)state;
    struct ends e;
    begin(&e, PSK_LINK);
    const char line[] =
        "AT Clark +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.9\n";
    (void)conn_write(1, line, sizeof line - 1);
    (void)sched_round(now_ms++);
    e.server_err = tls_link_handshake(e.server);
    assert_int_equal(e.server_err, HERD_E_PROTOCOL);
    end(&e);
}

static void close_notify_is_told_from_a_cut(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct ends e;
        uint8_t byte;
        size_t n;
        bool clean = i == 0;
        connect(&e, PSK_LINK);
        if (i == 0) {
            tls_link_stop(e.client);
        } else {
            conn_finish(1);
        }
        assert_int_equal(tls_read(&e.server->tls, &byte, 1, &n, &clean), HERD_E_CLOSED);
        assert_int_equal(clean, i == 0);
        if (i == 0) {
            e.client = tls_link_dial(1, PSK_LINK);
        }
        end(&e);
    }
}

/* Neither side has more handshakes compute in a round than one; who was denied is next. */
static void one_handshake_computes_in_a_round(void **state)
{
    (void)state;
    memset(pipes, 0, sizeof pipes);
    struct tls_link *a = tls_link_dial(1, PSK_LINK);
    struct tls_link *b = tls_link_dial(3, PSK_LINK);
    (void)sched_round(now_ms++);
    assert_int_equal(tls_link_handshake(a), HERD_E_AGAIN);
    assert_false(a->tls.computing);
    assert_int_equal(tls_link_handshake(b), HERD_E_AGAIN);
    assert_true(b->tls.computing);
    assert_true(pipes[2].end > 0);
    assert_int_equal(pipes[4].end, 0);

    struct tls_link *c = tls_link_take(2); /* has something to do, and asks first */
    (void)sched_round(now_ms++);
    assert_int_equal(tls_link_handshake(c), HERD_E_AGAIN);
    assert_true(c->tls.computing);
    assert_int_equal(tls_link_handshake(b), HERD_E_AGAIN);
    assert_true(pipes[4].end > 0);
    (void)sched_round(now_ms++);
    assert_int_equal(tls_link_handshake(c), HERD_E_AGAIN);
    assert_true(pipes[1].end > 0);

    /* Who was denied and does not come back does not hold up the others. */
    tls_link_abort(b);
    b = tls_link_dial(3, PSK_LINK);
    (void)sched_round(now_ms++);
    assert_int_equal(tls_link_handshake(a), HERD_E_AGAIN);
    assert_int_equal(tls_link_handshake(b), HERD_E_AGAIN);
    assert_true(b->tls.computing);
    (void)sched_round(now_ms++);
    (void)sched_round(now_ms++);
    assert_int_equal(tls_link_handshake(c), HERD_OK);
    tls_link_abort(a);
    tls_link_abort(b);
    tls_link_abort(c);
    assert_int_equal(tls_link_stats().memory_used, baseline);
}

static void the_pool_has_an_end(void **state)
{
    (void)state;
    struct tls_link *all[TLS_LINK_CONTEXTS];
    for (unsigned i = 0; i < TLS_LINK_CONTEXTS; i++) {
        all[i] = tls_link_take(2);
        assert_non_null(all[i]);
    }
    assert_null(tls_link_take(2));
    assert_null(tls_link_dial(1, PSK_LINK));
    assert_int_equal(tls_link_free(), 0);
    for (unsigned i = 0; i < TLS_LINK_CONTEXTS; i++) {
        tls_link_abort(all[i]);
    }
    assert_int_equal(tls_link_free(), TLS_LINK_CONTEXTS);
}

/* All contexts at once, each in the middle of a handshake: nobody takes another's memory. */
static void contexts_do_not_share_their_memory(void **state)
{
    (void)state;
    if (TLS_LINK_CONTEXTS < 4) {
        skip();
    }
    struct ends first, second;
    connect(&first, PSK_LINK);
    struct pipe up[3];
    memcpy(up, pipes, sizeof up);
    begin(&second, CFG_LINK_ECDHE ? ECDHE_LINK : PSK_LINK);
    judged_link = CFG_LINK_ECDHE ? ECDHE_LINK : PSK_LINK;
    one_round(&second);
    one_round(&second);
    one_round(&second);
    struct pipe half[3];
    memcpy(half, pipes, sizeof half);
    memcpy(pipes, up, sizeof up);
    send(first.client, "still", 5);
    receives(first.server, "still", 5);
    memcpy(pipes, half, sizeof half);
    shake(&second);
    assert_int_equal(second.server_err, HERD_OK);
    assert_int_equal(second.client_err, HERD_OK);
    tls_link_abort(second.client);
    tls_link_abort(second.server);
    end(&first);
}

static void reconnects_leave_the_memory_as_after_the_first(void **state)
{
    (void)state;
    struct ends e;
    connect(&e, PSK_LINK);
    end(&e);
    struct tls_link_stats first = tls_link_stats();
    for (unsigned i = 0; i < RECONNECTS; i++) {
        begin(&e, PSK_LINK);
        while (e.client_err == HERD_E_AGAIN || e.server_err == HERD_E_AGAIN) {
            one_round(&e);
        }
        assert_int_equal(e.client_err, HERD_OK);
        assert_int_equal(e.server_err, HERD_OK);
        if (i % 2 == 0) {
            send(e.client, "x", 1);
            receives(e.server, "x", 1);
        }
        end(&e);
    }
    struct tls_link_stats last = tls_link_stats();
    assert_int_equal(last.memory_peak, first.memory_peak);
    assert_int_equal(last.scratch_peak, first.scratch_peak);
}

/* cfg.h says how much a context and the scratch have: enough, and no more than a tenth too much. */
static void memory_is_what_is_needed(void **state)
{
    (void)state;
    struct ends e;
    connect(&e, PSK_LINK);
    end(&e);
    size_t psk = tls_link_stats().scratch_peak;
#if CFG_LINK_ECDHE
    connect(&e, ECDHE_LINK);
    end(&e);
#endif
    struct tls_link_stats s = tls_link_stats();
    print_message(
        "link contexts: %u of %u bytes, struct %u, at most %u used, idle %u; scratch %u, with psk "
        "at most %u used, with all %u\n",
        (unsigned)TLS_LINK_CONTEXTS, (unsigned)CFG_LINK_TLS_BYTES,
        (unsigned)sizeof(struct tls_link), (unsigned)s.memory_peak,
        (unsigned)(baseline / TLS_LINK_CONTEXTS), (unsigned)CFG_LINK_SCRATCH_BYTES, (unsigned)psk,
        (unsigned)s.scratch_peak);
    assert_true(s.memory_peak <= CFG_LINK_TLS_BYTES);
    assert_true(s.scratch_peak <= CFG_LINK_SCRATCH_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(right_key_gives_a_link, setup),
        cmocka_unit_test_setup(right_key_gives_a_link_with_forward_secrecy, setup),
        cmocka_unit_test_setup(wrong_key_gives_none, setup),
        cmocka_unit_test_setup(refused_identities_are_told_apart, setup),
        cmocka_unit_test_setup(the_next_key_is_taken, setup),
        cmocka_unit_test_setup(a_links_other_suite_is_refused, setup),
        cmocka_unit_test_setup(extended_master_secret_is_required, setup),
        cmocka_unit_test_setup(oversized_record_ends_the_link, setup),
        cmocka_unit_test_setup(oversized_handshake_is_refused, setup),
        cmocka_unit_test_setup(changed_and_repeated_records_end_the_link, setup),
        cmocka_unit_test_setup(truncated_handshake_fails_and_leaves_nothing, setup),
        cmocka_unit_test_setup(text_instead_of_tls_is_refused, setup),
        cmocka_unit_test_setup(close_notify_is_told_from_a_cut, setup),
        cmocka_unit_test_setup(one_handshake_computes_in_a_round, setup),
        cmocka_unit_test_setup(the_pool_has_an_end, setup),
        cmocka_unit_test_setup(contexts_do_not_share_their_memory, setup),
        cmocka_unit_test_setup(reconnects_leave_the_memory_as_after_the_first, setup),
        cmocka_unit_test_setup(memory_is_what_is_needed, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

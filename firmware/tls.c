#include "tls.h"

#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "cfg.h"
#include "log.h"
#include "rng.h"
#include "sched.h"
#include "trust_anchors.h"

CFG_SECRET static _Alignas(max_align_t) unsigned char arena[CFG_TLS_ARENA_BYTES];
static mbedtls_ssl_config client;
static mbedtls_x509_crt anchors;
static struct tls_stats stats;

/* P-256 first: only short Weierstrass curves are sliced (MBEDTLS_ECP_RESTARTABLE). */
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

/* mbedTLS counts bytes without the headers of its blocks (memory_buffer_alloc.c: eight words). */
#define BLOCK_HEADER_BYTES (8 * sizeof(size_t))

/* Checking a signature of RSA-4096 takes as much at once. */
#define ARENA_TIGHT_BYTES 4096

static size_t arena_used(void)
{
    size_t bytes;
    size_t blocks;

    mbedtls_memory_buffer_alloc_cur_get(&bytes, &blocks);
    return bytes + blocks * BLOCK_HEADER_BYTES;
}

/* The most bytes and the most blocks ever, perhaps not at the same time: to the safe side. */
static size_t arena_peak(void)
{
    size_t bytes;
    size_t blocks;

    mbedtls_memory_buffer_alloc_max_get(&bytes, &blocks);
    return bytes + blocks * BLOCK_HEADER_BYTES;
}

/* Between connections the arena is as tls_setup left it, but for a session: a leak would show. */
static void log_arena(enum log_event event)
{
    struct log_line *l = log_begin(event);
    log_u64(l, "arena", arena_used());
    log_u64(l, "peak", arena_peak());
    log_u64(l, "of", sizeof arena);
    log_end(l);
}

/* Logs mbedTLS's own code, and translates it. */
static int failed(const char *step, int code)
{
    char hex[8];
    struct text t;
    text_init(&t, hex, sizeof hex);
    text_hex(&t, (uint64_t) - (int64_t)code, 4);
    struct log_line *l = log_begin(EV_TLS_FAILED);
    log_str(l, "step", step);
    log_str(l, "mbedtls", text_cstr(&t));
    log_end(l);
    switch (code) {
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
    case MBEDTLS_ERR_PK_ALLOC_FAILED:
    case MBEDTLS_ERR_MPI_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
    case MBEDTLS_ERR_MD_ALLOC_FAILED:
    case MBEDTLS_ERR_CIPHER_ALLOC_FAILED:
        return HERD_E_FULL;
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        return HERD_E_TRUST;
    case MBEDTLS_ERR_NET_CONN_RESET:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return HERD_E_CLOSED;
    default:
        return HERD_E_PROTOCOL;
    }
}

/* Certificates */

static int load_anchors(struct span pem)
{
    mbedtls_x509_crt_init(&anchors);
    if (pem.bytes > 0) {
        /* A positive result counts certificates of the file that did not parse. */
        int err = mbedtls_x509_crt_parse(&anchors, (const unsigned char *)pem.at, pem.bytes);
        unsigned count = 0;
        for (const mbedtls_x509_crt *crt = &anchors; crt != NULL; crt = crt->next) {
            count++;
        }
        if (err != 0) {
            return failed("trust_file", err);
        }
        return count > CFG_TLS_ANCHORS ? HERD_E_FULL : HERD_OK;
    }
    /* Parsed for good, about 1 KB each: MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK would parse only
     * the one that is asked for, but verifies chains without restartable ECC. */
    HERD_ASSERT(trust_anchors_count <= CFG_TLS_ANCHORS);
    for (size_t i = 0; i < trust_anchors_count; i++) {
        int err = mbedtls_x509_crt_parse_der_nocopy(&anchors, trust_anchors[i].der,
                                                    trust_anchors[i].der_bytes);
        if (err != 0) {
            return failed(trust_anchors[i].name, err);
        }
    }
    return HERD_OK;
}

/* Called for each certificate of a chain that came, from the root down, with what is wrong so far. */
static int look_at(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls *t = *(struct tls **)context;
    (void)flags;
    t->verified = true;
    if (depth == 0) {
        t->self_signed = crt->issuer_raw.len == crt->subject_raw.len &&
                         memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->subject_raw.len) == 0;
    }
    return 0;
}

/* Whose handshake is computing: mbedTLS's verification callback belongs to the configuration. */
static struct tls *current;

static void explain(const struct tls *t, struct text *why)
{
    static const struct {
        uint32_t flag;
        const char *words;
    } reasons[] = {
        {MBEDTLS_X509_BADCERT_EXPIRED, "expired"},
        {MBEDTLS_X509_BADCERT_FUTURE, "not yet valid"},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, "made for another host"},
        {MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
         "weak key or signature"},
        {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
             MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
         "not made for a server"},
        {MBEDTLS_X509_BADCERT_MISSING, "missing"},
    };
    uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);
    size_t start = why->bytes;

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if ((flags & reasons[i].flag) != 0) {
            text_str(why, why->bytes > start ? ", " : "");
            text_str(why, reasons[i].words);
        }
    }
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        text_str(why, why->bytes > start ? ", " : "");
        text_str(why, t->self_signed ? "self-signed" : "unknown CA, or an incomplete chain");
        /* mbedTLS takes a signature that it has no memory to check for a bad one. */
        text_str(why, arena_peak() + ARENA_TIGHT_BYTES > sizeof arena
                          ? ", or CFG_TLS_ARENA_BYTES is too small"
                          : "");
    }
    if (why->bytes == start) {
        text_str(why, "refused");
    }
}

int tls_init(struct span trust_pem)
{
    mbedtls_memory_buffer_alloc_init(arena, sizeof arena);
    stats = (struct tls_stats){0};
    int err = load_anchors(trust_pem);
    if (err != HERD_OK) {
        return err == HERD_E_FULL ? err : HERD_E_TRUST;
    }
    mbedtls_ssl_config_init(&client);
    int code = mbedtls_ssl_config_defaults(
        &client, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0) {
        return failed("configuration", code);
    }
    mbedtls_ssl_conf_rng(&client, rng_mbedtls, NULL);
    mbedtls_ssl_conf_authmode(&client, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_verify(&client, look_at, &current);
    mbedtls_ssl_conf_ca_chain(&client, &anchors, NULL);
    mbedtls_ssl_conf_groups(&client, groups);
    mbedtls_ecp_set_max_ops(TLS_ECC_OPS);
    return HERD_OK;
}

int tls_setup(struct tls *t)
{
    memset(t, 0, sizeof *t);
    mbedtls_ssl_init(&t->ssl);
    mbedtls_ssl_session_init(&t->session);
    int code = mbedtls_ssl_setup(&t->ssl, &client);
    if (code != 0) {
        return failed("setup", code);
    }
    log_arena(EV_TLS_SETUP);
    return HERD_OK;
}

/* mbedTLS's input and output over a connection. */

static int bio_send(void *context, const unsigned char *data, size_t bytes)
{
    const struct tls *t = context;
    size_t n = conn_write(t->conn, data, bytes);

    if (n > 0) {
        return (int)n; /* at most a record */
    }
    return conn_state(t->conn) == CONN_LOST ? MBEDTLS_ERR_NET_CONN_RESET
                                            : MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int bio_receive(void *context, unsigned char *out, size_t capacity)
{
    const struct tls *t = context;
    struct span in = conn_peek(t->conn);

    if (in.bytes == 0) {
        switch (conn_state(t->conn)) {
        case CONN_PEER_ENDED:
            return 0;
        case CONN_LOST:
            return MBEDTLS_ERR_NET_CONN_RESET;
        default:
            return MBEDTLS_ERR_SSL_WANT_READ;
        }
    }
    size_t n = in.bytes < capacity ? in.bytes : capacity;
    memcpy(out, in.at, n);
    conn_consume(t->conn, n); /* opens the window: a small one carries 16 KB records */
    return (int)n;
}

/* Handshake */

static void forget_session(struct tls *t)
{
    mbedtls_ssl_session_free(&t->session);
    t->has_session = false;
}

/* mbedTLS leaves the ticket that was offered in the session of a full handshake when the server
 * declined it and gave no other: the old ticket with a new secret. Offered again, and accepted, it
 * would break that handshake. */
static bool has_stale_ticket(const struct tls *t, const mbedtls_ssl_session *fresh)
{
    const mbedtls_ssl_session *old = &t->session;
    size_t bytes = fresh->MBEDTLS_PRIVATE(ticket_len);

    return t->offered && t->verified && bytes > 0 && bytes == old->MBEDTLS_PRIVATE(ticket_len) &&
           memcmp(fresh->MBEDTLS_PRIVATE(ticket), old->MBEDTLS_PRIVATE(ticket), bytes) == 0;
}

static void keep_session(struct tls *t)
{
    mbedtls_ssl_session fresh;

    mbedtls_ssl_session_init(&fresh);
    bool good = mbedtls_ssl_get_session(&t->ssl, &fresh) == 0 && !has_stale_ticket(t, &fresh);
    forget_session(t);
    if (!good) {
        mbedtls_ssl_session_free(&fresh);
        return;
    }
    t->session = fresh; /* its allocations come along */
    t->has_session = true;
    if (t->verified) {
        t->session_ms = sched_now_ms();
    }
}

int tls_start(struct tls *t, conn_handle conn, const char *host)
{
    t->conn = conn;
    t->up = false;
    t->computing = false;
    t->verified = false;
    t->self_signed = false;
    mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_receive, NULL);
    int code = mbedtls_ssl_set_hostname(&t->ssl, host);
    if (code != 0) {
        return failed("host name", code);
    }
    if (t->has_session && sched_now_ms() - t->session_ms >= TLS_SESSION_MS) {
        forget_session(t);
    }
    t->offered = t->has_session && mbedtls_ssl_set_session(&t->ssl, &t->session) == 0;
    return HERD_OK;
}

static void log_up(const struct tls *t)
{
    struct log_line *l = log_begin(EV_TLS_UP);
    log_str(l, "resumed", t->verified ? "no" : "yes");
    log_str(l, "suite", mbedtls_ssl_get_ciphersuite(&t->ssl));
    log_end(l);
}

int tls_handshake(struct tls *t, struct text *why)
{
    current = t;
    t->computing = false;
    int code = mbedtls_ssl_handshake(&t->ssl);
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return HERD_E_AGAIN;
    }
    if (code == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS) {
        t->computing = true;
        return HERD_E_AGAIN;
    }
    if (code == 0) {
        t->up = true;
        stats.handshakes++;
        stats.resumed += !t->verified;
        keep_session(t);
        log_up(t);
        return HERD_OK;
    }
    stats.failed++;
    forget_session(t);
    int err = failed("handshake", code);
    /* A server that sends no certificate at all fails elsewhere, without a verification result. */
    if (err == HERD_E_TRUST) {
        stats.untrusted++;
        explain(t, why);
    }
    return err;
}

/* Data */

int tls_read(struct tls *t, void *out, size_t capacity, size_t *bytes, bool *clean)
{
    int code = mbedtls_ssl_read(&t->ssl, out, capacity);

    if (code > 0) {
        *bytes = (size_t)code;
        return HERD_OK;
    }
    *clean = code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
    switch (code) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
    case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
        return HERD_E_AGAIN;
    case 0: /* FIN without close_notify */
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return HERD_E_CLOSED;
    default:
        return failed("read", code);
    }
}

int tls_write(struct tls *t, const void *data, size_t n, size_t *bytes)
{
    int code = mbedtls_ssl_write(&t->ssl, data, n);

    if (code > 0) {
        *bytes = (size_t)code;
        return HERD_OK;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE || code == 0) {
        return HERD_E_AGAIN;
    }
    return failed("write", code);
}

static void reset(struct tls *t, bool keep)
{
    t->conn = CONN_NONE;
    t->up = false;
    t->computing = false;
    if (!keep && t->has_session) {
        forget_session(t);
    }
    int code = mbedtls_ssl_session_reset(&t->ssl);
    if (code != 0) { /* its temporaries were just freed: there is room for the same again */
        (void)failed("reset", code);
        HERD_ASSERT(code == 0);
    }
    log_arena(EV_TLS_DOWN);
}

void tls_stop(struct tls *t, bool keep)
{
    if (t->up) {
        (void)mbedtls_ssl_close_notify(&t->ssl); /* no room: the FIN has to say it */
    }
    conn_finish(t->conn);
    reset(t, keep);
}

void tls_abort(struct tls *t, bool keep)
{
    conn_release(t->conn);
    reset(t, keep);
}

struct tls_stats tls_stats(void)
{
    struct tls_stats s = stats;

    s.arena_used = arena_used();
    s.arena_peak = arena_peak();
    return s;
}

const char *tls_version(void)
{
    return MBEDTLS_VERSION_STRING_FULL;
}

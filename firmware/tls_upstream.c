#include "tls_upstream.h"

#include "cfg.h"

#if CFG_UPSTREAM

#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/x509_crt.h>

#include "log.h"
#include "rng.h"
#include "sched.h"
#include "trust_anchors.h"

CFG_SECRET static _Alignas(max_align_t) unsigned char arena[CFG_TLS_ARENA_BYTES];
static struct tls_memory arena_memory;
static mbedtls_ssl_config client;
static mbedtls_x509_crt anchors;
static struct tls_upstream_stats stats;

static const int suites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                             MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                             MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                             MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
                             MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                             MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                             0};

/* P-256 first: only short Weierstrass curves are sliced (MBEDTLS_ECP_RESTARTABLE). */
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

/* Between connections the arena is as tls_upstream_setup left it, but for a session: a leak would show. */
static void log_arena(enum log_event event)
{
    struct log_line *l = log_begin(event);
    log_u64(l, "arena", arena_memory.used);
    log_u64(l, "peak", arena_memory.peak);
    log_u64(l, "of", arena_memory.bytes);
    log_end(l);
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
            return tls_failed("trust_file", err);
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
            return tls_failed(trust_anchors[i].name, err);
        }
    }
    return HERD_OK;
}

/* Called for each certificate of a chain that came, from the root down, with what is wrong so far. */
static int look_at(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls_upstream *t = *(struct tls_upstream **)context;
    (void)flags;
    t->verified = true;
    if (depth == 0) {
        t->self_signed = crt->issuer_raw.len == crt->subject_raw.len &&
                         memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->subject_raw.len) == 0;
    }
    return 0;
}

/* Whose handshake is computing: mbedTLS's verification callback belongs to the configuration. */
static struct tls_upstream *current;

static void explain(const struct tls_upstream *t, struct text *why)
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
    uint32_t flags = mbedtls_ssl_get_verify_result(&t->tls.ssl);
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
        text_str(why,
                 arena_memory.refused > t->refused ? ", or CFG_TLS_ARENA_BYTES is too small" : "");
    }
    if (why->bytes == start) {
        text_str(why, "refused");
    }
}

struct tls_memory *tls_upstream_memory(void)
{
    if (arena_memory.at == NULL) {
        tls_memory_init(&arena_memory, arena, sizeof arena, NULL);
    }
    return &arena_memory;
}

int tls_upstream_init(struct span trust_pem)
{
    tls_memory_init(&arena_memory, arena, sizeof arena, NULL);
    stats = (struct tls_upstream_stats){0};
    struct tls_memory *before = tls_memory_use(&arena_memory);
    int err = load_anchors(trust_pem);
    (void)tls_memory_use(before);
    if (err != HERD_OK) {
        return err == HERD_E_FULL ? err : HERD_E_TRUST;
    }
    mbedtls_ssl_config_init(&client);
    int code = mbedtls_ssl_config_defaults(
        &client, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0) {
        return tls_failed("configuration", code);
    }
    mbedtls_ssl_conf_rng(&client, rng_mbedtls, NULL);
    mbedtls_ssl_conf_authmode(&client, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_verify(&client, look_at, &current);
    mbedtls_ssl_conf_ca_chain(&client, &anchors, NULL);
    mbedtls_ssl_conf_ciphersuites(&client, suites);
    mbedtls_ssl_conf_groups(&client, groups);
    code = mbedtls_ssl_conf_content_bytes(&client, MBEDTLS_SSL_IN_CONTENT_LEN, CFG_TLS_OUT_BYTES);
    HERD_ASSERT(code == 0);
    mbedtls_ecp_set_max_ops(TLS_UPSTREAM_ECC_OPS);
    return HERD_OK;
}

int tls_upstream_setup(struct tls_upstream *t)
{
    memset(t, 0, sizeof *t);
    mbedtls_ssl_session_init(&t->session);
    int err = tls_setup(&t->tls, &client, &arena_memory);
    if (err == HERD_OK) {
        log_arena(EV_TLS_SETUP);
    }
    return err;
}

/* Handshake */

static void forget_session(struct tls_upstream *t)
{
    mbedtls_ssl_session_free(&t->session);
    t->has_session = false;
}

/* mbedTLS leaves the ticket that was offered in the session of a full handshake when the server
 * declined it and gave no other: the old ticket with a new secret. Offered again, and accepted, it
 * would break that handshake. */
static bool has_stale_ticket(const struct tls_upstream *t, const mbedtls_ssl_session *fresh)
{
    const mbedtls_ssl_session *old = &t->session;
    size_t bytes = fresh->MBEDTLS_PRIVATE(ticket_len);

    return t->offered && t->verified && bytes > 0 && bytes == old->MBEDTLS_PRIVATE(ticket_len) &&
           memcmp(fresh->MBEDTLS_PRIVATE(ticket), old->MBEDTLS_PRIVATE(ticket), bytes) == 0;
}

static void keep_session(struct tls_upstream *t)
{
    mbedtls_ssl_session fresh;
    struct tls_memory *before = tls_memory_use(&arena_memory);

    mbedtls_ssl_session_init(&fresh);
    bool good = mbedtls_ssl_get_session(&t->tls.ssl, &fresh) == 0 && !has_stale_ticket(t, &fresh);
    (void)tls_memory_use(before);
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

int tls_upstream_start(struct tls_upstream *t, conn_handle conn, const char *host)
{
    tls_attach(&t->tls, conn);
    t->verified = false;
    t->self_signed = false;
    t->refused = arena_memory.refused;
    if (t->has_session && sched_now_ms() - t->session_ms >= TLS_UPSTREAM_SESSION_MS) {
        forget_session(t);
    }
    struct tls_memory *before = tls_memory_use(&arena_memory);
    int code = mbedtls_ssl_set_hostname(&t->tls.ssl, host);
    t->offered =
        code == 0 && t->has_session && mbedtls_ssl_set_session(&t->tls.ssl, &t->session) == 0;
    (void)tls_memory_use(before);
    return code == 0 ? HERD_OK : tls_failed("host name", code);
}

static void log_up(const struct tls_upstream *t)
{
    struct log_line *l = log_begin(EV_TLS_UP);
    log_str(l, "resumed", t->verified ? "no" : "yes");
    log_str(l, "suite", mbedtls_ssl_get_ciphersuite(&t->tls.ssl));
    log_end(l);
}

int tls_upstream_handshake(struct tls_upstream *t, struct text *why)
{
    bool again;
    current = t;
    int code = tls_step(&t->tls, &again);
    if (again) {
        return HERD_E_AGAIN;
    }
    if (code == 0) {
        stats.handshakes++;
        stats.resumed += !t->verified;
        keep_session(t);
        log_up(t);
        return HERD_OK;
    }
    stats.failed++;
    forget_session(t);
    int err = tls_failed("handshake", code);
    /* A server that sends no certificate at all fails elsewhere, without a verification result. */
    if (err == HERD_E_TRUST) {
        stats.untrusted++;
        explain(t, why);
    }
    return err;
}

static void reset(struct tls_upstream *t, bool keep)
{
    if (!keep && t->has_session) {
        forget_session(t);
    }
    log_arena(EV_TLS_DOWN);
}

void tls_upstream_stop(struct tls_upstream *t, bool keep)
{
    tls_stop(&t->tls);
    reset(t, keep);
}

void tls_upstream_abort(struct tls_upstream *t, bool keep)
{
    tls_abort(&t->tls);
    reset(t, keep);
}

struct tls_upstream_stats tls_upstream_stats(void)
{
    struct tls_upstream_stats s = stats;

    s.arena_used = arena_memory.used;
    s.arena_peak = arena_memory.peak;
    return s;
}

#endif

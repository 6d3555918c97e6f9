#include "tls_link.h"

#include <string.h>

#include "log.h"
#include "rng.h"
#include "tls_upstream.h"

#define NO_LINK CFG_LINKS

/* mbedTLS's counter and header before, room for padding and tag behind (MBEDTLS_SSL_OUT_BUFFER_LEN). */
#define TLS_LINK_OUT_EXTRA_BYTES 96

CFG_SECRET static struct tls_link contexts[TLS_LINK_CONTEXTS];
CFG_SECRET static _Alignas(
    max_align_t) unsigned char memories[TLS_LINK_CONTEXTS][CFG_LINK_TLS_BYTES];
#if CFG_UPSTREAM
static struct tls_memory *scratch; /* the upstream's arena */
#else
CFG_SECRET static _Alignas(max_align_t) unsigned char scratch_bytes[CFG_LINK_SCRATCH_BYTES];
static struct tls_memory own_scratch;
static struct tls_memory *const scratch = &own_scratch;
#endif
/* What is said goes into the connection's send ring before a call returns: one buffer serves all. */
CFG_SECRET static unsigned char out_buffer[CFG_LINK_OUT_BYTES + TLS_LINK_OUT_EXTRA_BYTES];
static mbedtls_ssl_config client;
static mbedtls_ssl_config server;
static const struct config *config;
static uint32_t handshakes;
static char identity_said[KEYS_IDENTITY_BYTES_MAX]; /* in this step */
static size_t identity_bytes;

_Static_assert(CFG_LINK_TLS_BYTES % sizeof(max_align_t) == 0, "each memory is aligned");

/* The server takes both of its build: which link it is only the identity says, on_identity looks then. */
static const int suites[] = {
#if CFG_LINK_ECDHE
    MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, 0};
static const int only_psk[] = {MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, 0};
#if CFG_LINK_ECDHE
static const int only_ecdhe[] = {MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, 0};
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#endif

static const char *const refusal_names[] = {
    [TLS_LINK_FINE] = "fine",
    [TLS_LINK_FAILED] = "not authenticated",
    [TLS_LINK_UNKNOWN] = "unknown identity",
    [TLS_LINK_OLD_KEY] = "old key",
    [TLS_LINK_WRONG_SUITE] = "wrong suite",
    [TLS_LINK_NOT_TAKEN] = "identity not taken",
    [TLS_LINK_NO_MEMORY] = "no memory",
    [TLS_LINK_CLOSED] = "closed in handshake",
};

const char *tls_link_refusal_name(enum tls_link_refusal refusal)
{
    return refusal_names[refusal];
}

/* Of the suites of a link exactly one. */
static const int *suites_of(unsigned link)
{
#if CFG_LINK_ECDHE
    return config_link_is_ecdhe(config, link) ? only_ecdhe : only_psk;
#else
    (void)link;
    return only_psk;
#endif
}

/* The server's: whose is this identity? */
static int on_identity(void *context, mbedtls_ssl_context *ssl, const unsigned char *identity,
                       size_t bytes)
{
    (void)context;
    struct tls_link *t = mbedtls_ssl_get_user_data_p(ssl);
    struct span said = {(const char *)identity, bytes};
    struct span key = {NULL, 0};
    unsigned link = NO_LINK;
    identity_bytes = bytes < sizeof identity_said ? bytes : sizeof identity_said;
    memcpy(identity_said, identity, identity_bytes);
    enum keys_verdict verdict = keys_judge(said, &link, &key);
    if (verdict == KEYS_OLD || verdict == KEYS_UNKNOWN) {
        t->refusal = verdict == KEYS_OLD ? TLS_LINK_OLD_KEY : TLS_LINK_UNKNOWN;
        return -1;
    }
    const mbedtls_ssl_session *session = ssl->MBEDTLS_PRIVATE(session_negotiate);
    if (session->MBEDTLS_PRIVATE(ciphersuite) != suites_of(link)[0]) {
        t->refusal = TLS_LINK_WRONG_SUITE;
        return -1;
    }
    t->link = (uint8_t)link;
    return mbedtls_ssl_set_hs_psk(ssl, (const unsigned char *)key.at, key.bytes);
}

static int make_config(mbedtls_ssl_config *c, int endpoint)
{
    mbedtls_ssl_config_init(c);
    int code = mbedtls_ssl_config_defaults(c, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT);
    if (code == 0) {
        code = mbedtls_ssl_conf_content_bytes(c, CFG_LINK_RECORD_BYTES, CFG_LINK_OUT_BYTES);
    }
    HERD_ASSERT(mbedtls_ssl_out_buffer_size(CFG_LINK_OUT_BYTES) <= sizeof out_buffer);
    mbedtls_ssl_conf_shared_out(c, out_buffer);
    mbedtls_ssl_conf_rng(c, rng_mbedtls, NULL);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    mbedtls_ssl_conf_sha256_only(c);
    mbedtls_ssl_conf_extended_master_secret(c, MBEDTLS_SSL_EXTENDED_MS_REQUIRED);
#if CFG_LINK_ECDHE
    mbedtls_ssl_conf_groups(c, groups);
#endif
#if CFG_UPSTREAM
    mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
    return code == 0 ? HERD_OK : tls_failed("link configuration", code);
}

int tls_link_init(const struct config *given)
{
    config = given;
    handshakes = 0;
#if CFG_UPSTREAM
    scratch = tls_upstream_memory();
#else
    tls_memory_init(&own_scratch, scratch_bytes, sizeof scratch_bytes, NULL);
#endif
    int err = make_config(&client, MBEDTLS_SSL_IS_CLIENT);
    err = err == HERD_OK ? make_config(&server, MBEDTLS_SSL_IS_SERVER) : err;
    mbedtls_ssl_conf_psk_cb(&server, on_identity, NULL);
    for (unsigned i = 0; i < TLS_LINK_CONTEXTS && err == HERD_OK; i++) {
        struct tls_link *t = &contexts[i];
        t->used = false;
        tls_memory_init(&t->memory, memories[i], sizeof memories[i], scratch);
        err = tls_setup(&t->tls, &server, &t->memory);
        mbedtls_ssl_set_user_data_p(&t->tls.ssl, t);
    }
    return err;
}

static struct tls_link *begin(conn_handle conn, const mbedtls_ssl_config *c, unsigned link)
{
    struct tls_link *t = contexts;
    while (t < contexts + TLS_LINK_CONTEXTS && t->used) {
        t++;
    }
    if (t == contexts + TLS_LINK_CONTEXTS) {
        return NULL;
    }
    t->used = true;
    t->dialled = c == &client;
    t->link = (uint8_t)link;
    t->refusal = TLS_LINK_FINE;
    /* Both configurations have the same buffers, and a context that was just reset has nothing else of
     * either: it may change sides. */
    t->tls.ssl.MBEDTLS_PRIVATE(conf) = c;
    tls_attach(&t->tls, conn);
    return t;
}

struct tls_link *tls_link_dial(conn_handle conn, unsigned link)
{
    return begin(conn, &client, link);
}

struct tls_link *tls_link_take(conn_handle conn)
{
    return begin(conn, &server, NO_LINK);
}

unsigned tls_link_free(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < TLS_LINK_CONTEXTS; i++) {
        count += !contexts[i].used;
    }
    return count;
}

/* mbedTLS has key and identity of a client in its configuration, as copies of its own, so that each link would
 * need a configuration and two allocations that last. It looks at them only while it is called: they are set
 * before each step, to where `keys` has the key and to a buffer for the time of the step, and taken away
 * after it. One configuration then serves all dials, with no memory of its own. */
static int step_client(struct tls_link *t, bool *again)
{
    struct text identity;
    text_init(&identity, identity_said, sizeof identity_said);
    struct span key = keys_offer(t->link, &identity);
    identity_bytes = identity.bytes;
    mbedtls_ssl_conf_ciphersuites(&client, suites_of(t->link));
    client.MBEDTLS_PRIVATE(psk) = (unsigned char *)(uintptr_t)key.at;
    client.MBEDTLS_PRIVATE(psk_len) = key.bytes;
    client.MBEDTLS_PRIVATE(psk_identity) = (unsigned char *)identity_said;
    client.MBEDTLS_PRIVATE(psk_identity_len) = identity.bytes;
    int code = tls_step(&t->tls, again);
    client.MBEDTLS_PRIVATE(psk) = NULL;
    client.MBEDTLS_PRIVATE(psk_len) = 0;
    client.MBEDTLS_PRIVATE(psk_identity) = NULL;
    client.MBEDTLS_PRIVATE(psk_identity_len) = 0;
    return code;
}

static enum tls_link_refusal refusal_of(const struct tls_link *t, int code, int err)
{
    if (t->refusal != TLS_LINK_FINE) {
        return (enum tls_link_refusal)t->refusal;
    }
    if (err == HERD_E_FULL || err == HERD_E_CLOSED) {
        return err == HERD_E_FULL ? TLS_LINK_NO_MEMORY : TLS_LINK_CLOSED;
    }
    bool not_taken =
        code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && t->dialled &&
        t->tls.ssl.MBEDTLS_PRIVATE(in_msg)[1] == MBEDTLS_SSL_ALERT_MSG_UNKNOWN_PSK_IDENTITY;
    return not_taken ? TLS_LINK_NOT_TAKEN : TLS_LINK_FAILED;
}

int tls_link_handshake(struct tls_link *t)
{
    bool again = false;
    identity_bytes = 0;
    int code = t->dialled ? step_client(t, &again) : tls_step(&t->tls, &again);
    if (again) {
        return HERD_E_AGAIN;
    }
    if (code == 0) {
        HERD_ASSERT(t->link < config->neighbour_count);
        handshakes++;
        return HERD_OK;
    }
    int err = tls_failed("link handshake", code);
    t->refusal = (uint8_t)refusal_of(t, code, err);
    return t->refusal == TLS_LINK_FAILED || err == HERD_E_CLOSED || err == HERD_E_FULL
               ? err
               : HERD_E_TRUST;
}

struct span tls_link_identity(void)
{
    return (struct span){identity_said, identity_bytes};
}

unsigned tls_link_index(const struct tls_link *t)
{
    return (unsigned)(t - contexts);
}

const char *tls_link_suite(const struct tls_link *t)
{
    return suites_of(t->link) == only_psk ? "psk" : "ecdhe-psk";
}

void tls_link_stop(struct tls_link *t)
{
    tls_stop(&t->tls);
    t->used = false;
}

void tls_link_abort(struct tls_link *t)
{
    tls_abort(&t->tls);
    t->used = false;
}

struct tls_link_stats tls_link_stats(void)
{
    struct tls_link_stats s = {
        .handshakes = handshakes, .scratch_peak = scratch->peak, .scratch_used = scratch->used};
    for (unsigned i = 0; i < TLS_LINK_CONTEXTS; i++) {
        const struct tls_memory *m = &contexts[i].memory;
        s.memory_used += m->used;
        s.memory_peak = m->peak > s.memory_peak ? m->peak : s.memory_peak;
    }
    return s;
}

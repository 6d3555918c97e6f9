#include "tls.h"

#include <string.h>

#include <mbedtls/cipher.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/version.h>
#if CFG_UPSTREAM
#include <mbedtls/x509.h>
#endif
#if CFG_UPSTREAM || CFG_LINK_ECDHE
#include <mbedtls/ecp.h>
#endif

#include "cfg.h"
#include "log.h"
#include "sched.h"

int tls_failed(const char *step, int code)
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
    case MBEDTLS_ERR_MD_ALLOC_FAILED:
    case MBEDTLS_ERR_CIPHER_ALLOC_FAILED:
#if CFG_UPSTREAM
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
    case MBEDTLS_ERR_PK_ALLOC_FAILED:
#endif
#if CFG_UPSTREAM || CFG_LINK_ECDHE
    case MBEDTLS_ERR_MPI_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
#endif
        return HERD_E_FULL;
#if CFG_UPSTREAM
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        return HERD_E_TRUST;
#endif
    case MBEDTLS_ERR_NET_CONN_RESET:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return HERD_E_CLOSED;
    default:
        return HERD_E_PROTOCOL;
    }
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

int tls_setup(struct tls *t, const mbedtls_ssl_config *config, struct tls_memory *memory)
{
    memset(t, 0, sizeof *t);
    t->memory = memory;
    mbedtls_ssl_init(&t->ssl);
    struct tls_memory *before = tls_memory_use(memory);
    int code = mbedtls_ssl_setup(&t->ssl, config);
    (void)tls_memory_use(before);
    if (code != 0) {
        return tls_failed("setup", code);
    }
    mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_receive, NULL);
    return HERD_OK;
}

void tls_attach(struct tls *t, conn_handle conn)
{
    t->conn = conn;
    t->up = false;
    t->stuck = false;
    t->stepping = true; /* a client begins */
    t->computing = false;
    t->denied = 0;
}

/* Contexts that share their output buffer must not leave anything in it (tools/patches/mbedtls): others write
 * there next. There is room for all that an honest end makes us say; what an end that takes nothing has no
 * room for ends its connection. Returns mbedTLS's code, or a lost connection's. */
static int leave(struct tls *t, struct tls_memory *before, int code)
{
    (void)tls_memory_use(before);
    if (t->ssl.MBEDTLS_PRIVATE(conf)->MBEDTLS_PRIVATE(shared_out) != NULL &&
        t->ssl.MBEDTLS_PRIVATE(out_left) != 0) {
        t->ssl.MBEDTLS_PRIVATE(out_left) = 0;
        t->stuck = true;
    }
    return t->stuck ? MBEDTLS_ERR_NET_CONN_RESET : code;
}

/* Whose turn it is to compute. */

static struct {
    uint32_t round;
    bool taken;                /* in this round */
    const struct tls *first;   /* was denied longest when the last round ended; NULL: anybody */
    const struct tls *waiting; /* denied in this round, the same for the next */
} turn;

static bool take_turn(struct tls *t)
{
    uint32_t round = sched_rounds();
    if (turn.round != round) {
        turn.first = turn.round + 1 == round ? turn.waiting : NULL;
        turn.waiting = NULL;
        turn.taken = false;
        turn.round = round;
    }
    if (!turn.taken && (turn.first == NULL || turn.first == t)) {
        turn.taken = true;
        t->denied = 0;
        return true;
    }
    t->denied = t->denied == 0 ? round : t->denied;
    if (turn.waiting == NULL || round - t->denied > round - turn.waiting->denied) {
        turn.waiting = t;
    }
    return false;
}

/* Without bytes and with nothing left to do mbedTLS would only ask for bytes. */
static bool has_work(const struct tls *t)
{
    return t->stepping || conn_readable(t->conn) > 0 || conn_state(t->conn) != CONN_OPEN;
}

int tls_step(struct tls *t, bool *again)
{
    *again = true;
    t->computing = false;
    if (!has_work(t)) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    if (!take_turn(t)) {
        t->computing = true;
        return MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS;
    }
    struct tls_memory *before = tls_memory_use(t->memory);
    int code = leave(t, before, mbedtls_ssl_handshake(&t->ssl));
    t->computing = code == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS;
    t->stepping = t->computing || code == MBEDTLS_ERR_SSL_WANT_WRITE;
    *again = t->stepping || code == MBEDTLS_ERR_SSL_WANT_READ;
    t->up = code == 0;
    return code;
}

/* Data */

int tls_read(struct tls *t, void *out, size_t capacity, size_t *bytes, bool *clean)
{
    if (t->stuck) {
        *clean = false;
        return HERD_E_CLOSED;
    }
    struct tls_memory *before = tls_memory_use(t->memory);
    int code;
    do { /* each round takes a record: one without data for us must not hide those behind it */
        code = mbedtls_ssl_read(&t->ssl, out, capacity);
    } while (code == MBEDTLS_ERR_SSL_WANT_READ && conn_readable(t->conn) > 0);
    code = leave(t, before, code);

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
        return tls_failed("read", code);
    }
}

int tls_write(struct tls *t, const void *data, size_t n, size_t *bytes)
{
    if (t->stuck) {
        return HERD_E_CLOSED;
    }
    struct tls_memory *before = tls_memory_use(t->memory);
    int code = leave(t, before, mbedtls_ssl_write(&t->ssl, data, n));

    if (code > 0) {
        *bytes = (size_t)code;
        return HERD_OK;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE || code == 0) {
        return HERD_E_AGAIN;
    }
    return tls_failed("write", code);
}

static void reset(struct tls *t)
{
    t->conn = CONN_NONE;
    t->up = false;
    t->stuck = false;
    t->stepping = false;
    t->computing = false;
    t->denied = 0;
    struct tls_memory *before = tls_memory_use(t->memory);
    int code = mbedtls_ssl_session_reset(&t->ssl);
    (void)tls_memory_use(before);
    if (code != 0) { /* its temporaries were just freed: there is room for the same again */
        (void)tls_failed("reset", code);
        HERD_ASSERT(code == 0);
    }
}

void tls_stop(struct tls *t)
{
    if (t->up && !t->stuck) {
        struct tls_memory *before = tls_memory_use(t->memory);
        (void)leave(t, before,
                    mbedtls_ssl_close_notify(&t->ssl)); /* no room: the FIN has to say it */
    }
    conn_finish(t->conn);
    reset(t);
}

void tls_abort(struct tls *t)
{
    conn_release(t->conn);
    reset(t);
}

const char *tls_version(void)
{
    return MBEDTLS_VERSION_STRING_FULL;
}

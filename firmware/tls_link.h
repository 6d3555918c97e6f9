/* The links' profile of TLS: pre-shared keys (`keys`), client and server, TLS 1.2.
 *
 * Each link has the one suite that the herd file fixes: TLS_PSK_WITH_AES_128_GCM_SHA256, or in builds with
 * CFG_LINK_ECDHE TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 (X25519). Who dials offers nothing else; who is
 * called learns from the identity whose link it is, and then insists on that link's. The extended master
 * secret is required; there are no tickets, no resumption, no renegotiation.
 *
 * Contexts are a pool, set up once: one for each neighbour and CFG_LINK_CALLERS more. Who gets one is the
 * business of `links`. Context: tasks.
 */
#ifndef HERD_TLS_LINK_H
#define HERD_TLS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "config.h"
#include "conn.h"
#include "err.h"
#include "keys.h"
#include "text.h"
#include "tls.h"

#define TLS_LINK_CONTEXTS (CFG_LINKS + CFG_LINK_CALLERS)

/* Why there is no link. */
enum tls_link_refusal {
    TLS_LINK_FINE,
    TLS_LINK_FAILED,      /* no handshake, or not with the key that the identity names */
    TLS_LINK_UNKNOWN,     /* the identity is nobody's here */
    TLS_LINK_OLD_KEY,     /* of a neighbour, but the key before the current one */
    TLS_LINK_WRONG_SUITE, /* of a neighbour, with the other suite */
    TLS_LINK_NOT_TAKEN,   /* we dialled: the neighbour does not take our identity */
    TLS_LINK_NO_MEMORY,
    TLS_LINK_CLOSED /* the other end went away meanwhile */
};
const char *tls_link_refusal_name(enum tls_link_refusal refusal); /* "failed", ... */

struct tls_link {
    struct tls tls;
    struct tls_memory memory;
    bool used;
    bool dialled;
    uint8_t link;    /* config's neighbour; CFG_LINKS: a caller whose identity has not come */
    uint8_t refusal; /* enum tls_link_refusal */
};

struct tls_link_stats {
    uint32_t handshakes; /* finished */
    size_t memory_used;  /* bytes now, of all contexts together */
    size_t memory_peak;  /* bytes, most ever, of one context */
    size_t scratch_peak; /* bytes, most ever */
    size_t scratch_used; /* bytes now: 0 */
};

/* Sets up configurations and contexts. Call once for each start of the node, after config_finish.
 * HERD_E_FULL: CFG_LINK_TLS_BYTES is too small. */
int tls_link_init(const struct config *config) HERD_MUST_CHECK;

/* A context over an open connection that we dialled to the neighbour `link`, which has keys, or over one that
 * was taken. NULL: all are in use. */
struct tls_link *tls_link_dial(conn_handle conn, unsigned link);
struct tls_link *tls_link_take(conn_handle conn);
unsigned tls_link_free(void); /* contexts that are not in use */

/* Goes on with the handshake. HERD_OK: up, and t->link is authenticated; HERD_E_AGAIN: waits for bytes, or for
 * the next round when t->tls.computing; HERD_E_TRUST, _PROTOCOL, _CLOSED, _FULL: t->refusal says why. Cost of a call, Cortex-M3: 0.4 million instructions; with ECDHE 10 (who
 * is called, twice) or 20 million (who dials). */
int tls_link_handshake(struct tls_link *t) HERD_MUST_CHECK;

/* The identity that was said in the last step of a handshake: any bytes, cut to KEYS_IDENTITY_BYTES_MAX; empty:
 * none. Until the next call of tls_link_handshake. */
struct span tls_link_identity(void);

/* 0 to TLS_LINK_CONTEXTS-1 */
unsigned tls_link_index(const struct tls_link *t);

/* "psk", "ecdhe-psk" */
const char *tls_link_suite(const struct tls_link *t);

/* As tls_stop and tls_abort, and the context is free. */
void tls_link_stop(struct tls_link *t);
void tls_link_abort(struct tls_link *t);

struct tls_link_stats tls_link_stats(void);

#endif

/* The upstream's profile of TLS: a client that checks certificates (X.509, TLS 1.2). Builds with
 * CFG_UPSTREAM only. Verification is always required: chain, host name and dates. Context: tasks.
 */
#ifndef HERD_TLS_UPSTREAM_H
#define HERD_TLS_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "err.h"
#include "text.h"
#include "tls.h"

/* Basic ECC operations in one call of tls_upstream_handshake (mbedtls_ecp_set_max_ops): 5.2 M
 * instructions on a Cortex-M3. */
#define TLS_UPSTREAM_ECC_OPS 300

/* A session older than this is not offered again, so that the certificate's dates are looked at
 * regularly. ms */
#define TLS_UPSTREAM_SESSION_MS 3600000

struct tls_upstream {
    struct tls tls;
    mbedtls_ssl_session session; /* of the last full handshake, offered again */
    bool has_session;
    bool offered;        /* `session` was offered in this handshake */
    bool verified;       /* a certificate chain came: not resumed */
    bool self_signed;    /* its leaf signed itself */
    size_t refused;      /* by the arena, before this handshake */
    uint64_t session_ms; /* when `session` was made */
};

struct tls_upstream_stats {
    uint32_t handshakes; /* finished, resumed ones included */
    uint32_t resumed;
    uint32_t failed;
    uint32_t untrusted; /* of the failed: certificate, name or date */
    size_t arena_used;  /* bytes now */
    size_t arena_peak;  /* bytes, most ever */
};

/* Sets up the arena, the client configuration and the trust anchors: `trust_pem` (PEM text, its
 * final NUL counted) or, when empty, the built-in ones. Call once, after rng_init. HERD_E_TRUST: an
 * anchor does not parse; HERD_E_FULL: the arena is too small, or there are more than CFG_TLS_ANCHORS. */
int tls_upstream_init(struct span trust_pem) HERD_MUST_CHECK;

/* The arena. What a link's handshake takes for the time of one call may come from it, too: it has been made
 * for the longest chain of certificates, and a link needs little. */
struct tls_memory *tls_upstream_memory(void);

/* Prepares t once; its buffers are taken from the arena now. */
int tls_upstream_setup(struct tls_upstream *t) HERD_MUST_CHECK;

/* Starts a client handshake on an open connection; `host` (NUL-terminated) is sent as SNI and must be
 * in the certificate. Offers the last session of t. */
int tls_upstream_start(struct tls_upstream *t, conn_handle conn, const char *host) HERD_MUST_CHECK;

/* Goes on with the handshake. HERD_OK: up; HERD_E_AGAIN: waits for bytes, or for the next round when
 * t->tls.computing; HERD_E_TRUST with the reason in `why` (words for a person, "expired"); HERD_E_CLOSED;
 * HERD_E_PROTOCOL; HERD_E_FULL: the arena is exhausted. An alert that says why is on its way to the
 * peer: end with tls_upstream_stop. Cost of a call: ECC of the chain and the signature in slices of
 * TLS_UPSTREAM_ECC_OPS; an RSA signature, or the ECDHE of X25519 or with an RSA certificate, at once. */
int tls_upstream_handshake(struct tls_upstream *t, struct text *why) HERD_MUST_CHECK;

/* As tls_stop and tls_abort; the session is kept for resumption when `keep`, else forgotten. */
void tls_upstream_stop(struct tls_upstream *t, bool keep);
void tls_upstream_abort(struct tls_upstream *t, bool keep);

struct tls_upstream_stats tls_upstream_stats(void);

#endif

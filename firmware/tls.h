/* TLS over a conn: our binding of mbedTLS to lwIP's raw API. Client profile (X.509, TLS 1.2).
 *
 * A `struct tls` is static memory of its owner and is set up once: contexts and record buffers come
 * from mbedTLS's arena at tls_init and are reused for every connection; only handshake temporaries
 * come and go. Verification is always required: chain, host name and dates. Context: tasks.
 */
#ifndef HERD_TLS_H
#define HERD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

#include "conn.h"
#include "err.h"
#include "text.h"

/* Basic ECC operations in one call of tls_handshake (mbedtls_ecp_set_max_ops): 5.2 M instructions on
 * a Cortex-M3. */
#define TLS_ECC_OPS 300

/* A session older than this is not offered again, so that the certificate's dates are looked at
 * regularly. ms */
#define TLS_SESSION_MS 3600000

struct tls {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_session session; /* of the last full handshake, offered again */
    bool has_session;
    bool up;
    bool computing; /* HERD_E_AGAIN of tls_handshake: call in the next round, nothing to wait for */
    bool offered;   /* `session` was offered in this handshake */
    bool verified;  /* a certificate chain came: not resumed */
    bool self_signed;    /* its leaf signed itself */
    uint64_t session_ms; /* when `session` was made */
    conn_handle conn;
};

struct tls_stats {
    uint32_t handshakes; /* finished, resumed ones included */
    uint32_t resumed;
    uint32_t failed;
    uint32_t untrusted; /* of the failed: certificate, name or date */
    size_t arena_used;  /* bytes now */
    size_t arena_peak;  /* bytes, most ever */
};

/* Sets up mbedTLS's arena, the client configuration and the trust anchors: `trust_pem` (PEM text, its
 * final NUL counted) or, when empty, the built-in ones. Call once, after rng_init. HERD_E_TRUST: an
 * anchor does not parse; HERD_E_FULL: the arena is too small, or there are more than CFG_TLS_ANCHORS. */
int tls_init(struct span trust_pem) HERD_MUST_CHECK;

/* Prepares t once; its buffers are taken from the arena now. */
int tls_setup(struct tls *t) HERD_MUST_CHECK;

/* Starts a client handshake on an open connection; `host` (NUL-terminated) is sent as SNI and must be
 * in the certificate. Offers the last session of t. */
int tls_start(struct tls *t, conn_handle conn, const char *host) HERD_MUST_CHECK;

/* Goes on with the handshake. HERD_OK: up; HERD_E_AGAIN: waits for bytes, or for the next round when
 * t->computing; HERD_E_TRUST with the reason in `why` (words for a person, "expired"); HERD_E_CLOSED;
 * HERD_E_PROTOCOL; HERD_E_FULL: the arena is exhausted. An alert that says why is on its way to the
 * peer: end with tls_stop. Cost of a call: ECC of the chain and the signature in slices of
 * TLS_ECC_OPS; an RSA signature, or the ECDHE of X25519 or with an RSA certificate, at once. */
int tls_handshake(struct tls *t, struct text *why) HERD_MUST_CHECK;

/* Up to `capacity` bytes of plaintext; *bytes written only with HERD_OK. HERD_E_AGAIN; HERD_E_CLOSED
 * with *clean telling whether close_notify came (else a body may have been cut: RFC 8446, 6.1). */
int tls_read(struct tls *t, void *out, size_t capacity, size_t *bytes, bool *clean) HERD_MUST_CHECK;

/* Takes up to n bytes of plaintext; *bytes says how many. HERD_E_AGAIN: call again with the same
 * bytes when the connection has room. */
int tls_write(struct tls *t, const void *data, size_t n, size_t *bytes) HERD_MUST_CHECK;

/* close_notify if there is room, then the connection is finished; the session is kept for
 * resumption when `keep`, else forgotten. The context is reset for reuse. */
void tls_stop(struct tls *t, bool keep);

/* The same without a word to the peer: RST, and the connection's slot is free at once. */
void tls_abort(struct tls *t, bool keep);

struct tls_stats tls_stats(void);
const char *tls_version(void); /* "Mbed TLS 3.6.7" */

#endif

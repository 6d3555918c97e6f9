/* TLS 1.2 over a conn: our binding of mbedTLS to lwIP's raw API, as far as both profiles share it:
 * `tls_upstream` (client, certificates) and `tls_link` (client and server, pre-shared keys) set it up and do
 * the handshake; reading, writing and the end are here.
 *
 * A `struct tls` is static memory of its owner and is set up once: record buffers come from the memory it is
 * given and are reused for every connection; only keys and handshake temporaries come and go. Context: tasks.
 */
#ifndef HERD_TLS_H
#define HERD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

#include "conn.h"
#include "err.h"
#include "tls_memory.h"

/* What a record adds to its plaintext: header, explicit nonce, tag (AES-GCM's; ChaCha20's is less). */
#define TLS_RECORD_OVERHEAD_BYTES (5 + 8 + 16)
/* An alert, close_notify among them. */
#define TLS_ALERT_BYTES (2 + TLS_RECORD_OVERHEAD_BYTES)

struct tls {
    mbedtls_ssl_context ssl;
    struct tls_memory *memory;
    conn_handle conn;
    uint32_t
        denied; /* round in which the turn to compute was first denied; 0: not waiting for it */
    bool up;
    bool stuck;    /* a record did not fit into the connection's room, and is lost: it has to end */
    bool stepping; /* between two calls of tls_step something may be left to do: see there */
    bool computing; /* HERD_E_AGAIN of a handshake: call in the next round, nothing to wait for */
};

/* Prepares t once, with buffers as `config` says, from `memory`. HERD_E_FULL: it does not suffice. */
int tls_setup(struct tls *t, const mbedtls_ssl_config *config,
              struct tls_memory *memory) HERD_MUST_CHECK;

/* t speaks on that connection from now on; nothing is sent yet. */
void tls_attach(struct tls *t, conn_handle conn);

/* For the profiles: one step of the handshake. At most one handshake computes in a round of the scheduler,
 * whoever's it is; those that are denied follow in the order in which they were. mbedTLS's code; *again: it
 * has to wait, for bytes or, when t->computing, for the next round. */
int tls_step(struct tls *t, bool *again) HERD_MUST_CHECK;

/* For the profiles: logs mbedTLS's own code, and translates it. */
int tls_failed(const char *step, int code);

/* Up to `capacity` bytes of plaintext; *bytes written only with HERD_OK. HERD_E_AGAIN; HERD_E_CLOSED
 * with *clean telling whether close_notify came (else a body may have been cut: RFC 8446, 6.1). */
int tls_read(struct tls *t, void *out, size_t capacity, size_t *bytes, bool *clean) HERD_MUST_CHECK;

/* Takes up to n bytes of plaintext; *bytes says how many. HERD_E_AGAIN: call again with the same
 * bytes when the connection has room. What fits in a record, with its overhead, into the connection's room
 * is taken whole. */
int tls_write(struct tls *t, const void *data, size_t n, size_t *bytes) HERD_MUST_CHECK;

/* close_notify if there is room, then the connection is finished. The context is reset for reuse. */
void tls_stop(struct tls *t);

/* The same without a word to the peer: RST, and the connection's slot is free at once. */
void tls_abort(struct tls *t);

const char *tls_version(void); /* "Mbed TLS 3.6.7" */

#endif

/* HTTP/1.1 client of one server, over TLS: one request at a time, on one connection that is kept
 * alive between requests.
 *
 * A request is DNS (unless the address is given), connect, handshake, request, response, all under
 * one deadline. A kept connection that dies before any byte of the response is replaced once.
 * Redirects are not followed. Owns class CONN_UPSTREAM. Context: tasks.
 */
#ifndef HERD_HTTPS_H
#define HERD_HTTPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "err.h"
#include "https_reader.h"
#include "sched.h"
#include "text.h"

#define HTTPS_WHY_BYTES 200

struct https_server {
    const char *host; /* NUL-terminated; SNI, name check and Host; lives as long as the node */
    uint32_t address; /* host byte order; 0: ask DNS for host */
    uint16_t port;
};

struct https_request {
    const char *method;
    struct span target;  /* from / on; may hold secrets: never logged */
    struct span headers; /* more header lines, each with CR NL; secrets as above */
    struct span body;    /* empty: none, and no Content-Length */
};

struct https_stats {
    uint32_t requests;
    uint32_t reused;   /* of these, on a kept connection */
    uint32_t replaced; /* kept connections that had died, handshakes that failed with a session */
    uint32_t connections; /* TLS up */
    uint32_t failed;
};

/* `owner` is woken when https_run has something to do, and runs at https_wake_ms; it calls https_run
 * every time it runs. After tls_init. HERD_E_FULL: the TLS arena is too small. */
int https_init(const struct https_server *server, struct sched_task *owner) HERD_MUST_CHECK;

/* Starts a request; nothing may be under way (asserted). The spans are copied; `sink` lives until
 * https_run has ended it, and what it was told counts only then. HERD_E_RANGE: longer than
 * CFG_HTTPS_REQUEST_BYTES. */
int https_start(const struct https_request *request, uint64_t deadline_ms,
                const struct https_sink *sink, void *context) HERD_MUST_CHECK;

/* Goes on. HERD_E_AGAIN: nothing to report (yet); HERD_OK: the response is complete; otherwise the
 * request has failed, with words for a person in `why`: HERD_E_TIMEOUT, HERD_E_TRUST,
 * HERD_E_NETWORK, HERD_E_CLOSED, HERD_E_PROTOCOL. Cost: a bounded piece of the work. */
int https_run(struct text *why) HERD_MUST_CHECK;

/* When https_run is to be called at the latest; SCHED_NEVER: only when woken. */
uint64_t https_wake_ms(void);

/* Bytes of the request that ended last may have reached the server. */
bool https_was_sent(void);

struct https_stats https_stats(void);

#endif

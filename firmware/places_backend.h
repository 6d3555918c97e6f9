/* How an answer is got: a table of functions that `places` calls, one query at a time. Two fulfil it in
 * one image: `places_upstream` asks the provider, `ask` a neighbour that has an upstream. A build for a
 * board without the memory for TLS (CFG_UPSTREAM 0) has the second only. Context: tasks.
 */
#ifndef HERD_PLACES_BACKEND_H
#define HERD_PLACES_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "config.h"
#include "err.h"
#include "places.h"
#include "sched.h"
#include "text.h"

/* What became of a query. */
struct places_outcome {
    size_t bytes; /* the buffer holds the whole JSON; 0: status and message say why there is none */
    bool good;    /* with bytes: it is no failure */
    bool keep;    /* with bytes: worth caching here */
    unsigned entries; /* in the JSON, and left out; both 0 where nobody counted */
    unsigned left_out;
    struct span status;  /* of the protocol; empty where only the JSON says it */
    struct span message; /* for a person; lives until the next start */
};

struct places_backend {
    /* The node's own upstream: neighbours may be answered from it. */
    bool own;

    /* Once, at start. `key` is kept; `owner` is woken when run has something to do. *unusable: a reason
     * why nothing can be asked at all, which lives as long as the program; untouched if it can.
     * Errors: the node cannot start. */
    int (*init)(const struct config_places *config, struct span key, struct sched_task *owner,
                const char **unusable);

    /* Begins; nothing is under way (asserted). The JSON is built in buffer[0..capacity-1], capacity
     * PLACES_BYTES_MIN or more. HERD_OK: run tells the outcome, at deadline_ms at the latest. Otherwise
     * *out says why it is not even asked: HERD_E_REFUSED, a limit of ours; HERD_E_NETWORK, nobody is
     * there to ask. */
    int (*start)(const struct places_query *query, uint64_t deadline_ms, char *buffer,
                 size_t capacity, struct places_outcome *out);

    /* Goes on. True, once, when the query has ended: *out says how. Cost: a bounded piece of the work. */
    bool (*run)(struct places_outcome *out);

    /* When run is to be called at the latest; SCHED_NEVER: only when woken. */
    uint64_t (*wake_ms)(void);
};

#if CFG_UPSTREAM
extern const struct places_backend places_upstream; /* after tls_init */
#endif

#endif

/* WHATSAT: what is near a point. Owns the query slots and the answer cache; whom it asks, the provider
 * or a neighbour, is its backend's business (places_backend.h).
 *
 * An answer is complete before the first byte of it is given out, so that every failure still has
 * the protocol's shape. Queries that are equal share one slot and one request. Context: tasks.
 */
#ifndef HERD_PLACES_H
#define HERD_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "geo.h"
#include "sched.h"
#include "text.h"

struct places_query {
    struct geo_point at;
    uint32_t radius_mm; /* 1 to PROTO_RADIUS_MM_MAX */
    uint32_t bound;     /* 1 to PROTO_BOUND_MAX */
    uint32_t
        bytes_max; /* of the JSON; PLACES_BYTES_MIN or more. Above CFG_PLACES_ANSWER_BYTES is that */
};

/* Room for a failure with its message, and for a real entry. */
#define PLACES_BYTES_MIN 1024

/* A share in a query slot; 0 is none. */
typedef uint32_t places_ticket;
#define PLACES_NONE ((places_ticket)0)

struct places_stats {
    uint32_t asked;  /* requests to the backend */
    uint32_t shared; /* queries that waited for another's request */
    uint32_t cached; /* queries answered from the cache */
    uint32_t answered;
    uint32_t failed;
    uint32_t over_limit;   /* OVER_QUERY_LIMIT by our own budget */
    uint32_t refused_full; /* no slot free: the asker waits */
    uint32_t left_out;     /* entries that did not fit, or could not be read */
    uint32_t taken_away;   /* answers not read within CFG_PLACES_READ_MS */
};

struct places_backend;

#define PLACES_WAITERS 2

/* Everything lives as long as the node. */
struct places_setup {
    const struct config_places *config;
    const struct places_backend *backend; /* NULL: WHATSAT says that there is no provider */
    struct span key;                      /* of the provider; empty: there is none */
    struct sched_task
        *waiters[2]; /* woken when an answer becomes ready or a slot free; may be NULL */
};

int places_init(const struct places_setup *setup) HERD_MUST_CHECK;

/* Whether neighbours may be answered: this node has an upstream of its own that can be asked. */
bool places_has_upstream(void);

/* Asks, or joins who asked the same. HERD_E_FULL: no slot is free (counted); ask again when woken,
 * until config timeout_ms have passed since you first asked. HERD_E_RANGE: bytes_max is below
 * PLACES_BYTES_MIN. */
int places_ask(const struct places_query *query, places_ticket *out) HERD_MUST_CHECK;

/* HERD_OK: *answer is the whole JSON, without trailing newline and without runs of newlines; it
 * lives until places_release. HERD_E_AGAIN: wait. HERD_E_CLOSED: it was not read in time and is
 * gone. */
int places_poll(places_ticket ticket, struct span *answer) HERD_MUST_CHECK;
/* Whether the answer that places_poll gives is a failure. */
bool places_is_failure(places_ticket ticket);
void places_release(places_ticket ticket);

/* The answers that need nobody: empty results, and a failure (status and message are escaped). */
void places_format_empty(struct text *t);
void places_format_failure(struct text *t, struct span status, struct span message);

struct places_stats places_stats(void);

#endif

/* WHATSAT: what is near a point, asked from the places provider. Owns the query slots, the answer
 * cache, the user's budget, and the translation of the provider's dialect.
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
};

/* A share in a query slot; 0 is none. */
typedef uint32_t places_ticket;
#define PLACES_NONE ((places_ticket)0)

struct places_stats {
    uint32_t asked;  /* requests sent upstream */
    uint32_t shared; /* queries that waited for another's request */
    uint32_t cached; /* queries answered from the cache */
    uint32_t answered;
    uint32_t failed;
    uint32_t over_limit;   /* OVER_QUERY_LIMIT by our own budget */
    uint32_t refused_full; /* no slot free: the asker waits */
    uint32_t left_out;     /* entries that did not fit, or could not be read */
    uint32_t taken_away;   /* answers not read within CFG_PLACES_READ_MS */
};

/* `key` is kept by the caller for ever; `waiter` is woken whenever an answer becomes ready or a slot
 * becomes free. */
int places_init(const struct config_places *config, struct span key,
                struct sched_task *waiter) HERD_MUST_CHECK;

/* Asks, or joins who asked the same. HERD_E_FULL: no slot is free (counted); ask again when woken,
 * until config timeout_ms have passed since you first asked. */
int places_ask(const struct places_query *query, places_ticket *out) HERD_MUST_CHECK;

/* HERD_OK: *answer is the whole JSON, without trailing newline and without runs of newlines; it
 * lives until places_release. HERD_E_AGAIN: wait. HERD_E_CLOSED: it was not read in time and is
 * gone. */
int places_poll(places_ticket ticket, struct span *answer) HERD_MUST_CHECK;
void places_release(places_ticket ticket);

/* The answers that need nobody: empty results, and a failure (status and message are escaped). */
void places_format_empty(struct text *t);
void places_format_failure(struct text *t, struct span status, struct span message);

struct places_stats places_stats(void);

#endif

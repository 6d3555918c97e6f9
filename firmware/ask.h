/* WHATSAT of a node without an upstream: the backend of `places` that asks a neighbour (ASK and ANSWER
 * of firmware/PROTOCOL.md, section 5). One query at a time.
 *
 * It asks the first neighbour that links_offers_ask names, and once more, the next, when the connection
 * ends before the answer does. Like `replica`, it never writes to a link: `links` asks for what is to be
 * said (ask_next) when it has room. Context: tasks.
 */
#ifndef HERD_ASK_H
#define HERD_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "frames.h"
#include "places_backend.h"
#include "text.h"

struct ask_stats {
    uint32_t sent;      /* ASKs */
    uint32_t answered;  /* whole answers, failures of the neighbours included */
    uint32_t lost;      /* connections that ended before their answer */
    uint32_t late;      /* queries whose deadline passed */
    uint32_t too_large; /* answers beyond the room that was announced */
    uint32_t stray;     /* pieces of an answer that nobody waits for */
};

extern const struct places_backend ask_backend;

/* Before everything below, and before ask_backend is used. `config` lives as long as the node. */
void ask_init(const struct config *config);

/* For `links`. Appends the frame that this neighbour is to be told now, which has the room of any frame;
 * false: none. It counts as said. */
bool ask_next(unsigned link, struct text *frame);
/* A neighbour sent a piece of an answer. */
void ask_take(unsigned link, const struct frames_answer *piece);
/* The connection that carried the link has ended, or another carries it now: what was asked on it is
 * asked again there, if links_offers_ask still says so, or elsewhere. */
void ask_lost(unsigned link);

struct ask_stats ask_stats(void);

#endif

/* ASKs of neighbours without an upstream, answered from this node's own (firmware/PROTOCOL.md, section 5).
 * They are queries of `places` like those of clients: same slots, same cache, same budget.
 *
 * One per neighbour: a later ASK takes the place of one that is not answered. Like `replica`, it never
 * writes to a link: `links` asks for the next piece (answer_next) when there is room beyond records.
 * Context: tasks.
 */
#ifndef HERD_ANSWER_H
#define HERD_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "frames.h"
#include "text.h"

struct answer_stats {
    uint32_t asked;    /* ASKs, those that were refused included */
    uint32_t answered; /* answers sent whole, failures of places included */
    uint32_t busy;     /* beyond CFG_ASK_SERVED, or no query slot in time */
    uint32_t refused;  /* out of range, or this node has no upstream */
    uint32_t dropped;  /* under way when the connection ended or another ASK came */
    uint32_t pieces;
};

/* `config` lives as long as the node. */
void answer_init(const struct config *config);

/* Of HELLO. Known when places is initialised. */
uint32_t answer_features(void);

/* For `links`. A neighbour asks. */
void answer_take(unsigned link, const struct frames_ask *ask);
/* Appends the piece that this neighbour is to be told now, which has the room of any frame; false: none
 * (yet). It counts as said. Call it again when places wakes, and at answer_wake_ms. */
bool answer_next(unsigned link, struct text *frame);
/* The connection that carried the link has ended: nobody waits for the answer any more. */
void answer_lost(unsigned link);
uint64_t answer_wake_ms(void);

struct answer_stats answer_stats(void);

#endif

/* Frames through the data register of an Ethernet controller's FIFO, which gives and takes words in the
 * order of memory. For drivers, which include this once each; four words a turn, because this is where a
 * driver's instructions are.
 */
#ifndef CORTEXM_ETH_FIFO_H
#define CORTEXM_ETH_FIFO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lwip/pbuf.h"

/* The unit test has a FIFO of its own. */
#ifndef ETH_FIFO_PUT
#define ETH_FIFO_PUT(fifo, word) (*(fifo) = (word))
#define ETH_FIFO_GET(fifo)       (*(fifo))
#endif

/* Reads the next `words` of the FIFO to `to`, aligned; returns the place after them. */
static inline uint32_t *eth_fifo_read(volatile uint32_t *fifo, uint32_t *to, size_t words)
{
    for (; words >= 4; words -= 4, to += 4) {
        to[0] = ETH_FIFO_GET(fifo);
        to[1] = ETH_FIFO_GET(fifo);
        to[2] = ETH_FIFO_GET(fifo);
        to[3] = ETH_FIFO_GET(fifo);
    }
    for (; words > 0; words--) {
        *to++ = ETH_FIFO_GET(fifo);
    }
    return to;
}

static inline uint32_t eth_fifo_word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word); /* becomes one load */
    return word;
}

/* Whole words from any place in memory; returns the place after them. */
static inline const uint8_t *eth_fifo_write_words(volatile uint32_t *fifo, const uint8_t *at,
                                                  size_t words)
{
    for (; words >= 4; words -= 4, at += 16) {
        ETH_FIFO_PUT(fifo, eth_fifo_word_at(at));
        ETH_FIFO_PUT(fifo, eth_fifo_word_at(at + 4));
        ETH_FIFO_PUT(fifo, eth_fifo_word_at(at + 8));
        ETH_FIFO_PUT(fifo, eth_fifo_word_at(at + 12));
    }
    for (; words > 0; words--, at += 4) {
        ETH_FIFO_PUT(fifo, eth_fifo_word_at(at));
    }
    return at;
}

/* Writes a chain, of which the first `skip` bytes (at most those of its first piece) stay behind.
 * `word` has the first `filled` bytes (0 to 3) of what is written; the last word is filled up with
 * zeros. Pieces may have any length and place. */
static inline void eth_fifo_write(volatile uint32_t *fifo, const struct pbuf *p, size_t skip,
                                  uint32_t word, unsigned filled)
{
    for (; p != NULL; p = p->next, skip = 0) {
        const uint8_t *at = (const uint8_t *)p->payload + skip;
        const uint8_t *end = (const uint8_t *)p->payload + p->len;
        while (at < end) {
            if (filled == 0) {
                at = eth_fifo_write_words(fifo, at, (size_t)(end - at) / 4);
            }
            for (; at < end && filled < 4; at++, filled++) {
                word |= (uint32_t)*at << (8 * filled);
            }
            if (filled == 4) {
                ETH_FIFO_PUT(fifo, word);
                word = 0;
                filled = 0;
            }
        }
    }
    if (filled > 0) {
        ETH_FIFO_PUT(fifo, word);
    }
}

#endif

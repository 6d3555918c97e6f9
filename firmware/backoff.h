/* How long to wait before another attempt at what has failed. Pure.
 */
#ifndef HERD_BACKOFF_H
#define HERD_BACKOFF_H

#include <stdint.h>

/* The pause after so many failures in a row, ms: `first_ms`, doubled for each of them up to
 * `last_ms` (first_ms <= last_ms <= 2^31), of which the second half is random, so that nodes which
 * failed together do not come back together. `random` is any 32 random bits. Cost: O(1). */
uint32_t backoff_ms(uint32_t failures, uint32_t first_ms, uint32_t last_ms, uint32_t random);

#endif

/* Entropy, as a port gives it. */
#ifndef HAL_ENTROPY_H
#define HAL_ENTROPY_H

#include <stddef.h>

/* You must: fill out[0..bytes-1] with bytes that nobody can predict and return 0, or return a
 * negative value and leave the node without TLS. You must not: fall back on a counter, a clock or a
 * constant. Called at start and at every reseed, 48 to 64 bytes each. May block for milliseconds. */
int hal_entropy(void *out, size_t bytes);

#endif

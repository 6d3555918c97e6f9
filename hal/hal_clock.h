/* Time, as a port gives it. */
#ifndef HAL_CLOCK_H
#define HAL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* You must: count milliseconds from any start, never backwards, never wrapping, also while idle.
 * Safe from an ISR. Cost: a few instructions; called several times per round. */
uint64_t hal_clock_ms(void);

/* You must: write the wall clock, ns since 1970 UTC, and return true; or return false when it was
 * never set. It may jump. You must not: invent a time. */
bool hal_clock_wall_ns(int64_t *ns);

#endif

/* Time, as a port gives it. */
#ifndef HAL_CLOCK_H
#define HAL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* You must: count milliseconds from any start, never backwards, never wrapping, also while idle.
 * Safe from an ISR. Cost: a few instructions; called several times per round. */
uint64_t hal_clock_ms(void);

/* You must: write the wall clock, ns since 1970 UTC, and return true; or return false when it was
 * never set. It may jump. You must not: invent a time. True at start means that this node knows the
 * time by itself (a battery, an operating system): it does not ask the network then. */
bool hal_clock_wall_ns(int64_t *ns);

/* The firmware has learnt the time (SNTP). You must: make hal_clock_wall_ns return true and go on from
 * here at the pace of hal_clock_ms; write a clock with a battery, if there is one. You must not: set an
 * operating system's clock. Task context and lwIP callbacks; microseconds. */
void hal_clock_set_wall_ns(int64_t now_ns);

#endif

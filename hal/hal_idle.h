/* Idling, as a port does it. */
#ifndef HAL_IDLE_H
#define HAL_IDLE_H

#include <stdint.h>

/* You must: return after at most max_ms milliseconds, and at once when the network has something or
 * an ISR woke a task since the last call (beware of the lost wake-up: test and sleep atomically).
 * max_ms 0: look at the network, do not sleep; called after every busy round, so make it cheap.
 * UINT32_MAX: no deadline. You may return early for no reason. You must not: run tasks. */
void hal_idle(uint32_t max_ms);

#endif

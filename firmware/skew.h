/* Whether a node's clock agrees with its neighbours' (firmware/PROTOCOL.md, section 6). Pure.
 */
#ifndef HERD_SKEW_H
#define HERD_SKEW_H

#include <stdbool.h>
#include <stdint.h>

/* True when the median of `offsets_ns` (neighbour's clock - ours, in any order; sorted by the call) is
 * within ±bound_ns (0 or more), or when there are none. Of two middle values the one nearer to our clock
 * counts, and 0 when it lies between them: one wrong neighbour of two proves nothing. Cost:
 * O(count²), for CFG_LINKS. */
bool skew_is_within(int64_t *offsets_ns, unsigned count, int64_t bound_ns);

#endif

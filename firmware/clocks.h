/* What the neighbours' clocks say about ours (firmware/PROTOCOL.md, section 6). Context: tasks.
 */
#ifndef HERD_CLOCKS_H
#define HERD_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

/* No neighbour has said anything; bound_ns, 0 or more, is how far the median of their clocks may be from
 * ours. After sched_init. */
void clocks_init(int64_t bound_ns);

/* The neighbour `link` (below CFG_LINKS) said what its wall clock shows now; 0: it is not set. */
void clocks_heard(unsigned link, int64_t now_ns);
/* The neighbour can no longer be asked. */
void clocks_forget(unsigned link);

/* Whether this node's clock may decide about order: set, and within the bound at this moment, also when it
 * has just been set. Cost: skew_is_within. */
bool clocks_trusted(void);

#endif

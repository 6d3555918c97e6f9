/* What the ENET core wants of the chip. One definition per image. */
#ifndef ENET_PORT_H
#define ENET_PORT_H

#include <stddef.h>

/* You must: make every earlier write to memory visible to the controller's DMA before any later
 * write, to memory or to a register; and keep later reads of memory behind earlier ones. With DSB on
 * a core without a data cache that is all. Safe from an ISR. */
void enet_port_barrier(void);

/* You must: do what a data cache needs before the controller reads `bytes` that we wrote, and before
 * we read what it wrote. Without a cache, or with the rings outside of it: nothing. `memory` is
 * aligned to 16. */
void enet_port_clean(const void *memory, size_t bytes);
void enet_port_invalidate(const void *memory, size_t bytes);

#endif

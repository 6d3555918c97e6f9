/* The machine around the node, as a port knows it: restart, the last crash, the stack. */
#ifndef HAL_SYSTEM_H
#define HAL_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* You must: start the node again, as after power on, from the same image with the same arguments. The
 * log has been flushed as far as the console took it; you may wait 500 ms for the rest. Does not
 * return. Task context. */
void hal_system_restart(void) __attribute__((noreturn));

/* Text line `line` (0, 1, ...) of the record of the crash that led to this start: writes at most `bytes`
 * bytes, without newline, and returns how many; 0: no crash, or no more lines. The record stays until the next start.
 * Printable ASCII only. */
size_t hal_system_crash(unsigned line, char *out, size_t bytes);

/* True, with bytes reserved and the most ever used, where the port watches its stack; false where an
 * operating system does. */
bool hal_system_stack(size_t *reserved, size_t *high_water);

#endif

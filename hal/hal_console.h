/* The console, as a port gives it: where the event log goes. */
#ifndef HAL_CONSOLE_H
#define HAL_CONSOLE_H

#include <stddef.h>

/* You must: take up to `bytes` bytes and return how many were taken, at once; 0 when the device is
 * busy. You must not: block, or call back into firmware. Task context. */
size_t hal_console_write(const char *data, size_t bytes);

#endif

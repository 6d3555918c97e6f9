/* The console, as a port gives it: where the event log goes, and where an operator types. */
#ifndef HAL_CONSOLE_H
#define HAL_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* You must: take up to `bytes` bytes and return how many were taken, at once; 0 when the device is
 * busy. You must not: block, or call back into firmware. Task context. */
size_t hal_console_write(const char *data, size_t bytes);

/* The same for what an operator reads and nobody keeps: prompts, echo, answers. In order with
 * hal_console_write; on a serial port there is no difference, a port with a log file leaves it out. */
size_t hal_console_answer(const char *data, size_t bytes);

/* You must: move up to `bytes` received bytes to `data` and return how many, at once; 0 when nothing
 * came, or there is no input at all. hal_idle returns when something came. Bytes that come while the
 * node computes are kept, 64 at least; more may be lost, never reordered. Task context; called once
 * or twice per round, so make "nothing" cheap. You must not: block, echo, or change line ends. */
size_t hal_console_read(char *data, size_t bytes);

/* True where a person at a terminal types: the firmware then echoes, edits the line, shows a prompt and
 * pages long answers, with VT100 sequences. False for a program: lines in, lines out. A serial port:
 * true. The same while the node runs. */
bool hal_console_is_terminal(void);

#endif

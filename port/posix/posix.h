/* What the parts of the POSIX port know of each other, beside the contracts of hal/. */
#ifndef POSIX_H
#define POSIX_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* hal_idle.c: makes the next, or the running, hal_idle return at once. Safe in a signal handler. */
void posix_wake(void);
/* Call first: makes the descriptor that posix_wake writes to. Negative with errno set. */
int posix_wake_init(void);

/* hal_console.c: where log lines go: always stdout, also `log_file` unless it is NULL (appended, made
 * when missing). Negative with errno set: the file does not open. */
int posix_console_open(const char *log_file);
/* True while stdout has not taken everything; *fd is to be polled for it. */
bool posix_console_wants(struct pollfd *fd);
/* Writes what stdout takes now. */
void posix_console_drain(void);
/* Waits at most wait_ms for stdout to take everything; for the last words. */
void posix_console_finish(uint32_t wait_ms);

#endif

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

/* hal_clock.c: the node starts without knowing the time, as a board does. */
void posix_clock_forget(void);

/* hal_flash.c: what the node keeps lies in this file, made when missing. Negative after one line on
 * stderr. Without it the node keeps nothing. */
int posix_flash_open(const char *name);

/* hal_system.c: what hal_system_restart needs; both live as long as the program. */
void posix_system_start(char **argv, const char *key);

/* hal_console.c: where log lines go: always stdout, also `log_file` unless it is NULL (appended, made
 * when missing). Commands come from stdin where stdin and stdout are a terminal and this program is in its
 * foreground, or when `commands`. Negative with errno set: the file does not open. */
int posix_console_open(const char *log_file, bool commands);
/* Gives the terminal back as it was. */
void posix_console_close(void);
/* Call after SIGCONT: the shell may have changed the terminal meanwhile. Safe in a signal handler. */
void posix_console_resumed(void);
/* True while commands may come; *fd is to be polled for them, and what poll() found is to be told. */
bool posix_console_listens(struct pollfd *fd);
void posix_console_heard(const struct pollfd *fd);
/* True while stdout has not taken everything; *fd is to be polled for it. */
bool posix_console_wants(struct pollfd *fd);
/* Writes what stdout takes now. */
void posix_console_drain(void);
/* Waits at most wait_ms for stdout to take everything; for the last words. */
void posix_console_finish(uint32_t wait_ms);

#endif

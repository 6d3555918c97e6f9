/* One client: its socket, TLS, requests and replies, as a state machine that never blocks. */
#ifndef STANDIN_CONN_H
#define STANDIN_CONN_H

#include <stdbool.h>

#include "standin.h"

struct conn;

/* Takes over a non-blocking socket. The fault in force now decides which certificate it sees. */
struct conn *conn_open(struct standin *standin, int fd);

/* Closes it without ceremony and frees it. */
void conn_free(struct conn *conn);

int conn_fd(const struct conn *conn);

/* What poll shall wait for. */
short conn_events(const struct conn *conn);

/* When conn_step is due even without an event: monotonic milliseconds. */
long conn_due_ms(const struct conn *conn);

/* Goes on as far as it can without waiting. revents: what poll said, 0 when only time passed.
 * False when the connection is over: conn_free it. */
bool conn_step(struct conn *conn, short revents);

/* Waits for a request, with nothing half read. */
bool conn_is_idle(const struct conn *conn);

/* Says close_notify, if TLS is up; conn_free it then. */
void conn_say_goodbye(struct conn *conn);

/* Monotonic clock, milliseconds. */
long conn_now_ms(void);

#endif

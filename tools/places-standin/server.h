/* The poll loop: listeners, clients, control connections. */
#ifndef STANDIN_SERVER_H
#define STANDIN_SERVER_H

#include <stdbool.h>

#include "standin.h"

/* Listens on 127.0.0.1 and sets standin's ports to those in use. False: *what names the port and
 * errno says why. */
bool server_listen(struct standin *standin, const char **what);

/* Serves until SIGTERM or SIGINT; then closes everything. */
void server_run(struct standin *standin);

#endif

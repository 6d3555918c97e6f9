/* Client connections: lines in, answers out, in order, with back-pressure.
 *
 * A session reads no further line while the answer to the last one does not fit in the connection's
 * send ring or is still awaited (WHATSAT): memory per client is constant. Owns class CONN_SESSION.
 */
#ifndef HERD_SESSION_H
#define HERD_SESSION_H

#include <stdint.h>

#include "config.h"
#include "err.h"
#include "sched.h"

struct session_stats {
    uint32_t iamat; /* valid commands */
    uint32_t whatsat;
    uint32_t invalid;
    uint32_t long_lines; /* of the invalid: longer than the line buffer */
    uint32_t too_slow;   /* connections ended: their WHATSAT answer was not read in time */
};

/* Opens the client listener. HERD_E_*: as conn_listen. `config` lives as long as the node. */
int session_init(const struct config *config) HERD_MUST_CHECK;

/* The task that waits for answers: for places_init. */
struct sched_task *session_task(void);

/* The node stops: every client gets what was answered and then FIN, and no other is taken. */
void session_stop(void);

struct session_stats session_stats(void);

#endif

/* Neighbours of the older kind (firmware/PROTOCOL.md, section 5): servers of other makes that speak plain
 * lines. We dial their client listener when they have something to hear, say it, and close; what they
 * send comes to our client listener, where `session` meets it. They hear news only: no full
 * synchronisation.
 *
 * Their replica numbers are those behind the neighbours of `links`. Owns class CONN_OLDER.
 */
#ifndef HERD_OLDER_H
#define HERD_OLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "conn.h"
#include "err.h"
#include "text.h"

struct older_stats {
    uint32_t made;      /* connections to them that were opened */
    uint32_t failed;    /* dials and connections that ended before all was acknowledged */
    uint32_t sent;      /* lines written, those that were lost included */
    uint32_t delivered; /* lines that their TCP has acknowledged */
    uint32_t got;       /* lines taken from them: the sum of what follows */
    uint32_t fresh;     /* of these: new */
    uint32_t duplicate; /* known within 1 us */
    uint32_t stale;     /* something newer is known */
    uint32_t no_room;   /* below the floor of the full client table */
    uint32_t no_name;   /* the table of server names is full */
    uint32_t malformed; /* not a line of either kind, or the report is too long */
};

/* After links_init and session_init. HERD_E_REFUSED: the node has open neighbours, remote addresses are
 * not real, and open_anyone does not say that this does not matter. `config` lives as long as the
 * node. */
int older_init(const struct config *config) HERD_MUST_CHECK;

/* There is something new to send: called by whoever changed the client table. Any context. */
void older_wake(void);

/* A line that is no command of a client. True when it was a neighbour's: whatever became of it, it gets
 * no answer. False when nobody of this kind may have sent it on this connection: it is an invalid
 * command. The line lives as long as the call. Cost: as replica_take_older. */
bool older_take(conn_handle from, struct span line);

struct older_stats older_stats(void);

/* Ends the connections; what was not acknowledged is lost. */
void older_stop(void);

#endif

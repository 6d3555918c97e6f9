/* Connections of class CONN_LINK before they are links: who may have a TLS context, the handshake, and what
 * is counted and logged of those that are refused. `links` has the table of channels. Context: tasks.
 *
 * Contexts are for neighbours first: while one of them has neither a live connection nor a dial of ours, a
 * context is kept for it. A caller gets one of the others. When there is none, the caller that has been here
 * longest without authenticating gives way, once it has been here for CFG_LINK_CALLER_MS.
 */
#ifndef HERD_CALLERS_H
#define HERD_CALLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "conn.h"
#include "err.h"

struct callers_stats {
    uint32_t failed;  /* not authenticated: no handshake, a wrong key or suite, or not in time */
    uint32_t unknown; /* the identity was nobody's here */
    uint32_t old_key; /* the key before the current one */
    uint32_t crowded; /* refused at once: contexts were for others */
};

/* `channels`: the table, CFG_CONN_LINK_SLOTS of them. */
void callers_init(struct channel *channels);

/* A caller on connection h: begins its channel *ch. `missing`: neighbours for which a context is kept. False:
 * refused, the connection is released. */
bool callers_admit(struct channel *ch, conn_handle h, unsigned missing);

/* Goes on with the handshake of a channel that is open. HERD_OK: authenticated, ch->tls->link is who it is;
 * HERD_E_AGAIN; HERD_E_REFUSED: counted, logged, and *reason says why: the channel has to end. */
int callers_authenticate(struct channel *ch, const char **reason) HERD_MUST_CHECK;

/* A channel ends before it was authenticated, for another reason than callers_authenticate's. */
void callers_count_late(const struct channel *ch, const char *reason);

/* Whether an alert may wait for its acknowledgement: the connection's slot is not needed. */
bool callers_may_linger(unsigned missing);

struct callers_stats callers_stats(void);

#endif

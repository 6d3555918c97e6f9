/* Links: one standing connection per neighbour, over which frames travel (firmware/PROTOCOL.md,
 * section 5): dial, authenticate, HELLO, heartbeat, back-off. What is said on them is `replica`'s business.
 *
 * Both ends dial; of two connections of one link the one dialled by the bytewise lower name stays,
 * unless the neighbour has restarted since. Owns class CONN_LINK.
 */
#ifndef HERD_LINKS_H
#define HERD_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "config.h"
#include "err.h"
#include "sched.h"

enum links_state {
    LINKS_DOWN,     /* waiting for the next dial */
    LINKS_DIALLING, /* connecting or waiting for HELLO */
    LINKS_UP,
    LINKS_SUSPECT /* up, but nothing acknowledged for CFG_LINK_SUSPECT_MS */
};

struct links_stats {
    uint32_t up; /* times a link came up */
    uint32_t down;
    uint32_t suspected;
    uint32_t dead;       /* CFG_LINK_DEAD_MS without a byte */
    uint32_t refused;    /* HELLO that was not a neighbour's, or not for us */
    uint32_t duplicate;  /* second connections that were given up */
    uint32_t protocol;   /* frames that could not be read */
    uint32_t bad_report; /* REPORT bodies that could not be read or stored; acknowledged, dropped */
    uint32_t skipped;    /* frames of unknown type */
    uint32_t
        auth_failed; /* not authenticated: no handshake, a wrong key or suite, or not in time */
    uint32_t auth_unknown; /* not authenticated: an identity that is nobody's here */
    uint32_t auth_old_key; /* not authenticated: the key before the current one */
    uint32_t crowded;      /* callers refused at once: contexts were for neighbours */
};

/* Opens the link listener (if the node has neighbours) and starts to dial. */
int links_init(const struct config *config) HERD_MUST_CHECK;

/* There is something new to send: called by whoever changed the client table, or has a frame to be asked
 * for (ask_next, answer_next). */
void links_wake(void);
struct sched_task *links_task(void); /* the same, for who wakes tasks */

/* Whether this neighbour can be asked for places: its HELLO offered it, and the link is up and not
 * suspect, or moving from one connection to another. i < config neighbours */
bool links_offers_ask(unsigned i);

/* Whether this node's clock may decide about order: set, and within skew_max/2 of the median of its
 * neighbours' clocks as their heartbeats told it. */
bool links_clock_trusted(void);

/* i < config neighbours */
enum links_state links_state(unsigned i);
struct links_stats links_stats(void);

/* Says BYE on every link; they close. */
void links_stop(void);

#endif

/* TCP connections: the only owner of lwIP's tcp_* calls.
 *
 * A connection is a slot with a receive ring and a send ring of fixed size; owners hold generation
 * handles, so that a stale handle is HERD_E_CLOSED and never somebody else's connection. lwIP's
 * callbacks copy into the rings or note what happened, and wake the owner's task; owners read and
 * write in their tasks. lwIP sends from the send ring without a copy, so a slot stays taken until
 * the last byte is acknowledged.
 *
 * Slots, and with them PCBs, are reserved per class: no crowd of clients can cut a node off its
 * herd or its upstream. Every connection has a deadline at every moment: connect, idle (sessions),
 * or write progress. Context: tasks only, unless said otherwise.
 */
#ifndef HERD_CONN_H
#define HERD_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sched.h"
#include "text.h"

/* Slot and generation; 0 is never a connection. */
typedef uint32_t conn_handle;
#define CONN_NONE ((conn_handle)0)

enum conn_class {
    CONN_SESSION,  /* taken from clients */
    CONN_LINK,     /* between nodes, dialled and taken */
    CONN_OLDER,    /* dialled to neighbours of the older kind */
    CONN_UPSTREAM, /* dialled to the provider of places */
    CONN_CLASS_COUNT
};

enum conn_state {
    CONN_OPENING, /* dialled, not yet connected */
    CONN_OPEN,    /* both directions */
    CONN_PEER_ENDED, /* the peer sent FIN; what it sent before may still be in the ring; writing works */
    CONN_LOST        /* reset, refused, timed out or unreachable; conn_release it */
};

/* Why a connection was lost or not taken; for logs and counters. */
enum conn_reason {
    CONN_FINE,
    CONN_RESET,        /* RST from the peer */
    CONN_UNREACHABLE,  /* dial refused or no route */
    CONN_CONNECT_LATE, /* CFG_CONN_CONNECT_MS */
    CONN_IDLE,         /* nothing came for idle_ms */
    CONN_STALLED,      /* CFG_CONN_PROGRESS_MS without an acknowledgement */
    CONN_NO_MEMORY,    /* lwIP's pools are exhausted */
    CONN_REASON_COUNT
};
const char *conn_reason_name(enum conn_reason reason);

struct conn_stats {
    uint32_t taken[CONN_CLASS_COUNT];   /* accepted */
    uint32_t dialled[CONN_CLASS_COUNT]; /* connected */
    uint32_t lost[CONN_REASON_COUNT];
    uint32_t refused_full[CONN_CLASS_COUNT]; /* no slot of the class */
    uint32_t refused_address;                /* sessions_per_address */
    uint32_t refused_mss;                    /* CFG_CONN_MSS_MIN */
    uint32_t refused_memory;                 /* lwIP had no PCB for an incoming connection */
    uint16_t open[CONN_CLASS_COUNT];         /* slots taken now */
    uint16_t high_water[CONN_CLASS_COUNT];
};

struct conn_limits {
    uint32_t idle_ms;              /* CONN_SESSION without traffic in either direction */
    uint32_t sessions_per_address; /* 0: none */
};

/* After lwip_init, before everything below. */
void conn_init(const struct conn_limits *limits);

/* Adds conn's own task. Call it after the owners have added theirs: what they write in a round then
 * leaves at the end of that round, in one tcp_output per connection. */
void conn_start(void);

/* Events of a class wake its task. */
void conn_set_owner(enum conn_class class, struct sched_task *task);

/* Listens on a port of every interface. HERD_E_FULL: no listening PCB; HERD_E_REFUSED: in use. */
int conn_listen(enum conn_class class, uint16_t port) HERD_MUST_CHECK;

/* Dials; CONN_OPENING until connected or lost. address in host byte order. HERD_E_FULL: no slot of
 * the class or no PCB; HERD_E_NETWORK: no route. */
int conn_dial(enum conn_class class, uint32_t address, uint16_t port,
              conn_handle *out) HERD_MUST_CHECK;

/* The next connection of the class that something happened to since it was last returned: accepted,
 * connected, bytes, room, FIN, lost. False when there is none. Cost: O(slots of the class / 32). */
bool conn_next_ready(enum conn_class class, conn_handle *out);
/* Makes conn_next_ready return it again (an owner that stopped in the middle). Wakes the owner. */
void conn_set_ready(conn_handle h);

enum conn_state conn_state(conn_handle h); /* a stale handle is CONN_LOST */
enum conn_reason conn_reason(conn_handle h);
unsigned conn_slot(conn_handle h); /* index within its class, for the owner's own arrays */
bool conn_is_dialled(conn_handle h);
void conn_peer(conn_handle h, uint32_t *address, uint16_t *port); /* host byte order */
uint64_t conn_heard_ms(conn_handle h); /* when bytes last came (or it was opened) */

/* The first contiguous readable bytes, empty when none; valid until conn_consume. */
struct span conn_peek(conn_handle h);
/* Drops n bytes from the front (n <= what is readable, asserted). At the end of the round the peer's
 * window opens by n, in the segment of an answer if there is one. */
void conn_consume(conn_handle h, size_t n);
/* Readable bytes, contiguous or not. */
size_t conn_readable(conn_handle h);

/* Room in the send ring; 0 on a stale, lost or finishing handle. */
size_t conn_room(conn_handle h);
/* Appends up to n bytes to the send ring; returns how many were taken. */
size_t conn_write(conn_handle h, const void *data, size_t n);

/* Bytes written that the peer's TCP has not acknowledged; of a lost connection: when it was lost.
 * SIZE_MAX on a stale handle: nothing is known any more. 0 says that the peer's TCP has them all,
 * never that its application read them. */
size_t conn_unacked(conn_handle h);

/* No more reading or writing by the owner: what was written is delivered, then FIN. The handle is
 * stale at once; the slot is free when everything is acknowledged or a deadline passed. */
void conn_finish(conn_handle h);
/* RST, the slot is free at once. Also the way to give back a CONN_LOST handle. Stale: no effect. */
void conn_release(conn_handle h);

/* RST to whoever is still connected: the node ends, and nobody will answer for its connections. */
void conn_stop(void);

struct conn_stats conn_stats(void);

#endif

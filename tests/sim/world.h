/* The simulated world: real nodes (firmware and lwIP, loaded once per node), hosts with clients, and the
 * switch between them, under one virtual clock. What a scenario may do and hear goes through here; it
 * includes nothing of firmware/ and needs nothing else of the engine.
 *
 * Time. `sim_ns` is virtual time, ns since the world began; nothing in a world knows the host's clock,
 * addresses or memory contents, so that the same seed gives the same run, event by event.
 *
 * Stations. 0 .. nodes-1 are nodes, nodes .. nodes+hosts-1 are hosts of clients. Station s has the address
 * world_address(w, s); all of them are on one network 10.9.0.0/16 behind one switch.
 *
 * Randomness. Each purpose draws from a stream of its own (random_of); the engine's streams are its own.
 * A consumer that is added, or draws more, shifts nobody else's numbers.
 *
 * Context. One thread. Functions may be called from the scenario and from any callback, unless said
 * otherwise; callbacks come from world_run only (so: never from within another function of this header),
 * in the order of virtual time. What callbacks are handed is valid until they return. Node and host
 * indices that are out of range, and calls at the wrong time, are bugs of the scenario: asserted.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

typedef int64_t sim_ns;
#define SIM_US INT64_C(1000)
#define SIM_MS INT64_C(1000000)
#define SIM_S  INT64_C(1000000000)

#define WORLD_NODES_MAX    32 /* what a herd file can hold */
#define WORLD_HOSTS_MAX    4
#define WORLD_STATIONS_MAX (WORLD_NODES_MAX + WORLD_HOSTS_MAX)

/* UTC of virtual time 0, ns since 1970: 2030-01-01. Scenarios stamp reports from it. */
#define WORLD_EPOCH_NS INT64_C(1893456000000000000)

struct world;

/* --- Faults: every one is counted where its effect happens -------------------------------------- */

enum world_fault {
    /* The switch, per frame */
    FAULT_LOSS,        /* a frame was lost by loss_ppm */
    FAULT_DUPLICATE,   /* a frame was delivered a second time */
    FAULT_REORDER,     /* a frame arrived after one of the same direction that was sent later */
    FAULT_JITTER,      /* a frame was delivered later, by jitter_ns */
    FAULT_BANDWIDTH,   /* a frame waited for those before it, or was lost: the queue was full */
    FAULT_NOISE,       /* a frame was delivered with bits flipped */
    FAULT_CUT_ONE_WAY, /* a frame was lost in a direction that is cut while the other is not */
    FAULT_CUT_BOTH,    /* a frame was lost, both directions being cut */
    FAULT_FLAP,        /* a frame was lost while a flapping link was down */
    /* Nodes */
    FAULT_CRASH,       /* a running node lost its power */
    FAULT_RESTART,     /* a node that had crashed or stopped, started again */
    FAULT_STOP,        /* a running node was stopped in order (BYE) */
    FAULT_FREEZE,      /* a frame or a deadline found a node frozen */
    FAULT_FREEZE_DROP, /* a frame was lost: a node's input queue was full */
    FAULT_CLOCK_JUMP,  /* the wall clock of a running node was set */
    FAULT_CLOCK_DRIFT, /* a running node's clocks were given another pace */
    FAULT_CLOCK_WRAP,  /* a running node's 32-bit milliseconds wrapped */
    /* Hosts of clients */
    FAULT_CLIENT_FIN,    /* a client half-closed an open connection */
    FAULT_CLIENT_RST,    /* a client reset an open connection */
    FAULT_CLIENT_STALL,  /* a client that does not read had bytes waiting */
    FAULT_CLIENT_PIECES, /* bytes of one world_send left in more than one segment */
    FAULT_INJECT,        /* a frame of world_inject was delivered to a node */
    FAULT_COUNT
};
const char *world_fault_name(enum world_fault fault);

/* How often each fault has fired since the world began. */
uint64_t world_fired(const struct world *w, enum world_fault fault);

/* --- The world ------------------------------------------------------------------------------------ */

struct world_options {
    uint64_t seed;
    unsigned nodes; /* 1 .. WORLD_NODES_MAX */
    unsigned hosts; /* 1 .. WORLD_HOSTS_MAX */
};

/* What the scenario hears. Any may be NULL. `context` is that of world_listen. */
struct world_listener {
    void *context;
    /* One line of a node's event log, without its newline. */
    void (*on_log)(void *context, unsigned node, const char *line, size_t bytes);
    /* One line that a node's console answered (world_type), without its newline. */
    void (*on_answer)(void *context, unsigned node, const char *line, size_t bytes);
    /* The connection is established; bytes given to world_send before it are on their way. */
    void (*on_connected)(void *context, int connection);
    /* Bytes, in order, as they came; boundaries mean nothing. */
    void (*on_data)(void *context, int connection, const uint8_t *data, size_t bytes);
    /* The last that is heard of a connection, for any reason but world_reset; its handle is not used
     * again in this world. WORLD_CLOSED_FIN comes when the node's FIN has come, after all its bytes; the
     * host then sends what is left, ends its own direction and forgets the connection. */
    void (*on_closed)(void *context, int connection, int reason);
    /* Every frame as its sender put it on the wire, before any fault. For captures. Comes also from within
     * the functions below that make a host send; it may call none of them. */
    void (*on_frame)(void *context, unsigned from, const uint8_t *frame, size_t bytes);
};
void world_listen(struct world *w, const struct world_listener *listener); /* copied */

sim_ns world_now(const struct world *w);
uint64_t world_seed(const struct world *w);
unsigned world_nodes(const struct world *w);
unsigned world_hosts(const struct world *w);
unsigned world_host(const struct world *w, unsigned host); /* the host's number as a station */

/* Calls run(context, argument) at `when` (not before now). Of calls at one time the one that was asked for
 * first comes first. Cannot be taken back: let it find out that it came too late. */
void world_at(struct world *w, sim_ns when, void (*run)(void *context, uint64_t argument),
              void *context, uint64_t argument);

/* Runs the world until `until`, or until world_fail or world_stop was called. False: world_fail was. Must
 * not be called from a callback. May be called again and again. */
bool world_run(struct world *w, sim_ns until);
/* Ends the running world_run after the callback; it returns true. */
void world_stop(struct world *w);

/* An invariant does not hold: `invariant` is its short name (`converge`, `order`, ...), the rest says what
 * was seen. The first call decides; the run is over. The engine itself fails worlds for `panic` (a node's
 * assertion), `spin` (a node that never idles), `steps` (see world_steps). */
void world_fail(struct world *w, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool world_failed(const struct world *w);

/* A line in the run's log (--log FILE, --verbose), with the virtual time before it. */
void world_note(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A stream of random numbers of its own for this purpose ("workload", "faults", ...) and index: a value
 * that the caller keeps and draws from (random.h). Asked for twice it begins anew. */
struct random world_random(const struct world *w, const char *purpose, uint64_t index);

/* The hash over all that was delivered so far: frames (time, from, to, bytes), bytes of clients. */
uint64_t world_hash(const struct world *w);
/* Takes something of the scenario's own into the hash. */
void world_hash_add(struct world *w, const void *data, size_t bytes);

/* --- Addresses ------------------------------------------------------------------------------------ */

#define WORLD_CLIENT_PORT 10000 /* what scenarios write into herd files */
#define WORLD_LINK_PORT   11000

const char *world_address(const struct world *w, unsigned station); /* "10.9.0.1", for herd files */
uint32_t world_ip(const struct world *w, unsigned station);         /* host byte order */
void world_mac(const struct world *w, unsigned station, uint8_t mac[6]);

/* --- Nodes ---------------------------------------------------------------------------------------- */

struct world_boot {
    const char *herd; /* the herd file's text */
    const char *name; /* which node of it; must have world_address(node) */
    const char *keys; /* the text of its key file; NULL: none */
    /* What its millisecond clock shows as it starts; 0xFFFFFFFF - 90000 puts the wrap of 32 bits into
     * the second minute. */
    uint64_t clock_ms;
    bool knows_time; /* false: as a board without a clock; then only SNTP could tell it */
    bool small;      /* tables that overflow: 48 devices, 8 sessions (tests/sim/board/board.h) */
};

/* Starts a node that is off: at once; its first step comes at this very time. Texts are copied. Log lines of
 * the start itself come before this returns. False: it refused its configuration; `world_node_error` says
 * why. Its flash is what it was (empty at first). */
bool world_start(struct world *w, unsigned node, const struct world_boot *boot);
const char *world_node_error(const struct world *w, unsigned node);

/* Power cut: off at once, what waits in its input queue is lost, its flash stays. Frames that it has sent
 * are on their way. A node that is off: no effect. */
void world_crash(struct world *w, unsigned node);
/* Starts a node that is off as it was started last, but for its clock: clock_ms as given. */
bool world_restart(struct world *w, unsigned node, uint64_t clock_ms);
/* Asks a running node to stop in order: BYE to neighbours, FIN to clients; it is off within 300 ms. */
void world_stop_node(struct world *w, unsigned node);

/* Frozen, a node takes no step; frames for it wait in a queue of WORLD_FROZEN_FRAMES, others are lost. Its
 * clocks go on. */
#define WORLD_FROZEN_FRAMES 64
void world_freeze(struct world *w, unsigned node, bool frozen);

/* NODE_STOPPING: world_stop_node was called, and it is not off yet. */
enum world_node_state { NODE_OFF, NODE_RUNNING, NODE_FROZEN, NODE_STOPPING };
enum world_node_state world_node_state(const struct world *w, unsigned node);
unsigned world_node_boots(const struct world *w, unsigned node); /* times started */

/* Clocks. The wall clock shows WORLD_EPOCH_NS + virtual time + its offset; `jump` adds to the offset at once.
 * `drift` makes both clocks of a node go at (1 + ppm / 1,000,000) of the true pace from now on. They are the
 * station's: crash and restart leave them. */
void world_clock_jump(struct world *w, unsigned node, int64_t by_ns);
void world_clock_drift(struct world *w, unsigned node, int32_t ppm);
int64_t world_wall_ns(const struct world *w, unsigned node); /* what its wall clock shows now */

/* Makes an authenticated neighbour of it that is broken, or hostile: of the next frame that it sends on a link,
 * HELLO excepted, these bytes (1 to WORLD_TAMPER_BYTES, PROTOCOL.md section 5: u8 type, u16 length, body) go in
 * front. Once, on one link, whichever is next; what was set before and has not been sent is replaced. */
#define WORLD_TAMPER_BYTES 1024
void world_tamper(struct world *w, unsigned node, const void *frames, size_t bytes);
unsigned world_tampered(const struct world *w, unsigned node); /* times that it was done */

/* Types a line (a newline is appended) at a node's console. Answers: on_answer. */
void world_type(struct world *w, unsigned node, const char *line);

/* --- The switch ----------------------------------------------------------------------------------- */

/* One direction between two stations. All zero: a perfect wire. What is set counts for frames that are sent
 * from then on; frames on their way stay there. */
struct world_link {
    uint32_t loss_ppm;      /* of frames: 300,000 is 30 % */
    uint32_t duplicate_ppm; /* sent once more, up to 2 ms later */
    uint32_t reorder_ppm;   /* held back by up to 5 ms, while later ones pass */
    uint32_t noise_ppm;    /* of IPv4 frames: a burst of 1 to 15 bits is flipped behind the Ethernet
                             * header (what sums of 16 bits always find); other frames are lost */
    sim_ns delay_ns;       /* every frame */
    sim_ns jitter_ns;      /* more delay, 0 to this, evenly; keeps the order */
    uint64_t bits_per_s;   /* 0: no limit */
    uint32_t queue_bytes;  /* with a limit: what may wait; 0 means 64 KB */
    sim_ns flap_period_ns; /* 0: none. Else down for flap_down_ns in each period of virtual time */
    sim_ns flap_down_ns;
    bool cut; /* nothing passes */
};

/* The direction from -> to: change it in place. from != to. */
struct world_link *world_link(struct world *w, unsigned from, unsigned to);
/* Both directions at once. */
void world_cut(struct world *w, unsigned a, unsigned b, bool cut);
/* All directions between nodes, and between nodes and hosts, are this. */
void world_link_all(struct world *w, const struct world_link *link);
/* Perfect wires everywhere, nobody frozen; clocks and what is off stay. */
void world_heal(struct world *w);

/* Puts a frame on the wire as if station `as` had sent it: Ethernet header and all, at most 1514 bytes.
 * It is subject to the faults of its direction. For spoofed segments and replays: the sums are the
 * caller's (packet.h makes them). */
void world_inject(struct world *w, unsigned as, const uint8_t *frame, size_t bytes);

/* --- Clients -------------------------------------------------------------------------------------- */

#define WORLD_CONNECTIONS_MAX 512 /* open at once, per host */

enum world_closed {
    WORLD_CLOSED_FIN,     /* the node ended it */
    WORLD_CLOSED_RESET,   /* RST */
    WORLD_CLOSED_REFUSED, /* RST to our SYN */
    WORLD_CLOSED_TIMEOUT  /* the host's TCP gave up */
};

/* Dials from a host (0 .. hosts-1) to a port of a node. Returns a handle >= 0, never the same in one
 * world; WORLD_CONNECTIONS_MAX open ones are asserted. The host's TCP retransmits as TCP does; a dial that
 * is not answered ends after some 20 s (TIMEOUT), bytes not acknowledged after some 60 s. */
int world_connect(struct world *w, unsigned host, unsigned node, uint16_t port);

/* Appends bytes to what the connection has to send (copied; unbounded). `piece` > 0: they leave in
 * segments of at most so many bytes, one segment each; 0: as TCP likes. On a connection that is closed or
 * half-closed: no effect. */
void world_send(struct world *w, int connection, const void *data, size_t bytes, size_t piece);
/* FIN after everything that was sent; the node's bytes still come. */
void world_finish(struct world *w, int connection);
/* RST at once; nothing more is heard of it. */
void world_reset(struct world *w, int connection);
/* Stops, or goes on, reading: on_data pauses, the window fills and closes. */
void world_read(struct world *w, int connection, bool reading);
/* Bytes of world_send that the node's TCP has not acknowledged yet. 0 when closed. */
size_t world_unsent(const struct world *w, int connection);
bool world_is_open(const struct world *w,
                   int connection); /* not closed, half-closed or opening included */

/* --- What the memory of a node looks like --------------------------------------------------------- */

#define WORLD_POOLS_MAX   48
#define WORLD_CLASSES_MAX 6

struct world_pool {
    const char *name; /* lwIP's; valid while the world is */
    uint32_t size;
    uint32_t used;
    uint32_t max;    /* most ever since the node started */
    uint32_t errors; /* times it was empty */
};

struct world_probe {
    unsigned pools;
    struct world_pool pool[WORLD_POOLS_MAX];
    unsigned classes; /* of connections: sessions, links, older, upstream */
    uint32_t open[WORLD_CLASSES_MAX];
    uint32_t high[WORLD_CLASSES_MAX];
    uint32_t tls_contexts;  /* in use: one for each link that is up, and for callers */
    uint64_t arena_bytes;   /* TLS: bytes now, of all contexts together */
    uint64_t arena_max;     /* bytes, most ever, of one context */
    uint64_t scratch_bytes; /* bytes now: 0 between steps */
    uint64_t scratch_max;
    uint32_t auth_failed, auth_unknown, auth_old_key; /* callers that were not believed */
    uint32_t devices;                                 /* records in the client table */
    uint32_t links_up;                                /* now; the others since start */
    uint32_t links_made, links_broken;
    uint32_t links_protocol; /* ended by frames that cannot be read */
    uint32_t links_skipped;  /* frames of unknown type */
    uint32_t links_bad_reports;
    uint64_t frames_in, frames_out, frames_dropped; /* dropped: lwIP had no memory */
    uint64_t ip_sum_errors, tcp_sum_errors, udp_sum_errors;
    uint32_t log_dropped; /* lines that the node's own ring lost */
};

/* Looks into a running node's memory without making it do anything. */
void world_probe(const struct world *w, unsigned node, struct world_probe *out);

/* --- How long nodes compute ----------------------------------------------------------------------- */

#define WORLD_STEP_NS_MAX (2 * SIM_MS)

/* Steps of nodes on the host's CPU, crypto left out. A machine is noisy: the engine measures each step with
 * the host's clock, and fails a run for `steps` only if the same step of the same seed took more than
 * WORLD_STEP_NS_MAX of CPU time in each of three runs (main.c repeats the seed). */
struct world_steps {
    uint64_t count;
    int64_t worst_ns;
    uint64_t worst_step; /* the how-manieth step of the world */
    unsigned worst_node;
};
struct world_steps world_steps(const struct world *w);

#endif

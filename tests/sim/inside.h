/* The inside of the world: what the engine's files share. Scenarios see world.h only. */
#ifndef SIM_INSIDE_H
#define SIM_INSIDE_H

#include <setjmp.h>
#include <stdio.h>

#include "abi.h"
#include "events.h"
#include "image.h"
#include "random.h"
#include "world.h"

/* A bug of the engine or the scenario. */
#define SIM_ASSERT(x) ((x) ? (void)0 : sim_bug(__FILE__, __LINE__, #x))
void sim_bug(const char *file, int line, const char *what) __attribute__((noreturn));

#define NEVER INT64_MAX

/* Between two steps of one station: what a CPU takes for a round. */
#define STEP_NS (20 * SIM_US)
/* Every wire. */
#define WIRE_NS (100 * SIM_US)
/* Busy for so long without a pause: it never idles. */
#define SPIN_STEPS 100000

#define LINE_BYTES_MAX 2048

/* --- Frames ------------------------------------------------------------------------------------------ */

struct frame {
    struct frame *next;
    uint64_t sequence; /* within its direction */
    uint16_t bytes;
    uint8_t from;
    uint8_t to;
    bool duplicate;
    bool jittered;
    bool waited;
    bool noisy;
    bool injected;
    uint8_t data[ABI_FRAME_BYTES];
};

struct queue {
    struct frame *first;
    struct frame *last;
    unsigned count;
};

/* One direction, beside what the scenario sets. */
struct direction {
    struct world_link link;
    struct random random;
    sim_ns busy_until;   /* of the limited wire */
    sim_ns last_arrival; /* of a frame that keeps the order */
    uint64_t sent;
    uint64_t arrived; /* highest sequence */
};

/* --- Stations ---------------------------------------------------------------------------------------- */

struct station {
    struct world *world;
    unsigned number;
    uint8_t mac[6];
    uint32_t ip;
    char address[16];
    struct queue input;
    unsigned input_max;
    sim_ns wake;          /* next step; NEVER: none is due */
    sim_ns ready;         /* not before */
    struct random random; /* its entropy */
};

struct line {
    char at[LINE_BYTES_MAX];
    size_t bytes;
};

struct node {
    struct station station; /* first */
    enum world_node_state state;
    const struct abi_node *image;
    struct abi_node_host host;
    char *herd, *name, *keys; /* of the last start */
    enum image_kind kind;
    bool knew_time; /* at the last start */
    unsigned boots;
    bool stopping;
    bool asleep_told; /* FAULT_FREEZE of a deadline was counted for this freeze */
    unsigned busy;    /* steps without a pause */
    char error[512];

    /* Clocks: pace_ns is what a clock without offset shows, ppm its pace since `since`. */
    sim_ns since;
    sim_ns pace_at_since;
    int32_t ppm;
    int64_t wall_offset;
    bool knows_wall;
    uint64_t boot_ms;
    sim_ns boot_pace;
    uint64_t last_ms;

    struct line log;
    struct line answer;
    char *typed;
    size_t typed_bytes;
    uint8_t tamper[WORLD_TAMPER_BYTES]; /* waits for the next frame on a link */
    size_t tamper_bytes;
    unsigned tampered;
    uint8_t flash[ABI_FLASH_BYTES];
};

struct chunk {
    struct chunk *next;
    size_t bytes;
    size_t done;
    size_t piece;
    uint8_t data[];
};

struct connection {
    unsigned host;
    unsigned slot;
    bool open; /* the slot is its own */
    bool connected;
    bool finish; /* asked for */
    bool finished;
    bool reading;
    bool ended; /* its FIN waits for us to read */
    struct chunk *first;
    struct chunk *last;
    size_t queued;
    uint8_t *held; /* came while it does not read */
    size_t held_bytes;
};

enum heard { HEARD_CONNECTED, HEARD_DATA, HEARD_ROOM, HEARD_CLOSED };

/* What a peer told during a call, to be acted on after it. */
struct note {
    enum heard what;
    unsigned slot;
    int reason;
    size_t at; /* in host.heard_data */
    size_t bytes;
};

struct host {
    struct station station; /* first */
    unsigned number;
    const struct abi_peer *image;
    struct abi_peer_host abi;
    int slots[WORLD_CONNECTIONS_MAX]; /* connection, -1: free */
    struct note *notes;
    size_t note_count, note_capacity;
    uint8_t *data;
    size_t data_bytes, data_capacity;
};

/* --- World ------------------------------------------------------------------------------------------- */

struct world {
    struct world_options options;
    sim_ns now;
    struct events events;
    struct world_listener listener;
    uint64_t hash;
    uint64_t fired[FAULT_COUNT];
    struct node nodes[WORLD_NODES_MAX];
    struct host hosts[WORLD_HOSTS_MAX];
    struct station *stations[WORLD_STATIONS_MAX];
    unsigned station_count;
    struct direction wires[WORLD_STATIONS_MAX][WORLD_STATIONS_MAX];
    struct frame *spare_frames;
    struct connection *connections;
    int connection_count, connection_capacity;
    struct world_steps steps;
    bool precise_steps; /* CPU time, not elapsed time */
    int64_t cpu_ns;     /* CPU time as it was some steps ago */
    uint64_t watched_step;
    int64_t watched_ns; /* what the watched step took */
    bool stopped;
    bool running; /* in world_run */
    bool failed;
    char invariant[32];
    char failure[1024];
    FILE *log;
    FILE *capture;
    bool verbose;
    jmp_buf jump;    /* out of a node */
    unsigned inside; /* the station that is being called, for crash reports */
};

#define NOBODY UINT32_MAX

struct world *world_make(const struct world_options *options, FILE *log, bool verbose);
void world_free(struct world *w);
/* Frames as they are delivered go there, as a pcap file; NULL: nowhere. Before anything runs. */
void world_capture(struct world *w, FILE *file);
void world_line(struct world *w, const char *who, const char *line, size_t bytes);

/* wire.c */
void wire_init(struct world *w);
void wire_send(struct world *w, unsigned from, const uint8_t *frame, size_t bytes, bool injected);
void wire_arrive(struct world *w, struct frame *frame);
void wire_drop(struct world *w, struct frame *frame);
void wire_empty(struct world *w, struct queue *q);
size_t wire_take(struct station *s, uint8_t *frame);
void wire_free(struct world *w);

/* station.c: what nodes and hosts share */
void station_init(struct world *w, struct station *s, unsigned number);
void station_wire(struct station *s, struct abi_wire *wire);
void station_wake(struct station *s, sim_ns when);

/* node.c */
void node_init(struct world *w, unsigned node);
void node_step(struct world *w, struct node *n);
void node_free(struct node *n);

/* host.c */
void host_init(struct world *w, unsigned host);
void host_step(struct world *w, struct host *h);
void host_free(struct world *w);

static inline void world_fire(struct world *w, enum world_fault fault)
{
    w->fired[fault]++;
}

#endif

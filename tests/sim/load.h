/* A small load for scenarios that are about something else: one client at each node, reports in turn, and
 * every node's answers at the end. */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "world.h"

#define LOAD_DEVICES 37u
#define LOAD_GAP_NS  (20 * SIM_MS)

struct load {
    struct world *w;
    int clients[WORLD_NODES_MAX]; /* -1: none */
    unsigned reports;
    uint64_t answers; /* lines */
    bool ended;       /* no more reports */
    int readers[WORLD_NODES_MAX];
    char *tables[WORLD_NODES_MAX]; /* what each node says of all devices */
    size_t bytes[WORLD_NODES_MAX];
};

/* Begins a second from now, at all nodes of the world, and goes on until `ended` is set. A client whose connection is closed calls again. The
 * scenario hands on what it hears. */
void load_begin(struct load *l, struct world *w);
void load_data(struct load *l, int connection, const uint8_t *data, size_t bytes);
void load_closed(struct load *l, int connection);

/* Asks every node for every device and runs the world for some seconds; fails it for `converge` when the
 * answers are not the same. Ends the load. */
void load_compare(struct load *l);
void load_free(struct load *l);

#endif

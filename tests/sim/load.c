#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define SETTLE_NS (5 * SIM_S)

static void report(void *context, uint64_t argument)
{
    struct load *l = context;
    char line[128];
    (void)argument;
    if (l->ended) {
        return;
    }
    unsigned node = l->reports % world_nodes(l->w);
    sim_ns now = world_now(l->w);
    if (l->clients[node] < 0) {
        l->clients[node] = world_connect(l->w, 0, node, WORLD_CLIENT_PORT);
    }
    int bytes = snprintf(line, sizeof line, "IAMAT device%u +10.5-20.25 %lld.%09lld\n",
                         l->reports % LOAD_DEVICES, (long long)((WORLD_EPOCH_NS + now) / SIM_S),
                         (long long)(now % SIM_S));
    l->reports++;
    world_send(l->w, l->clients[node], line, (size_t)bytes, 0);
    world_at(l->w, now + LOAD_GAP_NS, report, l, 0);
}

void load_begin(struct load *l, struct world *w)
{
    *l = (struct load){.w = w};
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++) {
        l->clients[i] = -1;
        l->readers[i] = -1;
    }
    world_at(w, world_now(w) + SIM_S, report, l, 0);
}

void load_data(struct load *l, int connection, const uint8_t *data, size_t bytes)
{
    for (unsigned i = 0; i < world_nodes(l->w); i++) {
        if (l->readers[i] == connection) {
            l->tables[i] = realloc(l->tables[i], l->bytes[i] + bytes);
            SIM_ASSERT(l->tables[i] != NULL);
            memcpy(l->tables[i] + l->bytes[i], data, bytes);
            l->bytes[i] += bytes;
            return;
        }
    }
    for (size_t i = 0; i < bytes; i++) {
        l->answers += data[i] == '\n';
    }
}

void load_closed(struct load *l, int connection)
{
    for (unsigned i = 0; i < world_nodes(l->w); i++) {
        l->clients[i] = l->clients[i] == connection ? -1 : l->clients[i];
    }
}

void load_compare(struct load *l)
{
    l->ended = true;
    if (!world_run(l->w, world_now(l->w) + SETTLE_NS)) {
        return;
    }
    for (unsigned i = 0; i < world_nodes(l->w); i++) {
        l->readers[i] = world_connect(l->w, 0, i, WORLD_CLIENT_PORT);
        for (unsigned d = 0; d < LOAD_DEVICES; d++) {
            char line[64];
            int bytes = snprintf(line, sizeof line, "WHATSAT device%u 0 0\n", d);
            world_send(l->w, l->readers[i], line, (size_t)bytes, 0);
        }
    }
    if (!world_run(l->w, world_now(l->w) + SETTLE_NS)) {
        return;
    }
    for (unsigned i = 0; i < world_nodes(l->w); i++) {
        if (l->bytes[i] == 0 || l->bytes[i] != l->bytes[0] ||
            memcmp(l->tables[i], l->tables[0], l->bytes[i]) != 0) {
            world_fail(l->w, "converge", "node %u answers otherwise than node 0 (%zu, %zu bytes)",
                       i, l->bytes[i], l->bytes[0]);
        }
    }
}

void load_free(struct load *l)
{
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++) {
        free(l->tables[i]);
    }
}

/* Herd files of simulated herds: names, addresses of the world's stations, ports, links. */
#ifndef SIM_HERD_FILE_H
#define SIM_HERD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario.h"

/* Node i's name: Bailey, Bona, Campbell, Clark, Jaquez, then Node05, Node06, ... */
const char *herd_file_name(unsigned node);

struct herd_file_edge {
    uint8_t a;
    uint8_t b;
};

/* The shape of tools/herds/bailey.conf for 5 nodes; for others a ring with a chord every three nodes (2: one
 * link). Returns how many edges, at most `max`. */
unsigned herd_file_shape(unsigned nodes, struct herd_file_edge *edges, unsigned max);

/* Writes the herd file into out[0 .. bytes-1], with a final NUL. `more` goes behind it as it is: sections
 * like "[limits]\nidle_seconds = 60\n", or "". Asserts that there is room (150 bytes a node and 300). */
void herd_file_write(const struct world *w, const struct herd_file_edge *edges, unsigned count,
                     enum scenario_suite suite, const char *more, char *out, size_t bytes);

/* Keys have numbers 1 to 65535, and round to 1. */
unsigned herd_file_number_after(unsigned number);

/* A node's own key file, with a final NUL: of each of its links key `number` and the one after it, which follow
 * from the world's seed, so that both ends have the same (180 bytes a link and 60). */
void herd_file_keys(const struct world *w, const struct herd_file_edge *edges, unsigned count,
                    unsigned node, unsigned number, char *out, size_t bytes);

/* Starts a node of a herd of herd_file_shape, with keys `number` and `number` + 1. False: the world has
 * failed. */
bool herd_file_start(struct world *w, unsigned node, enum scenario_suite suite, unsigned number,
                     uint64_t clock_ms);

#endif

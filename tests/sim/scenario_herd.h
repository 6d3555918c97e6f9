/* The herds that scenarios run: names, who is linked with whom, the files that say so. */
#ifndef SIM_SCENARIO_HERD_H
#define SIM_SCENARIO_HERD_H

#include "scenario.h"
#include "world.h"

#define HERD_NAME_BYTES 33

enum herd_shape { HERD_CHAIN, HERD_RING, HERD_OLD, HERD_FULL, HERD_STAR, HERD_TREE, HERD_SHAPES };

struct herd {
    unsigned nodes;
    enum herd_shape shape;
    char name[WORLD_NODES_MAX][HERD_NAME_BYTES];
    const char *names[WORLD_NODES_MAX];
    bool linked[WORLD_NODES_MAX][WORLD_NODES_MAX];
    unsigned links[WORLD_NODES_MAX]; /* of each node */
    char *text;                      /* the herd file */
    char *keys[WORLD_NODES_MAX];     /* the nodes' own key files; NULL with SUITE_OPEN */
};

/* A herd of all nodes of the world. HERD_SHAPES: any shape. HERD_OLD is that of 2018 or of 2023 for five
 * nodes, for others a ring with a chord. */
struct herd *herd_new(struct world *w, enum scenario_suite suite, enum herd_shape shape);
void herd_free(struct herd *h);
const char *herd_shape_name(enum herd_shape shape);

#endif

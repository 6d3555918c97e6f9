/* The herds that scenarios run: names, who is linked with whom, the files that say so. */
#ifndef SIM_SCENARIO_HERD_H
#define SIM_SCENARIO_HERD_H

#include "scenario.h"
#include "world.h"

#define HERD_NAME_BYTES 33
#define HERD_KEY_BYTES  80
#define HERD_KEY_NOW    3 /* number of every link's current key */

enum herd_shape { HERD_CHAIN, HERD_RING, HERD_OLD, HERD_FULL, HERD_STAR, HERD_TREE, HERD_SHAPES };

struct herd {
    unsigned nodes;
    enum herd_shape shape;
    char name[WORLD_NODES_MAX][HERD_NAME_BYTES];
    const char *names[WORLD_NODES_MAX];
    bool linked[WORLD_NODES_MAX][WORLD_NODES_MAX];
    unsigned links[WORLD_NODES_MAX]; /* of each node */
    char *text;                      /* the herd file */
    char *keys[WORLD_NODES_MAX];     /* the nodes' own key files */
};

/* A herd of the first `nodes` nodes of the world. HERD_SHAPES: any shape. HERD_OLD is that of 2018 or of 2023 for five
 * nodes, for others a ring with a chord. */
struct herd *herd_new(struct world *w, unsigned nodes, enum scenario_suite suite,
                      enum herd_shape shape);
void herd_free(struct herd *h);
/* The key of the link between two nodes that has this number, as a key file says it: number, colon, digits. */
void herd_key(const struct world *w, unsigned number, unsigned one, unsigned other,
              char out[HERD_KEY_BYTES]);
const char *herd_shape_name(enum herd_shape shape);

#endif

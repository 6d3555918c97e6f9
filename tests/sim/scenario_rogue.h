/* A node that is none of the herd's: the firmware itself, with files that lie. It calls nodes under a stranger's
 * or a neighbour's name, with a key that is wrong, old, or of another link, or as if it looked for somebody
 * else. No link may come of it.
 */
#ifndef SIM_SCENARIO_ROGUE_H
#define SIM_SCENARIO_ROGUE_H

#include "scenario_stage.h"

struct rogue {
    struct stage *s;
    unsigned station; /* the last of the world's nodes */
    struct random random;
    sim_ns until;
    unsigned runs;
    unsigned victim;      /* whom it calls now */
    const char *expected; /* why the victim should refuse it */
    bool refused;         /* it has */
    size_t device;        /* what it reports to itself, so that it has something to tell */
};

/* A line of a node's log: the victim counts, and says why. */
void rogue_log(struct rogue *r, unsigned node, const char *line, size_t bytes);

/* From now until `until` it runs under one name and key after another. */
void rogue_start(struct rogue *r, struct stage *s, sim_ns until);

#endif

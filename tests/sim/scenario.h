/* A scenario: what happens in a world, and what must hold. main.c makes the world, calls this, and prints
 * what came of it. Every choice comes from the seed (world_random), so that one number repeats a run.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

enum scenario_suite { SUITE_PSK, SUITE_ECDHE_PSK };

struct scenario_options {
    enum scenario_suite suite; /* of the links */
    sim_ns duration_ns;        /* how long faults and load go on; healing comes on top */
};

struct scenario {
    const char *name; /* --scenario NAME */
    const char *what; /* one line for --help */
    unsigned hosts;   /* the world is made with so many */
    /* Runs the world to its end: starts the nodes, calls world_run, checks, calls world_fail when
     * something does not hold. Called once per world; keeps nothing of it. */
    void (*run)(struct world *w, const struct scenario_options *options);
};

/* All scenarios, the default first. Adding one: a file scenario_NAME.c and a line in scenario.c. */
extern const struct scenario *const scenarios[];
extern const unsigned scenario_count;

#endif

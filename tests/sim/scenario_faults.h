/* Faults by chance: which kinds a run has, when they come, how long they last. */
#ifndef SIM_SCENARIO_FAULTS_H
#define SIM_SCENARIO_FAULTS_H

#include "scenario_stage.h"

enum fault_event {
    EVENT_CUT,       /* a pair of nodes, both ways */
    EVENT_ONE_WAY,   /* a pair, one direction */
    EVENT_ISOLATE,   /* a node from all others */
    EVENT_PARTITION, /* two groups */
    EVENT_FLAP,
    EVENT_NARROW, /* little bandwidth */
    EVENT_NOISE,
    EVENT_LOSSY,
    EVENT_CLIENTS, /* the wires between clients and a node are bad */
    EVENT_CRASH,
    EVENT_STOP,
    EVENT_FREEZE,
    EVENT_JUMP,
    EVENT_DRIFT,
    EVENT_CALM, /* everything heals; once the herd must agree, a node may lose its power */
    EVENT_COUNT
};

struct faults_plan {
    struct world_link wire; /* between nodes, when nothing worse is on */
    struct world_link last; /* what stays of it after healing */
    bool events[EVENT_COUNT];
    sim_ns pause_ns; /* between events, on average */
};

/* Some kinds of faults, by the seed: jumps of clocks only if clocks need not agree, calm only if no table
 * is small. */
struct faults_plan faults_choose(struct world *w, bool clocks_agree, bool small);

struct faults;
/* Events come from now until `until`. The stage's stop_faults ends them. */
struct faults *faults_new(struct stage *s, const struct faults_plan *plan, sim_ns until);
void faults_free(struct faults *f);
/* Heals: wires are those of plan->last, clocks that were set agree again if `clocks`. Returns how long
 * convergence may take. */
sim_ns faults_end(struct faults *f);

#endif

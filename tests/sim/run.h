/* One run of one seed, and many of them on several processes. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "scenario.h"

struct run_setup {
    const struct scenario *scenario;
    unsigned nodes;
    struct scenario_options options;
    FILE *log;     /* NULL: none */
    FILE *capture; /* NULL: none */
    bool verbose;
    bool hashes;    /* a line for each seed */
    bool all_fired; /* of many runs: a fault that never fired is a failure */
};

/* No pointers: it travels through a pipe, in one piece. */
struct run_result {
    uint64_t seed;
    uint64_t hash;
    uint64_t fired[FAULT_COUNT];
    uint64_t steps;
    int64_t worst_step_ns;
    sim_ns virtual_ns;
    bool failed;
    char invariant[32];
    char failure[1024];
};

/* Runs one seed in this process. */
void run_seed(const struct run_setup *setup, uint64_t seed, struct run_result *result);

/* The command that repeats a seed. */
void run_command(const struct run_setup *setup, uint64_t seed, char *out, size_t bytes);

/* Runs `count` seeds from `first` on, in `jobs` processes; prints progress, failures (at most
 * RUN_FAILURES_SHOWN) and a summary. Returns how many failed; one more when all_fired is not so. */
#define RUN_FAILURES_SHOWN 20
unsigned run_many(const struct run_setup *setup, uint64_t first, uint64_t count, unsigned jobs);

/* For one run: what fired, hash, times. */
void run_print(const struct run_setup *setup, const struct run_result *result);
void run_print_fired(const uint64_t fired[FAULT_COUNT]);

#endif

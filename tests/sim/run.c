#include "run.h"

#include <string.h>

#include "inside.h"

/* Runs of a seed in which the same step must be slow before it counts. */
#define SLOW_RUNS 3

#ifdef __SANITIZE_ADDRESS__
#define STEP_NS_MAX INT64_MAX /* what a sanitizer costs is not the node's */
#else
#define STEP_NS_MAX WORLD_STEP_NS_MAX
#endif

static struct world *make(const struct run_setup *setup, uint64_t seed)
{
    struct world *w = world_make(&(struct world_options){.seed = seed,
                                                         .nodes = setup->nodes,
                                                         .hosts = setup->scenario->hosts},
                                 setup->log, setup->verbose);
    world_capture(w, setup->capture);
    return w;
}

/* Whether the step was slow by chance: the same step again, in CPU time. */
static bool is_slow_again(const struct run_setup *setup, uint64_t seed, uint64_t step)
{
    struct run_setup quiet = *setup;
    quiet.log = NULL;
    quiet.capture = NULL;
    quiet.verbose = false;
    for (unsigned i = 1; i < SLOW_RUNS; i++) {
        struct world *w = make(&quiet, seed);
        w->precise_steps = true;
        w->watched_step = step;
        quiet.scenario->run(w, &quiet.options);
        bool slow = w->watched_ns > STEP_NS_MAX;
        world_free(w);
        if (!slow) {
            return false;
        }
    }
    return true;
}

void run_seed(const struct run_setup *setup, uint64_t seed, struct run_result *result)
{
    struct world *w = make(setup, seed);
    setup->scenario->run(w, &setup->options);
    struct world_steps steps = world_steps(w);
    if (!w->failed && steps.worst_ns > STEP_NS_MAX &&
        is_slow_again(setup, seed, steps.worst_step)) {
        world_fail(w, "steps", "step %llu, node %u, took %lld us of CPU time in %d runs",
                   (unsigned long long)steps.worst_step, steps.worst_node,
                   (long long)(steps.worst_ns / 1000), SLOW_RUNS);
    }
    *result = (struct run_result){.seed = seed,
                                  .hash = w->hash,
                                  .steps = steps.count,
                                  .worst_step_ns = steps.worst_ns,
                                  .virtual_ns = w->now,
                                  .failed = w->failed};
    memcpy(result->fired, w->fired, sizeof result->fired);
    memcpy(result->invariant, w->invariant, sizeof result->invariant);
    memcpy(result->failure, w->failure, sizeof result->failure);
    world_free(w);
}

void run_command(const struct run_setup *setup, uint64_t seed, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "make sim SEED=%llu NODES=%u SUITE=%s MINUTES=%g SCENARIO=%s",
                   (unsigned long long)seed, setup->nodes,
                   setup->options.suite == SUITE_PSK ? "psk" : "ecdhe-psk",
                   (double)setup->options.duration_ns / (60.0 * (double)SIM_S),
                   setup->scenario->name);
}

void run_print_fired(const uint64_t fired[FAULT_COUNT])
{
    for (unsigned i = 0; i < FAULT_COUNT; i++) {
        printf("  %-14s %12llu%s", world_fault_name(i), (unsigned long long)fired[i],
               i % 3 == 2 || i == FAULT_COUNT - 1 ? "\n" : "");
    }
}

void run_print(const struct run_setup *setup, const struct run_result *r)
{
    char command[256];
    if (r->failed) {
        run_command(setup, r->seed, command, sizeof command);
        printf("FAILED seed %llu: %s: %s\n  again: %s\n", (unsigned long long)r->seed, r->invariant,
               r->failure, command);
    } else {
        printf("ok seed %llu: hash %016llx, %.1f virtual s, %llu steps, worst %lld us\n",
               (unsigned long long)r->seed, (unsigned long long)r->hash,
               (double)r->virtual_ns / (double)SIM_S, (unsigned long long)r->steps,
               (long long)(r->worst_step_ns / 1000));
    }
}

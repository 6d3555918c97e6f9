#include "scenario_stage.h"

#include "scenario_rogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_DEVICES  48
#define SMALL_SESSIONS 8
#define SESSIONS       32
#define DEVICES        1280
#define READ_NS        (10 * SIM_S)
#define READ_STEP_NS   (20 * SIM_MS)
#define SAMPLES        40
#define SAMPLE_NS      (137 * SIM_MS)
#define DRAIN_NS       (4 * SIM_S) /* what is answered later may be too late for the tables */
/* A client whose RST was lost is forgotten after idle_seconds, bytes that nobody acknowledges 30 s later. */
#define QUIET_NS (65 * SIM_S)

/* --- What the world tells --------------------------------------------------------------------------- */

static void on_log(void *context, unsigned node, const char *line, size_t bytes)
{
    struct stage *s = context;
    static const char down[] = " link.down ";
    if (s->rogue != NULL) {
        rogue_log(s->rogue, node, line, bytes);
    }
    for (size_t i = 0; i + sizeof down - 1 <= bytes; i++) {
        if (memcmp(line + i, down, sizeof down - 1) == 0) {
            s->links_lost++;
            return;
        }
    }
}

static void on_connected(void *context, int connection)
{
    struct stage *s = context;
    (void)(workload_connected(s->workload, connection) || attack_connected(s->attack, connection));
}

static void on_data(void *context, int connection, const uint8_t *data, size_t bytes)
{
    struct stage *s = context;
    (void)(workload_data(s->workload, connection, data, bytes) ||
           attack_data(s->attack, connection, data, bytes));
}

static void on_closed(void *context, int connection, int reason)
{
    struct stage *s = context;
    (void)(workload_closed(s->workload, connection, reason) ||
           attack_closed(s->attack, connection, reason));
}

static void on_frame(void *context, unsigned from, const uint8_t *frame, size_t bytes)
{
    struct stage *s = context;
    attack_frame(s->attack, from, frame, bytes);
}

/* --- Beginning -------------------------------------------------------------------------------------- */

struct workload_style stage_style(void)
{
    return (struct workload_style){.devices = 40,
                                   .pause_ns = 700 * SIM_MS,
                                   .commands_max = 40,
                                   .move_ppm = 300000,
                                   .ahead_ppm = 0,
                                   .near_ppm = 50000,
                                   .old_ppm = 100000,
                                   .equal_ppm = 60000,
                                   .same_ppm = 40000,
                                   .whatsat_ppm = 350000,
                                   .places_ppm = 50000,
                                   .invalid_ppm = 120000,
                                   .long_ppm = 100000,
                                   .blank_ppm = 40000,
                                   .pieces_ppm = 200000,
                                   .slow_ppm = 150000,
                                   .half_ppm = 150000,
                                   .reset_ppm = 80000,
                                   .stall_ppm = 60000,
                                   .keep_ppm = 200000};
}

uint64_t stage_all(const struct stage *s)
{
    return s->herd->nodes == 64 ? UINT64_MAX : (UINT64_C(1) << s->herd->nodes) - 1;
}

uint64_t stage_clock_ms(struct stage *s, bool wraps)
{
    int64_t before_ms = random_between(&s->random, 20000, s->options->duration_ns / SIM_MS);
    int64_t any_ms = random_between(&s->random, 0, 1000000);
    return wraps ? (uint64_t)(INT64_C(0xFFFFFFFF) - before_ms) : (uint64_t)any_ms;
}

unsigned stage_links_up(const struct stage *s, unsigned node)
{
    struct world_probe probe;
    if (world_node_state(s->w, node) == NODE_OFF) {
        return 0;
    }
    world_probe(s->w, node, &probe);
    return probe.links_up;
}

static bool is_whole(const struct stage *s, unsigned *broken)
{
    for (unsigned node = 0; node < s->herd->nodes; node++) {
        if (stage_links_up(s, node) != s->herd->links[node]) {
            *broken = node;
            return false;
        }
    }
    return true;
}

/* The least that each pool holds over some time: what is in use for long. */
static void sample_memory(struct stage *s, bool first, uint32_t least[][WORLD_POOLS_MAX],
                          uint64_t *arena)
{
    for (unsigned node = 0; node < s->herd->nodes; node++) {
        struct world_probe probe;
        world_probe(s->w, node, &probe);
        for (unsigned i = 0; i < probe.pools; i++) {
            if (first || probe.pool[i].used < least[node][i]) {
                least[node][i] = probe.pool[i].used;
            }
        }
        if (first || probe.arena_bytes < arena[node]) {
            arena[node] = probe.arena_bytes;
        }
    }
}

static bool measure_memory(struct stage *s, uint32_t least[][WORLD_POOLS_MAX], uint64_t *arena)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        if (!world_run(s->w, world_now(s->w) + SAMPLE_NS)) {
            return false;
        }
        sample_memory(s, i == 0, least, arena);
    }
    return true;
}

static bool start_all(struct stage *s, const struct stage_setup *setup)
{
    for (unsigned node = 0; node < s->herd->nodes; node++) {
        s->small[node] = (setup->small >> node & 1) != 0;
        const struct world_boot boot = {.herd = s->herd->text,
                                        .name = s->herd->names[node],
                                        .keys = s->herd->keys[node],
                                        .clock_ms =
                                            stage_clock_ms(s, (setup->wrap >> node & 1) != 0),
                                        .knows_time = (setup->clockless >> node & 1) == 0,
                                        .small = s->small[node]};
        if (!world_start(s->w, node, &boot)) {
            world_fail(s->w, "start", "%s: %s", boot.name, world_node_error(s->w, node));
            return false;
        }
    }
    return true;
}

static bool start_in_peace(struct stage *s, const struct stage_setup *setup)
{
    unsigned broken = 0;
    if (!start_all(s, setup)) {
        return false;
    }
    for (sim_ns t = 0; t < STAGE_START_NS && !is_whole(s, &broken); t += 100 * SIM_MS) {
        if (!world_run(s->w, world_now(s->w) + 100 * SIM_MS)) {
            return false;
        }
    }
    if (!is_whole(s, &broken)) {
        world_fail(s->w, "whole", "%s has %u of %u links after %d s in peace",
                   s->herd->names[broken], stage_links_up(s, broken), s->herd->links[broken],
                   (int)(STAGE_START_NS / SIM_S));
        return false;
    }
    return measure_memory(s, s->least_pool, s->least_arena);
}

bool stage_init(struct stage *s, struct world *w, const struct scenario_options *options,
                const struct stage_setup *setup)
{
    *s = (struct stage){.w = w,
                        .options = options,
                        .random = world_random(w, "stage", 0),
                        .clocks_agree = setup->clocks_agree,
                        .converged_ns = -1};
    s->herd = herd_new(w, setup->nodes, options->suite, setup->shape);
    struct checker_setup checker = {.w = w,
                                    .nodes = setup->nodes,
                                    .names = s->herd->names,
                                    .skew_max_ns = WORKLOAD_SKEW_MAX_S * SIM_S,
                                    .trust = setup->clocks_agree ? ORDER_TRUSTED : ORDER_UNKNOWN};
    checker.clockless = setup->clockless;
    for (unsigned node = 0; node < s->herd->nodes; node++) {
        checker.capacity[node] = (setup->small >> node & 1) != 0 ? SMALL_DEVICES : DEVICES;
    }
    s->checker = checker_new(&checker);
    s->workload = workload_new(&(struct workload_setup){
        .w = w,
        .checker = s->checker,
        .nodes = setup->nodes,
        .names = s->herd->names,
        .style = setup->style,
        .sessions_max = (setup->small != 0 ? SMALL_SESSIONS : SESSIONS) / 2});
    s->attack = attack_new(&(struct attack_setup){.w = w,
                                                  .checker = s->checker,
                                                  .nodes = setup->nodes,
                                                  .names = s->herd->names,
                                                  .pause_ns = 5 * SIM_S});
    world_listen(w, &(struct world_listener){.context = s,
                                             .on_log = on_log,
                                             .on_connected = on_connected,
                                             .on_data = on_data,
                                             .on_closed = on_closed,
                                             .on_frame = on_frame});
    return start_in_peace(s, setup);
}

void stage_free(struct stage *s)
{
    attack_free(s->attack);
    workload_free(s->workload);
    checker_free(s->checker);
    herd_free(s->herd);
}

/* --- Nodes ------------------------------------------------------------------------------------------ */

void stage_crash(struct stage *s, unsigned node)
{
    if (world_node_state(s->w, node) != NODE_OFF) {
        workload_excuse(s->workload, node);
        checker_node_off(s->checker, node);
        world_crash(s->w, node);
    }
}

static void is_off(void *context, uint64_t node)
{
    struct stage *s = context;
    if (world_node_state(s->w, (unsigned)node) == NODE_OFF) {
        checker_node_off(s->checker, (unsigned)node);
    }
    workload_stopping(s->workload, (unsigned)node, false);
}

void stage_stop(struct stage *s, unsigned node)
{
    if (world_node_state(s->w, node) == NODE_RUNNING) {
        workload_stopping(s->workload, node, true);
        checker_node_off(s->checker, node); /* it promises nothing from now on */
        world_stop_node(s->w, node);
        world_at(s->w, world_now(s->w) + 400 * SIM_MS, is_off, s, node);
    }
}

static void start_later(void *context, uint64_t node)
{
    stage_start(context, (unsigned)node);
}

void stage_start(struct stage *s, unsigned node)
{
    if (world_node_state(s->w, node) == NODE_STOPPING) {
        world_at(s->w, world_now(s->w) + 400 * SIM_MS, start_later, s, node);
    }
    if (world_node_state(s->w, node) == NODE_OFF) {
        bool wraps = random_chance(&s->random, 300000);
        if (!world_restart(s->w, node, stage_clock_ms(s, wraps))) {
            world_fail(s->w, "start", "%s: %s", s->herd->names[node], world_node_error(s->w, node));
        }
    }
}

void stage_freeze(struct stage *s, unsigned node, bool frozen)
{
    if (frozen) {
        workload_excuse(s->workload, node);
    }
    if (world_node_state(s->w, node) != NODE_OFF) {
        world_freeze(s->w, node, frozen);
    }
}

void stage_jump(struct stage *s, unsigned node, int64_t by_ns)
{
    checker_clock_jumped(s->checker, node);
    world_clock_jump(s->w, node, by_ns);
}

/* --- The end ---------------------------------------------------------------------------------------- */

void stage_heal(struct stage *s)
{
    s->stop_faults = true;
    world_heal(s->w);
    for (unsigned node = 0; node < s->herd->nodes; node++) {
        stage_start(s, node);
    }
    workload_expect_answers(s->workload, true);
    workload_drain(s->workload);
    attack_end(s->attack);
}

bool stage_read(struct stage *s)
{
    sim_ns until = world_now(s->w) + READ_NS;
    workload_read_tables(s->workload, stage_all(s));
    while (!workload_tables_are_read(s->workload) && world_now(s->w) < until) {
        if (!world_run(s->w, world_now(s->w) + READ_STEP_NS)) {
            return false;
        }
    }
    if (!workload_tables_are_read(s->workload)) {
        world_fail(s->w, "alive", "the tables could not be read within %d s",
                   (int)(READ_NS / SIM_S));
    }
    return !world_failed(s->w);
}

static void check_whole(struct stage *s, sim_ns since)
{
    unsigned broken = 0;
    if (!is_whole(s, &broken)) {
        world_fail(s->w, "whole", "%s has %u of %u links %d s after healing",
                   s->herd->names[broken], stage_links_up(s, broken), s->herd->links[broken],
                   (int)((world_now(s->w) - since) / SIM_S));
    }
}

void stage_check(struct stage *s, sim_ns limit_ns, sim_ns step_ns)
{
    sim_ns since = world_now(s->w);
    bool converged = false;
    char why[900] = "";
    if (step_ns == 0 && !world_run(s->w, since + DRAIN_NS)) {
        return;
    }
    workload_end(s->workload);
    sim_ns at = since + (step_ns > 0 ? step_ns : limit_ns);
    for (; !converged && at <= since + limit_ns; at += step_ns > 0 ? step_ns : 1) {
        sim_ns now = world_now(s->w);
        if (!world_run(s->w, at > now ? at : now) || !stage_read(s)) {
            return;
        }
        converged = checker_converged(s->checker, why, sizeof why);
        s->converged_ns = (at > now ? at : now) - since;
    }
    if (!converged) {
        world_fail(s->w, "converge", "%" PRId64 " s after healing %s", limit_ns / SIM_S, why);
        return;
    }
    checker_finish(s->checker);
    if (limit_ns == STAGE_CONVERGE_NS && world_run(s->w, since + limit_ns)) {
        check_whole(s, since); /* wires that lose frames may lose a link at any time */
    }
}

void stage_check_memory(struct stage *s)
{
    uint32_t least[WORLD_NODES_MAX][WORLD_POOLS_MAX] = {{0}};
    uint64_t arena[WORLD_NODES_MAX] = {0};
    workload_end(s->workload);
    attack_end(s->attack);
    world_heal(s->w);
    if (!world_run(s->w, world_now(s->w) + QUIET_NS) || !measure_memory(s, least, arena)) {
        return;
    }
    for (unsigned node = 0; node < s->herd->nodes; node++) {
        struct world_probe probe;
        world_probe(s->w, node, &probe);
        for (unsigned i = 0; i < probe.pools; i++) {
            if (least[node][i] > s->least_pool[node][i]) {
                world_fail(s->w, "pools",
                           "%s: %u of %s are in use in a quiet herd, before the load %u",
                           s->herd->names[node], least[node][i], probe.pool[i].name,
                           s->least_pool[node][i]);
            }
        }
        if (arena[node] > s->least_arena[node]) {
            world_fail(s->w, "pools",
                       "%s: %" PRIu64 " bytes of the arena are in use, before the load %" PRIu64,
                       s->herd->names[node], arena[node], s->least_arena[node]);
        }
        if (probe.open[0] != 0) {
            world_fail(s->w, "pools", "%s: %u sessions are open without clients",
                       s->herd->names[node], probe.open[0]);
        }
        if (probe.log_dropped > 0) {
            world_note(s->w, "%s dropped %u lines of its log", s->herd->names[node],
                       probe.log_dropped);
        }
    }
}

void stage_note(struct stage *s)
{
    struct checker_counts c = checker_counts(s->checker);
    struct workload_counts l = workload_counts(s->workload);
    struct attack_counts a = attack_counts(s->attack);
    world_note(s->w,
               "%s: %zu devices, %zu reports (%zu answered, %zu owed), %zu records read %zu times, "
               "%zu full; converged after %.1f s",
               herd_shape_name(s->herd->shape), c.devices, c.reports, c.answered, c.owed, c.records,
               c.reads, c.full_nodes, (double)s->converged_ns / (double)SIM_S);
    world_note(s->w,
               "%" PRIu64 " connections, %" PRIu64 " commands, answers: %" PRIu64 " IAMAT %" PRIu64
               " WHATSAT %" PRIu64 " invalid %" PRIu64 " unknown; %" PRIu64 " refused, %" PRIu64
               " reset by us, %" PRIu64 " timed out; slowest %.3f s; %" PRIu64 " attacks, %" PRIu64
               " replayed, %" PRIu64 " injected; links lost %" PRIu64,
               l.connections, l.commands, l.iamat, l.whatsat, l.invalid, l.unknown, l.refused,
               l.resets, l.timeouts, (double)l.slowest_ns / (double)SIM_S, a.begun, a.replayed,
               a.injected, s->links_lost);
}

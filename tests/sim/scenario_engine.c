/* The engine's test of itself: each fault in turn, under load. It must fire its own counter, and no other but
 * those that come with it; and when all are over the herd must be whole. A fault that does nothing, or that
 * is counted without an effect, would make every other scenario prove less than it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herd_file.h"
#include "inside.h"
#include "load.h"
#include "packet.h"

#define PHASE_NS   (8 * SIM_S)
#define REST_NS    (4 * SIM_S)
#define VICTIM     2u
#define OTHER      1u
#define BIT(fault) (UINT64_C(1) << (fault))

struct engine {
    struct world *w;
    struct load load;
    struct packet last; /* of a client's segments to the victim */
    bool has_last;
    uint64_t frames;
};

/* --- What is heard ----------------------------------------------------------------------------------- */

static void on_closed(void *context, int connection, int reason)
{
    struct engine *e = context;
    (void)reason;
    load_closed(&e->load, connection);
}

static void on_data(void *context, int connection, const uint8_t *data, size_t bytes)
{
    struct engine *e = context;
    load_data(&e->load, connection, data, bytes);
}

static void on_frame(void *context, unsigned from, const uint8_t *frame, size_t bytes)
{
    struct engine *e = context;
    struct packet p;
    e->frames++;
    if (from == world_host(e->w, 0) && packet_read(frame, bytes, &p) &&
        p.to_ip == world_ip(e->w, VICTIM) && p.bytes > 0) {
        e->last = p;
        e->last.data = NULL;
        e->last.bytes = 0;
        e->has_last = true;
    }
}

/* --- Faults ------------------------------------------------------------------------------------------ */

static void set_all(struct world *w, struct world_link link)
{
    world_link_all(w, &link);
}

static void lose(struct engine *e)
{
    set_all(e->w, (struct world_link){.loss_ppm = 100000});
}

static void duplicate(struct engine *e)
{
    set_all(e->w, (struct world_link){.duplicate_ppm = 200000});
}

static void reorder(struct engine *e)
{
    set_all(e->w, (struct world_link){.reorder_ppm = 300000});
}

static void jitter(struct engine *e)
{
    set_all(e->w, (struct world_link){.jitter_ns = 30 * SIM_MS});
}

static void narrow(struct engine *e)
{
    set_all(e->w, (struct world_link){.bits_per_s = 40000, .queue_bytes = 3000});
}

static void noise(struct engine *e)
{
    set_all(e->w, (struct world_link){.noise_ppm = 50000});
}

static void cut_one_way(struct engine *e)
{
    world_link(e->w, VICTIM, OTHER)->cut = true;
}

static void cut_both(struct engine *e)
{
    world_cut(e->w, VICTIM, OTHER, true);
}

static void flap(struct engine *e)
{
    set_all(e->w, (struct world_link){.flap_period_ns = 2 * SIM_S, .flap_down_ns = 300 * SIM_MS});
}

static void crash(struct engine *e)
{
    world_crash(e->w, VICTIM);
}

static void stop(struct engine *e)
{
    world_stop_node(e->w, VICTIM);
}

static void freeze(struct engine *e)
{
    world_freeze(e->w, VICTIM, true);
}

/* More frames than a frozen node's input holds. */
static void flood_frozen(struct engine *e)
{
    world_freeze(e->w, VICTIM, true);
    for (unsigned i = 0; i < 2 * WORLD_FROZEN_FRAMES; i++) {
        struct packet p = {.from_ip = world_ip(e->w, world_host(e->w, 0)),
                           .to_ip = world_ip(e->w, VICTIM),
                           .from_port = (uint16_t)(20000 + i),
                           .to_port = 9,
                           .flags = PACKET_SYN};
        uint8_t frame[PACKET_BYTES_MAX];
        world_mac(e->w, world_host(e->w, 0), p.from_mac);
        world_mac(e->w, VICTIM, p.to_mac);
        world_inject(e->w, world_host(e->w, 0), frame, packet_make(&p, frame));
    }
}

static void jump(struct engine *e)
{
    int64_t before_ns = world_wall_ns(e->w, VICTIM);
    world_clock_jump(e->w, VICTIM, -5 * SIM_S);
    if (world_wall_ns(e->w, VICTIM) != before_ns - 5 * SIM_S) {
        world_fail(e->w, "engine", "the clock did not jump");
    }
}

static void drift(struct engine *e)
{
    world_clock_drift(e->w, VICTIM, 1000);
}

static void client_fin(struct engine *e)
{
    world_finish(e->w, e->load.clients[OTHER]);
}

static void client_reset(struct engine *e)
{
    world_reset(e->w, e->load.clients[OTHER]);
    e->load.clients[OTHER] = -1;
}

static void client_stall(struct engine *e)
{
    world_read(e->w, e->load.clients[OTHER], false);
}

static void client_pieces(struct engine *e)
{
    world_send(e->w, e->load.clients[OTHER], "WHATSAT device1 0 0\n", 20, 3);
}

/* A reset in the window of a client's connection, from somebody who saw a segment of it. */
static void inject(struct engine *e)
{
    uint8_t frame[PACKET_BYTES_MAX];
    if (!e->has_last) {
        world_fail(e->w, "engine", "no segment was seen");
        return;
    }
    e->last.flags = PACKET_RST;
    world_inject(e->w, world_host(e->w, 0), frame, packet_make(&e->last, frame));
}

static void undo(struct engine *e)
{
    world_heal(e->w);
    world_clock_drift(e->w, VICTIM, 0);
    if (world_node_state(e->w, VICTIM) == NODE_OFF) {
        if (!world_restart(e->w, VICTIM, 1000)) {
            world_fail(e->w, "engine", "no restart: %s", world_node_error(e->w, VICTIM));
        }
    }
    if (e->load.clients[OTHER] >= 0) {
        world_read(e->w, e->load.clients[OTHER], true);
    }
}

/* Each phase starts from a whole herd; what `with` names may fire as well, and is not asked for. */
struct phase {
    enum world_fault fault;
    void (*begin)(struct engine *e);
    uint64_t with;
};

static const struct phase phases[] = {
    {FAULT_LOSS, lose, 0},
    {FAULT_DUPLICATE, duplicate, 0},
    {FAULT_REORDER, reorder, 0},
    {FAULT_JITTER, jitter, 0},
    {FAULT_BANDWIDTH, narrow, 0},
    {FAULT_NOISE, noise, BIT(FAULT_LOSS)},
    {FAULT_CUT_ONE_WAY, cut_one_way, 0},
    {FAULT_CUT_BOTH, cut_both, 0},
    {FAULT_FLAP, flap, 0},
    {FAULT_CRASH, crash, BIT(FAULT_RESTART)},
    {FAULT_STOP, stop, BIT(FAULT_RESTART)},
    {FAULT_FREEZE, freeze, BIT(FAULT_FREEZE_DROP)},
    {FAULT_FREEZE_DROP, flood_frozen, BIT(FAULT_FREEZE) | BIT(FAULT_INJECT)},
    {FAULT_CLOCK_JUMP, jump, 0},
    {FAULT_CLOCK_DRIFT, drift, 0},
    {FAULT_CLIENT_FIN, client_fin, 0},
    {FAULT_CLIENT_RST, client_reset, 0},
    {FAULT_CLIENT_STALL, client_stall, 0},
    {FAULT_CLIENT_PIECES, client_pieces, 0},
    {FAULT_INJECT, inject, 0},
};

/* --- Run --------------------------------------------------------------------------------------------- */

static void take_phase(struct engine *e, const struct phase *phase)
{
    uint64_t before[FAULT_COUNT];
    for (unsigned i = 0; i < FAULT_COUNT; i++) {
        before[i] = world_fired(e->w, i);
    }
    world_note(e->w, "fault %s", world_fault_name(phase->fault));
    phase->begin(e);
    if (!world_run(e->w, world_now(e->w) + PHASE_NS)) {
        return;
    }
    undo(e);
    if (!world_run(e->w, world_now(e->w) + REST_NS)) {
        return;
    }
    for (unsigned i = 0; i < FAULT_COUNT; i++) {
        bool fired = world_fired(e->w, i) != before[i];
        bool may = i == phase->fault || (phase->with & BIT(i)) != 0 || i == FAULT_CLOCK_WRAP;
        if (fired && !may) {
            world_fail(e->w, "engine", "%s fired %s", world_fault_name(phase->fault),
                       world_fault_name(i));
        }
    }
    if (world_fired(e->w, phase->fault) == before[phase->fault]) {
        world_fail(e->w, "engine", "%s did not fire", world_fault_name(phase->fault));
    }
}

/* What the faults must have done to the nodes. */
static void check_effects(struct engine *e)
{
    struct world_probe probe;
    uint64_t caught = 0;
    for (unsigned i = 0; i < world_nodes(e->w); i++) {
        world_probe(e->w, i, &probe);
        caught += probe.ip_sum_errors + probe.tcp_sum_errors;
        if (probe.links_up == 0 || probe.devices != LOAD_DEVICES) {
            world_fail(e->w, "engine", "%s has %u links up and %u devices", herd_file_name(i),
                       probe.links_up, probe.devices);
        }
    }
    if (caught == 0) {
        world_fail(e->w, "engine", "no sum was ever wrong");
    }
    if (world_node_boots(e->w, VICTIM) != 3) {
        world_fail(e->w, "engine", "%s started %u times", herd_file_name(VICTIM),
                   world_node_boots(e->w, VICTIM));
    }
    if (world_fired(e->w, FAULT_CLOCK_WRAP) != world_nodes(e->w)) {
        world_fail(e->w, "engine", "a clock did not wrap");
    }
    if (e->load.answers < e->load.reports / 2) {
        world_fail(e->w, "engine", "%llu answers to %u reports",
                   (unsigned long long)e->load.answers, e->load.reports);
    }
}

static bool start(struct engine *e, const struct scenario_options *options)
{
    for (unsigned i = 0; i < world_nodes(e->w); i++) {
        if (!herd_file_start(e->w, i, options->suite, 1, UINT32_MAX - 20000u)) {
            return false;
        }
    }
    return true;
}

static void run(struct world *w, const struct scenario_options *options)
{
    struct engine *e = calloc(1, sizeof *e);
    SIM_ASSERT(e != NULL && world_nodes(w) > VICTIM);
    e->w = w;
    world_listen(
        w, &(struct world_listener){
               .context = e, .on_data = on_data, .on_closed = on_closed, .on_frame = on_frame});
    if (start(e, options)) {
        load_begin(&e->load, w);
        (void)world_run(w, 2 * SIM_S);
        for (unsigned i = 0; i < sizeof phases / sizeof phases[0] && !world_failed(w); i++) {
            take_phase(e, &phases[i]);
        }
        if (!world_failed(w)) {
            load_compare(&e->load);
        }
        if (!world_failed(w)) {
            check_effects(e);
        }
        load_free(&e->load);
    }
    free(e);
}

const struct scenario scenario_engine = {
    .name = "engine", .what = "each fault in turn fires, and only it", .hosts = 1, .run = run};

#include "scenario_faults.h"

#include <stdlib.h>

#define CALM_NS (STAGE_CONVERGE_NS + 5 * SIM_S)
/* Shorter than what makes a node doubt its clock (skew_max/2): messages that waited seem to say the time. */
#define FREEZE_NS_MAX    (15 * SIM_S)
#define JUMP_BACK_NS_MAX (7200 * SIM_S)
#define DOWN_NS_MIN      (3 * SIM_S) /* longer than any frame is on its way */

struct faults {
    struct stage *s;
    struct faults_plan plan;
    struct random random;
    sim_ns until;
    bool calm;
    sim_ns calm_since;
    int64_t jumped[WORLD_NODES_MAX];
    uint64_t generation; /* of calm: what was to end before is over */
};

/* --- Which ------------------------------------------------------------------------------------------ */

static struct world_link choose_wire(struct random *r)
{
    struct world_link wire = {.loss_ppm = 0};
    bool lossy = random_chance(r, 400000);
    bool doubles = random_chance(r, 300000);
    bool reorders = random_chance(r, 300000);
    bool jitters = random_chance(r, 300000);
    bool slow = random_chance(r, 400000);
    bool noisy = random_chance(r, 150000);
    uint32_t loss = (uint32_t)random_between(r, 1000, 300000);
    uint32_t doubled = (uint32_t)random_between(r, 1000, 200000);
    uint32_t reordered = (uint32_t)random_between(r, 1000, 200000);
    sim_ns jitter = random_between(r, 1, 40) * SIM_MS;
    sim_ns delay = random_between(r, 1, 60) * SIM_MS;
    uint32_t noise = (uint32_t)random_between(r, 1000, 50000);
    wire.loss_ppm = lossy ? loss : 0;
    wire.duplicate_ppm = doubles ? doubled : 0;
    wire.reorder_ppm = reorders ? reordered : 0;
    wire.jitter_ns = jitters ? jitter : 0;
    wire.delay_ns = slow ? delay : 0;
    wire.noise_ppm = noisy ? noise : 0;
    return wire;
}

struct faults_plan faults_choose(struct world *w, bool clocks_agree, bool small)
{
    struct random r = world_random(w, "plan", 0);
    struct faults_plan plan = {.wire = choose_wire(&r)};
    bool lossy_end = random_chance(&r, 250000);
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        plan.events[i] = random_chance(&r, 450000);
    }
    plan.events[EVENT_JUMP] = plan.events[EVENT_JUMP] && !clocks_agree;
    plan.events[EVENT_CALM] = plan.events[EVENT_CALM] && !small;
    plan.pause_ns = random_between(&r, 2000, 15000) * SIM_MS;
    if (lossy_end) {
        plan.last = plan.wire;
        plan.last.noise_ppm = 0;
    }
    return plan;
}

/* --- What they do ----------------------------------------------------------------------------------- */

static unsigned nodes_of(const struct faults *f)
{
    return f->s->herd->nodes;
}

static struct world *world_of(const struct faults *f)
{
    return f->s->w;
}

/* The wires between a pair are as they are without an event. */
static void mend_pair(struct faults *f, unsigned a, unsigned b)
{
    *world_link(world_of(f), a, b) = f->plan.wire;
    *world_link(world_of(f), b, a) = f->plan.wire;
}

static void wire_nodes(struct faults *f, const struct world_link *wire)
{
    for (unsigned a = 0; a < nodes_of(f); a++) {
        for (unsigned b = 0; b < nodes_of(f); b++) {
            if (a != b) {
                *world_link(world_of(f), a, b) = *wire;
            }
        }
    }
}

/* What an event needs to know at its end. */
struct event {
    enum fault_event kind;
    unsigned a, b;
    uint64_t group;
};

static uint64_t pack(const struct faults *f, const struct event *e)
{
    return (f->generation & 0xFFFF) << 48 | (e->group & 0xFFFFFF) << 16 | (uint64_t)e->kind << 10 |
           (uint64_t)e->a << 5 | e->b;
}

static struct event unpack(uint64_t argument)
{
    return (struct event){.kind = (enum fault_event)(argument >> 10 & 0x3F),
                          .a = (unsigned)(argument >> 5 & 31),
                          .b = (unsigned)(argument & 31),
                          .group = argument >> 16 & 0xFFFFFF};
}

static void cut_groups(struct faults *f, uint64_t group, bool cut)
{
    for (unsigned a = 0; a < nodes_of(f); a++) {
        for (unsigned b = 0; b < a; b++) {
            if ((group >> a & 1) != (group >> b & 1)) {
                world_cut(world_of(f), a, b, cut);
            }
        }
    }
}

static void wire_clients(struct faults *f, unsigned node, const struct world_link *wire)
{
    for (unsigned host = 0; host < world_hosts(world_of(f)); host++) {
        unsigned station = world_host(world_of(f), host);
        *world_link(world_of(f), node, station) = *wire;
        *world_link(world_of(f), station, node) = *wire;
    }
}

static void jump(struct faults *f, unsigned node, int64_t by_ns)
{
    f->jumped[node] += by_ns;
    stage_jump(f->s, node, by_ns);
}

static void end_event(void *context, uint64_t argument)
{
    struct faults *f = context;
    struct event e = unpack(argument);
    static const struct world_link perfect = {.loss_ppm = 0};
    if (f->s->stop_faults || (f->generation & 0xFFFF) != argument >> 48) {
        return;
    }
    switch (e.kind) {
    case EVENT_CUT:
    case EVENT_ONE_WAY:
    case EVENT_FLAP:
    case EVENT_NARROW:
    case EVENT_NOISE:
    case EVENT_LOSSY:
        mend_pair(f, e.a, e.b);
        break;
    case EVENT_ISOLATE:
    case EVENT_PARTITION:
        cut_groups(f, e.group, false);
        break;
    case EVENT_CLIENTS:
        wire_clients(f, e.a, &perfect);
        workload_wires(f->s->workload, e.a, false);
        break;
    case EVENT_CRASH:
    case EVENT_STOP:
        stage_start(f->s, e.a);
        break;
    case EVENT_FREEZE:
        stage_freeze(f->s, e.a, false);
        break;
    case EVENT_JUMP:
        jump(f, e.a, -f->jumped[e.a]);
        break;
    case EVENT_DRIFT:
        world_clock_drift(world_of(f), e.a, 0);
        break;
    case EVENT_CALM:
    case EVENT_COUNT:
    default:
        break;
    }
}

static void end_calm(void *context, uint64_t node)
{
    struct faults *f = context;
    if (f->s->stop_faults || !f->calm) {
        return;
    }
    checker_settled(f->s->checker, f->calm_since, stage_all(f->s));
    f->calm = false;
    wire_nodes(f, &f->plan.wire);
    if (node < nodes_of(f)) {
        stage_crash(f->s, (unsigned)node);
        struct event e = {.kind = EVENT_CRASH, .a = (unsigned)node};
        world_at(world_of(f), world_now(world_of(f)) + DOWN_NS_MIN, end_event, f, pack(f, &e));
    }
}

static void begin_calm(struct faults *f, unsigned crash)
{
    static const struct world_link perfect = {.loss_ppm = 0};
    f->calm = true;
    f->calm_since = world_now(world_of(f));
    f->generation++;
    world_heal(world_of(f));
    wire_nodes(f, &perfect);
    workload_expect_answers(f->s->workload, true);
    for (unsigned node = 0; node < nodes_of(f); node++) {
        stage_start(f->s, node);
        world_clock_drift(world_of(f), node, 0);
    }
    world_at(world_of(f), f->calm_since + CALM_NS, end_calm, f, crash);
}

static void set_pair(struct faults *f, const struct event *e)
{
    struct random *r = &f->random;
    struct world *w = world_of(f);
    struct world_link wire = f->plan.wire;
    sim_ns period = random_between(r, 200, 6000) * SIM_MS;
    sim_ns down = random_between(r, 50, period / SIM_MS) * SIM_MS;
    uint64_t bits = (uint64_t)random_between(r, 8000, 400000);
    uint32_t noise = (uint32_t)random_between(r, 10000, 300000);
    uint32_t loss = (uint32_t)random_between(r, 100000, 700000);
    wire.cut = e->kind == EVENT_CUT || e->kind == EVENT_ONE_WAY;
    if (e->kind == EVENT_FLAP) {
        wire.flap_period_ns = period;
        wire.flap_down_ns = down;
    } else if (e->kind == EVENT_NARROW) {
        wire.bits_per_s = bits;
        wire.queue_bytes = 16000;
    } else if (e->kind == EVENT_NOISE) {
        wire.noise_ppm = noise;
    } else if (e->kind == EVENT_LOSSY) {
        wire.loss_ppm = loss;
    }
    *world_link(w, e->a, e->b) = wire;
    if (e->kind != EVENT_ONE_WAY) {
        *world_link(w, e->b, e->a) = wire;
    }
}

static void set_clients(struct faults *f, unsigned node)
{
    struct world_link wire = choose_wire(&f->random);
    uint32_t noise = (uint32_t)random_between(&f->random, 10000, 200000);
    if (random_chance(&f->random, 100000)) {
        wire.cut = true;
    }
    if (random_chance(&f->random, 400000)) {
        wire.noise_ppm =
            noise; /* no record of TLS around what clients say: the sums of TCP must do */
    }
    workload_wires(f->s->workload, node, true);
    wire_clients(f, node, &wire);
}

static int64_t jump_of(struct random *r)
{
    bool back = random_chance(r, 400000);
    int64_t ahead_ns = random_between(r, 1, random_chance(r, 500000) ? 100 : 7200) * SIM_S;
    int64_t back_ns = random_between(r, 1, JUMP_BACK_NS_MAX / SIM_MS) * SIM_MS;
    return back ? -back_ns : ahead_ns;
}

/* Returns how long it lasts. */
static sim_ns begin_event(struct faults *f, struct event *e)
{
    struct random *r = &f->random;
    struct world *w = world_of(f);
    sim_ns brief = random_between(r, 100, 12000) * SIM_MS;
    sim_ns any = random_chance(r, 300000) ? random_between(r, 10, 80) * SIM_S : brief;
    switch (e->kind) {
    case EVENT_CUT:
    case EVENT_ONE_WAY:
    case EVENT_FLAP:
    case EVENT_NARROW:
    case EVENT_NOISE:
    case EVENT_LOSSY:
        set_pair(f, e);
        return any;
    case EVENT_ISOLATE:
        e->group = UINT64_C(1) << e->a;
        cut_groups(f, e->group, true);
        return any;
    case EVENT_PARTITION:
        e->group = random_u64(r) & stage_all(f->s);
        cut_groups(f, e->group, true);
        return any;
    case EVENT_CLIENTS:
        set_clients(f, e->a);
        return any;
    case EVENT_CRASH:
        stage_crash(f->s, e->a);
        return DOWN_NS_MIN + any;
    case EVENT_STOP:
        stage_stop(f->s, e->a);
        return DOWN_NS_MIN + brief;
    case EVENT_FREEZE:
        stage_freeze(f->s, e->a, true);
        return brief < FREEZE_NS_MAX ? brief : FREEZE_NS_MAX;
    case EVENT_JUMP:
        if (f->jumped[e->a] == 0) {
            jump(f, e->a, jump_of(r));
        }
        return any;
    case EVENT_DRIFT:
        world_clock_drift(w, e->a, (int32_t)random_between(r, -20000, 20000));
        return any;
    case EVENT_CALM:
    case EVENT_COUNT:
    default:
        return 0;
    }
}

static void next_event(void *context, uint64_t argument)
{
    struct faults *f = context;
    struct random *r = &f->random;
    (void)argument;
    sim_ns now = world_now(world_of(f));
    if (f->s->stop_faults || now >= f->until) {
        return;
    }
    struct event e = {.kind = (enum fault_event)random_below(r, EVENT_COUNT),
                      .a = (unsigned)random_below(r, nodes_of(f))};
    e.b = (e.a + 1 + (unsigned)random_below(r, nodes_of(f) - 1)) % nodes_of(f);
    bool crashes = random_chance(r, 700000);
    if (f->plan.events[e.kind] && !f->calm) {
        if (e.kind == EVENT_CALM) {
            begin_calm(f, crashes ? e.a : nodes_of(f));
        } else {
            sim_ns lasts = begin_event(f, &e);
            world_at(world_of(f), now + lasts, end_event, f, pack(f, &e));
        }
    }
    bool none = !f->plan.events[e.kind];
    sim_ns pause = random_between(r, 0, 2 * f->plan.pause_ns);
    world_at(world_of(f), now + (none ? pause / 8 : pause), next_event, f, 0);
}

struct faults *faults_new(struct stage *s, const struct faults_plan *plan, sim_ns until)
{
    struct faults *f = calloc(1, sizeof *f);
    if (f == NULL) {
        abort();
    }
    f->s = s;
    f->plan = *plan;
    f->random = world_random(s->w, "faults", 0);
    f->until = until;
    wire_nodes(f, &f->plan.wire);
    if (nodes_of(f) > 1) {
        world_at(s->w, world_now(s->w), next_event, f, 0);
    }
    return f;
}

sim_ns faults_end(struct faults *f)
{
    for (unsigned node = 0; node < nodes_of(f); node++) {
        world_clock_drift(world_of(f), node, 0);
        if (f->jumped[node] != 0) {
            jump(f, node, -f->jumped[node]);
        }
    }
    stage_heal(f->s);
    wire_nodes(f, &f->plan.last);
    bool loses = f->plan.last.loss_ppm > 0;
    return loses ? STAGE_CONVERGE_LOSS_NS : STAGE_CONVERGE_NS;
}

void faults_free(struct faults *f)
{
    free(f);
}

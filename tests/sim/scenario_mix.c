/* The default: load and faults of all kinds for minutes; then the herd heals and must agree. */
#include "scenario_faults.h"
#include "scenario_stage.h"

struct mix {
    struct stage_setup setup;
    struct faults_plan plan;
    bool attacked;
};

static struct mix choose(struct world *w)
{
    struct random r = world_random(w, "mix", 0);
    struct mix m = {
        .setup = {.nodes = world_nodes(w), .shape = HERD_SHAPES, .style = stage_style()}};
    bool jumps = random_chance(&r, 250000);
    bool small = random_chance(&r, 150000);
    bool ahead = random_chance(&r, 600000);
    bool busy = random_chance(&r, 250000);
    uint64_t some = random_u64(&r);
    uint64_t wraps = random_u64(&r);
    uint64_t clockless = random_u64(&r) & random_u64(&r);
    m.attacked = random_chance(&r, 400000);
    m.setup.clocks_agree = !jumps;
    m.setup.small = small ? some : 0;
    m.setup.clockless = jumps ? clockless : 0;
    m.setup.wrap = random_chance(&r, 300000) ? wraps : 0;
    m.setup.style.ahead_ppm = ahead && !jumps ? 150000 : 0;
    m.setup.style.devices = small ? 90 : 10 + (size_t)random_below(&r, 60);
    m.setup.style.pause_ns = busy ? 200 * SIM_MS : 900 * SIM_MS;
    m.plan = faults_choose(w, m.setup.clocks_agree, small);
    return m;
}

static void run_faults(struct stage *s, const struct mix *m)
{
    sim_ns until = world_now(s->w) + s->options->duration_ns;
    struct faults *f = faults_new(s, &m->plan, until);
    workload_start(s->workload, until);
    if (m->attacked) {
        attack_start(s->attack, until);
    }
    if (world_run(s->w, until)) {
        stage_check(s, faults_end(f), 0);
    }
    if (!world_failed(s->w)) {
        stage_check_memory(s);
    }
    faults_free(f);
}

static void run(struct world *w, const struct scenario_options *options)
{
    struct stage s;
    struct mix m = choose(w);
    if (stage_init(&s, w, options, &m.setup)) {
        run_faults(&s, &m);
        stage_note(&s);
    }
    stage_free(&s);
}

const struct scenario scenario_mix = {.name = "mix",
                                      .what =
                                          "load and faults of all kinds, then the herd must agree",
                                      .hosts = 2,
                                      .run = run};

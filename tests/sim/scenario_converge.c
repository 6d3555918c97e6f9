/* A thousand records in a herd that is cut to pieces; how long it takes to agree once it is whole. */
#include "scenario_stage.h"

#define RECORDS 1000
/* Nothing heard for 9 s ends a link. */
#define SILENCE_NS (10 * SIM_S)

static void cut_all(struct stage *s, bool cut)
{
    for (unsigned a = 0; a < s->herd->nodes; a++) {
        for (unsigned b = 0; b < a; b++) {
            world_cut(s->w, a, b, cut);
        }
    }
}

static void lose(struct stage *s, uint32_t loss_ppm)
{
    for (unsigned a = 0; a < s->herd->nodes; a++) {
        for (unsigned b = 0; b < s->herd->nodes; b++) {
            if (a != b) {
                world_link(s->w, a, b)->loss_ppm = loss_ppm;
            }
        }
    }
}

static void run_parts(struct stage *s, uint32_t loss_ppm)
{
    cut_all(s, true);
    workload_report_all(s->workload, stage_all(s));
    sim_ns apart_ns = random_between(&s->random, 2, 60) * SIM_S;
    if (!world_run(s->w, world_now(s->w) + apart_ns)) {
        return;
    }
    for (unsigned node = 0; node < s->herd->nodes; node++) {
        if (apart_ns > SILENCE_NS && stage_links_up(s, node) > 0) {
            world_fail(s->w, "dead", "%s counts on %u links after %d s of silence",
                       s->herd->names[node], stage_links_up(s, node), (int)(apart_ns / SIM_S));
        }
    }
    stage_heal(s);
    lose(s, loss_ppm);
    stage_check(s, loss_ppm > 0 ? STAGE_CONVERGE_LOSS_NS : STAGE_CONVERGE_NS, SIM_S);
    if (!world_failed(s->w)) {
        stage_check_memory(s);
    }
}

static void run(struct world *w, const struct scenario_options *options)
{
    struct stage s;
    struct random r = world_random(w, "converge", 0);
    struct stage_setup setup = {.nodes = world_nodes(w),
                                .shape = HERD_SHAPES,
                                .style = stage_style(),
                                .clocks_agree = true};
    bool lossy = random_chance(&r, 500000);
    bool most = random_chance(&r, 500000);
    uint32_t loss_ppm = most ? 300000 : (uint32_t)random_between(&r, 1000, 300000);
    setup.style.devices = RECORDS;
    setup.style.commands_max = 1;
    if (stage_init(&s, w, options, &setup)) {
        run_parts(&s, lossy ? loss_ppm : 0);
        stage_note(&s);
    }
    stage_free(&s);
}

const struct scenario scenario_converge = {
    .name = "converge",
    .what = "1,000 records in a herd in pieces; it must agree within 15 s, 60 s under loss",
    .hosts = 2,
    .run = run};

/* Callers without business at the link listeners of a herd in peace: nothing of theirs is stored, none is
 * borne for long, and no link of a true neighbour is lost.
 */
#include "scenario_rogue.h"
#include "scenario_stage.h"

#define PAUSE_NS (500 * SIM_MS)

/* The last node of the world is none of the herd's. */
static bool has_rogue(const struct world *w)
{
    return world_nodes(w) >= 3;
}

static void run_attacks(struct stage *s, struct rogue *rogue)
{
    sim_ns until = world_now(s->w) + s->options->duration_ns;
    uint64_t lost_before = s->links_lost;
    attack_free(s->attack);
    s->attack = attack_new(&(struct attack_setup){.w = s->w,
                                                  .checker = s->checker,
                                                  .nodes = s->herd->nodes,
                                                  .names = s->herd->names,
                                                  .pause_ns = PAUSE_NS,
                                                  .strict = true});
    workload_start(s->workload, until);
    attack_start(s->attack, until);
    if (has_rogue(s->w)) {
        rogue_start(rogue, s, until);
    }
    if (!world_run(s->w, until)) {
        return;
    }
    if (s->links_lost > lost_before) {
        world_fail(s->w, "attack", "%d links were lost in a herd in peace",
                   (int)(s->links_lost - lost_before));
        return;
    }
    stage_heal(s);
    stage_check(s, STAGE_CONVERGE_NS, 0);
    if (!world_failed(s->w)) {
        stage_check_memory(s);
    }
}

static void run(struct world *w, const struct scenario_options *options)
{
    struct stage s;
    struct rogue rogue = {.runs = 0};
    struct stage_setup setup = {.nodes = world_nodes(w) - (has_rogue(w) ? 1 : 0),
                                .shape = HERD_SHAPES,
                                .style = stage_style(),
                                .clocks_agree = true};
    setup.style.ahead_ppm = 50000;
    if (stage_init(&s, w, options, &setup)) {
        run_attacks(&s, &rogue);
        stage_note(&s);
    }
    stage_free(&s);
}

const struct scenario scenario_attack = {
    .name = "attack",
    .what = "a herd in peace, and callers who are nobody's neighbours",
    .hosts = 2,
    .run = run};

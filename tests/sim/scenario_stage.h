/* What scenarios share: a herd on its feet, its clients, the checker, attackers, and the end of a run: healing,
 * tables that must be equal in time, memory that must be back where it was.
 */
#ifndef SIM_SCENARIO_STAGE_H
#define SIM_SCENARIO_STAGE_H

#include "checker.h"
#include "scenario.h"
#include "scenario_herd.h"
#include "workload.h"
#include "workload_attack.h"

#define STAGE_CONVERGE_NS      (15 * SIM_S) /* after healing, on wires without loss */
#define STAGE_CONVERGE_LOSS_NS (60 * SIM_S) /* with up to 30 % of frames lost */
#define STAGE_START_NS         (12 * SIM_S) /* until every link of a herd that starts in peace is up */

struct rogue;

struct stage {
    struct world *w;
    const struct scenario_options *options;
    struct herd *herd;
    struct checker *checker;
    struct workload *workload;
    struct attack *attack;
    struct rogue *rogue; /* NULL: none */
    struct random random;
    bool clocks_agree;
    bool small[WORLD_NODES_MAX];
    bool stop_faults;                                      /* the time of faults is over */
    uint64_t links_lost;                                   /* link.down in the nodes' logs */
    uint32_t least_pool[WORLD_NODES_MAX][WORLD_POOLS_MAX]; /* of the quiet herd, before load */
    uint64_t least_arena[WORLD_NODES_MAX];
    uint32_t links_open[WORLD_NODES_MAX];
    sim_ns converged_ns; /* after healing, as far as it was looked at; -1: not */
};

struct stage_setup {
    unsigned nodes;        /* of the herd: the first of the world's */
    enum herd_shape shape; /* HERD_SHAPES: any */
    struct workload_style style;
    bool clocks_agree;  /* nobody sets clocks: keys are known exactly */
    uint64_t small;     /* nodes with small tables, a bit each */
    uint64_t clockless; /* nodes that do not know the time; only if clocks need not agree */
    uint64_t wrap;      /* nodes whose 32-bit milliseconds wrap within the run */
};

/* A style that does a little of everything. */
struct workload_style stage_style(void);

/* Starts all nodes, waits until all links are up, and measures their memory. False: the world has failed;
 * stage_free is still to be called. */
bool stage_init(struct stage *s, struct world *w, const struct scenario_options *options,
                const struct stage_setup *setup);
void stage_free(struct stage *s);

uint64_t stage_all(const struct stage *s); /* nodes, a bit each */
unsigned stage_links_up(const struct stage *s, unsigned node);
/* Millisecond clock of a node that starts now: it wraps at some time of the run if `wraps`. */
uint64_t stage_clock_ms(struct stage *s, bool wraps);

/* What happens to nodes, and is told to checker and clients. */
void stage_crash(struct stage *s, unsigned node);
void stage_stop(struct stage *s, unsigned node);
void stage_start(struct stage *s, unsigned node);
void stage_freeze(struct stage *s, unsigned node, bool frozen);
void stage_jump(struct stage *s, unsigned node, int64_t by_ns);

/* No more faults; every node runs. */
void stage_heal(struct stage *s);
/* Reads the tables of all nodes at this time, and waits for the answers. */
bool stage_read(struct stage *s);
/* After stage_heal: reads the tables within `limit_ns`, or every second if `step_ns` > 0, and checks that they
 * are equal, that nothing is lost, and that the herd is whole. */
void stage_check(struct stage *s, sim_ns limit_ns, sim_ns step_ns);
/* Ends all clients and checks that every pool of every node is as before the load. */
void stage_check_memory(struct stage *s);
/* A line of figures in the run's log. */
void stage_note(struct stage *s);

#endif

/* What must hold, recomputed from what clients sent and were answered: calls nothing of firmware/, includes
 * none of it, and looks into no node. tests/sim/README.md has the exact statements.
 *
 * A *device* is a number for a name. A *report* is one IAMAT of the workload whose whole line was given to
 * TCP. A *record* is what a WHATSAT showed. A *life* is one run of a node, from start to power cut or stop:
 * world_node_boots. Times are virtual.
 *
 * What does not hold is told by world_fail, once; from then on all calls are without effect that matters.
 */
#ifndef SIM_CHECKER_H
#define SIM_CHECKER_H

#include "order.h"
#include "world.h"

struct checker;

#define CHECKER_NONE SIZE_MAX

struct checker_setup {
    struct world *w;
    unsigned nodes;           /* of the herd: the first of the world's */
    const char *const *names; /* of the nodes; live as long as the checker */
    int64_t skew_max_ns;
    /* Whether every node trusts its clock all the time (nobody touches clocks), or none is known to. */
    enum order_trust trust;
    uint64_t clockless; /* nodes that do not know the time: what they take arrived at 0 */
    unsigned capacity
        [WORLD_NODES_MAX]; /* records that a node's table holds; 0: more than there will be */
};

struct checker *checker_new(const struct checker_setup *setup);
void checker_free(struct checker *c);

size_t checker_device(struct checker *c, struct order_text name); /* known from then on */
size_t checker_devices(const struct checker *c);
struct order_text checker_device_name(const struct checker *c, size_t device);

/* --- The workload tells ----------------------------------------------------------------------------- */

/* The line of an IAMAT, or all of it before a FIN, is on its way to this node. */
size_t checker_reported(struct checker *c, size_t device, unsigned node, struct order_text location,
                        struct order_text stamp);
/* It was answered, in this life of the node, with that difference. */
void checker_answered(struct checker *c, size_t report, unsigned life, int64_t difference_ns);

/* What a WHATSAT that is sent now, in this life, must show at least. */
struct checker_view {
    unsigned life;
    size_t record; /* shown before */
    size_t report; /* answered before; the newest in the order */
};
struct checker_view checker_view(const struct checker *c, unsigned node, size_t device);
/* The later of what two views ask for, for commands of one connection. */
void checker_view_add(const struct checker *c, struct checker_view *view,
                      const struct checker_view *later);

/* A WHATSAT's AT line, for this device, from this life. Checks that the record is some report's, and `view`.
 * Returns the record. */
size_t checker_read(struct checker *c, unsigned node, unsigned life, size_t device,
                    const struct checker_view *view, const struct order_at *at);
/* The node says that it knows no such device. */
void checker_missed(struct checker *c, unsigned node, unsigned life, size_t device,
                    const struct checker_view *view);

/* --- The scenario tells ----------------------------------------------------------------------------- */

/* The node has just lost its memory. */
void checker_node_off(struct checker *c, unsigned node);
/* The wall clock of the node has been set. */
void checker_clock_jumped(struct checker *c, unsigned node);
/* The herd has been whole and without faults for as long as convergence may take: what was answered up to
 * `before` is known to every node of `nodes` (bit set), if it is known to any. Not for herds with full
 * tables: a small node that starts anew takes its floor with it. */
void checker_settled(struct checker *c, sim_ns before, uint64_t nodes);

/* --- Tables ----------------------------------------------------------------------------------------- */

/* Forgets the tables; then every device is read at every node of `nodes`. */
void checker_tables_begin(struct checker *c, uint64_t nodes);
void checker_table_has(struct checker *c, unsigned node, size_t device, size_t record);

/* Whether all tables are equal above the highest floor. `why` (may be NULL) receives the first difference. */
bool checker_converged(const struct checker *c, char *why, size_t why_bytes);
/* With the tables of the end: no answered report that a node must know is lost, every record ever shown is
 * a report's. */
void checker_finish(struct checker *c);

struct checker_counts {
    size_t devices, reports, answered, records, reads, owed, full_nodes;
};
struct checker_counts checker_counts(const struct checker *c);

#endif

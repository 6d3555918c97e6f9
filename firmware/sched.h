/* Cooperative scheduler: tasks run to completion, in the order in which they were added, when they
 * were woken or their deadline has come.
 *
 * A task is a static struct of its owner. There is no stack per task and no priority: a task that
 * has more work than one round should take wakes itself and returns.
 */
#ifndef HERD_SCHED_H
#define HERD_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#define SCHED_NEVER UINT64_MAX

struct sched_task {
    const char *name;
    void (*run)(void);
    uint64_t deadline_ms; /* SCHED_NEVER: none; cleared before run */
    volatile bool woken;  /* set by sched_wake, cleared before run */
    uint32_t runs;        /* since start */
    uint32_t longest_ms;  /* of any run, when sched_measure was called */
    struct sched_task *next;
};

/* Forgets all tasks (a node starts). */
void sched_init(void);

/* From now on each run is measured: longest_ms of its task. `clock_ms` is monotonic, the clock of which
 * sched_round is given the time; one call per run. After sched_init, which ends it. */
void sched_measure(uint64_t (*clock_ms)(void));

/* Adds a task, woken, at the end of the round. Task context, before or between rounds. */
void sched_add(struct sched_task *task);

/* The task runs in this round if its turn is still to come, else in the next. Safe from lwIP
 * callbacks and from an ISR (one store). */
void sched_wake(struct sched_task *task);

/* The task runs at or after deadline_ms, or earlier when woken; replaces an earlier deadline. */
void sched_at(struct sched_task *task, uint64_t deadline_ms);

/* The monotonic clock of this round, ms; the same for every task of a round. */
uint64_t sched_now_ms(void);

/* Which round this is: counts up, and round. */
uint32_t sched_rounds(void);

/* Runs every due task once. Returns how long the caller may idle, ms: 0 when something is due. */
uint32_t sched_round(uint64_t now_ms);

#endif

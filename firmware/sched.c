#include "sched.h"

#include <stddef.h>

#include "err.h"

static struct sched_task *first;
static uint64_t round_ms;
static uint32_t rounds;
static uint64_t (*clock_ms)(void); /* NULL: runs are not measured */

void sched_init(void)
{
    first = NULL;
    round_ms = 0;
    clock_ms = NULL;
}

void sched_measure(uint64_t (*clock)(void))
{
    clock_ms = clock;
}

void sched_add(struct sched_task *task)
{
    HERD_ASSERT(task->run != NULL);
    struct sched_task **end = &first;
    while (*end != NULL) {
        HERD_ASSERT(*end != task);
        end = &(*end)->next;
    }
    task->next = NULL;
    task->deadline_ms = SCHED_NEVER;
    task->runs = 0;
    task->longest_ms = 0;
    task->woken = true;
    *end = task;
}

void sched_wake(struct sched_task *task)
{
    task->woken = true;
}

void sched_at(struct sched_task *task, uint64_t deadline_ms)
{
    task->deadline_ms = deadline_ms;
}

uint64_t sched_now_ms(void)
{
    return round_ms;
}

uint32_t sched_rounds(void)
{
    return rounds;
}

/* Time until the next deadline; 0 when a task is due already. */
static uint32_t idle_time(void)
{
    uint64_t soonest = SCHED_NEVER;
    for (const struct sched_task *t = first; t != NULL; t = t->next) {
        if (t->woken) {
            return 0;
        }
        if (t->deadline_ms < soonest) {
            soonest = t->deadline_ms;
        }
    }
    if (soonest <= round_ms) {
        return 0;
    }
    uint64_t wait = soonest - round_ms;
    return wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
}

/* Runs follow each other without a pause: one begins where the last one ended. Returns that moment. */
static uint64_t measure(struct sched_task *task, uint64_t since_ms)
{
    uint64_t now_ms = clock_ms();
    uint32_t took_ms = (uint32_t)(now_ms - since_ms); /* a run of weeks is none */
    if (took_ms > task->longest_ms) {
        task->longest_ms = took_ms;
    }
    return now_ms;
}

uint32_t sched_round(uint64_t now_ms)
{
    HERD_ASSERT(now_ms >= round_ms);
    round_ms = now_ms;
    rounds++;
    uint64_t since_ms = now_ms;
    for (struct sched_task *t = first; t != NULL; t = t->next) {
        if (t->deadline_ms <= now_ms) {
            t->woken = true;
        }
        if (t->woken) {
            /* Cleared first: what happens while the task runs must wake it once more. */
            t->woken = false;
            t->deadline_ms = SCHED_NEVER;
            t->runs++;
            t->run();
            if (clock_ms != NULL) {
                since_ms = measure(t, since_ms);
            }
        }
    }
    return idle_time();
}

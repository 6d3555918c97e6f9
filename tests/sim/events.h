/* The queue of what is to happen: by time, and at one time in the order in which it was asked for. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

struct frame;

struct event {
    sim_ns when;
    uint64_t order;
    struct frame *frame; /* a frame arrives; NULL: run(context, argument) */
    void (*run)(void *context, uint64_t argument);
    void *context;
    uint64_t argument;
};

struct events {
    struct event *heap;
    size_t count;
    size_t capacity;
    uint64_t order;
};

void events_add(struct events *e, struct event event); /* sets its order */
bool events_next(const struct events *e, sim_ns *when);
struct event events_take(struct events *e); /* there is one */
void events_free(struct events *e);

#endif

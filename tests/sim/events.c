#include "events.h"

#include <stdlib.h>

static bool before(const struct event *a, const struct event *b)
{
    return a->when != b->when ? a->when < b->when : a->order < b->order;
}

void events_add(struct events *e, struct event event)
{
    if (e->count == e->capacity) {
        e->capacity = e->capacity == 0 ? 1024 : 2 * e->capacity;
        e->heap = realloc(e->heap, e->capacity * sizeof e->heap[0]);
        if (e->heap == NULL) {
            abort();
        }
    }
    event.order = e->order++;
    size_t at = e->count++;
    while (at > 0 && before(&event, &e->heap[(at - 1) / 2])) {
        e->heap[at] = e->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    e->heap[at] = event;
}

bool events_next(const struct events *e, sim_ns *when)
{
    if (e->count > 0) {
        *when = e->heap[0].when;
    }
    return e->count > 0;
}

struct event events_take(struct events *e)
{
    struct event first = e->heap[0];
    struct event last = e->heap[--e->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= e->count) {
            break;
        }
        if (child + 1 < e->count && before(&e->heap[child + 1], &e->heap[child])) {
            child++;
        }
        if (!before(&e->heap[child], &last)) {
            break;
        }
        e->heap[at] = e->heap[child];
        at = child;
    }
    if (e->count > 0) {
        e->heap[at] = last;
    }
    return first;
}

void events_free(struct events *e)
{
    free(e->heap);
    *e = (struct events){0};
}

/* What nodes and hosts share: an address, an input queue, a next step. */
#include <stdio.h>
#include <string.h>

#include "inside.h"

void station_init(struct world *w, struct station *s, unsigned number)
{
    s->world = w;
    s->number = number;
    memcpy(s->mac, (uint8_t[6]){0x02, 0, 0, 0, 0, (uint8_t)number}, sizeof s->mac);
    s->ip = 10u << 24 | 9u << 16 | (number + 1);
    (void)snprintf(s->address, sizeof s->address, "10.9.0.%u", number + 1);
    s->wake = NEVER;
    s->random = random_of(w->options.seed, "entropy", number);
    w->stations[number] = s;
}

void station_wake(struct station *s, sim_ns when)
{
    when = when < s->ready ? s->ready : when;
    s->wake = when < s->wake ? when : s->wake;
}

static void send_frame(void *context, const uint8_t *frame, size_t bytes)
{
    struct station *s = context;
    wire_send(s->world, s->number, frame, bytes, false);
}

static size_t receive(void *context, uint8_t *frame)
{
    return wire_take(context, frame);
}

static bool has_frame(void *context)
{
    const struct station *s = context;
    return s->input.first != NULL;
}

static void entropy(void *context, void *out, size_t bytes)
{
    struct station *s = context;
    random_bytes(&s->random, out, bytes);
}

__attribute__((noreturn)) static void panic(void *context, const char *file, unsigned line,
                                            const char *what)
{
    struct station *s = context;
    world_fail(s->world, "panic", "station %u: %s:%u: %s", s->number, file, line, what);
    longjmp(s->world->jump, 1);
}

void station_wire(struct station *s, struct abi_wire *wire)
{
    *wire = (struct abi_wire){.context = s,
                              .send = send_frame,
                              .receive = receive,
                              .has_frame = has_frame,
                              .entropy = entropy,
                              .panic = panic,
                              .address = s->ip};
    memcpy(wire->mac, s->mac, sizeof wire->mac);
}

#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

void sim_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "sim: %s:%d: %s\n", file, line, what);
    abort();
}

/* --- Make and free ----------------------------------------------------------------------------------- */

struct world *world_make(const struct world_options *options, FILE *log, bool verbose)
{
    SIM_ASSERT(options->nodes >= 1 && options->nodes <= WORLD_NODES_MAX);
    SIM_ASSERT(options->hosts >= 1 && options->hosts <= WORLD_HOSTS_MAX);
    struct world *w = calloc(1, sizeof *w);
    SIM_ASSERT(w != NULL);
    w->options = *options;
    w->log = log;
    w->verbose = verbose;
    w->hash = UINT64_C(0x6865726473696D31);
    w->inside = NOBODY;
    w->station_count = options->nodes + options->hosts;
    for (unsigned i = 0; i < options->nodes; i++) {
        node_init(w, i);
    }
    for (unsigned i = 0; i < options->hosts; i++) {
        host_init(w, i);
    }
    wire_init(w);
    return w;
}

void world_free(struct world *w)
{
    for (unsigned i = 0; i < w->options.nodes; i++) {
        node_free(&w->nodes[i]);
    }
    for (unsigned i = 0; i < w->station_count; i++) {
        wire_empty(w, &w->stations[i]->input);
    }
    sim_ns when;
    while (events_next(&w->events, &when)) {
        struct event e = events_take(&w->events);
        if (e.frame != NULL) {
            wire_drop(w, e.frame);
        }
    }
    host_free(w);
    wire_free(w);
    events_free(&w->events);
    free(w);
}

void world_listen(struct world *w, const struct world_listener *listener)
{
    w->listener = *listener;
}

/* --- Run --------------------------------------------------------------------------------------------- */

static struct station *soonest(struct world *w)
{
    struct station *found = w->stations[0];
    for (unsigned i = 1; i < w->station_count; i++) {
        if (w->stations[i]->wake < found->wake) {
            found = w->stations[i];
        }
    }
    return found;
}

static void step(struct world *w, struct station *s)
{
    if (s->number < w->options.nodes) {
        node_step(w, &w->nodes[s->number]);
    } else {
        host_step(w, &w->hosts[s->number - w->options.nodes]);
    }
}

bool world_run(struct world *w, sim_ns until)
{
    SIM_ASSERT(!w->running);
    w->running = true;
    w->stopped = false;
    while (!w->failed && !w->stopped) {
        struct station *s = soonest(w);
        sim_ns when = NEVER;
        bool is_event = events_next(&w->events, &when) && when <= s->wake;
        when = is_event ? when : s->wake;
        if (when > until) {
            w->now = until > w->now ? until : w->now;
            break;
        }
        SIM_ASSERT(when >= w->now);
        w->now = when;
        if (!is_event) {
            step(w, s);
            continue;
        }
        struct event e = events_take(&w->events);
        if (e.frame != NULL) {
            wire_arrive(w, e.frame);
        } else {
            e.run(e.context, e.argument);
        }
    }
    w->running = false;
    return !w->failed;
}

void world_stop(struct world *w)
{
    w->stopped = true;
}

void world_at(struct world *w, sim_ns when, void (*run)(void *context, uint64_t argument),
              void *context, uint64_t argument)
{
    SIM_ASSERT(when >= w->now);
    events_add(&w->events,
               (struct event){.when = when, .run = run, .context = context, .argument = argument});
}

/* --- What a run says ---------------------------------------------------------------------------------- */

void world_line(struct world *w, const char *who, const char *line, size_t bytes)
{
    FILE *files[2] = {w->log, w->verbose ? stdout : NULL};
    for (unsigned i = 0; i < 2; i++) {
        if (files[i] != NULL) {
            fprintf(files[i], "%5lld.%06lld %-10s %.*s\n", (long long)(w->now / SIM_S),
                    (long long)(w->now % SIM_S / SIM_US), who, (int)bytes, line);
        }
    }
}

void world_note(struct world *w, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    if (w->log == NULL && !w->verbose) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    world_line(w, "*", line, strlen(line));
}

void world_fail(struct world *w, const char *invariant, const char *format, ...)
{
    va_list arguments;
    if (w->failed) {
        return;
    }
    w->failed = true;
    (void)snprintf(w->invariant, sizeof w->invariant, "%s", invariant);
    va_start(arguments, format);
    (void)vsnprintf(w->failure, sizeof w->failure, format, arguments);
    va_end(arguments);
    world_note(w, "FAILED %s: %s", w->invariant, w->failure);
}

bool world_failed(const struct world *w)
{
    return w->failed;
}

/* Eight bytes at a time; the same on every host of this byte order. */
void world_hash_add(struct world *w, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    uint64_t hash = w->hash ^ bytes;
    while (bytes > 0) {
        uint64_t word = 0;
        size_t part = bytes < sizeof word ? bytes : sizeof word;
        memcpy(&word, from, part);
        hash = (hash ^ word) * UINT64_C(0x9FB21C651E98DF25);
        hash ^= hash >> 32;
        from += part;
        bytes -= part;
    }
    w->hash = hash;
}

uint64_t world_hash(const struct world *w)
{
    return w->hash;
}

uint64_t world_fired(const struct world *w, enum world_fault fault)
{
    return w->fired[fault];
}

const char *world_fault_name(enum world_fault fault)
{
    static const char *const names[FAULT_COUNT] = {
        [FAULT_LOSS] = "loss",
        [FAULT_DUPLICATE] = "duplicate",
        [FAULT_REORDER] = "reorder",
        [FAULT_JITTER] = "jitter",
        [FAULT_BANDWIDTH] = "bandwidth",
        [FAULT_NOISE] = "noise",
        [FAULT_CUT_ONE_WAY] = "cut-one-way",
        [FAULT_CUT_BOTH] = "cut-both",
        [FAULT_FLAP] = "flap",
        [FAULT_CRASH] = "crash",
        [FAULT_RESTART] = "restart",
        [FAULT_STOP] = "stop",
        [FAULT_FREEZE] = "freeze",
        [FAULT_FREEZE_DROP] = "freeze-drop",
        [FAULT_CLOCK_JUMP] = "clock-jump",
        [FAULT_CLOCK_DRIFT] = "clock-drift",
        [FAULT_CLOCK_WRAP] = "clock-wrap",
        [FAULT_CLIENT_FIN] = "client-fin",
        [FAULT_CLIENT_RST] = "client-rst",
        [FAULT_CLIENT_STALL] = "client-stall",
        [FAULT_CLIENT_PIECES] = "client-pieces",
        [FAULT_INJECT] = "inject",
    };
    return names[fault];
}

/* --- Small questions ---------------------------------------------------------------------------------- */

sim_ns world_now(const struct world *w)
{
    return w->now;
}

uint64_t world_seed(const struct world *w)
{
    return w->options.seed;
}

unsigned world_nodes(const struct world *w)
{
    return w->options.nodes;
}

unsigned world_hosts(const struct world *w)
{
    return w->options.hosts;
}

unsigned world_host(const struct world *w, unsigned host)
{
    SIM_ASSERT(host < w->options.hosts);
    return w->options.nodes + host;
}

struct random world_random(const struct world *w, const char *purpose, uint64_t index)
{
    return random_of(w->options.seed, purpose, index);
}

const char *world_address(const struct world *w, unsigned station)
{
    SIM_ASSERT(station < w->station_count);
    return w->stations[station]->address;
}

uint32_t world_ip(const struct world *w, unsigned station)
{
    SIM_ASSERT(station < w->station_count);
    return w->stations[station]->ip;
}

void world_mac(const struct world *w, unsigned station, uint8_t mac[6])
{
    SIM_ASSERT(station < w->station_count);
    memcpy(mac, w->stations[station]->mac, 6);
}

struct world_steps world_steps(const struct world *w)
{
    return w->steps;
}

/* Nodes: start, step, crash; their clocks and consoles. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inside.h"

#define CPU_STEPS 16

enum { JUMP_PANIC = 1, JUMP_RESTART = 2 };

static struct node *node_of(struct world *w, unsigned node)
{
    SIM_ASSERT(node < w->options.nodes);
    return &w->nodes[node];
}

/* --- Clocks ------------------------------------------------------------------------------------------ */

static sim_ns pace_now(const struct node *n, sim_ns now)
{
    return n->pace_at_since + (sim_ns)((__int128)(now - n->since) * (1000000 + n->ppm) / 1000000);
}

static struct abi_time time_of(const struct node *n, sim_ns now)
{
    sim_ns pace = pace_now(n, now);
    return (struct abi_time){.ms = n->boot_ms + (uint64_t)((pace - n->boot_pace) / SIM_MS),
                             .wall_ns = WORLD_EPOCH_NS + pace + n->wall_offset,
                             .knows_wall = n->knows_wall};
}

/* When its millisecond clock shows `ms`. */
static sim_ns when_shows(const struct node *n, uint64_t ms)
{
    sim_ns pace = n->boot_pace + (sim_ns)(ms - n->boot_ms) * SIM_MS;
    __int128 ahead = (__int128)(pace - n->pace_at_since) * 1000000;
    __int128 pace_ppm = 1000000 + n->ppm;
    return n->since + (sim_ns)((ahead + pace_ppm - 1) / pace_ppm);
}

void world_clock_jump(struct world *w, unsigned node, int64_t by_ns)
{
    struct node *n = node_of(w, node);
    n->wall_offset += by_ns;
    world_note(w, "clock of %s jumps by %lld ns", n->name, (long long)by_ns);
    if (n->state != NODE_OFF && by_ns != 0) {
        world_fire(w, FAULT_CLOCK_JUMP);
    }
}

void world_clock_drift(struct world *w, unsigned node, int32_t ppm)
{
    struct node *n = node_of(w, node);
    SIM_ASSERT(ppm > -900000 && ppm < 900000);
    n->pace_at_since = pace_now(n, w->now);
    n->since = w->now;
    if (n->state != NODE_OFF && ppm != n->ppm) {
        world_fire(w, FAULT_CLOCK_DRIFT);
        station_wake(&n->station, w->now); /* its deadline is at another time now */
    }
    n->ppm = ppm;
}

int64_t world_wall_ns(const struct world *w, unsigned node)
{
    SIM_ASSERT(node < w->options.nodes);
    return time_of(&w->nodes[node], w->now).wall_ns;
}

/* --- What a node asks of the engine ------------------------------------------------------------------ */

static void take_text(struct node *n, struct line *line, bool is_log, const char *data,
                      size_t bytes)
{
    struct world *w = n->station.world;
    const struct world_listener *l = &w->listener;
    while (bytes > 0) {
        const char *end = memchr(data, '\n', bytes);
        size_t part = end == NULL ? bytes : (size_t)(end - data);
        size_t room = sizeof line->at - line->bytes;
        memcpy(line->at + line->bytes, data, part < room ? part : room);
        line->bytes += part < room ? part : room;
        data += part + (end != NULL);
        bytes -= part + (end != NULL);
        if (end == NULL) {
            break;
        }
        if (w->log != NULL || w->verbose) {
            char who[48];
            (void)snprintf(who, sizeof who, "%s%s", n->name, is_log ? "" : ">");
            world_line(w, who, line->at, line->bytes);
        }
        size_t taken = line->bytes;
        line->bytes = 0;
        if (is_log && l->on_log != NULL) {
            l->on_log(l->context, n->station.number, line->at, taken);
        } else if (!is_log && l->on_answer != NULL) {
            l->on_answer(l->context, n->station.number, line->at, taken);
        }
    }
}

static void on_log(void *context, const char *data, size_t bytes)
{
    struct node *n = context;
    take_text(n, &n->log, true, data, bytes);
}

static void on_answer(void *context, const char *data, size_t bytes)
{
    struct node *n = context;
    take_text(n, &n->answer, false, data, bytes);
}

static size_t on_typed(void *context, char *data, size_t bytes)
{
    struct node *n = context;
    bytes = bytes < n->typed_bytes ? bytes : n->typed_bytes;
    if (bytes > 0) {
        memcpy(data, n->typed, bytes);
        n->typed_bytes -= bytes;
        memmove(n->typed, n->typed + bytes, n->typed_bytes);
    }
    return bytes;
}

static size_t on_tamper(void *context, uint8_t *more)
{
    struct node *n = context;
    size_t bytes = n->tamper_bytes;
    memcpy(more, n->tamper, bytes);
    n->tampered += bytes > 0;
    n->tamper_bytes = 0;
    return bytes;
}

void world_tamper(struct world *w, unsigned node, const void *frames, size_t bytes)
{
    struct node *n = node_of(w, node);
    SIM_ASSERT(bytes > 0 && bytes <= sizeof n->tamper);
    memcpy(n->tamper, frames, bytes);
    n->tamper_bytes = bytes;
}

unsigned world_tampered(const struct world *w, unsigned node)
{
    SIM_ASSERT(node < w->options.nodes);
    return w->nodes[node].tampered;
}

static void on_set_wall(void *context, int64_t wall_ns)
{
    struct node *n = context;
    n->wall_offset = wall_ns - WORLD_EPOCH_NS - pace_now(n, n->station.world->now);
    n->knows_wall = true;
}

__attribute__((noreturn)) static void on_restart(void *context)
{
    struct node *n = context;
    longjmp(n->station.world->jump, JUMP_RESTART);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * SIM_S + t.tv_nsec;
}

/* Elapsed time costs some 20 ns to ask for, CPU time ten times as much. */
static int64_t host_ns(const struct world *w)
{
    return read_clock(w->precise_steps ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

static int64_t on_host_ns(void *context)
{
    const struct node *n = context;
    return host_ns(n->station.world);
}

void world_type(struct world *w, unsigned node, const char *line)
{
    struct node *n = node_of(w, node);
    size_t bytes = strlen(line);
    if (n->state == NODE_OFF) {
        return;
    }
    n->typed = realloc(n->typed, n->typed_bytes + bytes + 1);
    SIM_ASSERT(n->typed != NULL);
    memcpy(n->typed + n->typed_bytes, line, bytes);
    n->typed[n->typed_bytes + bytes] = '\n';
    n->typed_bytes += bytes + 1;
    station_wake(&n->station, w->now);
}

/* --- Power ------------------------------------------------------------------------------------------- */

void node_init(struct world *w, unsigned node)
{
    struct node *n = &w->nodes[node];
    station_init(w, &n->station, node);
    station_wire(&n->station, &n->host.wire);
    n->host.log = on_log;
    n->host.answer = on_answer;
    n->host.typed = on_typed;
    n->host.tamper = on_tamper;
    n->host.set_wall = on_set_wall;
    n->host.restart = on_restart;
    n->host.host_ns = on_host_ns;
    n->host.flash = n->flash;
    memset(n->flash, 0xFF, sizeof n->flash);
}

void node_free(struct node *n)
{
    free(n->herd);
    free(n->name);
    free(n->keys);
    free(n->typed);
}

static void switch_off(struct world *w, struct node *n)
{
    n->state = NODE_OFF;
    n->stopping = false;
    n->station.wake = NEVER;
    n->typed_bytes = 0;
    n->tamper_bytes = 0;
    n->log.bytes = 0;
    n->answer.bytes = 0;
    wire_empty(w, &n->station.input);
}

static bool switch_on(struct world *w, struct node *n, uint64_t clock_ms)
{
    volatile bool ok = false;
    n->boot_ms = clock_ms;
    n->boot_pace = pace_now(n, w->now);
    n->last_ms = clock_ms;
    n->knows_wall = n->knew_time;
    n->busy = 0;
    n->boots++;
    n->station.random =
        random_of(w->options.seed, "entropy", n->station.number + n->boots * UINT64_C(256));
    n->state = NODE_RUNNING;
    n->image = image_node(n->kind, n->station.number);
    const struct abi_time now = time_of(n, w->now);
    const struct abi_node_boot boot = {.herd = n->herd, .name = n->name, .keys = n->keys};
    unsigned outside = w->inside;
    jmp_buf outer; /* a callback of another node's step may be what starts this one */
    memcpy(&outer, &w->jump, sizeof outer);
    w->inside = n->station.number;
    n->error[0] = '\0';
    if (setjmp(w->jump) == 0) {
        ok = n->image->start(&n->host, &boot, &now, n->error, sizeof n->error);
    }
    memcpy(&w->jump, &outer, sizeof outer);
    w->inside = outside;
    if (!ok) {
        switch_off(w, n);
        return false;
    }
    station_wake(&n->station, w->now);
    return true;
}

bool world_start(struct world *w, unsigned node, const struct world_boot *boot)
{
    struct node *n = node_of(w, node);
    SIM_ASSERT(n->state == NODE_OFF);
    free(n->herd);
    free(n->name);
    free(n->keys);
    n->herd = strdup(boot->herd);
    n->name = strdup(boot->name);
    n->keys = strdup(boot->keys == NULL ? "" : boot->keys);
    n->knew_time = boot->knows_time;
    n->kind = boot->small ? IMAGE_NODE_SMALL : IMAGE_NODE;
    SIM_ASSERT(n->herd != NULL && n->name != NULL && n->keys != NULL);
    return switch_on(w, n, boot->clock_ms);
}

const char *world_node_error(const struct world *w, unsigned node)
{
    SIM_ASSERT(node < w->options.nodes);
    return w->nodes[node].error;
}

void world_crash(struct world *w, unsigned node)
{
    struct node *n = node_of(w, node);
    SIM_ASSERT(w->inside != node);
    if (n->state != NODE_OFF) {
        world_fire(w, FAULT_CRASH);
        world_note(w, "crash %s", n->name);
        switch_off(w, n);
    }
}

bool world_restart(struct world *w, unsigned node, uint64_t clock_ms)
{
    struct node *n = node_of(w, node);
    SIM_ASSERT(n->state == NODE_OFF && n->boots > 0);
    world_fire(w, FAULT_RESTART);
    world_note(w, "start %s again", n->name);
    return switch_on(w, n, clock_ms);
}

void world_stop_node(struct world *w, unsigned node)
{
    struct node *n = node_of(w, node);
    if (n->state == NODE_OFF || n->stopping) {
        return;
    }
    const struct abi_time now = time_of(n, w->now);
    world_fire(w, FAULT_STOP);
    world_note(w, "stop %s", n->name);
    n->stopping = true;
    jmp_buf outer;
    memcpy(&outer, &w->jump, sizeof outer);
    if (setjmp(w->jump) == 0) {
        n->image->stop(&now);
    }
    memcpy(&w->jump, &outer, sizeof outer);
    station_wake(&n->station, w->now);
}

void world_freeze(struct world *w, unsigned node, bool frozen)
{
    struct node *n = node_of(w, node);
    if (n->state == NODE_OFF || (n->state == NODE_FROZEN) == frozen) {
        return;
    }
    n->state = frozen ? NODE_FROZEN : NODE_RUNNING;
    world_note(w, "%s %s", frozen ? "freeze" : "thaw", n->name);
    n->asleep_told = false;
    n->station.ready = w->now;
    station_wake(&n->station, w->now);
}

enum world_node_state world_node_state(const struct world *w, unsigned node)
{
    SIM_ASSERT(node < w->options.nodes);
    const struct node *n = &w->nodes[node];
    return n->state == NODE_RUNNING && n->stopping ? NODE_STOPPING : n->state;
}

unsigned world_node_boots(const struct world *w, unsigned node)
{
    SIM_ASSERT(node < w->options.nodes);
    return w->nodes[node].boots;
}

void world_probe(const struct world *w, unsigned node, struct world_probe *out)
{
    SIM_ASSERT(node < w->options.nodes && w->nodes[node].state != NODE_OFF);
    w->nodes[node].image->probe(out);
}

/* --- Steps ------------------------------------------------------------------------------------------- */

/* A step that seems long may only have waited for the host: it cannot have taken more CPU time than passed
 * since some steps before it. */
static int64_t at_most(struct world *w, int64_t took_ns)
{
    if (took_ns > WORLD_STEP_NS_MAX || w->steps.count % CPU_STEPS == 0) {
        int64_t before_ns = w->cpu_ns;
        w->cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
        int64_t most_ns = w->cpu_ns - before_ns;
        return most_ns < took_ns ? most_ns : took_ns;
    }
    return took_ns;
}

static void note_step(struct world *w, const struct node *n, int64_t took_ns)
{
    took_ns = at_most(w, took_ns);
    w->steps.count++;
    if (took_ns > w->steps.worst_ns) {
        w->steps.worst_ns = took_ns;
        w->steps.worst_step = w->steps.count;
        w->steps.worst_node = n->station.number;
    }
    if (w->steps.count == w->watched_step) {
        w->watched_ns = took_ns;
    }
}

/* The next step is due when its clock shows so many ms more, or when something comes. */
static void sleep_for(struct world *w, struct node *n, uint64_t now_ms, uint64_t idle_ms)
{
    n->station.ready = w->now + STEP_NS;
    n->station.wake = NEVER;
    if (idle_ms == 0 || n->station.input.count > 0 || n->typed_bytes > 0 || n->stopping) {
        station_wake(&n->station, n->station.ready);
    }
    if (idle_ms == 0) {
        n->busy++;
        if (n->busy == SPIN_STEPS) {
            world_fail(w, "spin", "%s has something to do in %u rounds on end", n->name, n->busy);
        }
        return;
    }
    n->busy = 0;
    if (idle_ms != ABI_NEVER) {
        station_wake(&n->station, when_shows(n, now_ms + idle_ms));
    }
}

void node_step(struct world *w, struct node *n)
{
    volatile uint64_t idle_ms = 0;
    volatile bool stopped = false;
    if (n->state == NODE_FROZEN) {
        n->station.wake = NEVER; /* world_freeze wakes it */
        if (!n->asleep_told) {
            n->asleep_told = true;
            world_fire(w, FAULT_FREEZE);
        }
        return;
    }
    const struct abi_time now = time_of(n, w->now);
    if (now.ms >> 32 != n->last_ms >> 32) {
        world_fire(w, FAULT_CLOCK_WRAP);
    }
    n->last_ms = now.ms;
    w->inside = n->station.number;
    int jumped = setjmp(w->jump);
    if (jumped == 0) {
        int64_t since_ns = host_ns(w);
        idle_ms = n->image->step(&now);
        note_step(w, n, host_ns(w) - since_ns - n->image->crypto_ns());
        stopped = n->stopping && n->image->has_stopped(&now);
    }
    w->inside = NOBODY;
    if (jumped == JUMP_RESTART) {
        switch_off(w, n);
        world_fire(w, FAULT_RESTART);
        (void)switch_on(w, n, 0);
    } else if (jumped != 0 || stopped) {
        switch_off(w, n);
    } else {
        sleep_for(w, n, now.ms, idle_ms);
    }
}

/* The engine's own scenario: a herd in peace. Fifty devices report at all nodes; then every node must answer
 * the same for each of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herd_file.h"
#include "inside.h"

#define DEVICES    50u
#define SETTLE_NS  (3 * SIM_S)
#define TEXT_BYTES 16384
#define REPORT_GAP (40 * SIM_MS)

struct asked {
    int connection;
    char text[TEXT_BYTES];
    size_t bytes;
};

struct smoke {
    struct world *w;
    struct random random;
    int reporters[WORLD_NODES_MAX];
    struct asked asked[WORLD_NODES_MAX];
    unsigned reported;
    unsigned answers;
    unsigned stamp;
};

static void on_data(void *context, int connection, const uint8_t *data, size_t bytes)
{
    struct smoke *s = context;
    for (unsigned i = 0; i < world_nodes(s->w); i++) {
        if (s->asked[i].connection == connection) {
            SIM_ASSERT(s->asked[i].bytes + bytes < TEXT_BYTES);
            memcpy(s->asked[i].text + s->asked[i].bytes, data, bytes);
            s->asked[i].bytes += bytes;
            return;
        }
    }
    for (size_t i = 0; i < bytes; i++) {
        s->answers += data[i] == '\n';
    }
}

static void on_closed(void *context, int connection, int reason)
{
    struct smoke *s = context;
    world_fail(s->w, "connected", "connection %d was closed (%d)", connection, reason);
}

static void report(void *context, uint64_t until)
{
    struct smoke *s = context;
    char line[160];
    unsigned node = (unsigned)random_below(&s->random, world_nodes(s->w));
    unsigned device = (unsigned)random_below(&s->random, DEVICES);
    int64_t stamp_ns = WORLD_EPOCH_NS + world_now(s->w);
    int bytes = snprintf(line, sizeof line, "IAMAT device%u +%02u.%06u-118.%06u %lld.%09lld\n",
                         s->reported < DEVICES ? s->reported : device,
                         (unsigned)random_below(&s->random, 90), s->stamp, s->reported,
                         (long long)(stamp_ns / SIM_S), (long long)(stamp_ns % SIM_S));
    s->stamp = (s->stamp + 7919) % 1000000;
    s->reported++;
    world_send(s->w, s->reporters[node], line, (size_t)bytes, random_below(&s->random, 3) * 7);
    if (world_now(s->w) + REPORT_GAP < (sim_ns)until) {
        world_at(s->w, world_now(s->w) + REPORT_GAP, report, s, until);
    }
}

/* The first line is the record; the second, empty places. */
static void compare(struct smoke *s)
{
    for (unsigned i = 0; i < world_nodes(s->w); i++) {
        const struct asked *a = &s->asked[i];
        if (a->bytes == 0 || a->bytes != s->asked[0].bytes ||
            memcmp(a->text, s->asked[0].text, a->bytes) != 0) {
            world_fail(s->w, "converge", "%s answers otherwise than %s (%zu and %zu bytes)",
                       herd_file_name(i), herd_file_name(0), a->bytes, s->asked[0].bytes);
        }
    }
    if (s->answers != s->reported) {
        world_fail(s->w, "answers", "%u answers to %u reports", s->answers, s->reported);
    }
}

static bool start(struct smoke *s, const struct scenario_options *options)
{
    for (unsigned i = 0; i < world_nodes(s->w); i++) {
        if (!herd_file_start(s->w, i, options->suite, 1, UINT32_MAX - 30000u - 1000u * i)) {
            return false;
        }
    }
    return true;
}

static void run(struct world *w, const struct scenario_options *options)
{
    struct smoke *s = calloc(1, sizeof *s);
    SIM_ASSERT(s != NULL);
    s->w = w;
    s->random = world_random(w, "smoke", 0);
    world_listen(
        w, &(struct world_listener){.context = s, .on_data = on_data, .on_closed = on_closed});
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++) {
        s->asked[i].connection = -1;
    }
    if (start(s, options) && world_run(w, SIM_S)) {
        for (unsigned i = 0; i < world_nodes(w); i++) {
            s->reporters[i] = world_connect(w, 0, i, WORLD_CLIENT_PORT);
        }
        world_at(w, world_now(w), report, s, (uint64_t)options->duration_ns);
        (void)world_run(w, options->duration_ns + SETTLE_NS);
        for (unsigned i = 0; i < world_nodes(w); i++) {
            s->asked[i].connection = world_connect(w, 0, i, WORLD_CLIENT_PORT);
            for (unsigned d = 0; d < DEVICES; d++) {
                char line[64];
                int bytes = snprintf(line, sizeof line, "WHATSAT device%u 0 0\n", d);
                world_send(w, s->asked[i].connection, line, (size_t)bytes, 0);
            }
        }
        if (world_run(w, world_now(w) + SETTLE_NS)) {
            compare(s);
        }
    }
    free(s);
}

const struct scenario scenario_smoke = {
    .name = "smoke",
    .what = "a herd in peace: fifty devices, all nodes answer the same",
    .hosts = 1,
    .run = run};

/* New keys for a herd that works: the nodes get their new files one after another, in any order, and start
 * again with them. Whoever has the new file dials with a key that the others know as their next, so every link
 * is up again within seconds, at every moment of the rotation; nothing that was reported is lost. A node that is
 * two rotations ahead has no link, and disturbs nobody's. */
#include <stdlib.h>

#include "herd_file.h"
#include "inside.h"
#include "load.h"

#define ROTATIONS 3u
#define LINKED_NS (12 * SIM_S) /* after a start: back-off of the neighbours' dials, handshake */
#define LOOK_NS   (100 * SIM_MS)

struct rotate {
    struct world *w;
    const struct scenario_options *options;
    struct random random;
    struct load load;
    unsigned links[WORLD_NODES_MAX]; /* of each node, when all are up */
    unsigned number[WORLD_NODES_MAX];
    uint64_t old_keys; /* counted by nodes that have started again since */
};

static void on_data(void *context, int connection, const uint8_t *data, size_t bytes)
{
    struct rotate *r = context;
    load_data(&r->load, connection, data, bytes);
}

static void on_closed(void *context, int connection, int reason)
{
    struct rotate *r = context;
    (void)reason;
    load_closed(&r->load, connection);
}

static uint64_t old_keys(const struct rotate *r, unsigned node)
{
    struct world_probe probe;
    world_probe(r->w, node, &probe);
    return probe.auth_old_key;
}

/* Runs until every node has all its links, but for `without` and its neighbours'. */
static void wait_for_links(struct rotate *r, const char *when)
{
    sim_ns until = world_now(r->w) + LINKED_NS;
    struct world_probe probe;
    unsigned missing = 1;
    while (missing > 0 && world_now(r->w) < until && world_run(r->w, world_now(r->w) + LOOK_NS)) {
        missing = 0;
        for (unsigned i = 0; i < world_nodes(r->w); i++) {
            world_probe(r->w, i, &probe);
            missing += r->links[i] - probe.links_up;
        }
    }
    if (missing > 0) {
        world_fail(r->w, "rotate", "%s %u ends of links are missing after %d s", when, missing,
                   (int)(LINKED_NS / SIM_S));
    }
}

static void restart_with(struct rotate *r, unsigned node, unsigned number)
{
    r->old_keys += old_keys(r, node);
    world_stop_node(r->w, node);
    (void)world_run(r->w, world_now(r->w) + SIM_S);
    world_note(r->w, "%s has key %u, and the next", herd_file_name(node), number);
    r->number[node] = number;
    (void)herd_file_start(r->w, node, r->options->suite, number, 0);
}

static void rotate_all(struct rotate *r)
{
    unsigned order[WORLD_NODES_MAX];
    unsigned nodes = world_nodes(r->w);
    for (unsigned i = 0; i < nodes; i++) {
        unsigned j = (unsigned)random_below(&r->random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (unsigned i = 0; i < nodes && !world_failed(r->w); i++) {
        restart_with(r, order[i], herd_file_number_after(r->number[order[i]]));
        wait_for_links(r, "during a rotation");
    }
}

/* It dials with a key that nobody has yet. */
static void go_too_far(struct rotate *r, unsigned node)
{
    struct world_probe probe;
    unsigned number = r->number[node];
    restart_with(r, node, herd_file_number_after(herd_file_number_after(number)));
    if (!world_run(r->w, world_now(r->w) + LINKED_NS)) {
        return;
    }
    for (unsigned i = 0; i < world_nodes(r->w); i++) {
        world_probe(r->w, i, &probe);
        if (i == node ? probe.links_up != 0
                      : probe.auth_unknown == 0 && probe.links_up < r->links[i]) {
            world_fail(r->w, "rotate", "%s is two rotations ahead; %s has %u links, %u unknown",
                       herd_file_name(node), herd_file_name(i), probe.links_up, probe.auth_unknown);
        }
    }
    restart_with(r, node, number);
    wait_for_links(r, "when the node is back");
}

static bool start(struct rotate *r)
{
    struct herd_file_edge edges[3 * WORLD_NODES_MAX];
    unsigned count = herd_file_shape(world_nodes(r->w), edges, 3 * WORLD_NODES_MAX);
    for (unsigned i = 0; i < count; i++) {
        r->links[edges[i].a]++;
        r->links[edges[i].b]++;
    }
    for (unsigned i = 0; i < world_nodes(r->w); i++) {
        r->number[i] = 65534; /* numbers go round within the run */
        if (!herd_file_start(r->w, i, r->options->suite, r->number[i], 0)) {
            return false;
        }
    }
    wait_for_links(r, "at the start");
    return !world_failed(r->w);
}

static void run(struct world *w, const struct scenario_options *options)
{
    struct rotate *r = calloc(1, sizeof *r);
    SIM_ASSERT(r != NULL && world_nodes(w) > 1);
    r->w = w;
    r->options = options;
    r->random = world_random(w, "rotate", 0);
    world_listen(
        w, &(struct world_listener){.context = r, .on_data = on_data, .on_closed = on_closed});
    if (start(r)) {
        load_begin(&r->load, w);
        for (unsigned i = 0; i < ROTATIONS && !world_failed(w); i++) {
            rotate_all(r);
        }
        if (!world_failed(w)) {
            go_too_far(r, (unsigned)random_below(&r->random, world_nodes(w)));
        }
        if (!world_failed(w)) {
            load_compare(&r->load);
        }
        for (unsigned i = 0; i < world_nodes(w) && !world_failed(w); i++) {
            r->old_keys += old_keys(r, i);
        }
        if (r->old_keys == 0) {
            world_fail(w, "rotate", "nobody was ever refused for an old key");
        }
        load_free(&r->load);
    }
    free(r);
}

const struct scenario scenario_rotate = {.name = "rotate",
                                         .what = "new keys for one node after another, under load",
                                         .hosts = 1,
                                         .run = run};

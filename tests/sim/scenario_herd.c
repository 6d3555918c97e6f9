#include "scenario_herd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"
#include "workload_lines.h"

/* The names of both old herds, and some whose bytewise order surprises. */
static const char *const known_names[] = {
    "Bailey", "Bona",   "Campbell", "Clark", "Jaquez", "Goloman", "Hands",  "Holiday",
    "Welsh",  "Wilkes", "a",        "A",     "node-1", "node-10", "node-2", "Z.z_z",
};
#define KNOWN_NAMES (sizeof known_names / sizeof known_names[0])

static void choose_names(struct herd *h, struct random *r)
{
    unsigned order[KNOWN_NAMES];
    for (unsigned i = 0; i < KNOWN_NAMES; i++) {
        order[i] = i;
    }
    for (unsigned i = KNOWN_NAMES - 1; i > 0; i--) {
        unsigned j = (unsigned)random_below(r, i + 1);
        unsigned other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
    for (unsigned node = 0; node < h->nodes; node++) {
        if (node < KNOWN_NAMES) {
            (void)snprintf(h->name[node], HERD_NAME_BYTES, "%s", known_names[order[node]]);
        } else {
            (void)snprintf(h->name[node], HERD_NAME_BYTES, "more-%u", node);
        }
        h->names[node] = h->name[node];
    }
}

/* --- Who is linked with whom ------------------------------------------------------------------------ */

static void join(struct herd *h, unsigned a, unsigned b)
{
    if (a != b && !h->linked[a][b]) {
        h->linked[a][b] = true;
        h->linked[b][a] = true;
        h->links[a]++;
        h->links[b]++;
    }
}

static void join_old(struct herd *h, struct random *r)
{
    /* Goloman Hands Holiday Welsh Wilkes; Bailey Bona Campbell Clark Jaquez */
    static const uint8_t of_2018[][2] = {{0, 1}, {0, 2}, {0, 4}, {1, 4}, {2, 3}, {2, 4}};
    static const uint8_t of_2023[][2] = {{3, 4}, {3, 1}, {2, 0}, {2, 1}, {2, 4}, {1, 0}};
    bool newer = random_chance(r, 500000);
    if (h->nodes == 5) {
        for (unsigned i = 0; i < 6; i++) {
            const uint8_t *edge = newer ? of_2023[i] : of_2018[i];
            join(h, edge[0], edge[1]);
        }
        return;
    }
    for (unsigned node = 0; node < h->nodes; node++) {
        join(h, node, (node + 1) % h->nodes);
    }
    join(h, 0, h->nodes / 2);
}

static void join_all(struct herd *h, struct random *r)
{
    for (unsigned node = 0; node < h->nodes; node++) {
        switch (h->shape) {
        case HERD_CHAIN:
            if (node > 0) {
                join(h, node - 1, node);
            }
            break;
        case HERD_RING:
            join(h, node, (node + 1) % h->nodes);
            break;
        case HERD_STAR:
            join(h, 0, node);
            break;
        case HERD_TREE:
            if (node > 0) {
                join(h, (unsigned)random_below(r, node), node);
            }
            break;
        case HERD_FULL:
            for (unsigned other = 0; other < node; other++) {
                join(h, other, node);
            }
            break;
        case HERD_OLD:
        default:
            break;
        }
    }
    if (h->shape == HERD_OLD) {
        join_old(h, r);
    }
}

const char *herd_shape_name(enum herd_shape shape)
{
    static const char *const names[HERD_SHAPES] = {"chain", "ring", "old", "full", "star", "tree"};
    return shape < HERD_SHAPES ? names[shape] : "?";
}

/* --- Files ------------------------------------------------------------------------------------------ */

static char *text_of(struct lines_buffer *b)
{
    lines_put(b, "", 1);
    return b->at;
}

static char *herd_text(const struct herd *h, struct world *w, enum scenario_suite suite)
{
    struct lines_buffer b = {NULL, 0, 0};
    char line[200];
    (void)snprintf(line, sizeof line, "[herd]\nreport_bytes = %d\nskew_max = %d\n%s",
                   WORKLOAD_REPORT_BYTES, WORKLOAD_SKEW_MAX_S,
                   suite == SUITE_ECDHE_PSK ? "link_suite = ecdhe-psk\n" : "");
    lines_text(&b, line);
    for (unsigned node = 0; node < h->nodes; node++) {
        (void)snprintf(line, sizeof line,
                       "[node %s]\naddress = %s\nmask = 255.255.0.0\nport = %d\nlink_port = %d\n",
                       h->names[node], world_address(w, node), WORLD_CLIENT_PORT, WORLD_LINK_PORT);
        lines_text(&b, line);
    }
    lines_text(&b, "[links]\n");
    for (unsigned node = 0; node < h->nodes; node++) {
        bool any = false;
        for (unsigned other = node + 1; other < h->nodes; other++) {
            if (h->linked[node][other]) {
                lines_text(&b, any ? " " : h->names[node]);
                lines_text(&b, any ? "" : " = ");
                lines_text(&b, h->names[other]);
                any = true;
            }
        }
        lines_text(&b, any ? "\n" : "");
    }
    lines_text(&b, "[places]\nprovider = none\n[limits]\nidle_seconds = 30\n[log]\nlevel = warn\n");
    return text_of(&b);
}

void herd_key(const struct world *w, unsigned number, unsigned one, unsigned other,
              char out[HERD_KEY_BYTES])
{
    unsigned low = one < other ? one : other;
    unsigned high = one < other ? other : one;
    struct random r = world_random(w, "keys", (uint64_t)low << 32 | high << 16 | number);
    int used = snprintf(out, HERD_KEY_BYTES, "%u:", number);
    for (unsigned i = 0; i < 32; i++) {
        used += snprintf(out + used, HERD_KEY_BYTES - (size_t)used, "%02x",
                         (unsigned)random_below(&r, 256));
    }
}

static char *keys_text(const struct herd *h, const struct world *w, unsigned node)
{
    struct lines_buffer b = {NULL, 0, 0};
    lines_text(&b, "[keys ");
    lines_text(&b, h->names[node]);
    lines_text(&b, "]\n");
    for (unsigned other = 0; other < h->nodes; other++) {
        if (h->linked[node][other]) {
            lines_text(&b, h->names[other]);
            char now[HERD_KEY_BYTES];
            char next[HERD_KEY_BYTES];
            herd_key(w, HERD_KEY_NOW, node, other, now);
            herd_key(w, HERD_KEY_NOW + 1, node, other, next);
            lines_text(&b, " = ");
            lines_text(&b, now);
            lines_text(&b, " ");
            lines_text(&b, next);
            lines_text(&b, "\n");
        }
    }
    return text_of(&b);
}

struct herd *herd_new(struct world *w, unsigned nodes, enum scenario_suite suite,
                      enum herd_shape shape)
{
    struct herd *h = calloc(1, sizeof *h);
    struct random r = world_random(w, "herd", 0);
    if (h == NULL) {
        abort();
    }
    h->nodes = nodes;
    enum herd_shape any = (enum herd_shape)random_below(&r, HERD_SHAPES);
    h->shape = shape == HERD_SHAPES ? any : shape;
    if (h->nodes > 9 && (h->shape == HERD_FULL || h->shape == HERD_STAR || h->shape == HERD_TREE)) {
        h->shape = HERD_RING; /* a node has at most eight neighbours */
    }
    choose_names(h, &r);
    join_all(h, &r);
    h->text = herd_text(h, w, suite);
    for (unsigned node = 0; node < h->nodes; node++) {
        h->keys[node] = keys_text(h, w, node);
    }
    return h;
}

void herd_free(struct herd *h)
{
    free(h->text);
    for (unsigned node = 0; node < h->nodes; node++) {
        free(h->keys[node]);
    }
    free(h);
}

#include "herd_file.h"

#include <stdarg.h>
#include <stdio.h>

#include "inside.h"

const char *herd_file_name(unsigned node)
{
    static const char *const bailey[] = {"Bailey", "Bona", "Campbell", "Clark", "Jaquez"};
    static char names[WORLD_NODES_MAX][8];
    if (node < sizeof bailey / sizeof bailey[0]) {
        return bailey[node];
    }
    SIM_ASSERT(node < WORLD_NODES_MAX);
    (void)snprintf(names[node], sizeof names[node], "Node%02u", node % 100);
    return names[node];
}

unsigned herd_file_shape(unsigned nodes, struct herd_file_edge *edges, unsigned max)
{
    static const struct herd_file_edge bailey[] = {{3, 4}, {3, 1}, {2, 0}, {2, 1}, {2, 4}, {1, 0}};
    unsigned count = 0;
    if (nodes == 5) {
        SIM_ASSERT(max >= sizeof bailey / sizeof bailey[0]);
        for (; count < sizeof bailey / sizeof bailey[0]; count++) {
            edges[count] = bailey[count];
        }
        return count;
    }
    for (unsigned i = 0; nodes > 1 && i < (nodes == 2 ? 1 : nodes); i++) {
        SIM_ASSERT(count + 2 <= max);
        edges[count++] = (struct herd_file_edge){(uint8_t)i, (uint8_t)((i + 1) % nodes)};
        if (nodes > 5 && i % 3 == 0) {
            edges[count++] =
                (struct herd_file_edge){(uint8_t)i, (uint8_t)((i + nodes / 2) % nodes)};
        }
    }
    return count;
}

struct out {
    char *at;
    size_t bytes;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int wrote = vsnprintf(out->at + out->used, out->bytes - out->used, format, arguments);
    va_end(arguments);
    SIM_ASSERT(wrote >= 0 && (size_t)wrote < out->bytes - out->used);
    out->used += (size_t)wrote;
}

void herd_file_write(const struct world *w, const struct herd_file_edge *edges, unsigned count,
                     enum scenario_suite suite, const char *more, char *out, size_t bytes)
{
    struct out o = {.at = out, .bytes = bytes};
    put(&o, "[herd]\nskew_max = 60\nlink_suite = %s\n",
        suite == SUITE_ECDHE_PSK ? "ecdhe-psk" : "psk");
    for (unsigned i = 0; i < world_nodes(w); i++) {
        put(&o,
            "[node %s]\naddress = %s\nmask = 255.255.0.0\nport = %u\nlink_port = %u\nupstream = "
            "no\n",
            herd_file_name(i), world_address(w, i), WORLD_CLIENT_PORT, WORLD_LINK_PORT);
    }
    put(&o, "[links]\n");
    for (unsigned i = 0; i < world_nodes(w); i++) {
        unsigned of_this = 0;
        for (unsigned e = 0; e < count; e++) {
            if (edges[e].a == i) {
                put(&o, of_this++ == 0 ? "%s = %s" : "%.0s %s", herd_file_name(i),
                    herd_file_name(edges[e].b));
            }
        }
        put(&o, "%s", of_this > 0 ? "\n" : "");
    }
    put(&o, "[places]\nprovider = none\n%s", more);
}

unsigned herd_file_number_after(unsigned number)
{
    return number % 65535 + 1;
}

static void put_key(struct out *o, const struct world *w, unsigned a, unsigned b, unsigned number)
{
    uint64_t link = (a < b ? a : b) * UINT64_C(256) + (a < b ? b : a);
    struct random r = world_random(w, "link keys", link << 16 | number);
    put(o, " %u:", number);
    for (unsigned i = 0; i < 4; i++) {
        put(o, "%016llx", (unsigned long long)random_u64(&r));
    }
}

void herd_file_keys(const struct world *w, const struct herd_file_edge *edges, unsigned count,
                    unsigned node, unsigned number, char *out, size_t bytes)
{
    struct out o = {.at = out, .bytes = bytes};
    put(&o, "[keys %s]\n", herd_file_name(node));
    for (unsigned e = 0; e < count; e++) {
        if (edges[e].a != node && edges[e].b != node) {
            continue;
        }
        unsigned other = edges[e].a == node ? edges[e].b : edges[e].a;
        put(&o, "%s =", herd_file_name(other));
        put_key(&o, w, node, other, number);
        put_key(&o, w, node, other, herd_file_number_after(number));
        put(&o, "\n");
    }
}

bool herd_file_start(struct world *w, unsigned node, enum scenario_suite suite, unsigned number,
                     uint64_t clock_ms)
{
    char herd[8192];
    char keys[4096];
    struct herd_file_edge edges[3 * WORLD_NODES_MAX];
    unsigned count = herd_file_shape(world_nodes(w), edges, 3 * WORLD_NODES_MAX);
    herd_file_write(w, edges, count, suite, "", herd, sizeof herd);
    herd_file_keys(w, edges, count, node, number, keys, sizeof keys);
    const struct world_boot boot = {.herd = herd,
                                    .name = herd_file_name(node),
                                    .keys = keys,
                                    .clock_ms = clock_ms,
                                    .knows_time = true};
    if (!world_start(w, node, &boot)) {
        world_fail(w, "start", "%s: %s", boot.name, world_node_error(w, node));
        return false;
    }
    return true;
}

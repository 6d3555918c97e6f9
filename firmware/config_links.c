/* The links of a herd file; config_links.h has the contracts.
 *
 * A link's suite is `link_suite` of [herd] unless one of its ends says otherwise, and that setting may come
 * after the links: so what a link itself says is kept, in the two bits that the matrix has for each pair of
 * nodes. For i < j, bit j of nodes[i].suites is "ecdhe-psk was said", bit i of nodes[j].suites "psk was said".
 */
#include "config_links.h"

#include <string.h>

#include "config_make.h"

/* Notes the suite that a link says for itself. */
static void note_suite(struct config *c, unsigned a, unsigned b, enum config_suite suite)
{
    unsigned low = a < b ? a : b;
    unsigned high = a < b ? b : a;
    if (suite == CONFIG_SUITE_ECDHE_PSK) {
        c->nodes[low].suites |= 1u << high;
    } else {
        c->nodes[high].suites |= 1u << low;
    }
}

bool config_links_said_suite(const struct config *c, unsigned a, unsigned b,
                             enum config_suite *suite)
{
    unsigned low = a < b ? a : b;
    unsigned high = a < b ? b : a;
    if ((c->nodes[low].suites >> high & 1u) != 0) {
        *suite = CONFIG_SUITE_ECDHE_PSK;
        return true;
    }
    if ((c->nodes[high].suites >> low & 1u) != 0) {
        *suite = CONFIG_SUITE_PSK;
        return true;
    }
    return false;
}

/* What stands behind the colon of NAME:SUITE. */
static bool read_suite(struct config_place at, unsigned node, unsigned peer, struct span word)
{
    struct config *c = config_make.config;
    enum config_suite suite = CONFIG_SUITE_PSK;
    char buffer[128];
    struct text why;
    text_init(&why, buffer, sizeof buffer);
    if (c->nodes[node].open || c->nodes[peer].open) {
        text_str(config_make_fault(at),
                 "links with neighbours of the older kind are not encrypted; "
                 "leave out the colon and what follows it");
        return false;
    }
    if (!config_keys_suite(word, &suite, &why)) {
        text_put(config_make_fault(at), text_span(&why));
        return false;
    }
    note_suite(c, node, peer, suite);
    return true;
}

/* `word`: NAME or NAME:SUITE. */
static bool add_link(struct config_place at, unsigned node, struct span word)
{
    struct config *c = config_make.config;
    bool has_suite = memchr(word.at, ':', word.bytes) != NULL;
    struct span suite = word;
    struct span name = span_take_until(&suite, ':');
    unsigned peer = config_make_find_node(name);
    if (peer == c->node_count) {
        return config_make_fail_unknown_node(at, name);
    }
    if (peer == node) {
        text_str(config_make_fault(at), "a node is not its own neighbour; leave it out");
        return false;
    }
    if (c->nodes[node].open && c->nodes[peer].open) {
        struct text *t = config_make_fault(at);
        config_keys_put_quoted(t, name);
        text_str(t,
                 " is of the older kind too, and such links are none of this herd's; leave it out");
        return false;
    }
    if ((c->nodes[node].links >> peer & 1u) != 0) {
        struct text *t = config_make_fault(at);
        config_keys_put_quoted(t, name);
        text_str(t, " is linked already; write each link once, at either end");
        return false;
    }
    c->nodes[node].links |= 1u << peer;
    c->nodes[peer].links |= 1u << node;
    return !has_suite || read_suite(at, node, peer, suite);
}

void config_links_read(unsigned line, struct span name, struct span value)
{
    struct config_place at = {.line = line, .section = SEC_LINKS, .key = name};
    unsigned node = config_make_find_node(name);
    if (node == config_make.config->node_count) {
        config_make_fail_unknown_node(at, name);
        return;
    }
    if (config_make.links_line[node] > 0) {
        config_make_fail_twice(at, config_make.links_line[node]);
        return;
    }
    config_make.links_line[node] = config_make_short_line(line);
    struct span peer = span_take_word(&value);
    if (peer.bytes == 0) {
        text_str(config_make_fault(at),
                 "no neighbours; name them, separated by spaces, or leave the line out");
        return;
    }
    while (peer.bytes > 0 && add_link(at, node, peer)) {
        peer = span_take_word(&value);
    }
}

bool config_link_is_ecdhe(const struct config *c, unsigned link)
{
    HERD_ASSERT(link < c->neighbour_count);
    enum config_suite suite = c->link_suite;
    (void)config_links_said_suite(c, c->self, c->neighbours[link], &suite);
    return suite == CONFIG_SUITE_ECDHE_PSK;
}

/* Puts node i into a list that is in the order of names. */
static bool list_by_name(const struct config *c, uint8_t *list, unsigned *count, unsigned capacity,
                         unsigned i)
{
    bool open = c->nodes[i].open;
    if (*count == capacity) {
        struct text *t = config_make_fault((struct config_place){.section = SEC_LINKS});
        text_str(t, c->nodes[c->self].name);
        text_str(t,
                 open ? " has more open neighbours than the " : " has more neighbours than the ");
        text_u64(t, capacity);
        text_str(t, " that this board has room for");
        return false;
    }
    unsigned at = (*count)++;
    struct span name = span_of(c->nodes[i].name);
    for (; at > 0 && span_compare(span_of(c->nodes[list[at - 1]].name), name) > 0; at--) {
        list[at] = list[at - 1];
    }
    list[at] = (uint8_t)i;
    return true;
}

/* Neighbours in the order of their names, so that every start of a node numbers its links alike. */
static bool list_neighbours(struct config *c)
{
    bool ok = true;
    for (unsigned i = 0; ok && i < c->node_count; i++) {
        if ((c->nodes[c->self].links >> i & 1u) == 0) {
            continue;
        }
        ok = c->nodes[i].open ? list_by_name(c, c->open, &c->open_count, CFG_OPEN_LINKS, i)
                              : list_by_name(c, c->neighbours, &c->neighbour_count, CFG_LINKS, i);
    }
    return ok;
}

/* This build has the suites of this node's links; those of others are theirs to refuse. */
static bool check_suites(const struct config *c)
{
    for (unsigned i = 0; CFG_LINK_ECDHE == 0 && i < c->neighbour_count; i++) {
        if (config_link_is_ecdhe(c, i)) {
            struct text *t = config_make_fault((struct config_place){.section = SEC_LINKS});
            text_str(t, "the link of ");
            text_str(t, c->nodes[c->self].name);
            text_str(t, " with ");
            text_str(t, c->nodes[c->neighbours[i]].name);
            text_str(t, " is ecdhe-psk, for which this board has no elliptic curves; write ");
            text_str(t, c->nodes[c->neighbours[i]].name);
            text_str(t, ":psk there");
            return false;
        }
    }
    return true;
}

bool config_links_finish(struct config *c)
{
    c->neighbour_count = 0;
    c->open_count = 0;
    return list_neighbours(c) && check_suites(c);
}

/* What is checked of nodes when all of the herd file is known; config_nodes.h has the contract. */
#include "config_nodes.h"

#include "config_make.h"

static bool check_node_is_complete(const struct config *c, unsigned i)
{
    bool open = c->nodes[i].open;
    unsigned first = open ? CONFIG_KEYS_NODE_COUNT : 0;
    unsigned count = open ? CONFIG_KEYS_OPEN_NEEDED : CONFIG_KEYS_NODE_NEEDED;
    for (unsigned k = first; k < first + count; k++) {
        if (config_make.node_key_line[i][k] == 0 && !(i == c->self && config_make.self_has[k])) {
            struct config_place at = {.line = c->nodes[i].line,
                                      .section = open ? SEC_OPEN : SEC_NODE,
                                      .node = span_of(c->nodes[i].name),
                                      .key = span_of(config_keys_get(k)->name)};
            struct text *t = config_make_fault(at);
            text_str(t, "missing; every ");
            text_str(t, open ? "open neighbour" : "node");
            text_str(t, " needs ");
            text_str(t, config_keys_get(k)->what);
            text_str(t, " there");
            return false;
        }
    }
    return true;
}

/* What the node's own network must be like; on the loopback it has none, and nothing of this counts. */
static bool check_node_network(const struct config_node *n)
{
    struct config_place at = {.line = n->line, .section = SEC_NODE, .node = span_of(n->name)};
    uint32_t host = n->address & ~n->mask;
    if (n->open || n->address >> 24 == 127) {
        return true;
    }
    if (host == 0 || host == ~n->mask) {
        struct text *t = config_make_fault(at);
        text_ip4(t, n->address);
        text_str(t, host == 0 ? " is the network itself" : " is the network's broadcast address");
        text_str(t, " with mask ");
        text_ip4(t, n->mask);
        text_str(t, "; use another address or mask");
        return false;
    }
    if (n->gateway != 0 && (n->dhcp || ((n->gateway ^ n->address) & n->mask) != 0)) {
        at.key = SPAN_LIT("gateway");
        struct text *t = config_make_fault(at);
        if (n->dhcp) {
            text_str(t, "with dhcp = yes the server says it; leave it out");
            return false;
        }
        text_ip4(t, n->gateway);
        text_str(t, " is not in the network of ");
        text_ip4(t, n->address);
        text_str(t, " with mask ");
        text_ip4(t, n->mask);
        return false;
    }
    return true;
}

/* No two listeners at one address and port. `b` may be `a`: its two ports differ. Who is open has no
 * link_port: 0, which is no port of anybody else. */
static bool check_ports_differ(const struct config_node *a, const struct config_node *b)
{
    bool same_node = a == b;
    uint16_t port = 0;
    if (a->address != b->address) {
        return true;
    }
    if (a->port == b->link_port || (!same_node && a->port == b->port)) {
        port = a->port;
    } else if (!same_node && a->link_port != 0 &&
               (a->link_port == b->link_port || a->link_port == b->port)) {
        port = a->link_port;
    } else {
        return true;
    }
    struct text *t = config_make_fault((struct config_place){
        .line = b->line, .section = b->open ? SEC_OPEN : SEC_NODE, .node = span_of(b->name)});
    text_str(t, "port ");
    text_u64(t, port);
    if (same_node) {
        text_str(t, " is both port and link_port; use two");
    } else {
        text_str(t, a->open ? " is taken by open neighbour " : " is taken by node ");
        text_str(t, a->name);
        text_str(t, " at the same address; use another");
    }
    return false;
}

bool config_nodes_check(const struct config *c)
{
    for (unsigned i = 0; i < c->node_count; i++) {
        if (!check_node_is_complete(c, i) || !check_node_network(&c->nodes[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < c->node_count; i++) {
        for (unsigned j = 0; j <= i; j++) {
            if (!check_ports_differ(&c->nodes[j], &c->nodes[i])) {
                return false;
            }
        }
    }
    return true;
}

/* The commands `links` and `keys`: the neighbours, how things stand with them, and the keys by which they
 * are known. */
#include "console.h"

#include "keys.h"
#include "links.h"
#include "replica.h"
#include "setup.h"

/* --- links ------------------------------------------------------------------------------------- */

bool console_links_run(struct console_call *call, struct text *out)
{
    static const char *const names[] = {[LINKS_DOWN] = "down",
                                        [LINKS_DIALLING] = "dialling",
                                        [LINKS_UP] = "up",
                                        [LINKS_SUSPECT] = "suspect"};
    const struct config *c = call->means->config;
    unsigned i = call->step++;
    if (c == NULL) {
        return false;
    }
    if (i < c->neighbour_count) {
        const struct config_node *n = &c->nodes[c->neighbours[i]];
        text_str(out, n->name);
        text_char(out, ' ');
        text_str(out, names[links_state(i)]);
        text_str(out, " at ");
        text_ip4(out, n->address);
        text_char(out, ':');
        text_u64(out, n->link_port);
        console_put_count(out, "pending", replica_pending(i));
        console_put_count(out, "in_flight", replica_in_flight(i));
        text_str(out, config_link_is_ecdhe(c, i) ? " suite=ecdhe-psk" : " suite=psk");
        return true;
    }
    struct links_stats s = links_stats();
    if (i > c->neighbour_count) {
        text_str(out, "callers");
        console_put_count(out, "auth_failed", s.auth_failed);
        console_put_count(out, "auth_unknown", s.auth_unknown);
        console_put_count(out, "auth_old_key", s.auth_old_key);
        console_put_count(out, "crowded", s.crowded);
        return false;
    }
    text_u64(out, c->neighbour_count);
    text_str(out, " links");
    console_put_count(out, "came_up", s.up);
    console_put_count(out, "went_down", s.down);
    console_put_count(out, "suspected", s.suspected);
    console_put_count(out, "dead", s.dead);
    console_put_count(out, "refused", s.refused);
    console_put_count(out, "protocol", s.protocol);
    console_put_count(out, "bad_report", s.bad_report);
    console_put_count(out, "skipped", s.skipped);
    return true;
}

/* --- keys -------------------------------------------------------------------------------------- */

static bool run_load(struct console_call *call, struct text *out)
{
    (void)out;
    call->then = CONSOLE_THEN_LINK_KEYS;
    return false;
}

static void put_origin(struct text *out)
{
    text_str(out, setup_get(SETUP_LINK_KEYS).bytes > 0
                      ? "keys of the node's own; they replace the factory's"
                      : "keys of the factory");
    if (setup_is_changed()) {
        text_str(out, ", when config save has kept what was changed");
    }
}

/* What is in effect: a link's number says which rotation it is at, and no more. */
static bool run_show(struct console_call *call, struct text *out)
{
    const struct config *c = call->means->config;
    unsigned link = call->step++;
    if (c == NULL || c->neighbour_count == 0) {
        text_str(out, c == NULL ? "there are no keys in effect; keys load takes a key file"
                                : "no neighbours, no keys");
        return false;
    }
    if (link == c->neighbour_count) {
        put_origin(out);
        return false;
    }
    text_str(out, "link ");
    text_str(out, c->nodes[c->neighbours[link]].name);
    text_str(out, " current=");
    text_u64(out, keys_number(link));
    text_str(out, " next=");
    text_u64(out, keys_number_after(keys_number(link)));
    return true;
}

bool console_keys_run(struct console_call *call, struct text *out)
{
    if (call->count == 1) {
        return run_show(call, out);
    }
    if (call->count == 2 && span_equal(call->words[1], SPAN_LIT("load"))) {
        return run_load(call, out);
    }
    text_str(out,
             "keys: the numbers of the links' keys; keys load: takes a key file that is pasted");
    return false;
}

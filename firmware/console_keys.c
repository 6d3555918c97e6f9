/* The command `keys`: which keys this node's links have, by number, and taking new ones. */
#include "console.h"

#include "keys.h"
#include "setup.h"

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

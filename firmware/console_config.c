/* The command `config`: what the node's configuration is, and changing it. */
#include "console.h"

#include "config_keys.h"
#include "config_links.h"
#include "setup.h"

/* --- show -------------------------------------------------------------------------------------- */

/* Rows of what is shown: the keys of the table in the order of sections, the nodes, the links. */
enum { IN_SECTION, IN_NODES, IN_LINKS };

/* `call->step` packs where we are: part, section or node, row. */
#define PART(step)  ((step) >> 16)
#define MAJOR(step) ((step) >> 8 & 0xFFu)
#define MINOR(step) ((step)&0xFFu)
#define STEP(part, major, minor)                                                                   \
    ((unsigned)(part) << 16 | (unsigned)(major) << 8 | (unsigned)(minor))
_Static_assert(CONFIG_KEYS_COUNT < 255 && CFG_NODES < 255, "packed in 8 bits each");

static bool is_named(enum config_section section)
{
    return section == SEC_NODE || section == SEC_OPEN;
}

static void put_key(struct text *out, const struct config_key *key, const void *base)
{
    text_str(out, key->name);
    text_str(out, " =");
    size_t before = out->bytes;
    text_char(out, ' ');
    config_keys_format(key, base, out);
    if (out->bytes == before + 1) {
        out->bytes = before; /* empty: no white space at the end */
    }
}

/* The next key of a section from row `row` on, or CONFIG_KEYS_COUNT. */
static unsigned key_of(enum config_section section, unsigned row)
{
    while (row < CONFIG_KEYS_COUNT && config_keys_get(row)->section != section) {
        row++;
    }
    return row;
}

/* [section], then its keys. True while there are more. */
static bool show_section(struct console_call *call, struct text *out, const struct config *c)
{
    enum config_section section = (enum config_section)MAJOR(call->step);
    unsigned row = MINOR(call->step);
    if (section == SEC_COUNT) {
        call->step = STEP(IN_NODES, 0, 0);
        return true;
    }
    unsigned key = key_of(section, row > 0 ? row - 1 : 0);
    if (is_named(section) || key == CONFIG_KEYS_COUNT) {
        call->step = STEP(IN_SECTION, section + 1u, 0);
        return true;
    }
    if (row == 0) {
        text_char(out, '[');
        text_str(out, config_keys_section_name(section));
        text_char(out, ']');
        call->step = STEP(IN_SECTION, section, 1);
        return true;
    }
    put_key(out, config_keys_get(key), c);
    call->step = STEP(IN_SECTION, section, key + 2);
    return true;
}

static bool show_nodes(struct console_call *call, struct text *out, const struct config *c)
{
    unsigned node = MAJOR(call->step);
    unsigned row = MINOR(call->step);
    if (node == c->node_count) {
        call->step = STEP(IN_LINKS, 0, 0);
        return true;
    }
    const struct config_node *n = &c->nodes[node];
    unsigned key = key_of(n->open ? SEC_OPEN : SEC_NODE, row > 0 ? row - 1 : 0);
    if (row > 0 && key == CONFIG_KEYS_COUNT) {
        call->step = STEP(IN_NODES, node + 1, 0);
        return true;
    }
    if (row == 0) {
        text_str(out, n->open ? "[open " : "[node ");
        text_str(out, n->name);
        text_str(out, node == c->self ? "] ; this node" : "]");
        call->step = STEP(IN_NODES, node, 1);
        return true;
    }
    put_key(out, config_keys_get(key), n);
    call->step = STEP(IN_NODES, node, key + 2);
    return true;
}

/* Each link at the end that stands first in the file. */
static bool show_links(struct console_call *call, struct text *out, const struct config *c)
{
    unsigned row = MINOR(call->step);
    call->step++;
    if (row == 0) {
        text_str(out, "[links]");
        return true;
    }
    unsigned node = row - 1;
    if (node >= c->node_count) {
        return false;
    }
    uint32_t later = c->nodes[node].links >> node >> 1;
    if (later == 0) {
        return true;
    }
    text_str(out, c->nodes[node].name);
    text_str(out, " =");
    for (unsigned peer = node + 1; later != 0; peer++, later >>= 1) {
        if ((later & 1u) != 0) {
            text_char(out, ' ');
            text_str(out, c->nodes[peer].name);
            enum config_suite suite = CONFIG_SUITE_PSK;
            if (config_links_said_suite(c, node, peer, &suite)) {
                text_char(out, ':');
                text_str(out, config_keys_suite_name(suite));
            }
        }
    }
    return true;
}

static bool show(struct console_call *call, struct text *out, const struct config *c)
{
    if (call->step == 0) {
        call->step = STEP(IN_SECTION, SEC_HERD, 0);
    }
    switch (PART(call->step)) {
    case IN_SECTION:
        return show_section(call, out, c);
    case IN_NODES:
        return show_nodes(call, out, c);
    default:
        return show_links(call, out, c);
    }
}

static bool run_show(struct console_call *call, struct text *out)
{
    const struct config *c = call->means->config;
    if (call->count > 2) {
        if (!span_equal(call->words[2], SPAN_LIT("new"))) {
            text_str(out,
                     "config show: what is in effect; config show new: what the next start after "
                     "config save will find");
            return false;
        }
        if (setup_preview(&c, out) != HERD_OK) {
            return false;
        }
    }
    if (c == NULL) {
        text_str(out, "there is no configuration; config load takes a herd file");
        return false;
    }
    if (call->step == 0) { /* the key is a secret: only that it is there */
        text_str(out, setup_places_key().bytes > 0 ? "; key of the places provider: present"
                                                   : "; key of the places provider: none");
        call->step = STEP(IN_SECTION, SEC_HERD, 0);
        return true;
    }
    return show(call, out, c);
}

/* --- Changes ----------------------------------------------------------------------------------- */

static bool answer(int err, struct text *out, const char *fine)
{
    if (err == HERD_OK) {
        text_str(out, fine);
    }
    return false;
}

static const char staged[] = "valid; config save keeps it, reboot puts it into effect";

/* The rest of the line is the setting, white space included. */
static bool run_set(struct console_call *call, struct text *out)
{
    if (call->count < 3) {
        text_str(out, "config set SECTION.KEY=VALUE, as in config set node.port=10000");
        return false;
    }
    struct span last = call->words[call->count - 1];
    struct span rest = {call->words[2].at, (size_t)(last.at - call->words[2].at) + last.bytes};
    return answer(setup_set(rest, out), out, staged);
}

static bool run_unset(struct console_call *call, struct text *out)
{
    if (call->count != 3) {
        text_str(out, "config unset SECTION.KEY");
        return false;
    }
    return answer(setup_unset(call->words[2], out), out, staged);
}

static bool run_node(struct console_call *call, struct text *out)
{
    if (call->count != 3) {
        text_str(out, "config node NAME: which node of the herd file this is");
        return false;
    }
    return answer(setup_put_node(call->words[2], out), out, staged);
}

static bool run_load(struct console_call *call, struct text *out)
{
    if (call->count > 3 || (call->count == 3 && !proto_is_server_name(call->words[2]))) {
        text_str(out, "config load [NAME]: NAME is this node's in the herd file that follows");
        return false;
    }
    call->then = CONSOLE_THEN_LOAD;
    return false;
}

static bool run_key(struct console_call *call, struct text *out)
{
    (void)out;
    call->then = CONSOLE_THEN_KEY;
    return false;
}

static bool run_save(struct console_call *call, struct text *out)
{
    (void)call;
    return answer(setup_save(out), out, "saved; reboot puts it into effect");
}

static bool run_rollback(struct console_call *call, struct text *out)
{
    (void)call;
    return answer(
        setup_rollback(out), out,
        "the configuration before is the next start's; reboot puts it into effect, config "
        "rollback again takes this back");
}

static bool run_discard(struct console_call *call, struct text *out)
{
    (void)call;
    setup_discard();
    text_str(out, "back to what is saved");
    return false;
}

/* --- Which ------------------------------------------------------------------------------------- */

static const struct console_command subcommands[] = {
    {"show", " [new]", "the configuration in effect, or the next one", run_show},
    {"set", " SECTION.KEY=VALUE", "one setting of this node; checked as a whole", run_set},
    {"unset", " SECTION.KEY", "takes a setting back", run_unset},
    {"load", " [NAME]", "takes a herd file that is pasted; this node is NAME", run_load},
    {"node", " NAME", "which node of the herd file this is", run_node},
    {"key", "", "takes the key of the places provider, unseen", run_key},
    {"save", "", "keeps what was set and loaded, for the next start", run_save},
    {"discard", "", "drops what was set and loaded since", run_discard},
    {"rollback", "", "the configuration before; again: back", run_rollback},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof subcommands[0])

static bool list(struct console_call *call, struct text *out)
{
    const struct console_command *c = &subcommands[call->step++];
    size_t start = out->bytes;
    text_str(out, "config ");
    text_str(out, c->name);
    text_str(out, c->arguments);
    while (out->bytes - start < 32) {
        text_char(out, ' ');
    }
    text_str(out, c->help);
    return call->step < SUBCOMMANDS;
}

bool console_config_run(struct console_call *call, struct text *out)
{
    for (unsigned i = 0; call->count > 1 && i < SUBCOMMANDS; i++) {
        if (span_equal(call->words[1], span_of(subcommands[i].name))) {
            return subcommands[i].run(call, out);
        }
    }
    return list(call, out);
}

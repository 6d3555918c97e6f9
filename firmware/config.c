/* The herd file. inih splits lines into keys and values, config_keys.c gives them their meaning; here
 * they are put together, and errors get their place.
 *
 * The text is read twice: first nodes and settings, then links, which may stand before the nodes
 * that they name. inih reports keys only, so the reader of lines watches for section lines itself:
 * an empty, repeated or unknown section would go unnoticed otherwise.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include <ini.h>

#include "config_keys.h"
#include "config_links.h"
#include "config_make.h"
#include "config_nodes.h"

#define MASK_DEFAULT 0xFFFFFF00u

/* The lines of one pass. */
struct reader {
    struct span rest;
    unsigned line;
    enum config_section section;
    unsigned node; /* index, in SEC_NODE and SEC_OPEN */
    bool for_links;
};

/* --- Assignments ------------------------------------------------------------------------------- */

/* Gives the key its value, or fails with the place in front. */
static void assign(unsigned key, struct config_place at, struct span value, void *base)
{
    char buffer[256];
    struct text why;
    text_init(&why, buffer, sizeof buffer);
    if (!config_keys_assign(config_keys_get(key), value, base, &why)) {
        text_put(config_make_fault(at), text_span(&why));
    }
}

/* What older herd files have. */
static bool fail_gone(struct config_place at)
{
    if (at.section != SEC_HERD || !span_equal(at.key, SPAN_LIT("insecure_links"))) {
        return false;
    }
    text_str(config_make_fault(at),
             "gone: links are always authenticated now; leave it out, and give each node its keys, "
             "which herdctl keys makes");
    return true;
}

static void read_setting(const struct reader *r, struct span name, struct span value)
{
    struct config *c = config_make.config;
    bool in_node = r->section == SEC_NODE || r->section == SEC_OPEN;
    struct config_place at = {.line = r->line, .section = r->section, .key = name};
    void *base = c;
    if (r->section == SEC_NODE && span_equal(name, span_of("board"))) {
        return; /* what the node runs on: for those who start nodes */
    }
    if (in_node) {
        at.node = span_of(c->nodes[r->node].name);
        base = &c->nodes[r->node];
    }
    if (fail_gone(at)) {
        return;
    }
    unsigned key = config_keys_find(r->section, name);
    if (key == CONFIG_KEYS_COUNT) {
        config_keys_put_unknown_key(config_make_fault(at), r->section, name);
        return;
    }
    uint16_t *line =
        in_node ? &config_make.node_key_line[r->node][key] : &config_make.key_line[key];
    if (*line > 0) {
        config_make_fail_twice(at, *line);
        return;
    }
    *line = config_make_short_line(r->line);
    assign(key, at, value, base);
}

/* --- Sections and lines ------------------------------------------------------------------------ */

/* [node NAME] or [open NAME]. */
static void open_node(struct reader *r, enum config_section section, struct span name)
{
    struct config *c = config_make.config;
    struct config_place at = {.line = r->line, .section = section};
    if (!proto_is_server_name(name)) {
        config_keys_put_is_not(config_make_fault(at), name,
                               "a name for a node; use 1 to 32 of A-Z a-z 0-9 . _ -");
        return;
    }
    r->section = section;
    r->node = config_make_find_node(name);
    if (r->for_links) {
        return;
    }
    at.node = name;
    if (r->node < c->node_count) {
        config_make_fail_twice(at, c->nodes[r->node].line);
        return;
    }
    if (c->node_count == CFG_NODES) {
        struct text *t = config_make_fault(at);
        text_str(t, "more nodes than the ");
        text_u64(t, CFG_NODES);
        text_str(t, " that this board has room for");
        return;
    }
    struct config_node *node = &c->nodes[c->node_count++];
    *node = (struct config_node){.mask = MASK_DEFAULT,
                                 .upstream = section == SEC_NODE,
                                 .line = config_make_short_line(r->line),
                                 .open = section == SEC_OPEN,
                                 .dialect = CONFIG_DIALECT_AT,
                                 .lines = 1};
    memcpy(node->name, name.at, name.bytes); /* at most 32 bytes; the rest is NUL */
}

/* A herd file is everybody's; a key is of the two ends of its link. */
static void fail_keys(const struct reader *r, struct span name)
{
    struct text *t = config_make_fault((struct config_place){.line = r->line});
    text_char(t, '[');
    text_escaped(t, name, PROTO_SERVER_BYTES_MAX + 5);
    text_str(t,
             "]: keys do not belong into the herd file, which every node has; take this section "
             "out, make new keys with herdctl keys, and give each node its own file (herd --keys "
             "FILE; on a board, keys load)");
}

static void open_section(struct reader *r, struct span name)
{
    static const struct span node = {"node ", 5}, open = {"open ", 5}, keys = {"keys ", 5};
    struct span first = {name.at, name.bytes < node.bytes ? name.bytes : node.bytes};
    if (span_equal(first, node) || span_equal(first, open)) {
        open_node(r, span_equal(first, node) ? SEC_NODE : SEC_OPEN,
                  (struct span){name.at + first.bytes, name.bytes - first.bytes});
        return;
    }
    if (span_equal(first, keys) || span_equal(name, SPAN_LIT("keys"))) {
        fail_keys(r, name);
        return;
    }
    enum config_section section = config_keys_section(name);
    if (section == SEC_NONE || section == SEC_NODE || section == SEC_OPEN) { /* without a name */
        config_keys_put_unknown_section(config_make_fault((struct config_place){.line = r->line}),
                                        name);
        return;
    }
    r->section = section;
    if (r->for_links) {
        return;
    }
    if (config_make.section_line[section] > 0) {
        config_make_fail_twice((struct config_place){.line = r->line, .section = section},
                               config_make.section_line[section]);
        return;
    }
    config_make.section_line[section] = r->line;
}

/* Opens the section when the line is one; what is malformed is left to inih. */
static void watch_for_section(struct reader *r, struct span line)
{
    static const char bom[] = "\xEF\xBB\xBF";
    if (r->line == 1 && line.bytes >= 3 && memcmp(line.at, bom, 3) == 0) {
        line.at += 3;
        line.bytes -= 3;
    }
    line = span_trimmed(line);
    if (line.bytes == 0 || line.at[0] != '[') {
        return;
    }
    const char *end = memchr(line.at, ']', line.bytes);
    if (end != NULL) {
        open_section(r, (struct span){line.at + 1, (size_t)(end - line.at) - 1});
    }
}

/* inih's fgets: the next line with its newline. NULL at the end and after an error. */
static char *read_line(char *out, int capacity, void *stream)
{
    struct reader *r = stream;
    if (config_make.failed || r->rest.bytes == 0) {
        return NULL;
    }
    const char *newline = memchr(r->rest.at, '\n', r->rest.bytes);
    size_t bytes = newline == NULL ? r->rest.bytes : (size_t)(newline - r->rest.at) + 1;
    struct config_place at = {.line = ++r->line};
    if (memchr(r->rest.at, '\0', bytes) != NULL) {
        text_str(config_make_fault(at), "a NUL byte; the herd file is plain text");
        return NULL;
    }
    if (bytes >= (size_t)capacity) {
        struct text *t = config_make_fault(at);
        text_str(t, "the line is longer than ");
        text_u64(t, (uint64_t)capacity - 2);
        text_str(t, " bytes");
        return NULL;
    }
    watch_for_section(r, (struct span){r->rest.at, bytes});
    if (config_make.failed) {
        return NULL;
    }
    memcpy(out, r->rest.at, bytes);
    out[bytes] = '\0';
    r->rest.at += bytes;
    r->rest.bytes -= bytes;
    return out;
}

/* inih's handler: 1 to go on. */
static int take_key(void *user, const char *section, const char *name, const char *value, int line)
{
    const struct reader *r = user;
    (void)section; /* cut at 49 bytes; the reader knows it exactly */
    (void)line;
    if (r->section == SEC_NONE) {
        struct text *t = config_make_fault((struct config_place){.line = r->line});
        config_keys_put_quoted(t, span_of(name));
        text_str(t, " stands before the first [section]");
    } else if (r->section == SEC_LINKS && r->for_links) {
        config_links_read(r->line, span_of(name), span_of(value));
    } else if (r->section != SEC_LINKS && !r->for_links) {
        read_setting(r, span_of(name), span_of(value));
    }
    return !config_make.failed;
}

static void read_pass(struct span text, bool for_links)
{
    struct reader r = {.rest = text, .for_links = for_links};
    int line = ini_parse_stream(read_line, &r, take_key, &r);
    /* inih goes on behind a line that it does not understand: whichever error came first counts. */
    if (line > 0 && (!config_make.failed || (unsigned)line < r.line)) {
        text_str(config_make_fault((struct config_place){.line = (unsigned)line}),
                 "neither [section] nor key = value; a comment begins with ;");
    }
}

/* --- Interface --------------------------------------------------------------------------------- */

void config_begin(struct config *c, struct span file, struct text *error)
{
    memset(&config_make, 0, sizeof config_make);
    config_make.config = c;
    config_make.file = file;
    config_make.error = error;
    *c = (struct config){
        .report_bytes = 128,
        .skew_max_s = 60,
        .places = {.provider = CONFIG_PLACES_GOOGLE,
                   .port = 443,
                   .queries_per_minute = 60,
                   .queries_per_day = 1000,
                   .timeout_ms = 10000},
        .idle_s = 3600,
        .log_level = LOG_INFO,
    };
    _Static_assert(CFG_REPORT_BYTES >= 128, "the default of report_bytes is legal on every board");
}

int config_read(struct config *c, struct span text)
{
    HERD_ASSERT(c == config_make.config);
    read_pass(text, false);
    if (!config_make.failed) {
        read_pass(text, true);
    }
    return config_make.failed ? HERD_E_SYNTAX : HERD_OK;
}

static void set(struct span assignment)
{
    const char *equals = memchr(assignment.at, '=', assignment.bytes);
    size_t name_bytes = equals == NULL ? 0 : (size_t)(equals - assignment.at);
    const char *dot = name_bytes == 0 ? NULL : memchr(assignment.at, '.', name_bytes);
    struct config_place at = {.is_override = true};
    if (dot != NULL) {
        at.section = config_keys_section(
            span_trimmed((struct span){assignment.at, (size_t)(dot - assignment.at)}));
        at.key = span_trimmed((struct span){dot + 1, (size_t)(equals - dot) - 1});
    }
    if (at.section == SEC_NONE || at.section == SEC_OPEN || at.section == SEC_LINKS) {
        config_keys_put_is_not(config_make_fault(at), assignment,
                               "SECTION.KEY=VALUE; use section herd, node, places, limits or log");
        return;
    }
    if (fail_gone(at)) {
        return;
    }
    unsigned key = config_keys_find(at.section, at.key);
    if (key == CONFIG_KEYS_COUNT) {
        config_keys_put_unknown_key(config_make_fault(at), at.section, at.key);
        return;
    }
    struct config_node checked; /* which node it is for is not known yet */
    bool in_node = at.section == SEC_NODE;
    struct span value = span_trimmed((struct span){equals + 1, assignment.bytes - name_bytes - 1});
    assign(key, at, value, in_node ? (void *)&checked : (void *)config_make.config);
    if (in_node) {
        config_make.self_value[key] = value;
        config_make.self_has[key] = true;
    }
}

int config_set(struct config *c, struct span assignment)
{
    HERD_ASSERT(c == config_make.config);
    if (!config_make.failed) {
        set(assignment);
    }
    return config_make.failed ? HERD_E_SYNTAX : HERD_OK;
}

static bool select_self(struct config *c, struct span name)
{
    unsigned runnable = 0;
    for (unsigned i = 0; i < c->node_count; i++) {
        runnable += !c->nodes[i].open;
    }
    c->self = config_make_find_node(name);
    if (runnable == 0) {
        text_str(config_make_fault((struct config_place){0}),
                 "no nodes; add a section [node NAME] for each");
        return false;
    }
    if (name.bytes == 0) {
        struct text *t = config_make_fault((struct config_place){0});
        text_str(t, "which node? use ");
        config_make_put_node_names(t, false);
        return false;
    }
    if (c->self < c->node_count && c->nodes[c->self].open) {
        struct text *t =
            config_make_fault((struct config_place){.line = c->nodes[c->self].line,
                                                    .section = SEC_OPEN,
                                                    .node = span_of(c->nodes[c->self].name)});
        text_str(t, "a neighbour of the older kind is not run from here; use ");
        config_make_put_node_names(t, false);
        return false;
    }
    if (c->self == c->node_count) {
        return config_make_fail_unknown_node((struct config_place){0}, name);
    }
    for (unsigned k = 0; k < CONFIG_KEYS_NODE_COUNT; k++) {
        if (config_make.self_has[k]) { /* a legal value: config_set has seen it */
            assign(k, (struct config_place){0}, config_make.self_value[k], &c->nodes[c->self]);
        }
    }
    return !config_make.failed;
}

static void fill_host(struct config_places *places)
{
    static const char google[] = "places.googleapis.com";
    static const char legacy[] = "maps.googleapis.com";
    if (places->host[0] == '\0' && places->provider == CONFIG_PLACES_GOOGLE) {
        memcpy(places->host, google, sizeof google);
    } else if (places->host[0] == '\0' && places->provider == CONFIG_PLACES_GOOGLE_LEGACY) {
        memcpy(places->host, legacy, sizeof legacy);
    }
}

int config_finish(struct config *c, struct span node)
{
    HERD_ASSERT(c == config_make.config);
    if (config_make.failed) {
        return HERD_E_SYNTAX;
    }
    fill_host(&c->places);
    bool ok = select_self(c, node) && config_nodes_check(c) && config_links_finish(c);
    return ok ? HERD_OK : HERD_E_RANGE;
}

int config_check_addresses(struct config *c, bool addresses_are_real)
{
    HERD_ASSERT(c == config_make.config && !config_make.failed);
    if (addresses_are_real || c->open_anyone || c->open_count == 0) {
        return HERD_OK;
    }
    struct text *t = config_make_fault(
        (struct config_place){.section = SEC_HERD, .key = SPAN_LIT("open_anyone")});
    text_str(t, "on this network every peer seems to have the same address, so that ");
    text_str(t, c->nodes[c->self].name);
    text_str(t, " cannot tell its open neighbour ");
    text_str(t, c->nodes[c->open[0]].name);
    text_str(t,
             " from its clients; accept such lines from anyone with open_anyone = yes, or remove "
             "the link");
    return HERD_E_RANGE;
}

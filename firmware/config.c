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

#define KEY_SHOWN_BYTES_MAX 40 /* in an error */
#define MASK_DEFAULT        0xFFFFFF00u

/* --- State while a configuration is made ------------------------------------------------------- */

static struct {
    struct config *config;
    struct span file;
    struct text *error;
    bool failed; /* error holds the first error */

    unsigned section_line[SEC_COUNT];     /* where it began; 0: not yet */
    uint16_t key_line[CONFIG_KEYS_COUNT]; /* where it was given (short_line); 0: not yet */
    uint16_t node_key_line[CFG_NODES][CONFIG_KEYS_NAMED_COUNT];
    uint16_t links_line[CFG_NODES];

    struct span self_value[CONFIG_KEYS_NODE_COUNT]; /* overrides of the node's own keys */
    bool self_has[CONFIG_KEYS_NODE_COUNT];
} making;

/* The lines of one pass. */
struct reader {
    struct span rest;
    unsigned line;
    enum config_section section;
    unsigned node; /* index, in SEC_NODE and SEC_OPEN */
    bool for_links;
};

/* --- Errors ------------------------------------------------------------------------------------ */

/* What an error is about. Empty parts are left out. */
struct place {
    unsigned line; /* 0: no line of its own */
    enum config_section section;
    struct span node; /* name, in SEC_NODE and SEC_OPEN */
    struct span key;
    bool is_override;
};

/* Begins the error text; the caller says what is wrong. */
static struct text *fault(struct place at)
{
    struct text *t = making.error;
    making.failed = true;
    t->bytes = 0;
    t->cut = false;
    if (at.is_override) {
        text_str(t, "setting ");
        if (at.key.bytes > 0) {
            text_str(t, config_keys_section_name(at.section));
            text_char(t, '.');
            text_escaped(t, at.key, KEY_SHOWN_BYTES_MAX);
            text_str(t, ": ");
        }
        return t;
    }
    text_put(t, making.file);
    if (at.line > 0) {
        text_char(t, ':');
        text_u64(t, at.line);
    }
    text_str(t, ": ");
    if (at.section != SEC_NONE) {
        text_char(t, '[');
        text_str(t, config_keys_section_name(at.section));
        if (at.node.bytes > 0) {
            text_char(t, ' ');
            text_put(t, at.node);
        }
        text_char(t, ']');
        if (at.key.bytes > 0) {
            text_char(t, ' ');
            text_escaped(t, at.key, KEY_SHOWN_BYTES_MAX);
        }
        text_str(t, ": ");
    }
    return t;
}

/* Of what may be run, or of everything. */
static void put_node_names(struct text *t, bool with_open)
{
    const char *separator = "";
    for (unsigned i = 0; i < making.config->node_count; i++) {
        if (with_open || !making.config->nodes[i].open) {
            text_str(t, separator);
            text_str(t, making.config->nodes[i].name);
            separator = ", ";
        }
    }
}

static void put_given_twice(struct text *t, unsigned first_line)
{
    text_str(t, "given twice; first on line ");
    text_u64(t, first_line);
}

/* --- Assignments ------------------------------------------------------------------------------- */

/* Gives the key its value, or fails with the place in front. */
static void assign(unsigned key, struct place at, struct span value, void *base)
{
    char buffer[256];
    struct text why;
    text_init(&why, buffer, sizeof buffer);
    if (!config_keys_assign(config_keys_get(key), value, base, &why)) {
        text_put(fault(at), text_span(&why));
    }
}

/* For keeping: there is one for each key of each node. Lines beyond the 65535th are known as that. */
static uint16_t short_line(unsigned line)
{
    return line < UINT16_MAX ? (uint16_t)line : UINT16_MAX;
}

static void read_setting(const struct reader *r, struct span name, struct span value)
{
    struct config *c = making.config;
    bool in_node = r->section == SEC_NODE || r->section == SEC_OPEN;
    struct place at = {.line = r->line, .section = r->section, .key = name};
    void *base = c;
    if (r->section == SEC_NODE && span_equal(name, span_of("board"))) {
        return; /* what the node runs on: for those who start nodes */
    }
    if (in_node) {
        at.node = span_of(c->nodes[r->node].name);
        base = &c->nodes[r->node];
    }
    unsigned key = config_keys_find(r->section, name);
    if (key == CONFIG_KEYS_COUNT) {
        config_keys_put_unknown_key(fault(at), r->section, name);
        return;
    }
    uint16_t *line = in_node ? &making.node_key_line[r->node][key] : &making.key_line[key];
    if (*line > 0) {
        put_given_twice(fault(at), *line);
        return;
    }
    *line = short_line(r->line);
    assign(key, at, value, base);
}

/* --- Links ------------------------------------------------------------------------------------- */

/* Index of a node, or node_count. */
static unsigned find_node(struct span name)
{
    unsigned i = 0;
    while (i < making.config->node_count &&
           !span_equal(name, span_of(making.config->nodes[i].name))) {
        i++;
    }
    return i;
}

static bool fail_unknown_node(struct place at, struct span name)
{
    struct text *t = fault(at);
    config_keys_put_is_not(t, name, "a node of this herd; use ");
    put_node_names(t, at.section == SEC_LINKS);
    return false;
}

static bool add_link(struct place at, unsigned node, struct span name)
{
    struct config *c = making.config;
    unsigned peer = find_node(name);
    if (peer == c->node_count) {
        return fail_unknown_node(at, name);
    }
    if (peer == node) {
        text_str(fault(at), "a node is not its own neighbour; leave it out");
        return false;
    }
    if (c->nodes[node].open && c->nodes[peer].open) {
        struct text *t = fault(at);
        config_keys_put_quoted(t, name);
        text_str(t,
                 " is of the older kind too, and such links are none of this herd's; leave it out");
        return false;
    }
    if ((c->nodes[node].links >> peer & 1u) != 0) {
        struct text *t = fault(at);
        config_keys_put_quoted(t, name);
        text_str(t, " is linked already; write each link once, at either end");
        return false;
    }
    c->nodes[node].links |= 1u << peer;
    c->nodes[peer].links |= 1u << node;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The first word of *rest, empty when there is none, and *rest behind it. */
static struct span next_word(struct span *rest)
{
    while (rest->bytes > 0 && is_blank(rest->at[0])) {
        rest->at++;
        rest->bytes--;
    }
    struct span word = {rest->at, 0};
    while (rest->bytes > 0 && !is_blank(rest->at[0])) {
        rest->at++;
        rest->bytes--;
        word.bytes++;
    }
    return word;
}

static void read_links(const struct reader *r, struct span name, struct span value)
{
    struct place at = {.line = r->line, .section = SEC_LINKS, .key = name};
    unsigned node = find_node(name);
    if (node == making.config->node_count) {
        fail_unknown_node(at, name);
        return;
    }
    if (making.links_line[node] > 0) {
        put_given_twice(fault(at), making.links_line[node]);
        return;
    }
    making.links_line[node] = short_line(r->line);
    struct span peer = next_word(&value);
    if (peer.bytes == 0) {
        text_str(fault(at), "no neighbours; name them, separated by spaces, or leave the line out");
        return;
    }
    while (peer.bytes > 0 && add_link(at, node, peer)) {
        peer = next_word(&value);
    }
}

/* --- Sections and lines ------------------------------------------------------------------------ */

/* [node NAME] or [open NAME]. */
static void open_node(struct reader *r, enum config_section section, struct span name)
{
    struct config *c = making.config;
    struct place at = {.line = r->line, .section = section};
    if (!proto_is_server_name(name)) {
        config_keys_put_is_not(fault(at), name,
                               "a name for a node; use 1 to 32 of A-Z a-z 0-9 . _ -");
        return;
    }
    r->section = section;
    r->node = find_node(name);
    if (r->for_links) {
        return;
    }
    at.node = name;
    if (r->node < c->node_count) {
        put_given_twice(fault(at), c->nodes[r->node].line);
        return;
    }
    if (c->node_count == CFG_NODES) {
        struct text *t = fault(at);
        text_str(t, "more nodes than the ");
        text_u64(t, CFG_NODES);
        text_str(t, " that this board has room for");
        return;
    }
    struct config_node *node = &c->nodes[c->node_count++];
    *node = (struct config_node){.mask = MASK_DEFAULT,
                                 .upstream = section == SEC_NODE,
                                 .line = r->line,
                                 .open = section == SEC_OPEN,
                                 .dialect = CONFIG_DIALECT_AT,
                                 .lines = 1};
    memcpy(node->name, name.at, name.bytes); /* at most 32 bytes; the rest is NUL */
}

static void open_section(struct reader *r, struct span name)
{
    static const struct span node = {"node ", 5}, open = {"open ", 5};
    struct span first = {name.at, name.bytes < node.bytes ? name.bytes : node.bytes};
    if (span_equal(first, node) || span_equal(first, open)) {
        open_node(r, span_equal(first, node) ? SEC_NODE : SEC_OPEN,
                  (struct span){name.at + first.bytes, name.bytes - first.bytes});
        return;
    }
    enum config_section section = config_keys_section(name);
    if (section == SEC_NONE || section == SEC_NODE || section == SEC_OPEN) { /* without a name */
        config_keys_put_unknown_section(fault((struct place){.line = r->line}), name);
        return;
    }
    r->section = section;
    if (r->for_links) {
        return;
    }
    if (making.section_line[section] > 0) {
        put_given_twice(fault((struct place){.line = r->line, .section = section}),
                        making.section_line[section]);
        return;
    }
    making.section_line[section] = r->line;
}

/* Opens the section when the line is one; what is malformed is left to inih. */
static void watch_for_section(struct reader *r, struct span line)
{
    static const char bom[] = "\xEF\xBB\xBF";
    if (r->line == 1 && line.bytes >= 3 && memcmp(line.at, bom, 3) == 0) {
        line.at += 3;
        line.bytes -= 3;
    }
    while (line.bytes > 0 && is_blank(line.at[0])) {
        line.at++;
        line.bytes--;
    }
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
    if (making.failed || r->rest.bytes == 0) {
        return NULL;
    }
    const char *newline = memchr(r->rest.at, '\n', r->rest.bytes);
    size_t bytes = newline == NULL ? r->rest.bytes : (size_t)(newline - r->rest.at) + 1;
    struct place at = {.line = ++r->line};
    if (memchr(r->rest.at, '\0', bytes) != NULL) {
        text_str(fault(at), "a NUL byte; the herd file is plain text");
        return NULL;
    }
    if (bytes >= (size_t)capacity) {
        struct text *t = fault(at);
        text_str(t, "the line is longer than ");
        text_u64(t, (uint64_t)capacity - 2);
        text_str(t, " bytes");
        return NULL;
    }
    watch_for_section(r, (struct span){r->rest.at, bytes});
    if (making.failed) {
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
        struct text *t = fault((struct place){.line = r->line});
        config_keys_put_quoted(t, span_of(name));
        text_str(t, " stands before the first [section]");
    } else if (r->section == SEC_LINKS && r->for_links) {
        read_links(r, span_of(name), span_of(value));
    } else if (r->section != SEC_LINKS && !r->for_links) {
        read_setting(r, span_of(name), span_of(value));
    }
    return !making.failed;
}

static void read_pass(struct span text, bool for_links)
{
    struct reader r = {.rest = text, .for_links = for_links};
    int line = ini_parse_stream(read_line, &r, take_key, &r);
    /* inih goes on behind a line that it does not understand: whichever error came first counts. */
    if (line > 0 && (!making.failed || (unsigned)line < r.line)) {
        text_str(fault((struct place){.line = (unsigned)line}),
                 "neither [section] nor key = value; a comment begins with ;");
    }
}

/* --- Interface --------------------------------------------------------------------------------- */

void config_begin(struct config *c, struct span file, struct text *error)
{
    memset(&making, 0, sizeof making);
    making.config = c;
    making.file = file;
    making.error = error;
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
    HERD_ASSERT(c == making.config);
    read_pass(text, false);
    if (!making.failed) {
        read_pass(text, true);
    }
    return making.failed ? HERD_E_SYNTAX : HERD_OK;
}

static struct span trimmed(struct span s)
{
    while (s.bytes > 0 && is_blank(s.at[0])) {
        s.at++;
        s.bytes--;
    }
    while (s.bytes > 0 && is_blank(s.at[s.bytes - 1])) {
        s.bytes--;
    }
    return s;
}

static void set(struct span assignment)
{
    const char *equals = memchr(assignment.at, '=', assignment.bytes);
    size_t name_bytes = equals == NULL ? 0 : (size_t)(equals - assignment.at);
    const char *dot = name_bytes == 0 ? NULL : memchr(assignment.at, '.', name_bytes);
    struct place at = {.is_override = true};
    if (dot != NULL) {
        at.section = config_keys_section(
            trimmed((struct span){assignment.at, (size_t)(dot - assignment.at)}));
        at.key = trimmed((struct span){dot + 1, (size_t)(equals - dot) - 1});
    }
    if (at.section == SEC_NONE || at.section == SEC_OPEN || at.section == SEC_LINKS) {
        config_keys_put_is_not(fault(at), assignment,
                               "SECTION.KEY=VALUE; use section herd, node, places, limits or log");
        return;
    }
    unsigned key = config_keys_find(at.section, at.key);
    if (key == CONFIG_KEYS_COUNT) {
        config_keys_put_unknown_key(fault(at), at.section, at.key);
        return;
    }
    struct config_node checked; /* which node it is for is not known yet */
    bool in_node = at.section == SEC_NODE;
    struct span value = trimmed((struct span){equals + 1, assignment.bytes - name_bytes - 1});
    assign(key, at, value, in_node ? (void *)&checked : (void *)making.config);
    if (in_node) {
        making.self_value[key] = value;
        making.self_has[key] = true;
    }
}

int config_set(struct config *c, struct span assignment)
{
    HERD_ASSERT(c == making.config);
    if (!making.failed) {
        set(assignment);
    }
    return making.failed ? HERD_E_SYNTAX : HERD_OK;
}

static bool select_self(struct config *c, struct span name)
{
    unsigned runnable = 0;
    for (unsigned i = 0; i < c->node_count; i++) {
        runnable += !c->nodes[i].open;
    }
    c->self = find_node(name);
    if (runnable == 0) {
        text_str(fault((struct place){0}), "no nodes; add a section [node NAME] for each");
        return false;
    }
    if (name.bytes == 0) {
        struct text *t = fault((struct place){0});
        text_str(t, "which node? use ");
        put_node_names(t, false);
        return false;
    }
    if (c->self < c->node_count && c->nodes[c->self].open) {
        struct text *t = fault((struct place){.line = c->nodes[c->self].line,
                                              .section = SEC_OPEN,
                                              .node = span_of(c->nodes[c->self].name)});
        text_str(t, "a neighbour of the older kind is not run from here; use ");
        put_node_names(t, false);
        return false;
    }
    if (c->self == c->node_count) {
        return fail_unknown_node((struct place){0}, name);
    }
    for (unsigned k = 0; k < CONFIG_KEYS_NODE_COUNT; k++) {
        if (making.self_has[k]) { /* a legal value: config_set has seen it */
            assign(k, (struct place){0}, making.self_value[k], &c->nodes[c->self]);
        }
    }
    return !making.failed;
}

static bool check_node_is_complete(const struct config *c, unsigned i)
{
    bool open = c->nodes[i].open;
    unsigned first = open ? CONFIG_KEYS_NODE_COUNT : 0;
    unsigned count = open ? CONFIG_KEYS_OPEN_NEEDED : CONFIG_KEYS_NODE_NEEDED;
    for (unsigned k = first; k < first + count; k++) {
        if (making.node_key_line[i][k] == 0 && !(i == c->self && making.self_has[k])) {
            struct place at = {.line = c->nodes[i].line,
                               .section = open ? SEC_OPEN : SEC_NODE,
                               .node = span_of(c->nodes[i].name),
                               .key = span_of(config_keys_get(k)->name)};
            struct text *t = fault(at);
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

static void put_ip4(struct text *t, uint32_t address)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        text_u64(t, address >> (shift - 8) & 255u);
        text_str(t, shift > 8 ? "." : "");
    }
}

/* What the node's own network must be like; on the loopback it has none, and nothing of this counts. */
static bool check_node_network(const struct config_node *n)
{
    struct place at = {.line = n->line, .section = SEC_NODE, .node = span_of(n->name)};
    uint32_t host = n->address & ~n->mask;
    if (n->open || n->address >> 24 == 127) {
        return true;
    }
    if (host == 0 || host == ~n->mask) {
        struct text *t = fault(at);
        put_ip4(t, n->address);
        text_str(t, host == 0 ? " is the network itself" : " is the network's broadcast address");
        text_str(t, " with mask ");
        put_ip4(t, n->mask);
        text_str(t, "; use another address or mask");
        return false;
    }
    if (n->gateway != 0 && (n->dhcp || ((n->gateway ^ n->address) & n->mask) != 0)) {
        at.key = SPAN_LIT("gateway");
        struct text *t = fault(at);
        if (n->dhcp) {
            text_str(t, "with dhcp = yes the server says it; leave it out");
            return false;
        }
        put_ip4(t, n->gateway);
        text_str(t, " is not in the network of ");
        put_ip4(t, n->address);
        text_str(t, " with mask ");
        put_ip4(t, n->mask);
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
    struct text *t = fault((struct place){
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

static bool check_nodes(const struct config *c)
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

static bool check_links(const struct config *c)
{
    uint32_t open = 0; /* [open NAME] is consent enough */
    for (unsigned i = 0; i < c->node_count; i++) {
        open |= (uint32_t)c->nodes[i].open << i;
    }
    for (unsigned i = 0; i < c->node_count; i++) {
        if (!c->nodes[i].open && (c->nodes[i].links & ~open) != 0 && !c->insecure_links) {
            text_str(fault((struct place){.section = SEC_HERD, .key = SPAN_LIT("insecure_links")}),
                     "links have no keys yet and go over plain TCP, so that whoever reaches a link "
                     "port can write records; accept that with insecure_links = yes, or remove "
                     "[links]");
            return false;
        }
    }
    return true;
}

/* Puts node i into a list that is in the order of names. */
static bool list_by_name(const struct config *c, uint8_t *list, unsigned *count, unsigned capacity,
                         unsigned i)
{
    bool open = c->nodes[i].open;
    if (*count == capacity) {
        struct text *t = fault((struct place){.section = SEC_LINKS});
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
    HERD_ASSERT(c == making.config);
    if (making.failed) {
        return HERD_E_SYNTAX;
    }
    c->neighbour_count = 0;
    c->open_count = 0;
    fill_host(&c->places);
    bool ok = select_self(c, node) && check_nodes(c) && check_links(c) && list_neighbours(c);
    return ok ? HERD_OK : HERD_E_RANGE;
}

int config_check_addresses(struct config *c, bool addresses_are_real)
{
    HERD_ASSERT(c == making.config && !making.failed);
    if (addresses_are_real || c->open_anyone || c->open_count == 0) {
        return HERD_OK;
    }
    struct text *t = fault((struct place){.section = SEC_HERD, .key = SPAN_LIT("open_anyone")});
    text_str(t, "on this network every peer seems to have the same address, so that ");
    text_str(t, c->nodes[c->self].name);
    text_str(t, " cannot tell its open neighbour ");
    text_str(t, c->nodes[c->open[0]].name);
    text_str(t,
             " from its clients; accept such lines from anyone with open_anyone = yes, or remove "
             "the link");
    return HERD_E_RANGE;
}

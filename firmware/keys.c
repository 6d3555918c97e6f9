/* The keys of this node's links; keys.h has the contracts.
 *
 * A file is read into a store on the stack, which becomes the node's own only when all of it is right,
 * and is wiped in any case.
 */
#include "keys.h"

#include <string.h>

#define DIGITS (2 * KEYS_BYTES)

struct store {
    uint16_t number[CFG_LINKS]; /* of the current key; 0: none */
    uint8_t key[CFG_LINKS][2][KEYS_BYTES];
};

/* A file while it is read. */
struct reading {
    const struct config *config;
    struct store *store;
    struct text *error;
    unsigned line;
    bool has_section;
};

CFG_SECRET static struct store own;
static const struct config *config;

/* --- Secrets ----------------------------------------------------------------------------------- */

/* Through a volatile pointer, so that no compiler finds out that nobody reads it afterwards. */
static void wipe(void *at, size_t bytes)
{
    volatile unsigned char *p = at;
    while (bytes-- > 0) {
        *p++ = 0;
    }
}

/* In the same time wherever they differ. */
static bool is_same(const uint8_t *a, const uint8_t *b)
{
    unsigned difference = 0;
    for (unsigned i = 0; i < KEYS_BYTES; i++) {
        difference |= (unsigned)(a[i] ^ b[i]);
    }
    return difference == 0;
}

/* All ones when low <= c && c <= high, else 0, without a branch: bit 8 of a difference is its borrow. */
static unsigned between(unsigned c, unsigned low, unsigned high)
{
    return (((c - low) | (high - c)) >> 8 & 1u) - 1u;
}

/* The value of a hexadecimal digit; bits above the lowest four are set when it is none. No table and no
 * branch on what the digit is. */
static unsigned digit(char digit_char)
{
    unsigned c = (unsigned char)digit_char;
    unsigned decimal = between(c, '0', '9');
    unsigned letter = between(c | 0x20u, 'a', 'f');
    return (decimal & (c - '0')) | (letter & ((c | 0x20u) - 'a' + 10)) |
           (~(decimal | letter) & 0x100u);
}

static bool read_digits(struct span text, uint8_t key[KEYS_BYTES])
{
    unsigned wrong = 0;
    if (text.bytes != DIGITS) {
        return false;
    }
    for (unsigned i = 0; i < KEYS_BYTES; i++) {
        unsigned high = digit(text.at[2 * i]);
        unsigned low = digit(text.at[2 * i + 1]);
        wrong |= high | low;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return wrong < 16;
}

/* --- Errors ------------------------------------------------------------------------------------ */

static struct text *fault(const struct reading *r)
{
    text_str(r->error, "line ");
    text_u64(r->error, r->line);
    text_str(r->error, ": ");
    return r->error;
}

static struct text *fault_of(const struct reading *r, struct span link)
{
    struct text *t = fault(r);
    text_escaped(t, link, PROTO_SERVER_BYTES_MAX);
    text_str(t, ": ");
    return t;
}

static struct span self_name(const struct config *c)
{
    return span_of(c->nodes[c->self].name);
}

static struct span link_name(const struct config *c, unsigned link)
{
    return span_of(c->nodes[c->neighbours[link]].name);
}

/* --- Reading ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
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

/* What stands before the first `separator`, and *rest behind it; all of it when there is none. */
static struct span take_until(struct span *rest, char separator)
{
    const char *at = rest->bytes == 0 ? NULL : memchr(rest->at, separator, rest->bytes);
    struct span part = {rest->at, at == NULL ? rest->bytes : (size_t)(at - rest->at)};
    size_t taken = part.bytes + (at == NULL ? 0 : 1);
    rest->at += taken;
    rest->bytes -= taken;
    return part;
}

/* The first word, and *rest from the second on. */
static struct span take_word(struct span *rest)
{
    struct span word = {rest->at, 0};
    while (word.bytes < rest->bytes && !is_blank(word.at[word.bytes])) {
        word.bytes++;
    }
    *rest = trimmed((struct span){rest->at + word.bytes, rest->bytes - word.bytes});
    return word;
}

/* The link with that neighbour, or the count of links. */
static unsigned find_link(const struct config *c, struct span name)
{
    unsigned i = 0;
    while (i < c->neighbour_count && !span_equal(name, link_name(c, i))) {
        i++;
    }
    return i;
}

/* Decimal, 1 to KEYS_NUMBER_MAX, in the one way of writing it; 0: anything else. */
static unsigned read_number(struct span text)
{
    uint64_t number = 0;
    if (!text_parse_u64(text, KEYS_NUMBER_MAX, &number) || text.at[0] == '0') {
        return 0;
    }
    return (unsigned)number;
}

static int read_section(struct reading *r, struct span line)
{
    static const struct span keys = {"[keys ", 6};
    bool is_keys = line.bytes > keys.bytes && memcmp(line.at, keys.at, keys.bytes) == 0 &&
                   line.at[line.bytes - 1] == ']';
    struct span name =
        is_keys ? trimmed((struct span){line.at + keys.bytes, line.bytes - keys.bytes - 1}) : line;
    if (!is_keys || r->has_section) {
        text_str(fault(r), r->has_section ? "a second section; a node's key file has one"
                                          : "a key file begins with [keys NAME]");
        return HERD_E_SYNTAX;
    }
    if (!span_equal(name, self_name(r->config))) {
        struct text *t = fault(r);
        text_str(t, "these are the keys of ");
        text_escaped(t, name, PROTO_SERVER_BYTES_MAX);
        text_str(t, "; this node is ");
        text_put(t, self_name(r->config));
        return HERD_E_RANGE;
    }
    r->has_section = true;
    return HERD_OK;
}

/* NUMBER:HEX64 into key. The number; 0: it is none. */
static unsigned read_key(struct span word, uint8_t key[KEYS_BYTES])
{
    struct span digits = word;
    unsigned number = read_number(take_until(&digits, ':'));
    return read_digits(digits, key) ? number : 0;
}

static int read_keys(struct reading *r, struct span name, struct span value)
{
    uint8_t skipped[2][KEYS_BYTES];
    unsigned link = find_link(r->config, name);
    bool known = link < r->config->neighbour_count;
    uint8_t(*keys)[KEYS_BYTES] = known ? r->store->key[link] : skipped;
    if (known && r->store->number[link] > 0) {
        text_str(fault_of(r, name), "given twice");
        return HERD_E_SYNTAX;
    }
    unsigned current = read_key(take_word(&value), keys[0]);
    unsigned next = read_key(take_word(&value), keys[1]);
    wipe(skipped, sizeof skipped);
    if (current == 0 || next == 0 || value.bytes > 0) {
        text_str(fault_of(r, name),
                 "not two keys; use NUMBER:KEY NUMBER:KEY, numbers 1 to 65535, keys of 64 "
                 "hexadecimal digits");
        return HERD_E_SYNTAX;
    }
    if (next != keys_number_after(current)) {
        text_str(fault_of(r, name), "the second key is not the one after the first; number it ");
        text_u64(r->error, keys_number_after(current));
        return HERD_E_RANGE;
    }
    if (known) {
        r->store->number[link] = (uint16_t)current;
    }
    return HERD_OK;
}

static int read_line(struct reading *r, struct span line)
{
    line = trimmed(line);
    if (line.bytes == 0 || line.at[0] == ';' || line.at[0] == '#') {
        return HERD_OK;
    }
    if (line.at[0] == '[') {
        return read_section(r, line);
    }
    struct span value = line;
    struct span name = trimmed(take_until(&value, '='));
    if (value.bytes == 0 || !proto_is_server_name(name)) {
        text_str(fault(r), "neither [keys NAME] nor NEIGHBOUR = NUMBER:KEY NUMBER:KEY");
        return HERD_E_SYNTAX;
    }
    if (!r->has_section) {
        text_str(fault_of(r, name), "a key file begins with [keys NAME]");
        return HERD_E_SYNTAX;
    }
    return read_keys(r, name, trimmed(value));
}

static int check_complete(const struct reading *r)
{
    for (unsigned i = 0; i < r->config->neighbour_count; i++) {
        if (r->store->number[i] == 0) {
            text_str(r->error, "there are no keys for the link of ");
            text_put(r->error, self_name(r->config));
            text_str(r->error, " with ");
            text_put(r->error, link_name(r->config, i));
            text_str(r->error,
                     "; links are always authenticated: make key files with herdctl keys, and give "
                     "this node its own");
            return HERD_E_RANGE;
        }
    }
    return HERD_OK;
}

/* No key is there twice: whoever has one link's is nobody on another's. */
static int check_distinct(const struct reading *r)
{
    unsigned count = 2 * r->config->neighbour_count;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (is_same(r->store->key[i / 2][i % 2], r->store->key[j / 2][j % 2])) {
                text_str(r->error, "two keys are the same, those of ");
                text_put(r->error, link_name(r->config, j / 2));
                text_str(r->error, i / 2 == j / 2 ? "" : " and ");
                text_put(r->error,
                         i / 2 == j / 2 ? (struct span){NULL, 0} : link_name(r->config, i / 2));
                text_str(r->error, "; make new ones with herdctl keys");
                return HERD_E_RANGE;
            }
        }
    }
    return HERD_OK;
}

static int read_file(const struct config *c, struct span file, struct store *store,
                     struct text *error)
{
    struct reading r = {.config = c, .store = store, .error = error};
    int err = HERD_OK;
    memset(store, 0, sizeof *store);
    while (err == HERD_OK && file.bytes > 0) {
        r.line++;
        err = read_line(&r, take_until(&file, '\n'));
    }
    err = err == HERD_OK ? check_complete(&r) : err;
    return err == HERD_OK ? check_distinct(&r) : err;
}

/* --- Interface --------------------------------------------------------------------------------- */

int keys_check(const struct config *c, struct span file, struct text *error)
{
    struct store store;
    int err = read_file(c, file, &store, error);
    wipe(&store, sizeof store);
    return err;
}

int keys_init(const struct config *c, struct span file, struct text *error)
{
    struct store store;
    config = c;
    wipe(&own, sizeof own);
    int err = read_file(c, file, &store, error);
    if (err == HERD_OK) {
        own = store;
    }
    wipe(&store, sizeof store);
    return err;
}

bool keys_has(unsigned link)
{
    return keys_number(link) > 0;
}

unsigned keys_number(unsigned link)
{
    HERD_ASSERT(link < CFG_LINKS);
    return own.number[link];
}

unsigned keys_number_after(unsigned number)
{
    return number == KEYS_NUMBER_MAX ? 1 : number + 1;
}

static struct span key_of(unsigned link, unsigned which)
{
    return (struct span){(const char *)own.key[link][which], KEYS_BYTES};
}

struct span keys_offer(unsigned link, struct text *identity)
{
    HERD_ASSERT(keys_has(link));
    text_put(identity, self_name(config));
    text_char(identity, '>');
    text_put(identity, link_name(config, link));
    text_char(identity, '#');
    text_u64(identity, own.number[link]);
    return key_of(link, 0);
}

enum keys_verdict keys_judge(struct span identity, unsigned *link, struct span *key)
{
    struct span rest = identity;
    if (config == NULL || identity.bytes == 0) {
        return KEYS_UNKNOWN;
    }
    /* Neither > nor # is in any name: whatever is too much stays in a part that then is nobody's. */
    struct span from = take_until(&rest, '>');
    struct span to = take_until(&rest, '#');
    unsigned number = read_number(rest);
    unsigned found = find_link(config, from); /* never this node itself: it is not its neighbour */
    if (number == 0 || !span_equal(to, self_name(config)) || found == config->neighbour_count ||
        own.number[found] == 0) {
        return KEYS_UNKNOWN;
    }
    unsigned current = own.number[found];
    if (keys_number_after(number) == current) {
        return KEYS_OLD;
    }
    if (number != current && number != keys_number_after(current)) {
        return KEYS_UNKNOWN;
    }
    *link = found;
    *key = key_of(found, number == current ? 0 : 1);
    return number == current ? KEYS_CURRENT : KEYS_NEXT;
}

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

/* A file while it is read: into a store, or into its packed form. */
struct reading {
    const struct config *config; /* NULL: every name is as good as any */
    struct store *store;
    struct text *packed;
    struct text *error;
    unsigned line; /* 0: what is read has no lines */
    bool has_section;
    uint8_t count[CFG_LINKS]; /* of a link's keys so far */
};

/* Records of the packed form: the kind, the bytes of a name, the name; of a key also its number, big end
 * first, and its bytes. No text begins with a kind. */
enum { PACKED_SECTION = 1, PACKED_KEY = 2 };

CFG_SECRET static struct store own;
static const struct config *config;

/* --- Secrets ----------------------------------------------------------------------------------- */

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
    if (r->line > 0) {
        text_str(r->error, "line ");
        text_u64(r->error, r->line);
        text_str(r->error, ": ");
    }
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

static int pack(struct reading *r, uint8_t kind, struct span name)
{
    text_char(r->packed, (char)kind);
    text_char(r->packed, (char)name.bytes);
    text_put(r->packed, name);
    return HERD_OK;
}

static int take_section(struct reading *r, struct span name)
{
    if (r->has_section) {
        text_str(fault(r), "a second section; a node's key file has one");
        return HERD_E_SYNTAX;
    }
    r->has_section = true;
    if (r->packed != NULL) {
        return pack(r, PACKED_SECTION, name);
    }
    if (!span_equal(name, self_name(r->config))) {
        struct text *t = fault(r);
        text_str(t, "these are the keys of ");
        text_escaped(t, name, PROTO_SERVER_BYTES_MAX);
        text_str(t, "; this node is ");
        text_put(t, self_name(r->config));
        return HERD_E_RANGE;
    }
    return HERD_OK;
}

static int take_key(struct reading *r, struct span name, unsigned number,
                    const uint8_t key[KEYS_BYTES])
{
    if (r->packed != NULL) {
        (void)pack(r, PACKED_KEY, name);
        text_char(r->packed, (char)(number >> 8));
        text_char(r->packed, (char)number);
        text_put(r->packed, (struct span){(const char *)key, KEYS_BYTES});
        return HERD_OK;
    }
    unsigned link = find_link(r->config, name);
    if (link == r->config->neighbour_count) {
        return HERD_OK;
    }
    unsigned expected = keys_number_after(r->store->number[link]);
    if (r->count[link] == 2) {
        text_str(fault_of(r, name), "more than two keys");
        return HERD_E_SYNTAX;
    }
    if (r->count[link] == 1 && number != expected) {
        text_str(fault_of(r, name), "the second key is not the one after the first; number it ");
        text_u64(r->error, expected);
        return HERD_E_RANGE;
    }
    memcpy(r->store->key[link][r->count[link]], key, KEYS_BYTES);
    r->store->number[link] = r->count[link] == 0 ? (uint16_t)number : r->store->number[link];
    r->count[link]++;
    return HERD_OK;
}

static int read_section(struct reading *r, struct span line)
{
    static const struct span keys = {"[keys ", 6};
    if (line.bytes <= keys.bytes || memcmp(line.at, keys.at, keys.bytes) != 0 ||
        line.at[line.bytes - 1] != ']') {
        text_str(fault(r), "a key file begins with [keys NAME]");
        return HERD_E_SYNTAX;
    }
    struct span name =
        span_trimmed((struct span){line.at + keys.bytes, line.bytes - keys.bytes - 1});
    if (!proto_is_server_name(name)) {
        text_str(fault(r), "no name of a node; a key file begins with [keys NAME]");
        return HERD_E_SYNTAX;
    }
    return take_section(r, name);
}

/* NUMBER:HEX64 */
static int read_key(struct reading *r, struct span name, struct span word)
{
    uint8_t key[KEYS_BYTES];
    struct span digits = word;
    unsigned number = read_number(span_take_until(&digits, ':'));
    int err = HERD_E_SYNTAX;
    if (!read_digits(digits, key) || number == 0) {
        text_str(fault_of(r, name),
                 "not a key; use NUMBER:KEY, number 1 to 65535, key of 64 hexadecimal digits");
    } else {
        err = take_key(r, name, number, key);
    }
    text_wipe(key, sizeof key);
    return err;
}

static int read_line(struct reading *r, struct span line)
{
    int err = HERD_OK;
    line = span_trimmed(line);
    if (line.bytes == 0 || line.at[0] == ';' || line.at[0] == '#') {
        return HERD_OK;
    }
    if (line.at[0] == '[') {
        return read_section(r, line);
    }
    struct span rest = line;
    struct span name = span_trimmed(span_take_until(&rest, '='));
    struct span word = span_take_word(&rest);
    if (word.bytes == 0 || !proto_is_server_name(name)) {
        text_str(fault(r), "neither [keys NAME] nor NEIGHBOUR = NUMBER:KEY");
        return HERD_E_SYNTAX;
    }
    if (!r->has_section && r->packed == NULL) {
        text_str(fault_of(r, name), "a key file begins with [keys NAME]");
        return HERD_E_SYNTAX;
    }
    while (err == HERD_OK && word.bytes > 0) {
        err = read_key(r, name, word);
        word = span_take_word(&rest);
    }
    return err;
}

/* Takes `bytes` off *rest; false: there are fewer. */
static bool take_bytes(struct span *rest, size_t bytes, struct span *taken)
{
    if (bytes > rest->bytes) {
        return false;
    }
    *taken = (struct span){rest->at, bytes};
    rest->at += bytes;
    rest->bytes -= bytes;
    return true;
}

static int read_packed(struct reading *r, struct span *rest)
{
    struct span head, name, value;
    bool whole = take_bytes(rest, 2, &head) && take_bytes(rest, (unsigned char)head.at[1], &name);
    if (whole && head.at[0] == PACKED_SECTION) {
        return take_section(r, name);
    }
    if (whole && head.at[0] == PACKED_KEY && take_bytes(rest, 2 + KEYS_BYTES, &value)) {
        const uint8_t *bytes = (const uint8_t *)value.at;
        return take_key(r, name, (unsigned)bytes[0] << 8 | bytes[1], bytes + 2);
    }
    text_str(r->error, "the node's own keys cannot be read; keys load takes them again");
    return HERD_E_SYNTAX;
}

static int check_complete(const struct reading *r)
{
    for (unsigned i = 0; i < r->config->neighbour_count; i++) {
        if (r->count[i] == 2) {
            continue;
        }
        text_str(r->error,
                 r->count[i] == 0 ? "there are no keys" : "there is one key, not a next one,");
        text_str(r->error, " for the link of ");
        text_put(r->error, self_name(r->config));
        text_str(r->error, " with ");
        text_put(r->error, link_name(r->config, i));
        text_str(
            r->error,
            "; links are always authenticated: make key files with herdctl keys, and give this "
            "node its own");
        return HERD_E_RANGE;
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
    bool is_packed = file.bytes > 0 && file.at[0] == PACKED_SECTION;
    while (err == HERD_OK && file.bytes > 0) {
        if (is_packed) {
            err = read_packed(&r, &file);
        } else {
            r.line++;
            err = read_line(&r, span_take_until(&file, '\n'));
        }
    }
    err = err == HERD_OK ? check_complete(&r) : err;
    return err == HERD_OK ? check_distinct(&r) : err;
}

/* --- Interface --------------------------------------------------------------------------------- */

int keys_check(const struct config *c, struct span file, struct text *error)
{
    struct store store;
    int err = read_file(c, file, &store, error);
    text_wipe(&store, sizeof store);
    return err;
}

int keys_init(const struct config *c, struct span file, struct text *error)
{
    struct store store;
    config = c;
    text_wipe(&own, sizeof own);
    int err = read_file(c, file, &store, error);
    if (err == HERD_OK) {
        own = store;
    }
    text_wipe(&store, sizeof store);
    return err;
}

int keys_pack_line(struct span line, struct text *out, struct text *error)
{
    struct reading r = {.packed = out, .error = error};
    return read_line(&r, line);
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
    struct span from = span_take_until(&rest, '>');
    struct span to = span_take_until(&rest, '#');
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

/* The document lies in nv's buffer as it is written: the parts' lengths of 16 bits each, little-endian,
 * then the parts one behind the other. Before links had keys there were four lengths. */
#include "setup.h"

#include <string.h>

#include "hal_net.h"
#include "keys.h"
#include "log.h"
#include "nv.h"

#define LENGTHS_BYTES             (2 * SETUP_PARTS)
#define PARTS_BYTES               (NV_CONFIG_BYTES - LENGTHS_BYTES)
#define LENGTHS_BYTES_BEFORE_KEYS 8
#define REFUSED_BYTES             160 /* of an error, for status and log */

_Static_assert(NV_CONFIG_BYTES <= 65535, "lengths have 16 bits");

static const struct setup_factory *factory;
static struct config trial;
CFG_SECRET static char key[SETUP_KEY_BYTES_MAX + 1];
static size_t key_bytes;
static bool has_own_key; /* not the factory's */
static enum setup_origin origin;
static bool changed;
static bool load_is_full;
static uint16_t load_line;  /* of the key file */
static uint16_t wrong_line; /* the first that is none of a key file's; 0: none */
static bool lacks_keys;
static char refused[REFUSED_BYTES];
static size_t refused_bytes;

/* --- The document ------------------------------------------------------------------------------ */

static size_t part_bytes(enum setup_part part)
{
    const uint8_t *at = nv_config_buffer() + 2 * part;
    return at[0] | (size_t)at[1] << 8;
}

static void set_part_bytes(enum setup_part part, size_t bytes)
{
    uint8_t *at = nv_config_buffer() + 2 * part;
    at[0] = (uint8_t)bytes;
    at[1] = (uint8_t)(bytes >> 8);
}

static size_t part_start(enum setup_part part)
{
    size_t at = LENGTHS_BYTES;
    for (unsigned i = 0; i < (unsigned)part; i++) {
        at += part_bytes((enum setup_part)i);
    }
    return at;
}

static size_t document_bytes(void)
{
    return part_start(SETUP_PARTS);
}

struct span setup_get(enum setup_part part)
{
    return (struct span){(const char *)nv_config_buffer() + part_start(part), part_bytes(part)};
}

static void clear_document(void)
{
    memset(nv_config_buffer(), 0, NV_CONFIG_BYTES);
}

/* In place of `drop` bytes from `offset` of a part. False: no room, nothing changed. `put` is not within
 * the document. */
static bool splice(enum setup_part part, size_t offset, size_t drop, struct span put)
{
    uint8_t *buffer = nv_config_buffer();
    size_t at = part_start(part) + offset;
    size_t end = document_bytes();
    if (put.bytes > drop && put.bytes - drop > NV_CONFIG_BYTES - end) {
        return false;
    }
    memmove(buffer + at + put.bytes, buffer + at + drop, end - at - drop);
    if (put.bytes > 0) {
        memcpy(buffer + at, put.at, put.bytes);
    }
    if (put.bytes < drop) { /* a key may have been there */
        memset(buffer + end - (drop - put.bytes), 0, drop - put.bytes);
    }
    set_part_bytes(part, part_bytes(part) - drop + put.bytes);
    return true;
}

static bool replace(enum setup_part part, struct span put)
{
    return splice(part, 0, part_bytes(part), put);
}

/* Makes a document of what was one before links had keys. */
static bool upgrade(size_t bytes)
{
    uint8_t *buffer = nv_config_buffer();
    size_t parts = part_start(SETUP_LINK_KEYS) - LENGTHS_BYTES;
    if (parts + LENGTHS_BYTES_BEFORE_KEYS != bytes || parts > PARTS_BYTES) {
        return false;
    }
    memmove(buffer + LENGTHS_BYTES, buffer + LENGTHS_BYTES_BEFORE_KEYS, parts);
    set_part_bytes(SETUP_LINK_KEYS, 0);
    return true;
}

/* Reads what is saved. False: there is none, the document is empty. */
static bool read_document(void)
{
    size_t bytes = 0;
    changed = false;
    if (nv_config_read(&bytes) != HERD_OK || (document_bytes() != bytes && !upgrade(bytes))) {
        clear_document();
        return false;
    }
    return true;
}

/* --- Checking ---------------------------------------------------------------------------------- */

static const struct span nothing = {NULL, 0};

/* The next line of *rest, and *rest behind it; false at the end. */
static bool next_line(struct span *rest, struct span *line)
{
    if (rest->bytes == 0) {
        return false;
    }
    const char *end = memchr(rest->at, '\n', rest->bytes);
    size_t bytes = end == NULL ? rest->bytes : (size_t)(end - rest->at);
    *line = (struct span){rest->at, bytes};
    bytes += end == NULL ? 0 : 1;
    rest->at += bytes;
    rest->bytes -= bytes;
    return true;
}

static int set_all(struct config *c, struct span lines)
{
    struct span line;
    while (next_line(&lines, &line)) {
        if (line.bytes > 0 && config_set(c, line) != HERD_OK) {
            return HERD_E_SYNTAX;
        }
    }
    return HERD_OK;
}

/* The configuration that the document gives, with one more setting; or, without it, the factory's. */
static int build(struct config *c, bool with_document, struct span extra, struct span node,
                 struct text *error)
{
    struct span text = with_document ? setup_get(SETUP_TEXT) : (struct span){NULL, 0};
    bool own_text = text.bytes > 0;
    if (node.bytes == 0) {
        node = with_document ? setup_get(SETUP_NODE) : node;
        node = node.bytes > 0 ? node : factory->node;
    }
    config_begin(c, own_text ? SPAN_LIT("herd file") : factory->herd_file, error);
    int err = config_read(c, own_text ? text : factory->herd_text);
    if (err == HERD_OK && !own_text) {
        err = set_all(c, factory->settings);
    }
    if (err == HERD_OK && with_document) {
        err = set_all(c, setup_get(SETUP_SETTINGS));
    }
    if (err == HERD_OK && extra.bytes > 0) {
        err = config_set(c, extra);
    }
    if (err == HERD_OK && factory->override != NULL && !factory->override(c)) {
        err = HERD_E_SYNTAX;
    }
    err = err == HERD_OK ? config_finish(c, node) : err;
    return err == HERD_OK ? config_check_addresses(c, hal_net_addresses_are_real()) : err;
}

static int check(struct span extra, struct span node, struct text *error)
{
    return build(&trial, true, extra, node, error);
}

static struct span keys_that_count(bool with_document)
{
    struct span own = with_document ? setup_get(SETUP_LINK_KEYS) : nothing;
    return own.bytes > 0 ? own : factory->link_keys;
}

/* As build, with the keys of its links. */
static int build_with_keys(struct config *c, bool with_document, struct text *error)
{
    int err = build(c, with_document, nothing, nothing, error);
    lacks_keys = false;
    if (err == HERD_OK) {
        err = keys_check(c, keys_that_count(with_document), error);
        lacks_keys = err != HERD_OK;
    }
    return err;
}

static int fail_full(struct text *error)
{
    text_str(error, "no room: the node keeps at most ");
    text_u64(error, PARTS_BYTES);
    text_str(error, " bytes of herd file, settings, keys and name");
    return HERD_E_FULL;
}

/* --- Start ------------------------------------------------------------------------------------- */

static void take_key(struct span k)
{
    key_bytes = k.bytes < SETUP_KEY_BYTES_MAX ? k.bytes : SETUP_KEY_BYTES_MAX;
    memset(key, 0, sizeof key);
    if (key_bytes > 0) {
        memcpy(key, k.at, key_bytes);
    }
}

int setup_start(const struct setup_factory *given, struct config *out, struct text *error)
{
    struct text why;
    factory = given;
    origin = SETUP_FROM_NOBODY;
    refused_bytes = 0;
    bool has_document = read_document();
    take_key(has_document ? setup_get(SETUP_KEY) : nothing);
    has_own_key = key_bytes > 0;
    setup_set_factory_key(factory->places_key);
    if (has_document) {
        text_init(&why, refused, sizeof refused);
        if (build_with_keys(out, true, &why) == HERD_OK) {
            origin = SETUP_FROM_NODE;
            return HERD_OK;
        }
        refused_bytes = why.bytes;
    }
    int err = build_with_keys(out, false, error);
    if (err == HERD_OK) {
        origin = SETUP_FROM_FACTORY;
    }
    return err;
}

enum setup_origin setup_origin(void)
{
    return origin;
}

bool setup_lacks_keys(void)
{
    return lacks_keys;
}

struct span setup_link_keys(void)
{
    return keys_that_count(origin == SETUP_FROM_NODE);
}

struct span setup_refused(void)
{
    return (struct span){refused, refused_bytes};
}

void setup_set_factory_key(struct span k)
{
    if (!has_own_key) {
        take_key(k);
    }
}

struct span setup_places_key(void)
{
    return (struct span){key, key_bytes};
}

/* --- Editing ----------------------------------------------------------------------------------- */

bool setup_is_changed(void)
{
    return changed;
}

/* What stands before the equals sign. */
static struct span name_of(struct span assignment)
{
    const char *equals = memchr(assignment.at, '=', assignment.bytes);
    size_t bytes = equals == NULL ? assignment.bytes : (size_t)(equals - assignment.at);
    return span_trimmed((struct span){assignment.at, bytes});
}

/* Takes the line of that name out of the settings. */
static bool drop_setting(struct span name)
{
    struct span settings = setup_get(SETUP_SETTINGS);
    struct span rest = settings;
    struct span line;
    while (next_line(&rest, &line)) {
        if (span_equal(name_of(line), name)) {
            size_t offset = (size_t)(line.at - settings.at);
            return splice(SETUP_SETTINGS, offset, settings.bytes - rest.bytes - offset, nothing);
        }
    }
    return false;
}

int setup_set(struct span assignment, struct text *error)
{
    int err = check(assignment, nothing, error);
    if (err != HERD_OK) {
        return err;
    }
    assignment = span_trimmed(assignment);
    if (assignment.bytes + 1 > NV_CONFIG_BYTES - document_bytes()) {
        return fail_full(error);
    }
    (void)drop_setting(name_of(assignment));
    size_t end = part_bytes(SETUP_SETTINGS);
    bool fits = splice(SETUP_SETTINGS, end, 0, assignment) &&
                splice(SETUP_SETTINGS, end + assignment.bytes, 0, SPAN_LIT("\n"));
    HERD_ASSERT(fits);
    changed = true;
    return HERD_OK;
}

int setup_unset(struct span name, struct text *error)
{
    if (!drop_setting(span_trimmed(name))) {
        text_str(error, "there is no such setting of this node; config show new tells");
        return HERD_E_RANGE;
    }
    changed = true;
    return HERD_OK;
}

int setup_put_node(struct span name, struct text *error)
{
    int err = check(nothing, name, error);
    if (err != HERD_OK) {
        return err;
    }
    if (!replace(SETUP_NODE, name)) {
        return fail_full(error);
    }
    changed = true;
    return HERD_OK;
}

int setup_put_key(struct span given, struct text *error)
{
    for (size_t i = 0; i < given.bytes; i++) {
        if (given.at[i] <= ' ' || given.at[i] > '~') {
            text_str(error, "there is white space or a control byte within it");
            return HERD_E_RANGE;
        }
    }
    if (given.bytes > SETUP_KEY_BYTES_MAX) {
        text_str(error, "the key is longer than any key");
        return HERD_E_RANGE;
    }
    if (!replace(SETUP_KEY, given)) {
        return fail_full(error);
    }
    changed = true;
    return HERD_OK;
}

void setup_load_begin(void)
{
    load_is_full = !replace(SETUP_TEXT, nothing) || !replace(SETUP_SETTINGS, nothing);
    changed = true;
}

void setup_load_line(struct span line)
{
    struct span kept = span_trimmed(line);
    if (kept.bytes > 0 && (kept.at[0] == ';' || kept.at[0] == '#')) {
        kept.bytes = 0; /* its line stays, so that errors name the right one */
    }
    load_is_full = load_is_full || !splice(SETUP_TEXT, part_bytes(SETUP_TEXT), 0, kept) ||
                   !splice(SETUP_TEXT, part_bytes(SETUP_TEXT), 0, SPAN_LIT("\n"));
}

int setup_load_end(struct span node, struct text *error)
{
    int err = HERD_OK;
    if (load_is_full || (node.bytes > 0 && !replace(SETUP_NODE, node))) {
        err = fail_full(error);
    } else if (part_bytes(SETUP_TEXT) > 0) {
        err = check(nothing, nothing, error);
    }
    if (err != HERD_OK) {
        setup_discard();
    }
    return err;
}

void setup_keys_begin(void)
{
    load_is_full = !replace(SETUP_LINK_KEYS, nothing);
    load_line = 0;
    wrong_line = 0;
    changed = true;
}

void setup_keys_line(struct span line)
{
    char packed_buffer[KEYS_PACKED_LINE_BYTES_MAX];
    char error_buffer[1];
    struct text packed, unsaid;
    text_init(&packed, packed_buffer, sizeof packed_buffer);
    text_init(&unsaid, error_buffer, sizeof error_buffer);
    load_line = load_line < UINT16_MAX ? (uint16_t)(load_line + 1) : UINT16_MAX;
    if (keys_pack_line(line, &packed, &unsaid) != HERD_OK || packed.cut) {
        wrong_line = wrong_line == 0 ? load_line : wrong_line;
    } else if (!splice(SETUP_LINK_KEYS, part_bytes(SETUP_LINK_KEYS), 0, text_span(&packed))) {
        load_is_full = true;
    }
    text_wipe(packed_buffer, sizeof packed_buffer);
}

int setup_keys_end(struct text *error)
{
    int err = HERD_OK;
    if (load_is_full) {
        err = fail_full(error);
    } else if (wrong_line > 0) {
        text_str(error, "line ");
        text_u64(error, wrong_line);
        text_str(error,
                 " is none of a key file's: [keys NAME] and NEIGHBOUR = NUMBER:KEY lines, as "
                 "herdctl keys makes them");
        err = HERD_E_SYNTAX;
    } else if (part_bytes(SETUP_LINK_KEYS) > 0) {
        err = check(nothing, nothing, error);
        err = err == HERD_OK ? keys_check(&trial, setup_get(SETUP_LINK_KEYS), error) : err;
    }
    if (err != HERD_OK && !replace(SETUP_LINK_KEYS, nothing)) {
        HERD_ASSERT(false); /* nothing always fits */
    }
    return err;
}

void setup_discard(void)
{
    (void)read_document();
}

int setup_preview(const struct config **out, struct text *error)
{
    int err = check(nothing, nothing, error);
    if (err == HERD_OK) {
        *out = &trial;
    }
    return err;
}

/* --- Keeping ----------------------------------------------------------------------------------- */

static int tell(int err, const char *what, struct text *error)
{
    if (err == HERD_OK) {
        struct log_line *l = log_begin(EV_SETUP_CHANGED);
        log_str(l, "what", what);
        log_u64(l, "config", nv_info().config_sequence);
        log_end(l);
    }
    if (err == HERD_E_REFUSED || err == HERD_E_CLOSED) {
        text_str(error, nv_status_text());
    } else if (err != HERD_OK) {
        text_str(error, "there is none");
    }
    return err;
}

int setup_save(struct text *error)
{
    bool lacked_keys = lacks_keys; /* at start, which is what is asked for */
    int err = build_with_keys(&trial, true, error);
    lacks_keys = lacked_keys;
    if (err != HERD_OK) {
        return err;
    }
    err = tell(nv_config_write(document_bytes()), "saved", error);
    changed = changed && err != HERD_OK;
    return err;
}

int setup_rollback(struct text *error)
{
    int err = tell(nv_rollback(), "rolled-back", error);
    if (err == HERD_OK) {
        setup_discard();
    }
    return err;
}

int setup_factory_reset(struct text *error)
{
    int err = tell(nv_factory_reset(), "factory-reset", error);
    if (err == HERD_OK) {
        setup_discard();
    }
    return err;
}

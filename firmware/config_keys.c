/* The table of keys, and the parsers of their values. A new setting is a row here, a field in struct
 * config, and a default in config_begin.
 */
#include "config_keys.h"

#include <string.h>

#include "config.h"

#define VALUE_SHOWN_BYTES_MAX 40 /* of a value, in an error */
#define WORD_BYTES_MAX        24 /* longer words have no likely meaning */

static const char *const section_names[SEC_COUNT] = {
    [SEC_NONE] = "",       [SEC_HERD] = "herd",     [SEC_NODE] = "node",     [SEC_OPEN] = "open",
    [SEC_LINKS] = "links", [SEC_PLACES] = "places", [SEC_LIMITS] = "limits", [SEC_LOG] = "log",
};

/* --- The keys ---------------------------------------------------------------------------------- */

static bool parse_u16(const struct config_key *, struct span, void *, struct text *);
static bool parse_u32(const struct config_key *, struct span, void *, struct text *);
static bool parse_bool(const struct config_key *, struct span, void *, struct text *);
static bool parse_address(const struct config_key *, struct span, void *, struct text *);
static bool parse_mask(const struct config_key *, struct span, void *, struct text *);
static bool parse_host(const struct config_key *, struct span, void *, struct text *);
static bool parse_path(const struct config_key *, struct span, void *, struct text *);
static bool parse_provider(const struct config_key *, struct span, void *, struct text *);
static bool parse_level(const struct config_key *, struct span, void *, struct text *);
static bool parse_ntp(const struct config_key *, struct span, void *, struct text *);
static bool parse_dialect(const struct config_key *, struct span, void *, struct text *);
static bool parse_suite(const struct config_key *, struct span, void *, struct text *);

#define IN(field) offsetof(struct config, field)
#define OF(field) offsetof(struct config_node, field)

/* clang-format off */
static const struct config_key keys[] = {
    {SEC_NODE, "address", parse_address, OF(address), 7, 15, "an IPv4 address", NULL},
    {SEC_NODE, "port", parse_u16, OF(port), 1, 65535, "a port", NULL},
    {SEC_NODE, "link_port", parse_u16, OF(link_port), 1, 65535, "a port", NULL},
    {SEC_NODE, "mask", parse_mask, OF(mask), 7, 15, "a network mask", NULL},
    {SEC_NODE, "gateway", parse_address, OF(gateway), 0, 15, "an IPv4 address", NULL},
    {SEC_NODE, "dns", parse_address, OF(dns), 0, 15, "an IPv4 address", NULL},
    {SEC_NODE, "dhcp", parse_bool, OF(dhcp), 0, 0, "a choice here", NULL},
    {SEC_NODE, "upstream", parse_bool, OF(upstream), 0, 0, "a choice here", NULL},
    {SEC_OPEN, "address", parse_address, OF(address), 7, 15, "an IPv4 address", NULL},
    {SEC_OPEN, "port", parse_u16, OF(port), 1, 65535, "a port", NULL},
    {SEC_OPEN, "dialect", parse_dialect, OF(dialect), 0, 0, "a dialect", NULL},
    {SEC_OPEN, "lines", parse_u16, OF(lines), 1, 32, "a number of lines", NULL},
    {SEC_HERD, "report_bytes", parse_u16, IN(report_bytes), 32, CFG_REPORT_BYTES,
     "a size in bytes", ", the most that this board holds"},
    {SEC_HERD, "skew_max", parse_u32, IN(skew_max_s), 1, 86400, "a time in seconds", NULL},
    {SEC_HERD, "link_suite", parse_suite, IN(link_suite), 0, 0, CONFIG_KEYS_SUITE, NULL},
    {SEC_HERD, "ntp", parse_ntp, IN(ntp), 0, CONFIG_NTP_MAX, "a list of IPv4 addresses", NULL},
    {SEC_HERD, "open_anyone", parse_bool, IN(open_anyone), 0, 0, "a choice here", NULL},
    {SEC_PLACES, "provider", parse_provider, IN(places.provider), 0, 0, "a provider", NULL},
    {SEC_PLACES, "host", parse_host, IN(places.host), 0, CONFIG_HOST_BYTES_MAX, "a host name",
     NULL},
    {SEC_PLACES, "address", parse_address, IN(places.address), 0, 15, "an IPv4 address", NULL},
    {SEC_PLACES, "port", parse_u16, IN(places.port), 1, 65535, "a port", NULL},
    {SEC_PLACES, "trust_file", parse_path, IN(places.trust_file), 0, CONFIG_PATH_BYTES_MAX,
     "a path", NULL},
    {SEC_PLACES, "key_file", parse_path, IN(places.key_file), 0, CONFIG_PATH_BYTES_MAX, "a path",
     NULL},
    {SEC_PLACES, "cache_seconds", parse_u32, IN(places.cache_s), 0, 2592000, "a time in seconds",
     NULL},
    {SEC_PLACES, "queries_per_minute", parse_u32, IN(places.queries_per_minute), 1, 60000,
     "a number of queries", NULL},
    {SEC_PLACES, "queries_per_day", parse_u32, IN(places.queries_per_day), 1, 10000000,
     "a number of queries", NULL},
    {SEC_PLACES, "timeout_ms", parse_u32, IN(places.timeout_ms), 100, 120000,
     "a time in milliseconds", NULL},
    {SEC_LIMITS, "sessions_per_address", parse_u32, IN(sessions_per_address), 0, 65535,
     "a number of connections", " (0: no limit of its own)"},
    {SEC_LIMITS, "idle_seconds", parse_u32, IN(idle_s), 1, 604800, "a time in seconds", NULL},
    {SEC_LOG, "level", parse_level, IN(log_level), 0, 0, "a level", NULL},
};
/* clang-format on */

_Static_assert(sizeof keys / sizeof keys[0] == CONFIG_KEYS_COUNT, "one row for each key");

/* --- Values ------------------------------------------------------------------------------------ */

static bool parse_number(const struct config_key *key, struct span value, uint32_t *out,
                         struct text *why)
{
    uint64_t number = 0;
    if (text_parse_u64(value, key->max, &number) && number >= key->min) {
        *out = (uint32_t)number;
        return true;
    }
    config_keys_put_is_not(why, value, key->what);
    text_str(why, "; use ");
    text_u64(why, key->min);
    text_str(why, " to ");
    text_u64(why, key->max);
    text_str(why, key->note != NULL ? key->note : "");
    return false;
}

static bool parse_u16(const struct config_key *key, struct span value, void *field,
                      struct text *why)
{
    uint32_t number = 0;
    if (!parse_number(key, value, &number, why)) {
        return false;
    }
    *(uint16_t *)field = (uint16_t)number;
    return true;
}

static bool parse_u32(const struct config_key *key, struct span value, void *field,
                      struct text *why)
{
    return parse_number(key, value, (uint32_t *)field, why);
}

/* One word of a list; its index. */
static bool parse_word(const struct config_key *key, struct span value, const char *const *words,
                       unsigned count, unsigned *index, struct text *why)
{
    for (unsigned i = 0; i < count; i++) {
        if (span_equal(value, span_of(words[i]))) {
            *index = i;
            return true;
        }
    }
    config_keys_put_is_not(why, value, key->what);
    text_str(why, "; use ");
    for (unsigned i = 0; i < count; i++) {
        text_str(why, i == 0 ? "" : i + 1 < count ? ", " : " or ");
        text_str(why, words[i]);
    }
    return false;
}

static const char *const bool_words[] = {"yes", "no"};
static const char *const provider_words[] = {[CONFIG_PLACES_GOOGLE] = "google",
                                             [CONFIG_PLACES_GOOGLE_LEGACY] = "google-legacy",
                                             [CONFIG_PLACES_NONE] = "none"};
static const char *const dialect_words[] = {
    [CONFIG_DIALECT_AT] = "at", [CONFIG_DIALECT_UPDATE] = "update"};
static const char *const suite_words[] = {
    [CONFIG_SUITE_PSK] = "psk", [CONFIG_SUITE_ECDHE_PSK] = "ecdhe-psk"};
static const char *const level_words[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

static bool parse_bool(const struct config_key *key, struct span value, void *field,
                       struct text *why)
{
    unsigned index = 0;
    if (!parse_word(key, value, bool_words, 2, &index, why)) {
        return false;
    }
    *(bool *)field = index == 0;
    return true;
}

static bool parse_provider(const struct config_key *key, struct span value, void *field,
                           struct text *why)
{
    unsigned index = 0;
    if (!parse_word(key, value, provider_words, 3, &index, why)) {
        return false;
    }
    *(enum config_provider *)field = (enum config_provider)index;
    return true;
}

static bool parse_level(const struct config_key *key, struct span value, void *field,
                        struct text *why)
{
    unsigned index = 0;
    if (!parse_word(key, value, level_words, 4, &index, why)) {
        return false;
    }
    *(enum log_level *)field = (enum log_level)index;
    return true;
}

static bool parse_dialect(const struct config_key *key, struct span value, void *field,
                          struct text *why)
{
    unsigned index = 0;
    if (!parse_word(key, value, dialect_words, 2, &index, why)) {
        return false;
    }
    *(enum config_dialect *)field = (enum config_dialect)index;
    return true;
}

static bool parse_suite(const struct config_key *key, struct span value, void *field,
                        struct text *why)
{
    unsigned index = 0;
    if (!parse_word(key, value, suite_words, 2, &index, why)) {
        return false;
    }
    *(enum config_suite *)field = (enum config_suite)index;
    return true;
}

bool config_keys_suite(struct span value, enum config_suite *suite, struct text *why)
{
    static const struct config_key key = {.what = CONFIG_KEYS_SUITE};
    return parse_suite(&key, value, suite, why);
}

const char *config_keys_suite_name(enum config_suite suite)
{
    return suite_words[suite];
}

/* Four numbers, each 0 to 255 without leading zeros (some read those as octal). */
static bool read_ip4(struct span value, uint32_t *out)
{
    uint32_t address = 0;
    for (unsigned part = 0; part < 4; part++) {
        const char *dot = part < 3 ? memchr(value.at, '.', value.bytes) : value.at + value.bytes;
        if (dot == NULL) {
            return false;
        }
        struct span digits = {value.at, (size_t)(dot - value.at)};
        uint64_t number = 0;
        if (!text_parse_u64(digits, 255, &number) || (digits.bytes > 1 && digits.at[0] == '0')) {
            return false;
        }
        address = address << 8 | (uint32_t)number;
        if (part < 3) {
            value.at = dot + 1;
            value.bytes -= digits.bytes + 1;
        }
    }
    *out = address;
    return true;
}

static bool parse_address(const struct config_key *key, struct span value, void *field,
                          struct text *why)
{
    uint32_t address = 0;
    if (value.bytes == 0 && key->min == 0) {
        *(uint32_t *)field = 0;
        return true;
    }
    if (!read_ip4(value, &address) || address == 0) {
        config_keys_put_is_not(why, value, key->what);
        text_str(why, "; use four numbers, as in 127.0.0.1");
        return false;
    }
    *(uint32_t *)field = address;
    return true;
}

static bool parse_ntp(const struct config_key *key, struct span value, void *field,
                      struct text *why)
{
    struct config_ntp ntp = {.count = 0};
    struct span rest = value;
    for (struct span word = span_take_word(&rest); word.bytes > 0; word = span_take_word(&rest)) {
        uint32_t address = 0;
        if (!read_ip4(word, &address) || address == 0) {
            config_keys_put_is_not(why, word, "an IPv4 address");
            text_str(why, "; use addresses of NTP servers, as in 192.168.1.1, separated by spaces");
            return false;
        }
        if (ntp.count == key->max) {
            config_keys_put_quoted(why, value);
            text_str(why, " are too many; use at most ");
            text_u64(why, key->max);
            return false;
        }
        ntp.at[ntp.count++] = address;
    }
    *(struct config_ntp *)field = ntp;
    return true;
}

/* Ones, then zeros; the network has at least two addresses for hosts. */
static bool parse_mask(const struct config_key *key, struct span value, void *field,
                       struct text *why)
{
    uint32_t mask = 0;
    if (!read_ip4(value, &mask) || mask == 0 || (~mask & (~mask + 1u)) != 0 || ~mask < 3) {
        config_keys_put_is_not(why, value, key->what);
        text_str(why, "; use 128.0.0.0 to 255.255.255.252, as in 255.255.255.0");
        return false;
    }
    *(uint32_t *)field = mask;
    return true;
}

/* The field has room for key->max bytes and a NUL. */
static bool store_text(const struct config_key *key, struct span value, char *field,
                       struct text *why)
{
    if (value.bytes > key->max) {
        config_keys_put_quoted(why, value);
        text_str(why, " is too long; use at most ");
        text_u64(why, key->max);
        text_str(why, " bytes");
        return false;
    }
    memcpy(field, value.at, value.bytes);
    field[value.bytes] = '\0';
    return true;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Labels of letters, digits and inner hyphens (RFC 1123, 2.1); it goes into SNI and HTTP as it is. */
static bool is_host_name(struct span value)
{
    char before = '.';
    for (size_t i = 0; i < value.bytes; i++) {
        char c = value.at[i];
        bool ok = is_alphanumeric(c) || (c == '-' && before != '.') ||
                  (c == '.' && before != '.' && before != '-');
        if (!ok) {
            return false;
        }
        before = c;
    }
    return value.bytes == 0 || is_alphanumeric(before);
}

static bool parse_host(const struct config_key *key, struct span value, void *field,
                       struct text *why)
{
    if (!is_host_name(value)) {
        config_keys_put_is_not(why, value, key->what);
        text_str(why, "; use a name, as in places.googleapis.com");
        return false;
    }
    return store_text(key, value, field, why);
}

static bool parse_path(const struct config_key *key, struct span value, void *field,
                       struct text *why)
{
    return store_text(key, value, field, why);
}

/* --- Values as text ---------------------------------------------------------------------------- */

static void format_u16(const void *field, struct text *t)
{
    text_u64(t, *(const uint16_t *)field);
}

static void format_u32(const void *field, struct text *t)
{
    text_u64(t, *(const uint32_t *)field);
}

static void format_bool(const void *field, struct text *t)
{
    text_str(t, bool_words[*(const bool *)field ? 0 : 1]);
}

static void format_address(const void *field, struct text *t)
{
    if (*(const uint32_t *)field != 0) {
        text_ip4(t, *(const uint32_t *)field);
    }
}

static void format_text(const void *field, struct text *t)
{
    text_str(t, field);
}

static void format_provider(const void *field, struct text *t)
{
    text_str(t, provider_words[*(const enum config_provider *)field]);
}

static void format_level(const void *field, struct text *t)
{
    text_str(t, level_words[*(const enum log_level *)field]);
}

static void format_dialect(const void *field, struct text *t)
{
    text_str(t, dialect_words[*(const enum config_dialect *)field]);
}

static void format_suite(const void *field, struct text *t)
{
    text_str(t, suite_words[*(const enum config_suite *)field]);
}

static void format_ntp(const void *field, struct text *t)
{
    const struct config_ntp *ntp = field;
    for (unsigned i = 0; i < ntp->count; i++) {
        text_str(t, i > 0 ? " " : "");
        text_ip4(t, ntp->at[i]);
    }
}

/* Beside the parsers, each of which has its reverse here. */
static const struct {
    bool (*parse)(const struct config_key *, struct span, void *, struct text *);
    void (*format)(const void *field, struct text *t);
} formats[] = {
    {parse_u16, format_u16},           {parse_u32, format_u32},         {parse_bool, format_bool},
    {parse_address, format_address},   {parse_host, format_text},       {parse_path, format_text},
    {parse_provider, format_provider}, {parse_level, format_level},     {parse_ntp, format_ntp},
    {parse_mask, format_address},      {parse_dialect, format_dialect}, {parse_suite, format_suite},
};

void config_keys_format(const struct config_key *key, const void *base, struct text *t)
{
    unsigned i = 0;
    while (formats[i].parse != key->parse) {
        i++;
        HERD_ASSERT(i < sizeof formats / sizeof formats[0]);
    }
    formats[i].format((const char *)base + key->offset, t);
}

/* --- Finding ----------------------------------------------------------------------------------- */

const char *config_keys_section_name(enum config_section section)
{
    return section_names[section];
}

enum config_section config_keys_section(struct span name)
{
    for (unsigned i = SEC_HERD; i < SEC_COUNT; i++) {
        if (span_equal(name, span_of(section_names[i]))) {
            return (enum config_section)i;
        }
    }
    return SEC_NONE;
}

const struct config_key *config_keys_get(unsigned index)
{
    HERD_ASSERT(index < CONFIG_KEYS_COUNT);
    return &keys[index];
}

unsigned config_keys_find(enum config_section section, struct span name)
{
    unsigned i = 0;
    while (i < CONFIG_KEYS_COUNT &&
           (keys[i].section != section || !span_equal(name, span_of(keys[i].name)))) {
        i++;
    }
    return i;
}

bool config_keys_assign(const struct config_key *key, struct span value, void *base,
                        struct text *why)
{
    return key->parse(key, value, (char *)base + key->offset, why);
}

/* --- Errors ------------------------------------------------------------------------------------ */

void config_keys_put_quoted(struct text *t, struct span value)
{
    text_char(t, '"');
    text_escaped(t, value, VALUE_SHOWN_BYTES_MAX);
    text_char(t, '"');
}

void config_keys_put_is_not(struct text *t, struct span value, const char *what)
{
    config_keys_put_quoted(t, value);
    text_str(t, " is not ");
    text_str(t, what);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many bytes to insert, drop or change to make b of a (Levenshtein). */
static size_t distance(struct span a, struct span b)
{
    size_t row[WORD_BYTES_MAX + 1];
    if (a.bytes > WORD_BYTES_MAX || b.bytes > WORD_BYTES_MAX) {
        return WORD_BYTES_MAX;
    }
    for (size_t j = 0; j <= b.bytes; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.bytes; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.bytes; j++) {
            size_t change = diagonal + (a.at[i - 1] != b.at[j - 1]);
            diagonal = row[j];
            row[j] = least(change, least(row[j - 1], row[j]) + 1);
        }
    }
    return row[b.bytes];
}

/* Close enough to be a slip of the fingers. */
static bool is_likely(struct span typed, const char *meant)
{
    return distance(typed, span_of(meant)) <= (typed.bytes > 5 ? 3 : 2) && typed.bytes > 1;
}

void config_keys_put_unknown_key(struct text *t, enum config_section section, struct span name)
{
    const char *separator = "unknown key; use ";
    for (unsigned i = 0; i < CONFIG_KEYS_COUNT; i++) {
        if (keys[i].section == section && is_likely(name, keys[i].name)) {
            text_str(t, "unknown key; did you mean ");
            text_str(t, keys[i].name);
            text_char(t, '?');
            return;
        }
    }
    for (unsigned i = 0; i < CONFIG_KEYS_COUNT; i++) {
        if (keys[i].section == section) {
            text_str(t, separator);
            text_str(t, keys[i].name);
            separator = ", ";
        }
    }
}

void config_keys_put_unknown_section(struct text *t, struct span name)
{
    text_char(t, '[');
    text_escaped(t, name, VALUE_SHOWN_BYTES_MAX);
    text_str(t, "]: unknown section; ");
    for (unsigned i = SEC_HERD; i < SEC_COUNT; i++) {
        if (is_likely(name, section_names[i])) {
            text_str(t, "did you mean [");
            text_str(t, section_names[i]);
            text_str(t, i == SEC_NODE || i == SEC_OPEN ? " NAME]?" : "]?");
            return;
        }
    }
    text_str(t, "use [herd], [node NAME], [open NAME], [links], [places], [limits] or [log]");
}

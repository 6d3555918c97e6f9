/* Building and reading text without printf and strtod; text.h has the contracts. */
#include "text.h"

#include <string.h>

struct span span_of(const char *cstr)
{
    return (struct span){cstr, strlen(cstr)};
}

bool span_equal(struct span a, struct span b)
{
    /* memcmp must not see a null pointer, which an empty span may hold. */
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

int span_compare(struct span a, struct span b)
{
    size_t common = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = common == 0 ? 0 : memcmp(a.at, b.at, common);

    if (order != 0) {
        return order;
    }
    return a.bytes < b.bytes ? -1 : a.bytes > b.bytes;
}

void text_init(struct text *t, char *buffer, size_t capacity)
{
    *t = (struct text){.at = buffer, .bytes = 0, .capacity = capacity, .cut = false};
}

struct span text_span(const struct text *t)
{
    return (struct span){t->at, t->bytes};
}

const char *text_cstr(struct text *t)
{
    if (t->capacity == 0) {
        t->cut = true;
        return "";
    }
    if (t->bytes == t->capacity) {
        t->bytes--;
        t->cut = true;
    }
    t->at[t->bytes] = '\0';
    return t->at;
}

/* Room for `bytes` more, all or nothing. */
#define TEXT_DIGITS_MAX 20 /* of UINT64_MAX */

static bool fits(struct text *t, size_t bytes)
{
    if (t->cut || bytes > t->capacity - t->bytes) {
        t->cut = true;
        return false;
    }
    return true;
}

static void put_whole(struct text *t, const char *at, size_t bytes)
{
    if (fits(t, bytes)) {
        memcpy(t->at + t->bytes, at, bytes);
        t->bytes += bytes;
    }
}

void text_char(struct text *t, char c)
{
    if (fits(t, 1)) {
        t->at[t->bytes++] = c;
    }
}

void text_str(struct text *t, const char *cstr)
{
    text_put(t, span_of(cstr));
}

void text_put(struct text *t, struct span s)
{
    if (s.bytes == 0 || t->cut) {
        return;
    }
    size_t room = t->capacity - t->bytes;
    size_t taken = s.bytes < room ? s.bytes : room;

    memcpy(t->at + t->bytes, s.at, taken);
    t->bytes += taken;
    t->cut = taken < s.bytes;
}

/* Digits from the right end of a buffer. Divisions of 64 bits are calls of some 100 instructions on
 * a Cortex-M3: one for nine digits, the rest in 32 bits. Returns where the first digit is. */
static char *put_digits(char *end, uint64_t value)
{
    uint32_t low = (uint32_t)value;

    while (value > UINT32_MAX) {
        low = (uint32_t)(value % 1000000000u);
        value /= 1000000000u;
        for (unsigned i = 0; i < 9; i++, low /= 10) {
            *--end = (char)('0' + (char)(low % 10));
        }
        low = (uint32_t)value;
    }
    do {
        *--end = (char)('0' + (char)(low % 10));
        low /= 10;
    } while (low != 0);
    return end;
}

void text_u64(struct text *t, uint64_t value)
{
    char buffer[TEXT_DIGITS_MAX];
    char *end = buffer + sizeof buffer;
    const char *first = put_digits(end, value);

    put_whole(t, first, (size_t)(end - first));
}

void text_i64(struct text *t, int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    if (value < 0) {
        text_char(t, '-');
    }
    text_u64(t, magnitude);
}

void text_pad(struct text *t, uint64_t value, unsigned digits)
{
    char buffer[2 * TEXT_DIGITS_MAX];
    char *end = buffer + sizeof buffer;

    HERD_ASSERT(digits >= 1 && digits <= TEXT_DIGITS_MAX);
    char *first = put_digits(end, value);
    while (end - first < (ptrdiff_t)digits) {
        *--first = '0';
    }
    put_whole(t, end - digits, digits);
}

static char hex_digit(unsigned value)
{
    return "0123456789abcdef"[value & 15u];
}

void text_hex(struct text *t, uint64_t value, unsigned digits)
{
    char buffer[16];

    HERD_ASSERT(digits >= 1 && digits <= sizeof buffer);
    for (unsigned i = digits; i > 0; i--) {
        buffer[i - 1] = hex_digit((unsigned)(value & 15u));
        value >>= 4;
    }
    put_whole(t, buffer, digits);
}

void text_ip4(struct text *t, uint32_t address)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        text_u64(t, address >> (shift - 8) & 255u);
        text_str(t, shift > 8 ? "." : "");
    }
}

void text_e7(struct text *t, int32_t value_e7)
{
    uint32_t magnitude = value_e7 < 0 ? 0 - (uint32_t)value_e7 : (uint32_t)value_e7;

    if (value_e7 < 0) {
        text_char(t, '-');
    }
    text_u64(t, magnitude / 10000000u);
    text_char(t, '.');
    text_pad(t, magnitude % 10000000u, 7);
}

void text_escaped(struct text *t, struct span s, size_t bytes_max)
{
    bool shortened = s.bytes > bytes_max;
    size_t shown = shortened ? bytes_max : s.bytes;

    for (size_t i = 0; i < shown && !t->cut; i++) {
        unsigned byte = (unsigned char)s.at[i];

        if (byte >= 0x20 && byte <= 0x7E && byte != '"' && byte != '\\') {
            text_char(t, s.at[i]);
        } else {
            char escape[4] = {'\\', 'x', hex_digit(byte >> 4), hex_digit(byte)};
            put_whole(t, escape, sizeof escape);
        }
    }
    if (shortened) {
        put_whole(t, "...", 3);
    }
}

void text_json(struct text *t, struct span s)
{
    for (size_t i = 0; i < s.bytes && !t->cut; i++) {
        unsigned byte = (unsigned char)s.at[i];

        if (byte == '"' || byte == '\\') {
            char escape[2] = {'\\', s.at[i]};
            put_whole(t, escape, sizeof escape);
        } else if (byte < 0x20) {
            char escape[6] = {'\\', 'u', '0', '0', hex_digit(byte >> 4), hex_digit(byte)};
            put_whole(t, escape, sizeof escape);
        } else {
            text_char(t, s.at[i]);
        }
    }
}

static bool is_digit(char c)
{
    return (unsigned)c - '0' <= 9;
}

#define GROUP_DIGITS 9 /* of a number that 32 bits hold */

static const uint32_t powers[GROUP_DIGITS + 1] = {1,      10,      100,      1000,      10000,
                                                  100000, 1000000, 10000000, 100000000, 1000000000};

/* Takes digits from *at on, before `end`, as many as follow each other and at most nine: the number
 * that they are. */
static uint32_t take_group(const char **at, const char *end)
{
    const char *next = *at;
    uint32_t group = 0;

    if (end - next > GROUP_DIGITS) {
        end = next + GROUP_DIGITS;
    }
    for (; next < end && is_digit(*next); next++) {
        group = group * 10 + (uint32_t)(*next - '0');
    }
    *at = next;
    return group;
}

/* *value is followed by a group of so many digits; false when that would exceed max. */
static bool append_group(uint64_t *value, uint32_t group, size_t digits, uint64_t max)
{
    /* The division, hundreds of instructions on a Cortex-M3, is for numbers of more than 18 digits. */
    if (*value >= UINT64_MAX / powers[GROUP_DIGITS] &&
        *value > (UINT64_MAX - group) / powers[digits]) {
        return false;
    }
    uint64_t next = *value * powers[digits] + group;
    if (next > max) {
        return false;
    }
    *value = next;
    return true;
}

void text_wipe(void *at, size_t bytes)
{
    volatile unsigned char *p = at;
    while (bytes-- > 0) {
        *p++ = 0;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct span span_trimmed(struct span s)
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

struct span span_take_word(struct span *rest)
{
    struct span s = span_trimmed(*rest);
    struct span word = {s.at, 0};
    while (word.bytes < s.bytes && !is_blank(s.at[word.bytes])) {
        word.bytes++;
    }
    *rest = (struct span){s.at + word.bytes, s.bytes - word.bytes};
    return word;
}

struct span span_take_until(struct span *rest, char separator)
{
    const char *at = rest->bytes == 0 ? NULL : memchr(rest->at, separator, rest->bytes);
    struct span part = {rest->at, at == NULL ? rest->bytes : (size_t)(at - rest->at)};
    size_t taken = part.bytes + (at == NULL ? 0 : 1);
    rest->at += taken;
    rest->bytes -= taken;
    return part;
}

/* Takes all digits from *at on: nine at a time, because 64 bits are slow on a core of 32. False when they
 * exceed max; *at is behind them even so. */
static bool take_digits(const char **at, const char *end, uint64_t max, uint64_t *value)
{
    bool fits_max = true;
    size_t digits;

    *value = 0;
    do {
        const char *begin = *at;
        uint32_t group = take_group(at, end);

        digits = (size_t)(*at - begin);
        fits_max = fits_max && append_group(value, group, digits, max);
    } while (digits == GROUP_DIGITS);
    return fits_max;
}

bool text_parse_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t value;
    const char *at = s.at;

    if (s.bytes == 0 || !take_digits(&at, s.at + s.bytes, max, &value) || at < s.at + s.bytes) {
        return false;
    }
    *out = value;
    return true;
}

int text_parse_fixed(struct span s, unsigned decimals, uint64_t max, uint64_t *out, bool *beyond)
{
    uint64_t value;
    bool dropped = false;

    HERD_ASSERT(decimals <= GROUP_DIGITS);
    if (s.bytes == 0) {
        return HERD_E_SYNTAX;
    }
    const char *at = s.at;
    const char *end = s.at + s.bytes;
    bool fits_max = take_digits(&at, end, max, &value);
    bool has_digits = at > s.at;
    uint32_t group = 0;
    size_t given = 0;

    if (at < end && *at == '.') {
        const char *begin = ++at;
        group = take_group(&at, (size_t)(end - at) < decimals ? end : at + decimals);
        given = (size_t)(at - begin);
        has_digits = has_digits || given > 0;
        for (; at < end && is_digit(*at); at++) {
            dropped = dropped || *at != '0';
            has_digits = true;
        }
    }
    if (at < end || !has_digits) {
        return HERD_E_SYNTAX;
    }
    group *= powers[decimals - given];
    if (!fits_max || !append_group(&value, group, decimals, max)) {
        return HERD_E_RANGE;
    }
    *out = value;
    *beyond = dropped;
    return HERD_OK;
}

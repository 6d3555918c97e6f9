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
    put_whole(t, &c, 1);
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

    put_whole(t, s.at, taken);
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
    memset(buffer, '0', sizeof buffer);
    (void)put_digits(end, value);
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
    return c >= '0' && c <= '9';
}

/* *value = *value * 10 + digit; false when that would exceed max. */
static bool append_digit(uint64_t *value, char digit, uint64_t max)
{
    unsigned unit = (unsigned)(digit - '0');
    uint64_t next = *value * 10u + unit;

    /* Above UINT64_MAX / 10, a constant, it wraps; at it, the unit may make it wrap. */
    if (*value > UINT64_MAX / 10u || next < unit || next > max) {
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

bool text_parse_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (s.bytes == 0) {
        return false;
    }
    for (size_t i = 0; i < s.bytes; i++) {
        if (!is_digit(s.at[i]) || !append_digit(&value, s.at[i], max)) {
            return false;
        }
    }
    *out = value;
    return true;
}

/* At most one point, at least one digit, nothing else; *whole counts the digits before the point. */
static bool is_number(struct span s, size_t *whole)
{
    size_t digits = 0;
    size_t points = 0;

    for (size_t i = 0; i < s.bytes; i++) {
        if (is_digit(s.at[i])) {
            digits++;
        } else if (s.at[i] == '.' && points == 0) {
            points = 1;
            *whole = digits;
        } else {
            return false;
        }
    }
    if (points == 0) {
        *whole = digits;
    }
    return digits > 0;
}

int text_parse_fixed(struct span s, unsigned decimals, uint64_t max, uint64_t *out, bool *beyond)
{
    uint64_t value = 0;
    size_t whole = 0;
    bool dropped = false;

    if (!is_number(s, &whole)) {
        return HERD_E_SYNTAX;
    }
    for (size_t i = 0; i < whole; i++) {
        if (!append_digit(&value, s.at[i], max)) {
            return HERD_E_RANGE;
        }
    }
    size_t next = whole < s.bytes ? whole + 1 : whole; /* past the point */
    for (unsigned i = 0; i < decimals; i++) {
        char digit = next < s.bytes ? s.at[next++] : '0';

        if (!append_digit(&value, digit, max)) {
            return HERD_E_RANGE;
        }
    }
    for (; next < s.bytes; next++) {
        dropped = dropped || s.at[next] != '0';
    }
    *out = value;
    *beyond = dropped;
    return HERD_OK;
}

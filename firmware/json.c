#include "json.h"

#include <string.h>

#include <cJSON.h>

#include "json_hooks.h"

/* A bump allocator: blocks live until the next text. cJSON frees a tree piece by piece when a text
 * does not parse; that costs nothing here. */
#define ARENA_ALIGN _Alignof(max_align_t)

static _Alignas(ARENA_ALIGN) unsigned char arena[CFG_JSON_ARENA_BYTES];
static size_t arena_used;
static bool arena_full;
static struct json_stats stats;

void *json_cjson_malloc(size_t bytes)
{
    size_t from = (arena_used + (ARENA_ALIGN - 1)) & ~(size_t)(ARENA_ALIGN - 1);

    if (from > sizeof arena || bytes > sizeof arena - from) {
        arena_full = true;
        return NULL;
    }
    arena_used = from + bytes;
    if (arena_used > stats.arena_peak) {
        stats.arena_peak = arena_used;
    }
    return arena + from;
}

/* Only cJSON's printing half grows blocks. */
void *json_cjson_realloc(void *old, size_t bytes)
{
    (void)old;
    (void)bytes;
    return NULL;
}

void json_cjson_free(void *old)
{
    (void)old;
}

int json_cjson_print(char *out, const char *format, ...)
{
    (void)out;
    hal_panic(__FILE__, __LINE__, format);
}

/* Numbers */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_from(struct span s, size_t i)
{
    while (i < s.bytes && is_digit(s.at[i])) {
        i++;
    }
    return i;
}

/* Bytes of the number at the front of s, by the grammar of RFC 8259, 6; 0: there is none. */
static size_t number_bytes(struct span s)
{
    size_t i = s.bytes > 0 && s.at[0] == '-' ? 1 : 0;
    size_t end = digits_from(s, i);

    if (end == i || (s.at[i] == '0' && end > i + 1)) {
        return 0;
    }
    if (end < s.bytes && s.at[end] == '.') {
        i = end + 1;
        end = digits_from(s, i);
        if (end == i) {
            return 0;
        }
    }
    if (end < s.bytes && (s.at[end] == 'e' || s.at[end] == 'E')) {
        i = end + 1;
        if (i < s.bytes && (s.at[i] == '+' || s.at[i] == '-')) {
            i++;
        }
        end = digits_from(s, i);
        if (end == i) {
            return 0;
        }
    }
    return end;
}

double json_cjson_strtod(const char *text, char **end)
{
    size_t bytes = number_bytes(span_of(text));
    char *copy = bytes == 0 ? NULL : json_cjson_malloc(bytes + 1);

    *end = (char *)(uintptr_t)text; /* nothing read: cJSON refuses the text */
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    *end += bytes;
    return (double)(copy - (char *)arena); /* exact: the arena is far below 2^53 bytes */
}

/* An exponent so large that the rest of the number does not matter. */
#define EXPONENT_MAX 1000

static int exponent_of(struct span s, size_t at)
{
    int exponent = 0;
    bool negative = false;

    if (at < s.bytes && (s.at[at] == '+' || s.at[at] == '-')) {
        negative = s.at[at] == '-';
        at++;
    }
    for (; at < s.bytes; at++) {
        exponent = exponent * 10 + (s.at[at] - '0');
        if (exponent > EXPONENT_MAX) {
            exponent = EXPONENT_MAX;
        }
    }
    return negative ? -exponent : exponent;
}

int json_parse_e7(struct span digits, uint32_t max_e7, int32_t *out)
{
    if (digits.bytes == 0 || number_bytes(digits) != digits.bytes) {
        return HERD_E_SYNTAX;
    }
    size_t mantissa_end = 0;
    size_t point = SIZE_MAX;
    while (mantissa_end < digits.bytes && digits.at[mantissa_end] != 'e' &&
           digits.at[mantissa_end] != 'E') {
        if (digits.at[mantissa_end] == '.') {
            point = mantissa_end;
        }
        mantissa_end++;
    }
    if (point == SIZE_MAX) {
        point = mantissa_end;
    }
    /* The digit at i is worth 10^(place - 1), in units of 1e-7. */
    long long place = (long long)exponent_of(digits, mantissa_end + 1) + 7;
    size_t i = digits.at[0] == '-' ? 1 : 0;
    place += (long long)(point - i);
    uint64_t value = 0;
    for (; i < mantissa_end; i++) {
        if (i == point) {
            continue;
        }
        if (place > 0) {
            value = value * 10 + (uint64_t)(digits.at[i] - '0');
            if (value > max_e7) {
                return HERD_E_RANGE;
            }
            place--;
        }
    }
    for (; place > 0 && value != 0; place--) {
        value *= 10;
        if (value > max_e7) {
            return HERD_E_RANGE;
        }
    }
    *out = digits.at[0] == '-' ? -(int32_t)value : (int32_t)value;
    return HERD_OK;
}

/* Values */

static const struct cJSON *node(const struct json_value *v)
{
    return (const struct cJSON *)(const void *)v;
}

static const struct json_value *value(const struct cJSON *n)
{
    return (const struct json_value *)(const void *)n;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int json_parse(struct span text, const struct json_value **out)
{
    const char *end = NULL;

    arena_used = 0;
    arena_full = false;
    const struct cJSON *root = cJSON_ParseWithLengthOpts(text.at, text.bytes, &end, 0);
    if (root == NULL && arena_full) {
        stats.too_large++;
        return HERD_E_FULL;
    }
    if (root != NULL) {
        while (end < text.at + text.bytes && is_space(*end)) {
            end++;
        }
    }
    if (root == NULL || end != text.at + text.bytes) {
        stats.refused++;
        return HERD_E_SYNTAX;
    }
    stats.parsed++;
    *out = value(root);
    return HERD_OK;
}

int json_member(const struct json_value *object, const char *name, const struct json_value **out)
{
    const struct cJSON *found = NULL;

    if (!json_is_object(object)) {
        return HERD_E_SYNTAX;
    }
    for (const struct cJSON *n = node(object)->child; n != NULL; n = n->next) {
        if (strcmp(n->string, name) == 0) {
            if (found != NULL) {
                return HERD_E_SYNTAX;
            }
            found = n;
        }
    }
    if (found == NULL) {
        return HERD_E_RANGE;
    }
    *out = value(found);
    return HERD_OK;
}

bool json_is_object(const struct json_value *v)
{
    return cJSON_IsObject(node(v)) != 0;
}

bool json_is_array(const struct json_value *v)
{
    return cJSON_IsArray(node(v)) != 0;
}

const struct json_value *json_first(const struct json_value *array)
{
    return json_is_array(array) ? value(node(array)->child) : NULL;
}

const struct json_value *json_next(const struct json_value *element)
{
    return value(node(element)->next);
}

int json_string(const struct json_value *v, struct span *out)
{
    if (cJSON_IsString(node(v)) == 0) {
        return HERD_E_SYNTAX;
    }
    *out = span_of(node(v)->valuestring);
    return HERD_OK;
}

int json_number(const struct json_value *v, struct span *out)
{
    if (cJSON_IsNumber(node(v)) == 0) {
        return HERD_E_SYNTAX;
    }
    *out = span_of((const char *)arena + (size_t)node(v)->valuedouble);
    return HERD_OK;
}

struct json_stats json_stats(void)
{
    return stats;
}

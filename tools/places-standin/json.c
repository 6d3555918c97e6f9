#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define DEPTH_MAX 16
#define KEYS_MAX  64

struct reader {
    const unsigned char *p;
    const unsigned char *end;
    struct buf path;
    struct buf text;
    int depth;
    const char *error;
    bool (*each)(const struct json_value *, void *);
    void *context;
};

static bool read_value(struct reader *r);

static bool fail(struct reader *r, const char *error)
{
    if (r->error == NULL) {
        r->error = error;
    }
    return false;
}

static void skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')) {
        r->p++;
    }
}

static bool take(struct reader *r, char c)
{
    if (r->p < r->end && *r->p == (unsigned char)c) {
        r->p++;
        return true;
    }
    return false;
}

static bool emit(struct reader *r, enum json_type type, double number)
{
    struct json_value value = {.path = r->path.len > 0 ? r->path.data : "",
                               .type = type,
                               .text = r->text.len > 0 ? r->text.data : "",
                               .number = number};
    return r->each(&value, r->context) || fail(r, "stopped");
}

/* Length of the well-formed UTF-8 sequence at p, 0 when there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *p, const unsigned char *end)
{
    size_t len = *p < 0x80                 ? 1
                 : *p >= 0xC2 && *p < 0xE0 ? 2
                 : *p >= 0xE0 && *p < 0xF0 ? 3
                 : *p >= 0xF0 && *p < 0xF5 ? 4
                                           : 0;
    if (len == 0 || (size_t)(end - p) < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F)) {
        return 0;
    }
    return len;
}

/* \uXXXX: only what a places request can need. Surrogate pairs and NUL are refused. */
static bool read_unicode_escape(struct reader *r)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        const char *digits = "0123456789abcdef";
        const char *found = r->p < r->end && *r->p != 0 ? strchr(digits, *r->p | 0x20) : NULL;
        if (found == NULL) {
            return fail(r, "bad \\u escape");
        }
        code = code * 16 + (unsigned)(found - digits);
    }
    if (code == 0 || (code >= 0xD800 && code < 0xE000)) {
        return fail(r, "\\u escape of a NUL or a surrogate");
    }
    unsigned char out[3] = {(unsigned char)code};
    size_t len = 1;
    if (code >= 0x800) {
        out[0] = (unsigned char)(0xE0 | code >> 12);
        out[1] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (code & 0x3F));
        len = 3;
    } else if (code >= 0x80) {
        out[0] = (unsigned char)(0xC0 | code >> 6);
        out[1] = (unsigned char)(0x80 | (code & 0x3F));
        len = 2;
    }
    buf_add(&r->text, out, len);
    return true;
}

/* The opening quote is taken already; the text lands in r->text. */
static bool read_string(struct reader *r)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";

    buf_free(&r->text);
    while (r->p < r->end) {
        if (*r->p == '"') {
            r->p++;
            return true;
        }
        if (*r->p == '\\') {
            r->p++;
            if (take(r, 'u')) {
                if (!read_unicode_escape(r)) {
                    return false;
                }
                continue;
            }
            const char *escape = r->p < r->end && *r->p != 0 ? strchr(escapes, *r->p) : NULL;
            if (escape == NULL) {
                return fail(r, "bad escape");
            }
            buf_add(&r->text, &meanings[escape - escapes], 1);
            r->p++;
            continue;
        }
        size_t len = *r->p < 0x20 ? 0 : utf8_length(r->p, r->end);
        if (len == 0) {
            return fail(r, "control byte or bad UTF-8 in a string");
        }
        buf_add(&r->text, r->p, len);
        r->p += len;
    }
    return fail(r, "unterminated string");
}

static bool digits(struct reader *r)
{
    const unsigned char *start = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        r->p++;
    }
    return r->p > start;
}

static bool read_number(struct reader *r)
{
    const unsigned char *start = r->p;
    take(r, '-');
    const unsigned char *whole = r->p;
    if (!digits(r) || (*whole == '0' && r->p - whole > 1)) {
        return fail(r, "bad number");
    }
    if (take(r, '.') && !digits(r)) {
        return fail(r, "bad number");
    }
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+')) {
            take(r, '-');
        }
        if (!digits(r)) {
            return fail(r, "bad number");
        }
    }
    buf_free(&r->text);
    buf_add(&r->text, start, (size_t)(r->p - start));
    double number = strtod(r->text.data, NULL);
    if (!isfinite(number)) {
        return fail(r, "number out of range");
    }
    return emit(r, JSON_NUMBER, number);
}

static bool read_word(struct reader *r, const char *word, enum json_type type)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0) {
        return fail(r, "not a JSON value");
    }
    r->p += len;
    buf_free(&r->text);
    return emit(r, type, 0);
}

static void path_cut(struct reader *r, size_t len)
{
    r->path.len = len;
    if (r->path.data != NULL) {
        r->path.data[len] = '\0';
    }
}

static bool read_members(struct reader *r, char *keys[], size_t *key_count)
{
    size_t path_len = r->path.len;
    do {
        skip_space(r);
        if (!take(r, '"') || !read_string(r)) {
            return fail(r, "expected a key in quotes");
        }
        const char *key = r->text.len > 0 ? r->text.data : "";
        for (size_t i = 0; i < *key_count; i++) {
            if (strcmp(keys[i], key) == 0) {
                return fail(r, "a key twice in one object");
            }
        }
        if (strpbrk(key, ".[") != NULL) {
            return fail(r, "a key that would be mistaken for a path");
        }
        if (*key_count == KEYS_MAX) {
            return fail(r, "too many keys");
        }
        keys[(*key_count)++] = strdup(key);
        if (path_len > 0) {
            buf_add_str(&r->path, ".");
        }
        buf_add_str(&r->path, key);
        skip_space(r);
        if (!take(r, ':')) {
            return fail(r, "expected a colon");
        }
        if (!read_value(r)) {
            return false;
        }
        path_cut(r, path_len);
        skip_space(r);
    } while (take(r, ','));
    return take(r, '}') || fail(r, "expected , or }");
}

static bool read_object(struct reader *r)
{
    char *keys[KEYS_MAX];
    size_t key_count = 0;

    buf_free(&r->text);
    if (!emit(r, JSON_OBJECT, 0)) {
        return false;
    }
    skip_space(r);
    if (take(r, '}')) {
        return true;
    }
    bool ok = read_members(r, keys, &key_count);
    while (key_count > 0) {
        free(keys[--key_count]);
    }
    return ok;
}

static bool read_array(struct reader *r)
{
    size_t path_len = r->path.len;
    buf_free(&r->text);
    if (!emit(r, JSON_ARRAY, 0)) {
        return false;
    }
    skip_space(r);
    if (take(r, ']')) {
        return true;
    }
    buf_add_str(&r->path, "[]");
    do {
        if (!read_value(r)) {
            return false;
        }
        skip_space(r);
    } while (take(r, ','));
    path_cut(r, path_len);
    return take(r, ']') || fail(r, "expected , or ]");
}

static bool read_value(struct reader *r)
{
    skip_space(r);
    if (r->p == r->end) {
        return fail(r, "unexpected end");
    }
    if (*r->p == '{' || *r->p == '[') {
        if (++r->depth > DEPTH_MAX) {
            return fail(r, "nested too deep");
        }
        bool ok = *r->p++ == '{' ? read_object(r) : read_array(r);
        r->depth--;
        return ok;
    }
    if (take(r, '"')) {
        return read_string(r) && emit(r, JSON_STRING, 0);
    }
    switch (*r->p) {
    case 't':
        return read_word(r, "true", JSON_TRUE);
    case 'f':
        return read_word(r, "false", JSON_FALSE);
    case 'n':
        return read_word(r, "null", JSON_NULL);
    default:
        return read_number(r);
    }
}

const char *json_read(const char *text, size_t len,
                      bool (*each)(const struct json_value *value, void *context), void *context)
{
    struct reader r = {.p = (const unsigned char *)text, .each = each, .context = context};
    r.end = r.p + len;
    if (read_value(&r)) {
        skip_space(&r);
        if (r.p != r.end) {
            fail(&r, "text after the end");
        }
    }
    buf_free(&r.path);
    buf_free(&r.text);
    return r.error;
}

#include "json.h"
#include "text.h"

#include <string.h>

/* What may come next while an object is read. */
enum expect {
    EXPECT_FIRST_KEY,   /* after {: a key or } */
    EXPECT_KEY,         /* after a comma in an object */
    EXPECT_FIRST_VALUE, /* after [: a value or ] */
    EXPECT_VALUE,       /* after a colon, or a comma in an array */
    EXPECT_MORE,        /* after a value: a comma or the end of what it stands in */
};

struct scan {
    const char *at;
    const char *end;
    enum expect expect;
    size_t depth;
    char closing[JSON_DEPTH_MAX]; /* } or ] of what is open */
};

void json_write_text(FILE *out, const char *text, size_t bytes)
{
    const char *end = text + bytes;

    (void)fputc('"', out);
    while (text < end) {
        size_t length = text_utf8_bytes(text, (size_t)(end - text));
        unsigned code = (unsigned char)text[0];
        if (length == 0) {
            (void)fputs("\\ufffd", out);
            length = 1;
        } else if (length == 1 && (code == '"' || code == '\\')) {
            (void)fprintf(out, "\\%c", text[0]);
        } else if (length == 1 && code == '\n') {
            (void)fputs("\\n", out);
        } else if (text_is_control(text, length)) {
            /* U+0080 to U+009F too (their second byte is their number): JSON allows them, but
             * terminals obey them. */
            (void)fprintf(out, "\\u%04x", length == 2 ? (unsigned)(unsigned char)text[1] : code);
        } else {
            (void)fwrite(text, 1, length, out);
        }
        text += length;
    }
    (void)fputc('"', out);
}

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end && memchr(" \t\r\n", *scan->at, 4) != NULL) {
        scan->at++;
    }
}

static bool skip_char(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

static bool skip_word(struct scan *scan, const char *word)
{
    size_t bytes = strlen(word);

    if ((size_t)(scan->end - scan->at) < bytes || memcmp(scan->at, word, bytes) != 0) {
        return false;
    }
    scan->at += bytes;
    return true;
}

/* Skips digits of base 10 or 16, at most `most` of them, and returns how many. */
static size_t skip_digits(struct scan *scan, bool hex, size_t most)
{
    const char *digits = "0123456789abcdefABCDEF";
    size_t count = 0;

    while (count < most && scan->at < scan->end &&
           memchr(digits, *scan->at, hex ? 22 : 10) != NULL) {
        scan->at++;
        count++;
    }
    return count;
}

/* Skips what follows a backslash. */
static bool skip_escape(struct scan *scan)
{
    if (scan->at == scan->end) {
        return false;
    }
    char kind = *scan->at++;
    return kind == 'u' ? skip_digits(scan, true, 4) == 4 : memchr("\"\\/bfnrt", kind, 8) != NULL;
}

static bool skip_string(struct scan *scan)
{
    if (!skip_char(scan, '"')) {
        return false;
    }
    while (scan->at < scan->end) {
        size_t length = text_utf8_bytes(scan->at, (size_t)(scan->end - scan->at));
        unsigned char first = (unsigned char)*scan->at;
        if (length == 0 || first < 0x20) {
            return false;
        }
        scan->at += length;
        if (first == '"') {
            return true;
        }
        if (first == '\\' && !skip_escape(scan)) {
            return false;
        }
    }
    return false;
}

static bool skip_number(struct scan *scan)
{
    size_t most = (size_t)(scan->end - scan->at);

    (void)skip_char(scan, '-');
    if (!skip_char(scan, '0') && skip_digits(scan, false, most) == 0) {
        return false;
    }
    if (skip_char(scan, '.') && skip_digits(scan, false, most) == 0) {
        return false;
    }
    if (skip_char(scan, 'e') || skip_char(scan, 'E')) {
        if (!skip_char(scan, '+')) {
            (void)skip_char(scan, '-');
        }
        return skip_digits(scan, false, most) > 0;
    }
    return true;
}

static bool open_scope(struct scan *scan, char closing, enum expect expect)
{
    if (scan->depth == JSON_DEPTH_MAX) {
        return false;
    }
    scan->closing[scan->depth++] = closing;
    scan->expect = expect;
    return true;
}

static bool take_value(struct scan *scan)
{
    if (skip_char(scan, '{')) {
        return open_scope(scan, '}', EXPECT_FIRST_KEY);
    }
    if (skip_char(scan, '[')) {
        return open_scope(scan, ']', EXPECT_FIRST_VALUE);
    }
    scan->expect = EXPECT_MORE;
    if (scan->at < scan->end && *scan->at == '"') {
        return skip_string(scan);
    }
    return skip_word(scan, "true") || skip_word(scan, "false") || skip_word(scan, "null") ||
           skip_number(scan);
}

static bool take_key(struct scan *scan)
{
    if (!skip_string(scan)) {
        return false;
    }
    skip_blanks(scan);
    scan->expect = EXPECT_VALUE;
    return skip_char(scan, ':');
}

/* Reads the next piece within what is open. */
static bool take_piece(struct scan *scan)
{
    char closing = scan->closing[scan->depth - 1];

    skip_blanks(scan);
    if (scan->expect != EXPECT_KEY && scan->expect != EXPECT_VALUE && skip_char(scan, closing)) {
        scan->depth--;
        scan->expect = EXPECT_MORE;
        return true;
    }
    switch (scan->expect) {
    case EXPECT_FIRST_KEY:
    case EXPECT_KEY:
        return take_key(scan);
    case EXPECT_FIRST_VALUE:
    case EXPECT_VALUE:
        return take_value(scan);
    case EXPECT_MORE:
        break;
    }
    scan->expect = closing == '}' ? EXPECT_KEY : EXPECT_VALUE;
    return skip_char(scan, ',');
}

bool json_is_object(const char *text, size_t bytes)
{
    struct scan scan = {.at = text, .end = text + bytes};

    skip_blanks(&scan);
    if (!skip_char(&scan, '{') || !open_scope(&scan, '}', EXPECT_FIRST_KEY)) {
        return false;
    }
    while (scan.depth > 0) {
        if (!take_piece(&scan)) {
            return false;
        }
    }
    skip_blanks(&scan);
    return scan.at == scan.end;
}

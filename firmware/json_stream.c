#include "json_stream.h"

#include <string.h>

_Static_assert(CFG_JSON_DEPTH <= 32, "a level is a bit of `objects`");

enum state {
    VALUE,       /* a value must come */
    FIRST_VALUE, /* a value, or ] */
    FIRST_NAME,  /* a member's name, or } */
    NAME,        /* a member's name */
    COLON,
    AFTER_VALUE, /* a comma, or the end of the object or array */
    STRING,
    ESCAPE, /* after a backslash */
    HEX,    /* of \uXXXX */
    LITERAL,
    MINUS, /* a digit must come */
    ZERO,  /* a leading 0: no digit may follow */
    INTEGER,
    POINT, /* a digit must come */
    FRACTION,
    EXPONENT,      /* a sign or a digit must come */
    EXPONENT_SIGN, /* a digit must come */
    EXPONENT_DIGITS,
    DONE /* white space only */
};

void json_stream_init(struct json_stream *s, struct span array_name, const struct json_sink *sink,
                      void *context)
{
    s->sink = sink;
    s->context = context;
    s->array_name = array_name;
    s->objects = 0;
    s->depth = 0;
    s->state = VALUE;
    s->count = 0;
    s->literal = NULL;
    s->utf8_left = 0;
    s->key = false;
    s->in_array = false;
    s->array_seen = false;
    s->capturing = false;
    s->whole = true;
    s->too_deep = false;
    s->name_bytes = 0;
    s->text_bytes = 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool in_object(const struct json_stream *s)
{
    return s->depth > 0 && (s->objects >> (s->depth - 1) & 1u) != 0;
}

static bool name_is_array(const struct json_stream *s)
{
    return span_equal((struct span){s->name, s->name_bytes}, s->array_name);
}

static void capture(struct json_stream *s, char c)
{
    if (s->text_bytes < sizeof s->text) {
        s->text[s->text_bytes++] = c;
    } else {
        s->whole = false;
    }
}

/* A value begins with this byte: is it one that the sink gets? */
static void begin_value(struct json_stream *s, uint8_t c)
{
    if (s->depth == 1 && c == '[' && name_is_array(s) && !s->array_seen) {
        s->in_array = true;
        s->array_seen = true;
    } else if (s->depth == 1 || (s->depth == 2 && s->in_array)) {
        s->capturing = true;
        s->whole = true;
        s->text_bytes = 0;
        capture(s, (char)c);
    }
}

/* A value has ended; its last byte is captured already. */
static void end_value(struct json_stream *s)
{
    if (s->depth == 0) {
        s->state = DONE;
        return;
    }
    s->state = AFTER_VALUE;
    if (s->capturing && s->depth == (s->in_array ? 2 : 1)) {
        struct span text = {s->text, s->text_bytes};
        s->capturing = false;
        if (s->in_array) {
            s->sink->element(s->context, text, s->whole);
        } else {
            s->sink->member(s->context, (struct span){s->name, s->name_bytes}, text, s->whole);
        }
    }
}

static bool open_level(struct json_stream *s, bool object)
{
    if (s->depth >= CFG_JSON_DEPTH) {
        s->too_deep = true;
        return false;
    }
    uint32_t bit = UINT32_C(1) << s->depth;
    s->objects = object ? s->objects | bit : s->objects & ~bit;
    s->depth++;
    s->state = object ? FIRST_NAME : FIRST_VALUE;
    return true;
}

static bool begin_string(struct json_stream *s, bool key)
{
    s->key = key;
    if (key && s->depth == 1) {
        s->name_bytes = 0;
    }
    s->utf8_left = 0;
    s->state = STRING;
    return true;
}

static bool begin_literal(struct json_stream *s, const char *rest)
{
    s->literal = rest;
    s->state = LITERAL;
    return true;
}

static bool read_value(struct json_stream *s, uint8_t c)
{
    if (s->depth == 0 && c != '{') {
        return false; /* the document is an object */
    }
    begin_value(s, c);
    switch (c) {
    case '{':
        return open_level(s, true);
    case '[':
        return open_level(s, false);
    case '"':
        return begin_string(s, false);
    case 't':
        return begin_literal(s, "rue");
    case 'f':
        return begin_literal(s, "alse");
    case 'n':
        return begin_literal(s, "ull");
    case '-':
        s->state = MINUS;
        return true;
    default:
        s->state = c == '0' ? ZERO : INTEGER;
        return is_digit(c);
    }
}

static bool close_level(struct json_stream *s, uint8_t c)
{
    if (s->depth == 0 || c != (in_object(s) ? '}' : ']')) {
        return false;
    }
    s->depth--;
    if (s->in_array && s->depth == 1) {
        s->in_array = false;
        s->state = AFTER_VALUE;
        return true;
    }
    end_value(s);
    return true;
}

/* RFC 3629, 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool read_utf8(struct json_stream *s, uint8_t c)
{
    if (s->utf8_left > 0) {
        if (c < s->utf8_low || c > s->utf8_high) {
            return false;
        }
        s->utf8_left--;
        s->utf8_low = 0x80;
        s->utf8_high = 0xBF;
        return true;
    }
    s->utf8_low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    s->utf8_high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (c >= 0xC2 && c <= 0xDF) {
        s->utf8_left = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
        s->utf8_left = 2;
    } else if (c >= 0xF0 && c <= 0xF4) {
        s->utf8_left = 3;
    } else {
        return false;
    }
    return true;
}

static bool read_string(struct json_stream *s, uint8_t c)
{
    if (s->utf8_left > 0 || c >= 0x80) {
        return read_utf8(s, c);
    }
    if (c == '\\') {
        s->state = ESCAPE;
        return true;
    }
    if (c != '"') {
        return c >= 0x20;
    }
    if (s->key) {
        s->state = COLON;
    } else {
        end_value(s);
    }
    return true;
}

static bool read_escape(struct json_stream *s, uint8_t c)
{
    if (s->state == HEX) {
        s->count++;
        s->state = s->count == 4 ? STRING : HEX;
        return is_hex(c);
    }
    s->count = 0;
    s->state = c == 'u' ? HEX : STRING;
    return c == 'u' || (c != '\0' && strchr("\"\\/bfnrt", c) != NULL);
}

static bool read_literal(struct json_stream *s, uint8_t c)
{
    if (c != (uint8_t)*s->literal) {
        return false;
    }
    s->literal++;
    if (*s->literal == '\0') {
        end_value(s);
    }
    return true;
}

static bool number_may_end(const struct json_stream *s)
{
    return s->state == ZERO || s->state == INTEGER || s->state == FRACTION ||
           s->state == EXPONENT_DIGITS;
}

/* The state of the number behind this byte; DONE: the byte does not belong to it. */
static enum state number_state(const struct json_stream *s, uint8_t c)
{
    bool digit = is_digit(c);

    switch (s->state) {
    case MINUS:
        return !digit ? DONE : c == '0' ? ZERO : INTEGER;
    case POINT:
        return digit ? FRACTION : DONE;
    case EXPONENT:
        return digit ? EXPONENT_DIGITS : c == '+' || c == '-' ? EXPONENT_SIGN : DONE;
    case EXPONENT_SIGN:
    case EXPONENT_DIGITS:
        return digit ? EXPONENT_DIGITS : DONE;
    default:
        break; /* ZERO, INTEGER, FRACTION */
    }
    if (digit) {
        return s->state == ZERO ? DONE : (enum state)s->state;
    }
    if (c == '.') {
        return s->state == FRACTION ? DONE : POINT;
    }
    return c == 'e' || c == 'E' ? EXPONENT : DONE;
}

static bool number_goes_on(struct json_stream *s, uint8_t c)
{
    enum state next = number_state(s, c);

    if (next != DONE) {
        s->state = (uint8_t)next;
    }
    return next != DONE;
}

/* Between tokens. */
static bool read_structure(struct json_stream *s, uint8_t c)
{
    if (is_space(c)) {
        return true;
    }
    switch (s->state) {
    case VALUE:
        return read_value(s, c);
    case FIRST_VALUE:
        return c == ']' ? close_level(s, c) : read_value(s, c);
    case FIRST_NAME:
        return c == '"' ? begin_string(s, true) : close_level(s, c);
    case NAME:
        return c == '"' && begin_string(s, true);
    case COLON:
        s->state = VALUE;
        return c == ':';
    case AFTER_VALUE:
        if (c == ',') {
            s->state = in_object(s) ? NAME : VALUE;
            return true;
        }
        return close_level(s, c);
    default:
        return false; /* DONE */
    }
}

static bool read_byte(struct json_stream *s, uint8_t c)
{
    switch (s->state) {
    case STRING:
        return read_string(s, c);
    case ESCAPE:
    case HEX:
        return read_escape(s, c);
    case LITERAL:
        return read_literal(s, c);
    default:
        return read_structure(s, c);
    }
}

/* The byte of a top-level member's name, when it is one. */
static void note_name(struct json_stream *s, uint8_t state_before, char c)
{
    bool inside = state_before == STRING || state_before == ESCAPE || state_before == HEX;

    if (inside && s->key && s->depth == 1 && s->state != COLON && s->name_bytes < sizeof s->name) {
        s->name[s->name_bytes++] = c;
    }
}

static bool is_number(const struct json_stream *s)
{
    return s->state >= MINUS && s->state <= EXPONENT_DIGITS;
}

static bool feed_byte(struct json_stream *s, char c)
{
    bool in_number = is_number(s);

    if (in_number && !number_goes_on(s, (uint8_t)c)) {
        if (!number_may_end(s)) {
            return false;
        }
        end_value(s); /* this byte stands behind the number */
        in_number = false;
    }
    bool captured = s->capturing;
    bool seen = s->array_seen;
    bool inside = s->in_array;
    uint8_t state = s->state;
    if (captured) {
        capture(s, c); /* first: the value may end with this byte */
    }
    if (!in_number && !read_byte(s, (uint8_t)c)) {
        return false;
    }
    note_name(s, state, c);
    bool of_element = inside && (captured || s->capturing);
    if (!of_element && s->sink->outside != NULL) {
        enum json_zone zone = !seen ? JSON_HEAD : inside && s->in_array ? JSON_GAP : JSON_TAIL;
        s->sink->outside(s->context, zone, c);
    }
    return true;
}

int json_stream_feed(struct json_stream *s, struct span bytes)
{
    for (size_t i = 0; i < bytes.bytes; i++) {
        if (!feed_byte(s, bytes.at[i])) {
            return s->too_deep ? HERD_E_RANGE : HERD_E_SYNTAX;
        }
    }
    return HERD_OK;
}

int json_stream_end(const struct json_stream *s)
{
    return s->state == DONE ? HERD_OK : HERD_E_SYNTAX;
}

bool json_stream_has_array(const struct json_stream *s)
{
    return s->array_seen;
}

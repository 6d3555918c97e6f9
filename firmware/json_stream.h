/* Reads a JSON document as it arrives, in constant memory: hands out the elements of one array of
 * its top-level object, one at a time, and the other top-level members. Pure.
 *
 * The whole document is checked against the grammar of RFC 8259, UTF-8 included, byte by byte: what
 * is cut, garbage, nested deeper than CFG_JSON_DEPTH or followed by more never ends as HERD_OK.
 */
#ifndef HERD_JSON_STREAM_H
#define HERD_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "err.h"
#include "text.h"

#define JSON_STREAM_NAME_BYTES 32

/* Where a byte stands that belongs to no element. */
enum json_zone {
    JSON_HEAD, /* up to and including the array's [ */
    JSON_GAP,  /* inside the array: white space and commas */
    JSON_TAIL  /* from the array's ] on */
};

/* What the document's reader wants to know; `context` is its own. Spans live during the call. */
struct json_sink {
    /* Every byte outside of the elements, in order. May be NULL. */
    void (*outside)(void *context, enum json_zone zone, char byte);
    /* An element, exactly as it stood; not whole: it is longer than CFG_JSON_TEXT_BYTES, and the text
     * is its front. */
    void (*element)(void *context, struct span text, bool whole);
    /* A top-level member other than the array. `name` as it stood between its quotes, cut at
     * JSON_STREAM_NAME_BYTES; the array's own name when its value is no array, or comes again. */
    void (*member)(void *context, struct span name, struct span text, bool whole);
};

struct json_stream {
    const struct json_sink *sink;
    void *context;
    struct span array_name;
    uint32_t objects; /* bit d: level d + 1 is an object */
    uint8_t depth;
    uint8_t state;
    uint8_t count;       /* bytes of a literal, or hex digits, so far */
    const char *literal; /* the rest of true, false or null */
    uint8_t utf8_left;   /* continuation bytes still to come */
    uint8_t utf8_low;    /* range of the next one */
    uint8_t utf8_high;
    bool key;      /* the string is a member's name */
    bool in_array; /* between the array's brackets */
    bool array_seen;
    bool capturing; /* of an element or a member's value, into text */
    bool whole;     /* what is captured fits so far */
    bool too_deep;  /* refused for that */
    char name[JSON_STREAM_NAME_BYTES];
    uint8_t name_bytes;
    size_t text_bytes;
    char text[CFG_JSON_TEXT_BYTES];
};

/* `array_name` and `sink` live as long as the stream is fed. */
void json_stream_init(struct json_stream *s, struct span array_name, const struct json_sink *sink,
                      void *context);

/* The next bytes, any number. HERD_E_SYNTAX: the document is not JSON; HERD_E_RANGE: it is nested
 * deeper than CFG_JSON_DEPTH. Feed no more then. */
int json_stream_feed(struct json_stream *s, struct span bytes) HERD_MUST_CHECK;

/* No more bytes. HERD_E_SYNTAX: the document is not complete. */
int json_stream_end(const struct json_stream *s) HERD_MUST_CHECK;

/* The array was there. */
bool json_stream_has_array(const struct json_stream *s);

#endif

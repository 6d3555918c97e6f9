/* A strict JSON reader (RFC 8259) that makes no tree: it calls back once for each value, with the
 * path that leads to it. Own code rather than the firmware's cJSON, so that what cJSON takes by
 * mistake is refused here. */
#ifndef STANDIN_JSON_H
#define STANDIN_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type {
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

struct json_value {
    const char *path;    /* "locationRestriction.circle.radius"; an array's elements end in "[]" */
    enum json_type type; /* for an object or array the call comes before those of its members */
    const char *text;    /* a string without quotes, escapes undone; a number as it was written */
    double number;       /* only for JSON_NUMBER; finite */
};

/* Reads all of text. `each` returns false to stop. Returns NULL when the text is one valid JSON
 * value with nothing after it, no object holds a key twice, and no key holds '.' or '[', else what
 * is wrong, in words;
 * "stopped" when `each` stopped it. */
const char *json_read(const char *text, size_t len,
                      bool (*each)(const struct json_value *value, void *context), void *context);

#endif

/* JSON values of bounded size, parsed by cJSON into a static arena. The only file that sees cJSON.
 *
 * One text at a time: json_parse forgets the last one. Numbers are kept as their digits, never as
 * floating point. Strings must not contain the byte 0 (cJSON ends them there). Context: tasks.
 */
#ifndef HERD_JSON_H
#define HERD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "err.h"
#include "text.h"

/* A value of the text parsed last; lives until the next json_parse. */
struct json_value;

struct json_stats {
    uint32_t parsed;
    uint32_t refused;   /* not JSON, too deep, or trailing bytes */
    uint32_t too_large; /* did not fit in the arena */
    size_t arena_peak;  /* bytes of CFG_JSON_ARENA_BYTES, most ever */
};

/* One whole JSON value; white space around it is allowed, anything else is not. HERD_E_SYNTAX: not
 * JSON, or nested deeper than CFG_JSON_DEPTH; HERD_E_FULL: the arena is too small for it. Cost:
 * linear, and about 64 bytes of stack per level. */
int json_parse(struct span text, const struct json_value **out) HERD_MUST_CHECK;

/* The member `name` of an object. HERD_E_RANGE: there is none; HERD_E_SYNTAX: not an object, or the
 * name is there twice, so that readers would disagree. Cost: linear in the members. */
int json_member(const struct json_value *object, const char *name,
                const struct json_value **out) HERD_MUST_CHECK;

bool json_is_object(const struct json_value *v);
bool json_is_array(const struct json_value *v);
/* The elements of an array in order; NULL after the last, and for anything but an array. */
const struct json_value *json_first(const struct json_value *array);
const struct json_value *json_next(const struct json_value *element);

/* The decoded bytes of a string. HERD_E_SYNTAX: not a string. */
int json_string(const struct json_value *v, struct span *out) HERD_MUST_CHECK;

/* The digits of a number as they stood in the text. HERD_E_SYNTAX: not a number. */
int json_number(const struct json_value *v, struct span *out) HERD_MUST_CHECK;

/* Digits of a JSON number in units of 1e-7, further decimals dropped. HERD_E_SYNTAX: not a number of
 * JSON (RFC 8259, 6); HERD_E_RANGE: beyond ±max_e7. Pure. */
int json_parse_e7(struct span digits, uint32_t max_e7, int32_t *out) HERD_MUST_CHECK;

struct json_stats json_stats(void);

#endif

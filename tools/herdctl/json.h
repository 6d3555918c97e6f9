/* JSON for scripts: text as a string of it, and whether somebody else's can be passed on. */
#ifndef HERDCTL_JSON_H
#define HERDCTL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 64 /* arrays and objects within each other; real answers have about 6 */

/*
 * Writes text[bytes] (any bytes, also NUL) to `out` as a JSON string with its quotes. UTF-8 stays
 * as it is; control characters are escaped; each byte that belongs to no UTF-8 becomes U+FFFD,
 * because there is no JSON for it that every reader takes. Errors are left to ferror(out).
 */
void json_write_text(FILE *out, const char *text, size_t bytes);

/*
 * True when text[bytes] is exactly one JSON object (RFC 8259) in UTF-8, with blanks around it at
 * most, not deeper than JSON_DEPTH_MAX: then it can stand inside other JSON. Linear, constant
 * memory.
 */
bool json_is_object(const char *text, size_t bytes);

#endif

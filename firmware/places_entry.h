/* One entry of a provider's answer, in either of Google's dialects. Pure but for json's arena.
 */
#ifndef HERD_PLACES_ENTRY_H
#define HERD_PLACES_ENTRY_H

#include <stdbool.h>

#include "err.h"
#include "json.h"
#include "text.h"

/* What an entry says; an empty span: it does not say. Lives until the next json_parse. */
struct places_entry {
    struct span name;
    struct span lat;
    struct span lng;
    struct span id;
    struct span vicinity;
    const struct json_value *types; /* NULL: does not say */
};

/* A member that may be absent: *out is empty then. HERD_E_SYNTAX: it is there, but not a string, or
 * it is there twice. */
int places_entry_string(const struct json_value *object, const char *name,
                        struct span *out) HERD_MUST_CHECK;

/* Reads an entry of the legacy or the new dialect. HERD_E_RANGE: it has no name or no location;
 * HERD_E_SYNTAX: a member is of the wrong type, out of range, or there twice. */
int places_entry_read(const struct json_value *entry, bool legacy,
                      struct places_entry *out) HERD_MUST_CHECK;

/* Appends it in the shape of the legacy dialect. Coordinates are the digits that the provider sent. */
void places_entry_format(struct text *t, const struct places_entry *entry);

#endif

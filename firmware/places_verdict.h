/* What became of a provider's answer: its status in the protocol's terms, and words for a person.
 */
#ifndef HERD_PLACES_VERDICT_H
#define HERD_PLACES_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "places_google.h"
#include "text.h"

struct places_verdict {
    bool good; /* the buffer holds the whole JSON of `bytes` bytes */
    size_t bytes;
    unsigned entries;    /* in the JSON */
    unsigned left_out;   /* did not fit, or could not be read */
    struct span status;  /* of the protocol; lives as long as the program */
    struct span message; /* not good: for a person; lives until the next answer begins */
};

/* The response was complete: closes the JSON, or says why there is none. Once per answer. */
void places_verdict_of(struct places_google *g, struct places_verdict *out);

#endif

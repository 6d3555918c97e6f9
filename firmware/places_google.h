/* Google's two dialects of "what is near": requests, and answers as a stream. No network here.
 *
 * Places API (New) answers are translated into the shape of the legacy Nearby Search; legacy answers
 * are passed on as Google's own text, cut to the bound. An answer is built in the caller's buffer
 * while it arrives; entries that do not fit are left out. Context: tasks.
 */
#ifndef HERD_PLACES_GOOGLE_H
#define HERD_PLACES_GOOGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "config.h"
#include "err.h"
#include "https.h"
#include "json_stream.h"
#include "places.h"
#include "text.h"

/* Longest API key; one of Google has 39 bytes. */
#define PLACES_GOOGLE_KEY_BYTES_MAX 128

/* Longest explanation of a failure. */
#define PLACES_GOOGLE_MESSAGE_BYTES 512

/* Kept free behind the entries of a translated answer, to close it. */
#define PLACES_GOOGLE_TAIL_BYTES 40

struct places_google_service {
    enum config_provider provider; /* GOOGLE or GOOGLE_LEGACY */
    const char *host;              /* for messages */
    struct span key;               /* taken out of whatever the provider says about it */
};

struct places_google {
    const struct places_google_service *service;
    unsigned bound;
    unsigned http_status;
    struct text out;
    /* Legacy: the gap before the next element (white space, comma), and where each kept one begins */
    char gap[48];
    unsigned gap_bytes;
    size_t starts[PROTO_BOUND_MAX];
    size_t tail_at;
    bool tail;
    unsigned seen; /* elements so far */
    unsigned kept;
    unsigned left_out;
    bool full;             /* an element did not fit: the later ones are left out as well */
    const char *malformed; /* why the stream was refused; NULL: it was not */
    const char *wrong;     /* valid JSON, but not an answer: what is wrong with it */
    bool has_error;
    bool has_status;
    bool has_message;
    char status[40]; /* what the provider says */
    unsigned status_bytes;
    char said[240];
    unsigned said_bytes;
    char message[PLACES_GOOGLE_MESSAGE_BYTES];
    struct json_stream stream;
};

/* The request for a query; its texts are built in `scratch` and live as long as that.
 * HERD_E_RANGE: scratch is too small. */
int places_google_request(const struct places_google_service *service,
                          const struct places_query *query, struct text *scratch,
                          struct https_request *out) HERD_MUST_CHECK;

/* An answer with at most `bound` entries will be built in buffer[0..capacity-1]; capacity at least
 * 256. `service` lives until places_verdict_of. */
void places_google_begin(struct places_google *g, const struct places_google_service *service,
                         unsigned bound, char *buffer, size_t capacity);

/* The HTTP status, then the body in any pieces. */
void places_google_head(struct places_google *g, unsigned http_status);
void places_google_body(struct places_google *g, struct span bytes);

#endif

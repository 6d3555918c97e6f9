/* Reads one HTTP/1.1 response, however it is cut, over http_parser. Pure.
 *
 * Strict: lengths that contradict each other, overflowing chunk sizes, heads above
 * CFG_HTTPS_HEAD_BYTES and bodies above CFG_HTTPS_BODY_BYTES are refused; a body that ends early is
 * never complete.
 */
#ifndef HERD_HTTPS_READER_H
#define HERD_HTTPS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <http_parser.h>

#include "cfg.h"
#include "err.h"
#include "text.h"

/* What the response's reader wants to know; `context` is its own. */
struct https_sink {
    /* The final status, once; before the body. */
    void (*head)(void *context, unsigned status);
    /* The next bytes of the body, without chunk framing; they live during the call. */
    void (*body)(void *context, struct span bytes);
};

struct https_reader {
    http_parser parser;
    const struct https_sink *sink;
    void *context;
    unsigned status; /* 0: no head yet */
    size_t body_bytes;
    unsigned interim; /* 1xx responses so far */
    bool complete;
    bool keep_alive; /* complete: the connection can carry another request */
    const char *why; /* refused: our own words */
};

void https_reader_init(struct https_reader *r, const struct https_sink *sink, void *context);

/* The next bytes. HERD_OK: the response is complete; HERD_E_AGAIN: more are needed;
 * HERD_E_PROTOCOL: refused, see r->why. Bytes behind the response clear keep_alive. */
int https_reader_feed(struct https_reader *r, struct span bytes) HERD_MUST_CHECK;

/* The connection has ended; `clean`: with close_notify. HERD_OK: that completes the response;
 * HERD_E_PROTOCOL: it was cut, see r->why. */
int https_reader_end(struct https_reader *r, bool clean) HERD_MUST_CHECK;

#endif

/* Requests read, strictly, and replies written. No I/O. */
#ifndef STANDIN_HTTP_H
#define STANDIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define HTTP_HEADERS_MAX    64
#define HTTP_HEAD_BYTES_MAX 16384
#define HTTP_BODY_BYTES_MAX 65536

struct http_header {
    const char *name;
    const char *value; /* without the white space around it */
};

struct http_request {
    const char *method;
    const char *target; /* as it was sent: path?query */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    const char *body; /* body_bytes long, not NUL-terminated; points into the bytes parsed */
    size_t body_bytes;
    bool keep_alive;
    size_t total_bytes; /* of head and body together */
    char *storage;      /* what the strings point into */
};

enum http_result { HTTP_INCOMPLETE, HTTP_COMPLETE, HTTP_BAD };

/* Reads one request from the beginning of bytes. HTTP_COMPLETE: request is filled and stays valid
 * as long as bytes do; http_request_free it. HTTP_BAD: *status is the HTTP status to answer with,
 * *why says why. Nothing is taken that RFC 9112 forbids: bare LF, folded headers, a missing or
 * second Host, lengths that conflict. */
enum http_result http_parse(const char *bytes, size_t len, struct http_request *request,
                            int *status, const char **why);
void http_request_free(struct http_request *request);

/* Value of a header, names compared without case; NULL when it is not there. */
const char *http_header(const struct http_request *request, const char *name);

/* Which API a request was for: errors have another shape in each. */
enum dialect { DIALECT_NONE, DIALECT_NEW, DIALECT_LEGACY };

enum framing {
    FRAMING_LENGTH,  /* Content-Length */
    FRAMING_CHUNKED, /* chunks of uneven sizes */
    FRAMING_CLOSE,   /* neither: the end of the connection ends the body */
    FRAMING_OWN,     /* extra_headers say it, body is sent as it is */
    FRAMING_BARE,    /* no head at all: body is every byte that is sent */
};

/* How much of a reply is sent, and what comes then. */
enum part { PART_ALL, PART_HALF_BODY, PART_NOTHING };
enum ending {
    ENDING_NORMAL, /* keep-alive, or close_notify and close */
    ENDING_CLOSE,  /* close_notify and close, whatever the head says */
    ENDING_ABRUPT, /* close without close_notify */
    ENDING_STALL,  /* stay silent until the client goes */
};

struct reply {
    enum dialect dialect;
    int status;
    const char *content_type;
    struct buf extra_headers; /* whole lines with CRLF */
    struct buf body;
    enum framing framing;
    bool close; /* "Connection: close" */
    enum part part;
    enum ending ending;
    long delay_ms; /* before the first byte */
    long drip_ms;  /* between single bytes; 0: all at once */
};

/* The bytes of the reply that go on the wire. */
void http_write_reply(const struct reply *reply, struct buf *wire);

/* "Not Found" and so on. */
const char *http_reason(int status);

/* Drops the reply's memory. */
void http_reply_free(struct reply *reply);

#endif

#include "https_reader.h"

/* 100 Continue, 103 Early Hints and the like: a few, then it is a stream of nothing. */
#define INTERIM_MAX 4

static struct https_reader *reader_of(http_parser *p)
{
    return p->data;
}

static int refuse(struct https_reader *r, const char *why)
{
    r->why = why;
    return -1; /* http_parser stops with HPE_CB_* */
}

static int on_headers_complete(http_parser *p)
{
    struct https_reader *r = reader_of(p);

    if (p->upgrade || p->status_code == 101) {
        return refuse(r, "it wants another protocol");
    }
    if (p->status_code / 100 == 1) {
        r->interim++;
        return r->interim > INTERIM_MAX ? refuse(r, "too many interim answers") : 0;
    }
    if (p->status_code < 200) {
        return refuse(r, "its status is not one of HTTP");
    }
    r->status = p->status_code;
    r->sink->head(r->context, r->status);
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t bytes)
{
    struct https_reader *r = reader_of(p);

    if (bytes > CFG_HTTPS_BODY_BYTES - r->body_bytes) {
        return refuse(r, "its body is too large");
    }
    r->body_bytes += bytes;
    r->sink->body(r->context, (struct span){at, bytes});
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct https_reader *r = reader_of(p);

    if (p->status_code / 100 == 1) {
        return 0; /* the response itself is still to come */
    }
    r->complete = true;
    r->keep_alive = http_should_keep_alive(p) != 0;
    http_parser_pause(p, 1); /* what follows would be another response */
    return 0;
}

static const http_parser_settings settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void https_reader_init(struct https_reader *r, const struct https_sink *sink, void *context)
{
    *r = (struct https_reader){.sink = sink, .context = context};
    http_parser_init(&r->parser, HTTP_RESPONSE);
    r->parser.data = r;
    http_parser_set_max_header_size(CFG_HTTPS_HEAD_BYTES);
}

static const char *words_for(enum http_errno err)
{
    switch (err) {
    case HPE_HEADER_OVERFLOW:
        return "its head is too large";
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return "it gives lengths that contradict each other";
    case HPE_INVALID_CONTENT_LENGTH:
        return "it gives a length that is not a number, or too large";
    case HPE_INVALID_CHUNK_SIZE:
        return "it gives a chunk size that is not a number";
    default:
        return "it is not HTTP";
    }
}

int https_reader_feed(struct https_reader *r, struct span bytes)
{
    size_t used = http_parser_execute(&r->parser, &settings, bytes.at, bytes.bytes);
    enum http_errno err = HTTP_PARSER_ERRNO(&r->parser);

    if (r->complete) {
        if (used < bytes.bytes) {
            r->keep_alive = false; /* whose bytes are they? */
        }
        return HERD_OK;
    }
    if (err != HPE_OK) {
        if (r->why == NULL) {
            r->why = words_for(err);
        }
        return HERD_E_PROTOCOL;
    }
    return HERD_E_AGAIN;
}

int https_reader_end(struct https_reader *r, bool clean)
{
    /* Completes a body without length only (RFC 9112, 6.3, 8). Without close_notify anybody may have
     * cut it (RFC 8446, 6.1). */
    if (r->status != 0 && clean && !r->complete) {
        (void)http_parser_execute(&r->parser, &settings, NULL, 0);
    }
    r->keep_alive = false;
    if (!r->complete) {
        r->why = "it was cut";
        return HERD_E_PROTOCOL;
    }
    return HERD_OK;
}

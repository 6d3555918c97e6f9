#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialects.h"

/* ---- Replies with another HTTP status ---- */

static void html_error(struct reply *reply, int status)
{
    buf_free(&reply->body);
    reply->status = status;
    reply->content_type = "text/html; charset=UTF-8";
    buf_printf(&reply->body,
               "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n"
               "  <title>Error %d (%s)!!1</title>\n"
               "  <p><b>%d.</b> <ins>That’s an error.</ins>\n",
               status, http_reason(status), status);
}

/* The new API answers errors in JSON; the legacy one puts its own into HTTP 200, so that another
 * status comes from the servers in front of it, with a page for people. */
static void http_error(struct reply *reply, int status, const char *code, const char *message)
{
    if (reply->dialect == DIALECT_LEGACY) {
        html_error(reply, status);
    } else {
        dialects_write_error(reply, status, code, message, NULL);
    }
}

static void shape_400(struct reply *reply, long argument)
{
    (void)argument;
    http_error(reply, 400, "INVALID_ARGUMENT", "Request contains an invalid argument.");
}

static void shape_401(struct reply *reply, long argument)
{
    (void)argument;
    http_error(reply, 401, "UNAUTHENTICATED",
               "Request had invalid authentication credentials. Expected OAuth 2 access token.");
}

static void shape_403(struct reply *reply, long argument)
{
    (void)argument;
    http_error(reply, 403, "PERMISSION_DENIED", "The caller does not have permission");
}

static void shape_404(struct reply *reply, long argument)
{
    (void)argument;
    html_error(reply, 404);
}

static void shape_429(struct reply *reply, long argument)
{
    (void)argument;
    http_error(reply, 429, "RESOURCE_EXHAUSTED",
               "Quota exceeded for quota metric 'SearchNearbyRequest' and limit "
               "'SearchNearbyRequest per minute' of service 'places.googleapis.com'.");
}

static void shape_500(struct reply *reply, long argument)
{
    (void)argument;
    http_error(reply, 500, "INTERNAL", "Internal error encountered.");
}

static void shape_503(struct reply *reply, long argument)
{
    (void)argument;
    http_error(reply, 503, "UNAVAILABLE", "The service is currently unavailable.");
}

static void shape_over_limit(struct reply *reply, long argument)
{
    if (reply->dialect == DIALECT_LEGACY) {
        dialects_write_legacy_status(reply, "OVER_QUERY_LIMIT",
                                     "You have exceeded your daily request quota for this API.");
    } else {
        shape_429(reply, argument);
    }
}

static void shape_redirect(struct reply *reply, long argument)
{
    (void)argument;
    html_error(reply, 302);
    buf_add_str(&reply->extra_headers, "Location: https://localhost/elsewhere\r\n");
}

/* ---- Time ---- */

static void shape_slow(struct reply *reply, long argument)
{
    reply->delay_ms = argument;
}

static void shape_drip(struct reply *reply, long argument)
{
    reply->drip_ms = argument;
}

static void shape_stall_headers(struct reply *reply, long argument)
{
    (void)argument;
    reply->part = PART_NOTHING;
    reply->ending = ENDING_STALL;
}

static void shape_stall_body(struct reply *reply, long argument)
{
    (void)argument;
    reply->part = PART_HALF_BODY;
    reply->ending = ENDING_STALL;
}

/* ---- Framing ---- */

static void shape_chunked(struct reply *reply, long argument)
{
    (void)argument;
    reply->framing = FRAMING_CHUNKED;
}

static void shape_until_close(struct reply *reply, long argument)
{
    (void)argument;
    reply->framing = FRAMING_CLOSE;
    reply->ending = ENDING_CLOSE;
}

static void shape_no_close_notify(struct reply *reply, long argument)
{
    (void)argument;
    reply->framing = FRAMING_CLOSE;
    reply->ending = ENDING_ABRUPT;
}

static void shape_cut_body(struct reply *reply, long argument)
{
    (void)argument;
    reply->part = PART_HALF_BODY;
    reply->ending = ENDING_CLOSE;
}

static void shape_abrupt_close(struct reply *reply, long argument)
{
    (void)argument;
    reply->ending = ENDING_ABRUPT;
}

static void shape_abrupt_cut(struct reply *reply, long argument)
{
    (void)argument;
    reply->part = PART_HALF_BODY;
    reply->ending = ENDING_ABRUPT;
}

static void shape_two_lengths(struct reply *reply, long argument)
{
    (void)argument;
    reply->framing = FRAMING_OWN;
    buf_printf(&reply->extra_headers, "Content-Length: %zu\r\nContent-Length: %zu\r\n",
               reply->body.len, reply->body.len + 1);
}

static void shape_length_and_chunked(struct reply *reply, long argument)
{
    (void)argument;
    reply->framing = FRAMING_CHUNKED;
    buf_printf(&reply->extra_headers, "Content-Length: %zu\r\n", reply->body.len);
}

static void shape_chunk_overflow(struct reply *reply, long argument)
{
    (void)argument;
    struct buf chunk = {0};
    buf_add_str(&chunk, "FFFFFFFFFFFFFFFF1\r\n"); /* 2^68 - 15: one in 64 bits, if they wrap */
    buf_add(&chunk, reply->body.data, reply->body.len);
    buf_add_str(&chunk, "\r\n0\r\n\r\n");
    buf_free(&reply->body);
    reply->body = chunk;
    reply->framing = FRAMING_OWN;
    buf_add_str(&reply->extra_headers, "Transfer-Encoding: chunked\r\n");
}

static void shape_garbage(struct reply *reply, long argument)
{
    (void)argument;
    unsigned state = 12345;
    buf_free(&reply->body);
    for (int i = 0; i < 2000; i++) {
        state = state * 1103515245U + 12345U;
        unsigned char byte = (unsigned char)(state >> 16);
        buf_add(&reply->body, &byte, 1);
    }
    reply->framing = FRAMING_BARE;
    reply->ending = ENDING_CLOSE;
}

/* ---- Bodies ---- */

/* Begins a good answer: everything up to its first place. */
static void open_answer(struct reply *reply)
{
    buf_free(&reply->body);
    reply->status = 200;
    reply->content_type = "application/json; charset=UTF-8";
    buf_add_str(&reply->body, reply->dialect == DIALECT_LEGACY
                                  ? "{\"html_attributions\":[],\"results\":["
                                  : "{\"places\":[");
}

static void close_answer(struct reply *reply)
{
    buf_add_str(&reply->body, reply->dialect == DIALECT_LEGACY ? "],\"status\":\"OK\"}\n" : "]}\n");
}

static void shape_truncated_json(struct reply *reply, long argument)
{
    (void)argument;
    reply->body.len /= 2;
}

static void shape_big_body(struct reply *reply, long argument)
{
    open_answer(reply);
    const char *comma = "";
    for (size_t i = 0; reply->body.len < (size_t)argument; i++) {
        if (reply->dialect == DIALECT_LEGACY) {
            buf_printf(&reply->body,
                       "%s{\"name\":\"Big %zu\",\"geometry\":{\"location\":{\"lat\":1.5,"
                       "\"lng\":2.5}},\"place_id\":\"big%zu\",\"types\":[],\"vicinity\":\"\"}",
                       comma, i, i);
        } else {
            buf_printf(&reply->body,
                       "%s{\"id\":\"big%zu\",\"location\":{\"latitude\":1.5,\"longitude\":2.5},"
                       "\"displayName\":{\"text\":\"Big %zu\"}}",
                       comma, i, i);
        }
        comma = ",";
    }
    close_answer(reply);
}

static void shape_deep(struct reply *reply, long argument)
{
    open_answer(reply);
    for (long i = 0; i < argument; i++) {
        buf_add_str(&reply->body, i % 2 == 0 ? "{\"a\":" : "[");
    }
    buf_add_str(&reply->body, "1");
    for (long i = argument; i > 0; i--) {
        buf_add_str(&reply->body, i % 2 != 0 ? "}" : "]");
    }
    close_answer(reply);
}

static void shape_duplicate_keys(struct reply *reply, long argument)
{
    (void)argument;
    open_answer(reply);
    buf_add_str(&reply->body,
                reply->dialect == DIALECT_LEGACY
                    ? "{\"name\":\"First\",\"name\":\"Second\",\"geometry\":{\"location\":"
                      "{\"lat\":1.5,\"lat\":91.5,\"lng\":2.5}},\"place_id\":\"dup\",\"types\":[],"
                      "\"vicinity\":\"\"}],\"status\":\"OK\",\"results\":["
                    : "{\"id\":\"dup\",\"displayName\":{\"text\":\"First\",\"text\":\"Second\"},"
                      "\"location\":{\"latitude\":1.5,\"latitude\":91.5,\"longitude\":2.5}}],"
                      "\"places\":[");
    close_answer(reply);
}

static void shape_wrong_types(struct reply *reply, long argument)
{
    (void)argument;
    open_answer(reply);
    buf_add_str(&reply->body,
                reply->dialect == DIALECT_LEGACY
                    ? "17,\"place\",null,[],{\"name\":17,\"geometry\":{\"location\":{\"lat\":"
                      "\"north\",\"lng\":[2.5]}},\"place_id\":{},\"types\":\"cafe\","
                      "\"vicinity\":true},{\"name\":null,\"geometry\":5}"
                    : "17,\"place\",null,[],{\"id\":{},\"displayName\":\"text\",\"location\":{"
                      "\"latitude\":\"north\",\"longitude\":[2.5]},\"types\":\"cafe\","
                      "\"shortFormattedAddress\":true},{\"displayName\":{\"text\":17},"
                      "\"location\":5}");
    close_answer(reply);
}

#define REPLY(name, what, shape)                                                                   \
    {                                                                                              \
        name, what, NULL, 0, CONNECTING_NORMAL, TLS_GOOD, shape                                    \
    }
#define REPLY_ARG(name, what, argument, value, shape)                                              \
    {                                                                                              \
        name, what, argument, value, CONNECTING_NORMAL, TLS_GOOD, shape                            \
    }
#define HANDSHAKE(name, what, variant)                                                             \
    {                                                                                              \
        name, what, NULL, 0, CONNECTING_NORMAL, variant, NULL                                      \
    }
#define CONNECT(name, what, how)                                                                   \
    {                                                                                              \
        name, what, NULL, 0, how, TLS_GOOD, NULL                                                   \
    }

/* clang-format off */
static const struct fault faults[] = {
    REPLY("none", "everything works", NULL),
    CONNECT("refused", "nobody listens", CONNECTING_REFUSED),
    CONNECT("stall-connect", "connections are never completed", CONNECTING_STALLED),
    CONNECT("stall-handshake", "taken, then silence", CONNECTING_HANDSHAKE_STALLED),
    HANDSHAKE("wrong-host", "good chain, names of another host", TLS_WRONG_HOST),
    HANDSHAKE("unknown-ca", "chain to a root that nobody trusts", TLS_UNKNOWN_CA),
    HANDSHAKE("self-signed", "certificate signed by itself", TLS_SELF_SIGNED),
    HANDSHAKE("cut-chain", "the intermediate certificate is missing", TLS_CUT_CHAIN),
    HANDSHAKE("expired", "certificate of the year 2020", TLS_EXPIRED),
    HANDSHAKE("not-yet-valid", "certificate of the year 2060", TLS_NOT_YET_VALID),
    HANDSHAKE("no-resumption", "works, but every handshake is a full one", TLS_NO_RESUMPTION),
    REPLY_ARG("slow", "the answer comes late", "milliseconds", 15000, shape_slow),
    REPLY_ARG("drip", "the answer comes byte by byte", "milliseconds between them", 1000, shape_drip),
    REPLY("stall-headers", "request taken, then silence", shape_stall_headers),
    REPLY("stall-body", "silence in the middle of the body", shape_stall_body),
    REPLY("http-400", "HTTP 400", shape_400),
    REPLY("http-401", "HTTP 401", shape_401),
    REPLY("http-403", "HTTP 403", shape_403),
    REPLY("http-404", "HTTP 404", shape_404),
    REPLY("http-429", "HTTP 429", shape_429),
    REPLY("http-500", "HTTP 500", shape_500),
    REPLY("http-503", "HTTP 503", shape_503),
    REPLY("over-limit", "legacy: status OVER_QUERY_LIMIT; new: HTTP 429", shape_over_limit),
    REPLY("redirect", "HTTP 302 to elsewhere", shape_redirect),
    REPLY("chunked", "works, with a chunked body", shape_chunked),
    REPLY("until-close", "works, with a body that the end of the connection ends", shape_until_close),
    REPLY("no-close-notify", "such a body, but TLS is not closed properly", shape_no_close_notify),
    REPLY("cut-body", "connection closed in the middle of the body", shape_cut_body),
    REPLY("abrupt-close", "works, but then the connection ends without close_notify", shape_abrupt_close),
    REPLY("abrupt-cut", "the same, in the middle of the body", shape_abrupt_cut),
    REPLY("two-lengths", "two Content-Length headers that differ", shape_two_lengths),
    REPLY("length-and-chunked", "Content-Length and chunked at once", shape_length_and_chunked),
    REPLY("chunk-overflow", "a chunk size that overflows 64 bits", shape_chunk_overflow),
    REPLY("garbage", "random bytes in place of HTTP", shape_garbage),
    REPLY("truncated-json", "half of the JSON, with a length that says so", shape_truncated_json),
    REPLY_ARG("big-body", "a good answer, but too long", "bytes", 10485760, shape_big_body),
    REPLY_ARG("deep", "JSON nested deeply", "levels", 1000, shape_deep),
    REPLY("duplicate-keys", "JSON objects with keys twice", shape_duplicate_keys),
    REPLY("wrong-types", "JSON values of unexpected types", shape_wrong_types),
};
/* clang-format on */

#define FAULT_COUNT (sizeof faults / sizeof faults[0])

const struct fault *faults_find(const char *name)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (strcmp(faults[i].name, name) == 0) {
            return &faults[i];
        }
    }
    return NULL;
}

bool faults_parse(const char *text, const struct fault **fault, long *argument, const char **why)
{
    char name[64];
    size_t len = strcspn(text, "= ");
    if (len >= sizeof name) {
        *why = "no such fault";
        return false;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    const struct fault *found = faults_find(name);
    if (found == NULL) {
        *why = "no such fault";
        return false;
    }
    long value = found->argument_default;
    if (text[len] != '\0') {
        const char *digits = text + len + 1;
        size_t count = strspn(digits, "0123456789");
        if (found->argument == NULL) {
            *why = "this fault takes no argument";
            return false;
        }
        if (count == 0 || count > 8 || digits[count] != '\0') {
            *why = "the argument is not a whole number of at most eight digits";
            return false;
        }
        value = strtol(digits, NULL, 10);
    }
    *fault = found;
    *argument = value;
    return true;
}

bool faults_needs_new_connection(const struct fault *fault)
{
    return fault->connecting != CONNECTING_NORMAL || fault->variant != TLS_GOOD;
}

void faults_print(void)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        const struct fault *fault = &faults[i];
        printf("  %-19s %s", fault->name, fault->what);
        if (fault->argument != NULL) {
            printf(" (ARG: %s, %ld)", fault->argument, fault->argument_default);
        }
        printf("\n");
    }
}

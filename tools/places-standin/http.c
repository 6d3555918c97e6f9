#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static enum http_result bad(int *status, const char **why, int code, const char *text)
{
    *status = code;
    *why = text;
    return HTTP_BAD;
}

static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (!letter && !(*text >= '0' && *text <= '9') && strchr(others, *text) == NULL) {
            return false;
        }
    }
    return true;
}

/* The next line of the head as a string, its CRLF replaced; NULL at a line that does not end in
 * CRLF or holds a control byte. */
static char *take_line(char **p)
{
    char *line = *p;
    char *end = strchr(line, '\n');
    if (end == NULL || end == line || end[-1] != '\r') {
        return NULL;
    }
    end[-1] = '\0';
    for (const unsigned char *c = (const unsigned char *)line; *c != '\0'; c++) {
        if ((*c < 0x20 && *c != '\t') || *c == 0x7F) {
            return NULL;
        }
    }
    *p = end + 1;
    return line;
}

static const char *parse_request_line(char *line, struct http_request *request)
{
    char *target = strchr(line, ' ');
    char *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    if (version == NULL) {
        return "request line is not METHOD TARGET VERSION";
    }
    *target++ = '\0';
    *version++ = '\0';
    request->method = line;
    request->target = target;
    if (!is_token(line) || target[0] != '/') {
        return "bad method or target";
    }
    for (const unsigned char *c = (const unsigned char *)target; *c != '\0'; c++) {
        if (*c <= 0x20 || *c >= 0x7F) {
            return "bytes in the target that need percent-encoding";
        }
    }
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) {
        return "version is not HTTP/1.1 or HTTP/1.0";
    }
    request->keep_alive = version[7] == '1';
    return NULL;
}

static const char *parse_header_line(char *line, struct http_request *request)
{
    char *colon = strchr(line, ':');
    if (colon == NULL) {
        return "header without a colon";
    }
    *colon = '\0';
    if (!is_token(line)) {
        return "bad header name";
    }
    char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t len = strlen(value); len > 0 && strchr(" \t", value[len - 1]) != NULL;) {
        value[--len] = '\0';
    }
    request->headers[request->header_count++] = (struct http_header){line, value};
    return NULL;
}

const char *http_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            return request->headers[i].value;
        }
    }
    return NULL;
}

static size_t count_headers(const struct http_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        count += strcasecmp(request->headers[i].name, name) == 0;
    }
    return count;
}

/* What the headers say together: Host, connection, length of the body. */
static enum http_result check_headers(struct http_request *request, int *status, const char **why)
{
    const char *host = http_header(request, "Host");
    if (count_headers(request, "Host") != 1 || host == NULL || *host == '\0') {
        return bad(status, why, 400, "exactly one Host header is required");
    }
    const char *connection = http_header(request, "Connection");
    if (connection != NULL && strcasecmp(connection, "close") == 0) {
        request->keep_alive = false;
    } else if (connection != NULL && strcasecmp(connection, "keep-alive") == 0) {
        request->keep_alive = true;
    }
    if (http_header(request, "Transfer-Encoding") != NULL) {
        return bad(status, why, 501, "requests with Transfer-Encoding are not supported");
    }
    const char *length = http_header(request, "Content-Length");
    if (length == NULL) {
        return strcmp(request->method, "POST") == 0
                   ? bad(status, why, 411, "POST requires a Content-Length")
                   : HTTP_COMPLETE;
    }
    size_t digits = strspn(length, "0123456789");
    if (count_headers(request, "Content-Length") != 1 || digits == 0 || length[digits] != '\0') {
        return bad(status, why, 400, "bad Content-Length");
    }
    if (digits > 9 || strtoul(length, NULL, 10) > HTTP_BODY_BYTES_MAX) {
        return bad(status, why, 413, "body is longer than 64 KB");
    }
    request->body_bytes = strtoul(length, NULL, 10);
    return HTTP_COMPLETE;
}

enum http_result http_parse(const char *bytes, size_t len, struct http_request *request,
                            int *status, const char **why)
{
    *request = (struct http_request){0};
    const char *end = len > 0 ? memmem(bytes, len, "\r\n\r\n", 4) : NULL;
    size_t head_bytes = end != NULL ? (size_t)(end - bytes) + 4 : len;
    if (head_bytes > HTTP_HEAD_BYTES_MAX) {
        return bad(status, why, 431, "head is longer than 16 KB");
    }
    if (end == NULL) {
        return HTTP_INCOMPLETE;
    }
    if (memchr(bytes, '\0', head_bytes) != NULL) {
        return bad(status, why, 400, "NUL in the head");
    }
    request->storage = strndup(bytes, head_bytes - 2);
    char *p = request->storage;
    char *line = take_line(&p);
    *why = line == NULL ? "bad request line" : parse_request_line(line, request);
    while (*why == NULL && *p != '\0') {
        line = take_line(&p);
        if (request->header_count == HTTP_HEADERS_MAX) {
            http_request_free(request);
            return bad(status, why, 431, "more than 64 headers");
        }
        *why = line == NULL ? "bad header line" : parse_header_line(line, request);
    }
    enum http_result result =
        *why != NULL ? bad(status, why, 400, *why) : check_headers(request, status, why);
    request->body = bytes + head_bytes;
    request->total_bytes = head_bytes + request->body_bytes;
    if (result == HTTP_COMPLETE && request->total_bytes > len) {
        result = HTTP_INCOMPLETE;
    }
    if (result != HTTP_COMPLETE) {
        http_request_free(request);
    }
    return result;
}

void http_request_free(struct http_request *request)
{
    free(request->storage);
    request->storage = NULL;
}

const char *http_reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 302:
        return "Found";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "Unknown";
    }
}

/* Sizes that cross every border a reader may have: one byte, a few, odd, long. */
static void write_chunks(const struct buf *body, struct buf *wire)
{
    static const size_t sizes[] = {1, 7, 333, 4096, 2, 1000};
    size_t turn = 0;
    for (size_t at = 0; at < body->len;) {
        size_t size = sizes[turn++ % (sizeof sizes / sizeof sizes[0])];
        if (size > body->len - at) {
            size = body->len - at;
        }
        buf_printf(wire, turn % 3 == 2 ? "%zX;note=\"x\"\r\n" : "%zx\r\n", size);
        buf_add(wire, body->data + at, size);
        buf_add_str(wire, "\r\n");
        at += size;
    }
    buf_add_str(wire, "0\r\n\r\n");
}

static void write_head(const struct reply *reply, struct buf *wire)
{
    char date[64];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));

    buf_printf(wire, "HTTP/1.1 %d %s\r\n", reply->status, http_reason(reply->status));
    buf_printf(wire, "Content-Type: %s\r\n", reply->content_type);
    buf_printf(wire, "Date: %s\r\nServer: places-standin\r\n", date);
    buf_add_str(wire, "Cache-Control: private\r\nVary: Origin, X-Origin, Referer\r\n");
    buf_add(wire, reply->extra_headers.data, reply->extra_headers.len);
    if (reply->framing == FRAMING_LENGTH) {
        buf_printf(wire, "Content-Length: %zu\r\n", reply->body.len);
    } else if (reply->framing == FRAMING_CHUNKED) {
        buf_add_str(wire, "Transfer-Encoding: chunked\r\n");
    }
    if (reply->close || reply->framing == FRAMING_CLOSE) {
        buf_add_str(wire, "Connection: close\r\n");
    }
    buf_add_str(wire, "\r\n");
}

void http_write_reply(const struct reply *reply, struct buf *wire)
{
    size_t head_bytes = 0;
    if (reply->framing != FRAMING_BARE) {
        write_head(reply, wire);
        head_bytes = wire->len;
    }
    if (reply->framing == FRAMING_CHUNKED) {
        write_chunks(&reply->body, wire);
    } else {
        buf_add(wire, reply->body.data, reply->body.len);
    }
    if (reply->part == PART_HALF_BODY) {
        wire->len = head_bytes + (wire->len - head_bytes) / 2;
    } else if (reply->part == PART_NOTHING) {
        wire->len = 0;
    }
}

void http_reply_free(struct reply *reply)
{
    buf_free(&reply->extra_headers);
    buf_free(&reply->body);
}

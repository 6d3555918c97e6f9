#include "conn.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#define HANDSHAKE_MS 30000
#define WRITE_MS     60000 /* a client that reads nothing for so long is gone */

enum phase { HANDSHAKE, READING, DELAYED, WRITING, STALLED };
enum progress { AGAIN, WAIT, OVER };

struct conn {
    struct standin *standin;
    int fd;
    SSL *ssl; /* NULL only under stall-handshake */
    enum phase phase;
    short waiting_for; /* POLLIN or POLLOUT, what OpenSSL asked for */
    long due_ms;       /* deadline, or the time of the next byte */
    struct buf in;
    struct buf out;
    size_t sent;
    bool close_after;
    enum ending ending;
    long drip_ms;
};

long conn_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct conn *conn_open(struct standin *standin, int fd)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        close(fd);
        return NULL;
    }
    conn->standin = standin;
    conn->fd = fd;
    standin->stats.connections++;
    if (faults_needs_new_connection(standin->fault)) {
        standin->stats.faults++;
    }
    if (standin->fault->connecting == CONNECTING_HANDSHAKE_STALLED) {
        conn->phase = STALLED;
        conn->due_ms = LONG_MAX;
        return conn;
    }
    conn->ssl = SSL_new(standin->contexts[standin->fault->variant]);
    if (conn->ssl == NULL || SSL_set_fd(conn->ssl, fd) != 1) {
        conn_free(conn);
        return NULL;
    }
    conn->phase = HANDSHAKE;
    conn->waiting_for = POLLIN;
    conn->due_ms = conn_now_ms() + HANDSHAKE_MS;
    return conn;
}

void conn_free(struct conn *conn)
{
    SSL_free(conn->ssl);
    close(conn->fd);
    buf_free(&conn->in);
    buf_free(&conn->out);
    free(conn);
}

int conn_fd(const struct conn *conn)
{
    return conn->fd;
}

short conn_events(const struct conn *conn)
{
    switch (conn->phase) {
    case HANDSHAKE:
    case READING:
        return conn->waiting_for;
    case WRITING:
        return conn->drip_ms > 0 ? POLLRDHUP : conn->waiting_for;
    case DELAYED:
    case STALLED:
        break;
    }
    return POLLRDHUP; /* only whether the client has gone */
}

long conn_due_ms(const struct conn *conn)
{
    return conn->due_ms;
}

bool conn_is_idle(const struct conn *conn)
{
    return conn->phase == READING && conn->in.len == 0;
}

void conn_say_goodbye(struct conn *conn)
{
    if (conn->ssl != NULL && SSL_is_init_finished(conn->ssl)) {
        ERR_clear_error();
        SSL_shutdown(conn->ssl);
    }
}

/* What OpenSSL wants after an operation that did not finish; OVER when it never will. */
static enum progress wait_for_ssl(struct conn *conn, int result)
{
    switch (SSL_get_error(conn->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        conn->waiting_for = POLLIN;
        return WAIT;
    case SSL_ERROR_WANT_WRITE:
        conn->waiting_for = POLLOUT;
        return WAIT;
    default:
        return OVER;
    }
}

static enum progress step_handshake(struct conn *conn)
{
    ERR_clear_error();
    int result = SSL_accept(conn->ssl);
    if (result != 1) {
        enum progress progress = wait_for_ssl(conn, result);
        if (progress == OVER) {
            conn->standin->stats.handshake_failures++;
        }
        return progress;
    }
    conn->standin->stats.handshakes++;
    if (SSL_session_reused(conn->ssl)) {
        conn->standin->stats.resumed++;
    }
    conn->phase = READING;
    conn->waiting_for = POLLIN;
    conn->due_ms = conn_now_ms() + conn->standin->idle_ms;
    return AGAIN;
}

/* text, with each occurrence of the key as stars: `last` is for tests, not for spreading keys. */
static void add_without_key(struct buf *line, const char *text, const char *key)
{
    const char *found;
    while ((found = strstr(text, key)) != NULL) {
        buf_add(line, text, (size_t)(found - text));
        buf_add_str(line, "***");
        text = found + strlen(key);
    }
    buf_add_str(line, text);
}

/* Where in the request the key was seen, whether that was right or not. */
static void describe_key(struct buf *line, const struct http_request *request, const char *key)
{
    const char *comma = "";
    buf_add_str(line, " key_in=");
    if (strstr(request->target, key) != NULL) {
        buf_add_str(line, "target");
        comma = ",";
    }
    for (size_t i = 0; i < request->header_count; i++) {
        if (strstr(request->headers[i].value, key) != NULL) {
            buf_printf(line, "%sheader:%s", comma, request->headers[i].name);
            comma = ",";
        }
    }
    if (memmem(request->body, request->body_bytes, key, strlen(key)) != NULL) {
        buf_printf(line, "%sbody", comma);
        comma = ",";
    }
    if (*comma == '\0') {
        buf_add_str(line, "none");
    }
}

static void describe(struct conn *conn, const struct http_request *request, int status)
{
    struct buf *line = &conn->standin->last;
    const char *key = conn->standin->dialects.key;
    const char *sni = SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name);

    buf_free(line);
    buf_printf(line, "method=%s target=", request->method);
    add_without_key(line, request->target, key);
    describe_key(line, request, key);
    buf_printf(line, " host=%s headers=", http_header(request, "Host"));
    for (size_t i = 0; i < request->header_count; i++) {
        buf_printf(line, "%s%s", i > 0 ? "," : "", request->headers[i].name);
    }
    buf_printf(line, " body_bytes=%zu status=%d sni=%s tls=%s cipher=%s resumed=%s",
               request->body_bytes, status, sni != NULL ? sni : "none", SSL_get_version(conn->ssl),
               SSL_get_cipher_name(conn->ssl), SSL_session_reused(conn->ssl) ? "yes" : "no");
}

static void send_reply(struct conn *conn, struct reply *reply)
{
    http_write_reply(reply, &conn->out);
    conn->sent = 0;
    conn->close_after = reply->close || reply->framing == FRAMING_CLOSE;
    conn->ending = reply->ending;
    conn->drip_ms = reply->drip_ms;
    conn->waiting_for = POLLOUT;
    conn->phase = reply->delay_ms > 0 ? DELAYED : WRITING;
    conn->due_ms = conn_now_ms() + (reply->delay_ms > 0  ? reply->delay_ms
                                    : reply->drip_ms > 0 ? reply->drip_ms
                                                         : WRITE_MS);
    http_reply_free(reply);
}

static void answer(struct conn *conn, const struct http_request *request)
{
    struct standin *standin = conn->standin;
    struct reply reply = {.close = !request->keep_alive,
                          .framing = standin->chunked ? FRAMING_CHUNKED : FRAMING_LENGTH};
    struct dialects_result result = dialects_answer(&standin->dialects, request, &reply);

    standin->stats.requests++;
    standin->stats.new_api += result.dialect == DIALECT_NEW;
    standin->stats.legacy += result.dialect == DIALECT_LEGACY;
    standin->stats.bad_key += result.bad_key;
    if (standin->fault->shape != NULL) {
        standin->fault->shape(&reply, standin->fault_argument);
        standin->stats.faults++;
    }
    describe(conn, request, reply.status);
    send_reply(conn, &reply);
}

static void refuse(struct conn *conn, int status, const char *why)
{
    struct reply reply = {.close = true};
    conn->standin->stats.bad_requests++;
    dialects_write_error(&reply, status, "INVALID_ARGUMENT", why, NULL);
    send_reply(conn, &reply);
}

static enum progress step_reading(struct conn *conn)
{
    struct http_request request;
    int status = 400;
    const char *why = NULL;
    char bytes[8192];

    switch (http_parse(conn->in.data, conn->in.len, &request, &status, &why)) {
    case HTTP_COMPLETE:
        answer(conn, &request);
        buf_drop(&conn->in, request.total_bytes);
        http_request_free(&request);
        return AGAIN;
    case HTTP_BAD:
        refuse(conn, status, why);
        return AGAIN;
    case HTTP_INCOMPLETE:
        break;
    }
    ERR_clear_error();
    int result = SSL_read(conn->ssl, bytes, sizeof bytes);
    if (result > 0) {
        buf_add(&conn->in, bytes, (size_t)result);
        return AGAIN;
    }
    enum progress progress = wait_for_ssl(conn, result);
    if (progress == OVER) {
        conn_say_goodbye(conn);
    }
    return progress;
}

static enum progress finish_reply(struct conn *conn)
{
    buf_free(&conn->out);
    if (conn->ending == ENDING_STALL) {
        conn->phase = STALLED;
        conn->due_ms = LONG_MAX;
        return WAIT;
    }
    if (conn->ending == ENDING_ABRUPT) {
        return OVER;
    }
    if (conn->ending == ENDING_CLOSE || conn->close_after) {
        conn_say_goodbye(conn);
        return OVER;
    }
    conn->phase = READING;
    conn->waiting_for = POLLIN;
    conn->due_ms = conn_now_ms() + conn->standin->idle_ms;
    return AGAIN;
}

static enum progress step_writing(struct conn *conn)
{
    if (conn->sent == conn->out.len) {
        return finish_reply(conn);
    }
    long now_ms = conn_now_ms();
    if (conn->drip_ms > 0 && now_ms < conn->due_ms) {
        return WAIT;
    }
    size_t len = conn->drip_ms > 0 ? 1 : conn->out.len - conn->sent;
    ERR_clear_error();
    int result =
        SSL_write(conn->ssl, conn->out.data + conn->sent, len > INT_MAX ? INT_MAX : (int)len);
    if (result <= 0) {
        enum progress progress = wait_for_ssl(conn, result);
        if (progress == WAIT && conn->drip_ms > 0) {
            conn->due_ms = now_ms + conn->drip_ms;
        }
        return progress;
    }
    conn->sent += (size_t)result;
    conn->due_ms = now_ms + (conn->drip_ms > 0 ? conn->drip_ms : WRITE_MS);
    return AGAIN;
}

/* Time is up. OVER, unless that was what was waited for. */
static enum progress step_due(struct conn *conn)
{
    switch (conn->phase) {
    case DELAYED:
        conn->phase = WRITING;
        conn->due_ms = conn_now_ms() + (conn->drip_ms > 0 ? 0 : WRITE_MS);
        return AGAIN;
    case WRITING:
        return conn->drip_ms > 0 ? AGAIN : OVER;
    case HANDSHAKE:
        conn->standin->stats.handshake_failures++;
        return OVER;
    case READING:
        conn_say_goodbye(conn);
        return OVER;
    case STALLED:
        break;
    }
    return OVER;
}

bool conn_step(struct conn *conn, short revents)
{
    enum progress progress = AGAIN;
    if (conn_now_ms() >= conn->due_ms) {
        progress = step_due(conn);
    }
    if ((revents & (POLLRDHUP | POLLERR | POLLHUP)) != 0 &&
        (conn->phase == DELAYED || conn->phase == STALLED || conn->drip_ms > 0)) {
        return false;
    }
    while (progress == AGAIN) {
        switch (conn->phase) {
        case HANDSHAKE:
            progress = step_handshake(conn);
            break;
        case READING:
            progress = step_reading(conn);
            break;
        case WRITING:
            progress = step_writing(conn);
            break;
        case DELAYED:
        case STALLED:
            progress = WAIT;
            break;
        }
    }
    return progress == WAIT;
}

/* https_reader: one HTTP/1.1 response, however it is cut. */
#include "unit.h"

#include <stdio.h>

#include "https_reader.h"

static struct https_reader reader;
static char body[4096];
static size_t body_bytes; /* of all, also beyond what `body` holds */
static unsigned heads;

static void on_head(void *context, unsigned status)
{
    (void)context;
    (void)status;
    heads++;
}

static void on_body(void *context, struct span bytes)
{
    (void)context;
    assert_int_equal(heads, 1);
    for (size_t i = 0; i < bytes.bytes; i++, body_bytes++) {
        if (body_bytes < sizeof body) {
            body[body_bytes] = bytes.at[i];
        }
    }
}

static const struct https_sink sink = {on_head, on_body};

static void start(void)
{
    body_bytes = 0;
    heads = 0;
    https_reader_init(&reader, &sink, NULL);
}

/* Feeds pieces until it is complete, refused or used up. */
static int feed(struct span text, size_t piece)
{
    int err = HERD_E_AGAIN;
    for (size_t i = 0; i < text.bytes && err == HERD_E_AGAIN; i += piece) {
        size_t n = text.bytes - i < piece ? text.bytes - i : piece;
        err = https_reader_feed(&reader, (struct span){text.at + i, n});
    }
    return err;
}

static int run(const char *text)
{
    start();
    return feed(span_of(text), strlen(text));
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static const char with_length[] = OK_HEAD "Content-Type: application/json\r\nContent-Length: 13\r\n"
                                          "\r\n{\"places\":[]}";
static const char chunked[] = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                                      "5;x=y\r\n{\"pla\r\n8\r\nces\":[]}\r\n0\r\nT: r\r\n\r\n";

static void a_body_comes_through_in_any_split(void **state)
{
    (void)state;
    static const char *const texts[] = {with_length, chunked};
    for (unsigned t = 0; t < 2; t++) {
        struct span all = span_of(texts[t]);
        for (size_t piece = 1; piece <= all.bytes; piece++) {
            start();
            assert_int_equal(feed(all, piece), HERD_OK);
            assert_int_equal(reader.status, 200);
            assert_int_equal(body_bytes, 13);
            assert_memory_equal(body, "{\"places\":[]}", 13);
            assert_true(reader.keep_alive);
        }
    }
}

static void a_response_cut_at_any_byte_is_never_complete(void **state)
{
    (void)state;
    static const char *const texts[] = {with_length, chunked};
    for (unsigned t = 0; t < 2; t++) {
        size_t all = strlen(texts[t]);
        for (size_t n = 0; n < all; n++) {
            start();
            assert_int_equal(feed((struct span){texts[t], n}, 11), HERD_E_AGAIN);
            assert_int_equal(https_reader_end(&reader, true), HERD_E_PROTOCOL);
            assert_string_equal(reader.why, "it was cut");
        }
    }
}

static void a_body_without_length_ends_with_close_notify_only(void **state)
{
    (void)state;
    const char *text = OK_HEAD "Connection: close\r\n\r\n{}";
    assert_int_equal(run(text), HERD_E_AGAIN);
    assert_int_equal(https_reader_end(&reader, false), HERD_E_PROTOCOL);
    assert_int_equal(run(text), HERD_E_AGAIN);
    assert_int_equal(https_reader_end(&reader, true), HERD_OK);
    assert_int_equal(body_bytes, 2);
    assert_false(reader.keep_alive);
    start(); /* nothing at all */
    assert_int_equal(https_reader_end(&reader, true), HERD_E_PROTOCOL);
}

static void refused(const char *text, const char *why)
{
    start();
    assert_int_equal(feed(span_of(text), strlen(text)), HERD_E_PROTOCOL);
    assert_string_equal(reader.why, why);
    start();
    assert_int_equal(feed(span_of(text), 1), HERD_E_PROTOCOL);
    assert_string_equal(reader.why, why);
}

static void what_is_not_http_is_refused(void **state)
{
    (void)state;
    const char *why = "it is not HTTP";
    refused("220 mail.example ESMTP\r\n", why);
    refused("{\"places\":[]}", why);
    refused("\x16\x03\x01\x02\x00", why);
    refused("HTTP/1.1 abc\r\n\r\n", why);
    refused("GET / HTTP/1.1\r\n\r\n", why);
    refused(OK_HEAD "bad header\r\n\r\n", why);
    refused("HTTP/1.1 99 X\r\n\r\n", "its status is not one of HTTP");
}

static void contradicting_lengths_are_refused(void **state)
{
    (void)state;
    const char *why = "it gives lengths that contradict each other";
    refused(OK_HEAD "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", why);
    refused(OK_HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", why);
    refused(OK_HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", why);
    refused(OK_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", why);
}

static void lengths_that_are_none_are_refused(void **state)
{
    (void)state;
    const char *why = "it gives a length that is not a number, or too large";
    refused(OK_HEAD "Content-Length: -1\r\n\r\n", why);
    refused(OK_HEAD "Content-Length: 1x\r\n\r\n", why);
    refused(OK_HEAD "Content-Length: 99999999999999999999999\r\n\r\n", why);
    refused(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", why);
    refused(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "it gives a chunk size that is not a number");
}

static void a_large_head_is_refused(void **state)
{
    (void)state;
    static char text[CFG_HTTPS_HEAD_BYTES + 100];
    size_t n = (size_t)snprintf(text, sizeof text, OK_HEAD "X: ");
    memset(text + n, 'a', sizeof text - n - 1);
    refused(text, "its head is too large");
}

static void a_large_body_is_refused(void **state)
{
    (void)state;
    char piece[1000];
    memset(piece, 'a', sizeof piece);
    assert_int_equal(run(OK_HEAD "Content-Length: 10000000\r\n\r\n"), HERD_E_AGAIN);
    int err = HERD_E_AGAIN;
    while (err == HERD_E_AGAIN) {
        err = https_reader_feed(&reader, (struct span){piece, sizeof piece});
    }
    assert_int_equal(err, HERD_E_PROTOCOL);
    assert_string_equal(reader.why, "its body is too large");
    assert_in_range(body_bytes, CFG_HTTPS_BODY_BYTES - sizeof piece, CFG_HTTPS_BODY_BYTES);
}

static void interim_responses_are_skipped_but_not_for_ever(void **state)
{
    (void)state;
    assert_int_equal(
        run("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_HEAD
            "Content-Length: 2\r\n\r\n{}"),
        HERD_OK);
    assert_int_equal(heads, 1);
    assert_int_equal(body_bytes, 2);
    refused(
        "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
        "HTTP/1.1 100 C\r\n\r\n",
        "too many interim answers");
    refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "it wants another protocol");
}

static void bytes_behind_the_response_end_the_connection(void **state)
{
    (void)state;
    assert_int_equal(run(OK_HEAD "Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n"), HERD_OK);
    assert_int_equal(body_bytes, 2);
    assert_false(reader.keep_alive);
    assert_int_equal(run(OK_HEAD "Content-Length: 2\r\nConnection: close\r\n\r\n{}"), HERD_OK);
    assert_false(reader.keep_alive);
    assert_int_equal(run("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"), HERD_OK);
    assert_false(reader.keep_alive);
}

static void other_statuses_are_given_to_the_caller(void **state)
{
    (void)state;
    assert_int_equal(run("HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n"),
                     HERD_OK);
    assert_int_equal(reader.status, 302);
    assert_int_equal(run("HTTP/1.1 204 No Content\r\n\r\n"), HERD_OK);
    assert_int_equal(reader.status, 204);
    assert_int_equal(run("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"), HERD_OK);
    assert_int_equal(reader.status, 500);
    assert_int_equal(body_bytes, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_through_in_any_split),
        cmocka_unit_test(a_response_cut_at_any_byte_is_never_complete),
        cmocka_unit_test(a_body_without_length_ends_with_close_notify_only),
        cmocka_unit_test(what_is_not_http_is_refused),
        cmocka_unit_test(contradicting_lengths_are_refused),
        cmocka_unit_test(lengths_that_are_none_are_refused),
        cmocka_unit_test(a_large_head_is_refused),
        cmocka_unit_test(a_large_body_is_refused),
        cmocka_unit_test(interim_responses_are_skipped_but_not_for_ever),
        cmocka_unit_test(bytes_behind_the_response_end_the_connection),
        cmocka_unit_test(other_statuses_are_given_to_the_caller),
    };
    return cmocka_run_group_tests_name("https_reader", tests, NULL, NULL);
}

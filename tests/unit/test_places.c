/* places: slots, single flight, cache, budget and deadlines, over a fake https. */
#include "unit.h"

#include <stdio.h>

#include "https.h"
#include "log.h"
#include "places_backend.h"

/* Fakes: a clock, a scheduler of one task, a log that is not written, and https that answers what
 * the test says. */

static uint64_t now_ms;
static struct sched_task *places_task;
static struct sched_task waiter = {.name = "waiter"}, neighbours = {.name = "neighbours"};

uint64_t sched_now_ms(void)
{
    return now_ms;
}

void sched_add(struct sched_task *t)
{
    places_task = t;
    t->woken = true;
    t->deadline_ms = SCHED_NEVER;
}

void sched_wake(struct sched_task *t)
{
    t->woken = true;
}

void sched_at(struct sched_task *t, uint64_t deadline_ms)
{
    t->deadline_ms = deadline_ms;
}

struct log_line *log_begin(enum log_event event)
{
    (void)event;
    return NULL;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
    (void)l;
    (void)key;
    (void)value;
}

void log_span(struct log_line *l, const char *key, struct span value)
{
    (void)l;
    (void)key;
    for (size_t i = 0; i + 6 <= value.bytes; i++) {
        assert_memory_not_equal(value.at + i, "CANARY", 6); /* the key is never an argument */
    }
}

void log_u64(struct log_line *l, const char *key, uint64_t value)
{
    (void)l;
    (void)key;
    (void)value;
}

void log_i64(struct log_line *l, const char *key, int64_t value)
{
    (void)l;
    (void)key;
    (void)value;
}

void log_end(struct log_line *l)
{
    (void)l;
}

static struct {
    bool busy;
    unsigned starts;
    char body[600];
    uint64_t deadline_ms;
    const struct https_sink *sink;
    void *context;
    int end; /* HERD_E_AGAIN: still under way */
    const char *why;
    bool sent;
} https;

int https_init(const struct https_server *server, struct sched_task *owner)
{
    (void)server;
    (void)owner;
    memset(&https, 0, sizeof https);
    return HERD_OK;
}

int https_start(const struct https_request *r, uint64_t deadline_ms, const struct https_sink *sink,
                void *context)
{
    assert_false(https.busy);
    assert_true(r->body.bytes < sizeof https.body);
    memcpy(https.body, r->body.at, r->body.bytes);
    https.body[r->body.bytes] = '\0';
    https.busy = true;
    https.starts++;
    https.deadline_ms = deadline_ms;
    https.sink = sink;
    https.context = context;
    https.end = HERD_E_AGAIN;
    https.sent = true;
    return HERD_OK;
}

int https_run(struct text *why)
{
    if (https.busy && now_ms >= https.deadline_ms) {
        https.end = HERD_E_TIMEOUT;
        https.why = "late";
    }
    if (!https.busy || https.end == HERD_E_AGAIN) {
        return HERD_E_AGAIN;
    }
    https.busy = false;
    text_str(why, https.why == NULL ? "" : https.why);
    return https.end;
}

uint64_t https_wake_ms(void)
{
    return https.busy ? https.deadline_ms : SCHED_NEVER;
}

bool https_was_sent(void)
{
    return https.sent;
}

/* The scheduler's rounds until nothing is due. */
static void settle(void)
{
    for (unsigned i = 0; i < 100; i++) {
        if (!places_task->woken && places_task->deadline_ms > now_ms) {
            return;
        }
        places_task->woken = false;
        places_task->deadline_ms = SCHED_NEVER;
        places_task->run();
    }
    fail_msg("the task never comes to rest");
}

static void pass(uint64_t ms)
{
    now_ms += ms;
    settle();
}

static void answer_upstream(unsigned status, const char *body)
{
    https.sink->head(https.context, status);
    https.sink->body(https.context, span_of(body));
    https.end = HERD_OK;
    sched_wake(places_task);
    settle();
}

static void fail_upstream(int err, const char *why, bool sent)
{
    https.end = err;
    https.why = why;
    https.sent = sent;
    sched_wake(places_task);
    settle();
}

#define PLACE                                                                                      \
    "{\"places\":[{\"id\":\"x\",\"location\":{\"latitude\":1,\"longitude\":2},\"displayName\":"    \
    "{\"text\":\"A\"}}]}"
#define ANSWER                                                                                     \
    "{\"html_attributions\":[],\"results\":[{\"name\":\"A\",\"geometry\":{\"location\":{\"lat\":"  \
    "1,"                                                                                           \
    "\"lng\":2}},\"place_id\":\"x\"}],\"status\":\"OK\"}"
#define FAILURE(status, message)                                                                   \
    "{\"html_attributions\":[],\"results\":[],\"status\":\"" status                                \
    "\",\"error_message\":\"" message "\"}"

static struct config_places config;

static int init(const struct places_backend *backend, struct span key)
{
    const struct places_setup setup = {
        .config = &config, .backend = backend, .key = key, .waiters = {&waiter, &neighbours}};
    return places_init(&setup);
}

static void start(uint32_t cache_s, uint32_t per_minute)
{
    config = (struct config_places){.provider = CONFIG_PLACES_GOOGLE,
                                    .host = "places.googleapis.com",
                                    .port = 443,
                                    .cache_s = cache_s,
                                    .queries_per_minute = per_minute,
                                    .queries_per_day = 1000,
                                    .timeout_ms = 10000};
    now_ms = 5000;
    waiter.woken = false;
    assert_int_equal(init(&places_upstream, SPAN_LIT("KEY-CANARY\n")), HERD_OK);
    settle();
}

static struct places_query query_of(unsigned n)
{
    return (struct places_query){{(int32_t)n, 20000000}, 1000000, 5, CFG_PLACES_ANSWER_BYTES};
}

static places_ticket asked(unsigned n)
{
    struct places_query q = query_of(n);
    places_ticket t = PLACES_NONE;
    assert_int_equal(places_ask(&q, &t), HERD_OK);
    assert_int_not_equal(t, PLACES_NONE);
    settle();
    return t;
}

static void answered(places_ticket t, const char *expected)
{
    struct span s;
    assert_int_equal(places_poll(t, &s), HERD_OK);
    assert_span_equal(s, expected);
}

static void waits(places_ticket t)
{
    struct span s;
    assert_int_equal(places_poll(t, &s), HERD_E_AGAIN);
}

static void gone(places_ticket t)
{
    struct span s;
    assert_int_equal(places_poll(t, &s), HERD_E_CLOSED);
}

/* Tests */

static void an_answer_reaches_who_asked(void **state)
{
    (void)state;
    start(0, 60);
    places_ticket t = asked(7);
    waits(t);
    assert_non_null(strstr(https.body, "\"latitude\":0.0000007,\"longitude\":2.0000000"));
    assert_int_equal(https.deadline_ms, 15000);
    waiter.woken = neighbours.woken = false;
    answer_upstream(200, PLACE);
    assert_true(waiter.woken && neighbours.woken);
    assert_false(places_is_failure(t));
    answered(t, ANSWER);
    answered(t, ANSWER);
    places_release(t);
    gone(t);
    places_release(t); /* harmless */
    assert_int_equal(places_stats().answered, 1);
}

static void equal_queries_share_one_request(void **state)
{
    (void)state;
    start(0, 60);
    places_ticket a = asked(7);
    places_ticket b = asked(7);
    pass(100);
    places_ticket c = asked(7);
    assert_int_equal(https.starts, 1);
    answer_upstream(200, PLACE);
    answered(a, ANSWER);
    places_release(a);
    answered(b, ANSWER);
    places_release(b);
    answered(c, ANSWER);
    places_release(c);
    gone(c);
    assert_int_equal(places_stats().shared, 2);
    places_ticket d = asked(7); /* no cache: asked again */
    assert_int_equal(https.starts, 2);
    answer_upstream(200, PLACE);
    places_release(d);
}

static void a_query_differs_in_each_of_its_parts(void **state)
{
    (void)state;
    start(0, 60);
    static const struct places_query queries[] = {{{1, 2}, 3, 4, 2000}, {{9, 2}, 3, 4, 2000},
                                                  {{1, 9}, 3, 4, 2000}, {{1, 2}, 9, 4, 2000},
                                                  {{1, 2}, 3, 9, 2000}, {{1, 2}, 3, 4, 2001}};
    places_ticket t[6];
    unsigned slots = CFG_PLACES_QUERIES < 6 ? CFG_PLACES_QUERIES : 6;
    for (unsigned i = 0; i < slots; i++) {
        assert_int_equal(places_ask(&queries[i], &t[i]), HERD_OK);
        settle();
    }
    for (unsigned i = 0; i < slots; i++) {
        assert_int_equal(https.starts, i + 1);
        waits(t[i]);
        answer_upstream(200, PLACE);
        answered(t[i], ANSWER);
        places_release(t[i]);
    }
    assert_int_equal(places_stats().shared, 0);
}

static void room_beyond_that_of_the_board_is_the_room_of_the_board(void **state)
{
    (void)state;
    start(0, 60);
    struct places_query q = query_of(7);
    places_ticket a, b;
    q.bytes_max = CFG_PLACES_ANSWER_BYTES;
    assert_int_equal(places_ask(&q, &a), HERD_OK);
    q.bytes_max = UINT32_MAX;
    assert_int_equal(places_ask(&q, &b), HERD_OK);
    settle();
    assert_int_equal(https.starts, 1);
    assert_int_equal(places_stats().shared, 1);
    answer_upstream(200, PLACE);
    places_release(a);
    places_release(b);
}

static void less_room_than_a_failure_takes_is_refused(void **state)
{
    (void)state;
    start(0, 60);
    struct places_query q = query_of(7);
    places_ticket t = 77;
    q.bytes_max = PLACES_BYTES_MIN - 1;
    assert_int_equal(places_ask(&q, &t), HERD_E_RANGE);
    assert_int_equal(t, 77);
    q.bytes_max = PLACES_BYTES_MIN;
    assert_int_equal(places_ask(&q, &t), HERD_OK);
    settle();
    static char why[HTTPS_WHY_BYTES];
    memset(why, 1, sizeof why - 1); /* six times as long when escaped: more than the room */
    fail_upstream(HERD_E_NETWORK, why, true);
    answered(t, FAILURE("UNKNOWN_ERROR", "the provider failed"));
    places_release(t);
}

static void entries_beyond_the_room_of_the_asker_are_left_out_and_counted(void **state)
{
    (void)state;
    start(0, 60);
    struct places_query q = query_of(7);
    places_ticket t;
    struct span json;
    static char body[8000];
    strcpy(body, "{\"places\":[");
    for (unsigned i = 0; i < 5; i++) {
        snprintf(body + strlen(body), sizeof body - strlen(body),
                 "%s{\"id\":\"%0200u\",\"location\":{\"latitude\":1,\"longitude\":2},"
                 "\"displayName\":{\"text\":\"A\"}}",
                 i > 0 ? "," : "", i);
    }
    strcat(body, "]}");
    q.bytes_max = PLACES_BYTES_MIN;
    assert_int_equal(places_ask(&q, &t), HERD_OK);
    settle();
    answer_upstream(200, body);
    assert_int_equal(places_poll(t, &json), HERD_OK);
    assert_in_range(json.bytes, 600, PLACES_BYTES_MIN);
    assert_memory_equal(json.at + json.bytes - 16, "],\"status\":\"OK\"}", 16);
    assert_in_range(places_stats().left_out, 1, 4);
    places_release(t);
}

static void when_all_slots_are_taken_the_asker_waits(void **state)
{
    (void)state;
    start(0, 60);
    places_ticket t[CFG_PLACES_QUERIES];
    for (unsigned i = 0; i < CFG_PLACES_QUERIES; i++) {
        t[i] = asked(i);
    }
    struct places_query q = query_of(99);
    places_ticket extra;
    assert_int_equal(places_ask(&q, &extra), HERD_E_FULL);
    assert_int_equal(places_stats().refused_full, 1);
    answer_upstream(200, PLACE);
    waiter.woken = false;
    places_release(t[0]);
    assert_true(waiter.woken);
    assert_int_equal(places_ask(&q, &extra), HERD_OK);
    settle();
    for (unsigned i = 1; i < CFG_PLACES_QUERIES; i++) { /* in order; the newcomer is last */
        char lat[40];
        snprintf(lat, sizeof lat, "\"latitude\":0.000000%u,", i);
        assert_non_null(strstr(https.body, lat));
        answer_upstream(200, PLACE);
        places_release(t[i]);
    }
    assert_non_null(strstr(https.body, "\"latitude\":0.0000099,"));
    places_release(extra);
    answer_upstream(200, PLACE);
}

static void each_query_has_its_own_deadline(void **state)
{
    (void)state;
    if (CFG_PLACES_QUERIES < 2) {
        skip();
    }
    start(0, 60);
    places_ticket a = asked(1);
    pass(4000);
    places_ticket b = asked(2);
    pass(6000);
    answered(a, FAILURE("UNKNOWN_ERROR", "late"));
    waits(b);
    assert_int_equal(https.starts, 2);
    assert_int_equal(https.deadline_ms, 5000 + 4000 + 10000);
    places_release(a);
    pass(4000);
    answered(b, FAILURE("UNKNOWN_ERROR", "late"));
    places_release(b);
    assert_int_equal(places_stats().failed, 2);
}

static void a_query_that_never_had_its_turn_fails_at_its_deadline(void **state)
{
    (void)state;
    if (CFG_PLACES_QUERIES < 2) {
        skip();
    }
    start(0, 60);
    places_ticket a = asked(1);
    pass(1);
    places_ticket b = asked(2);
    https.deadline_ms += 5000; /* as if the first had been slow to end */
    pass(10000);
    waits(a);
    answered(b, FAILURE("UNKNOWN_ERROR",
                        "this server could not ask in time: other queries were before"));
    places_release(a);
    places_release(b);
}

static void a_cached_answer_is_fresh_for_its_lifetime(void **state)
{
    (void)state;
    start(30, 60);
    places_ticket t = asked(7);
    answer_upstream(200, PLACE);
    places_release(t);
    pass(29999);
    t = asked(7);
    answered(t, ANSWER);
    places_release(t);
    assert_int_equal(https.starts, 1);
    assert_int_equal(places_stats().cached, 1);
    pass(1);
    t = asked(7);
    waits(t);
    assert_int_equal(https.starts, 2);
    answer_upstream(500, "");
    places_release(t);
    t = asked(7); /* failures are not cached */
    assert_int_equal(https.starts, 3);
    places_release(t);
    answer_upstream(200, PLACE);
}

static void cached_answers_give_way_to_new_queries(void **state)
{
    (void)state;
    start(3600, 1000);
    for (unsigned n = 0; n < 5 * CFG_PLACES_QUERIES; n++) {
        places_ticket t = asked(n);
        answer_upstream(200, PLACE);
        answered(t, ANSWER);
        places_release(t);
    }
    assert_int_equal(places_stats().refused_full, 0);
    places_ticket t = asked(5 * CFG_PLACES_QUERIES - 1);
    answered(t, ANSWER);
    places_release(t);
    assert_int_equal(places_stats().cached, 1);
}

static void an_answer_that_is_not_read_is_taken_away(void **state)
{
    (void)state;
    start(0, 60);
    places_ticket t = asked(7);
    answer_upstream(200, PLACE);
    pass(CFG_PLACES_READ_MS - 1);
    answered(t, ANSWER);
    waiter.woken = false;
    pass(1);
    gone(t);
    assert_true(waiter.woken);
    assert_int_equal(places_stats().taken_away, 1);
    places_release(t);
    t = asked(7);
    waits(t);
    places_release(t);
    answer_upstream(200, PLACE);
}

static void nobody_left_to_answer_is_no_harm(void **state)
{
    (void)state;
    start(0, 60);
    places_ticket a = asked(1);
    places_release(a); /* under way: it ends by itself */
    answer_upstream(200, PLACE);
    gone(a);
    for (unsigned i = 0; i < CFG_PLACES_QUERIES; i++) { /* every slot is free again */
        a = asked(10 + i);
    }
    assert_int_equal(places_stats().refused_full, 0);
}

static void a_queued_query_that_is_given_up_is_never_asked(void **state)
{
    (void)state;
    if (CFG_PLACES_QUERIES < 2) {
        skip();
    }
    start(0, 60);
    places_ticket a = asked(1);
    places_ticket b = asked(2);
    places_release(b);
    answer_upstream(200, PLACE);
    places_release(a);
    assert_int_equal(https.starts, 1);
}

static void the_budget_is_kept_and_said(void **state)
{
    (void)state;
    start(0, 3);
    for (unsigned i = 0; i < 3; i++) {
        places_ticket t = asked(i);
        answer_upstream(200, PLACE);
        places_release(t);
    }
    places_ticket t = asked(7);
    answered(t, FAILURE("OVER_QUERY_LIMIT",
                        "this server's own limit is reached (queries_per_minute in "
                        "the herd file): try again in a minute"));
    places_release(t);
    assert_int_equal(https.starts, 3);
    assert_int_equal(places_stats().over_limit, 1);
    pass(61000);
    t = asked(7);
    answer_upstream(200, PLACE);
    answered(t, ANSWER);
    places_release(t);
}

static void a_request_that_was_never_sent_costs_nothing(void **state)
{
    (void)state;
    start(0, 1);
    for (unsigned i = 0; i < 5; i++) {
        places_ticket t = asked(i);
        fail_upstream(HERD_E_NETWORK, "cannot be reached", false);
        answered(t, FAILURE("UNKNOWN_ERROR", "cannot be reached"));
        places_release(t);
    }
    places_ticket t = asked(8);
    fail_upstream(HERD_E_CLOSED, "cut", true);
    places_release(t);
    t = asked(9);
    assert_int_equal(https.starts, 6);
    places_release(t);
}

static void failures_keep_the_shape_and_are_escaped(void **state)
{
    (void)state;
    start(0, 60);
    places_ticket t = asked(1);
    fail_upstream(HERD_E_TRUST, "a \"quoted\"\n\\ reason", true);
    assert_true(places_is_failure(t));
    answered(t, FAILURE("UNKNOWN_ERROR", "a \\\"quoted\\\"\\u000a\\\\ reason"));
    places_release(t);
    t = asked(2);
    answer_upstream(403, "{\"error\":{\"message\":\"Consumer api_key:KEY-CANARY is no good\"}}");
    answered(t, FAILURE("REQUEST_DENIED", "places.googleapis.com answered HTTP 403: Consumer "
                                          "api_key:(key) is no good"));
    places_release(t);
}

static void without_a_usable_key_nothing_is_asked(void **state)
{
    (void)state;
    static const struct {
        enum config_provider provider;
        const char *key;
        const char *message;
    } cases[] = {
        {CONFIG_PLACES_NONE, "k",
         "this herd has no places provider (provider = none in the herd file)"},
        {CONFIG_PLACES_GOOGLE, " \n",
         "this server has no places key: give one by key_file in the herd "
         "file or in the environment variable PLACES_KEY"},
        {CONFIG_PLACES_GOOGLE_LEGACY, "a\r\nHost: b",
         "the places key contains bytes that no key contains"},
    };
    for (unsigned i = 0; i < 3; i++) {
        start(0, 60);
        config.provider = cases[i].provider;
        bool none = cases[i].provider == CONFIG_PLACES_NONE;
        assert_int_equal(init(none ? NULL : &places_upstream, span_of(cases[i].key)), HERD_OK);
        assert_false(places_has_upstream());
        places_ticket t = asked(1);
        struct span s;
        char expected[300];
        snprintf(expected, sizeof expected, FAILURE("REQUEST_DENIED", "%s"), cases[i].message);
        assert_int_equal(places_poll(t, &s), HERD_OK);
        assert_span_equal(s, expected);
        places_release(t);
        assert_int_equal(https.starts, 0);
    }
}

static void the_empty_answer_has_the_shape(void **state)
{
    (void)state;
    char buffer[100];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    places_format_empty(&t);
    assert_string_equal(text_cstr(&t),
                        "{\"html_attributions\":[],\"results\":[],\"status\":\"ZERO_RESULTS\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_reaches_who_asked),
        cmocka_unit_test(equal_queries_share_one_request),
        cmocka_unit_test(a_query_differs_in_each_of_its_parts),
        cmocka_unit_test(room_beyond_that_of_the_board_is_the_room_of_the_board),
        cmocka_unit_test(less_room_than_a_failure_takes_is_refused),
        cmocka_unit_test(entries_beyond_the_room_of_the_asker_are_left_out_and_counted),
        cmocka_unit_test(when_all_slots_are_taken_the_asker_waits),
        cmocka_unit_test(each_query_has_its_own_deadline),
        cmocka_unit_test(a_query_that_never_had_its_turn_fails_at_its_deadline),
        cmocka_unit_test(a_cached_answer_is_fresh_for_its_lifetime),
        cmocka_unit_test(cached_answers_give_way_to_new_queries),
        cmocka_unit_test(an_answer_that_is_not_read_is_taken_away),
        cmocka_unit_test(nobody_left_to_answer_is_no_harm),
        cmocka_unit_test(a_queued_query_that_is_given_up_is_never_asked),
        cmocka_unit_test(the_budget_is_kept_and_said),
        cmocka_unit_test(a_request_that_was_never_sent_costs_nothing),
        cmocka_unit_test(failures_keep_the_shape_and_are_escaped),
        cmocka_unit_test(without_a_usable_key_nothing_is_asked),
        cmocka_unit_test(the_empty_answer_has_the_shape),
    };
    return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}

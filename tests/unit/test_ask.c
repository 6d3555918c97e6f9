/* ask: a query, the neighbours that may answer it, and what they may send. */
#include "unit.h"

#include "ask.h"
#include "ask_unit.h"

#define ROOM     2048
#define DEADLINE 15000

static struct sched_task owner;
static char buffer[ROOM];
static struct places_outcome outcome;

static int begin(void **state)
{
    const char *unusable = NULL;

    (void)state;
    begin_config(3 < CFG_LINKS ? 3 : CFG_LINKS);
    ask_init(&config);
    assert_int_equal(ask_backend.init(&config.places, (struct span){NULL, 0}, &owner, &unusable),
                     HERD_OK);
    assert_null(unusable);
    memset(buffer, '?', sizeof buffer);
    return 0;
}

static int start_with(size_t capacity)
{
    const struct places_query query = {{-1, 2}, 3, 4, ROOM};

    return ask_backend.start(&query, DEADLINE, buffer, capacity, &outcome);
}

static void start(void)
{
    assert_int_equal(start_with(ROOM), HERD_OK);
}

/* What `link` is told now; its id is returned. */
static uint16_t told(unsigned link)
{
    char bytes[FRAMES_BYTES_MAX];
    struct text t;
    struct frames_ask ask;

    text_init(&t, bytes, sizeof bytes);
    assert_true(ask_next(link, &t));
    assert_int_equal(bytes[0], FRAMES_ASK);
    struct span body = {bytes + FRAMES_HEADER_BYTES, t.bytes - FRAMES_HEADER_BYTES};
    assert_int_equal(frames_get_ask(body, &ask), HERD_OK);
    assert_int_equal(ask.at.lat_e7, -1);
    assert_int_equal(ask.at.lng_e7, 2);
    assert_int_equal(ask.radius_mm, 3);
    assert_int_equal(ask.bound, 4);
    assert_false(ask_next(link, &t)); /* once */
    return ask.id;
}

static void told_nothing(unsigned link)
{
    char bytes[FRAMES_BYTES_MAX];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    assert_false(ask_next(link, &t));
    assert_int_equal(t.bytes, 0);
}

static void piece(unsigned link, uint16_t id, const char *bytes, bool last, bool failure)
{
    struct frames_answer p = {.id = id, .last = last, .failure = failure, .bytes = span_of(bytes)};

    ask_take(link, &p);
}

static void waits(void)
{
    assert_false(ask_backend.run(&outcome));
}

static void answered(const char *json, bool good)
{
    assert_true(owner.woken);
    owner.woken = false;
    assert_true(ask_backend.run(&outcome));
    assert_int_equal(outcome.bytes, strlen(json));
    assert_memory_equal(buffer, json, outcome.bytes);
    assert_int_equal(outcome.good, good);
    assert_false(outcome.keep);
    waits();
    assert_true(ask_backend.wake_ms() == SCHED_NEVER);
}

static void failed(const char *message)
{
    assert_true(ask_backend.run(&outcome));
    assert_int_equal(outcome.bytes, 0);
    assert_span_equal(outcome.status, "UNKNOWN_ERROR");
    assert_span_equal(outcome.message, message);
    waits();
    assert_true(ask_backend.wake_ms() == SCHED_NEVER);
}

static void the_first_neighbour_that_offers_is_asked(void **state)
{
    (void)state;
    offers[0] = false;
    start();
    assert_int_equal(links_woken, 1);
    assert_true(ask_backend.wake_ms() == DEADLINE);
    told_nothing(0);
    uint16_t id = told(1);
    waits();
    piece(1, id, "{\"a\":", false, false);
    waits();
    piece(1, id, "", false, false);
    piece(1, id, "1}", true, false);
    answered("{\"a\":1}", true);
    assert_int_equal(ask_stats().answered, 1);
}

static void nobody_to_ask_is_said_at_once(void **state)
{
    (void)state;
    memset(offers, 0, sizeof offers);
    assert_int_equal(start_with(ROOM), HERD_E_NETWORK);
    assert_span_equal(outcome.status, "UNKNOWN_ERROR");
    assert_span_equal(outcome.message, "no neighbour with an upstream is reachable");
    assert_int_equal(outcome.bytes, 0);
    told_nothing(0);
    waits();
    offers[0] = true;
    start(); /* nothing was under way */
}

static void pieces_of_other_queries_links_and_times_are_nobodys(void **state)
{
    (void)state;
    piece(0, 1, "{}", true, false); /* before anything is asked */
    start();
    piece(0, 1, "{}", true, false); /* before it is said */
    uint16_t id = told(0);
    piece(1, id, "{}", true, false);
    piece(0, (uint16_t)(id + 1), "{}", true, false);
    piece(0, (uint16_t)(id - 1), "{}", true, false);
    waits();
    piece(0, id, "{\"a\":1}", true, false);
    piece(0, id, "{\"again\":1}", true, false);
    answered("{\"a\":1}", true);
    piece(0, id, "{\"late\":1}", true, false);
    assert_int_equal(ask_stats().stray, 7);
    start();
    assert_int_not_equal(told(0), id);
    piece(0, id, "{\"late\":1}", true, false);
    waits();
}

static void a_neighbour_that_goes_away_is_replaced_once(void **state)
{
    (void)state;
    if (CFG_LINKS < 3) {
        skip();
    }
    start();
    uint16_t first = told(0);
    piece(0, first, "{\"half\":", false, false);
    offers[0] = false;
    ask_lost(0);
    waits();
    uint16_t second = told(1);
    assert_int_not_equal(second, first);
    piece(0, first, "1}", true, false); /* cannot come; would be nobody's */
    piece(1, second, "{}", true, false);
    answered("{}", true);

    start();
    told(1);
    offers[1] = false;
    ask_lost(1);
    told(2);
    offers[2] = false;
    offers[0] = true; /* there would be a third */
    ask_lost(2);
    failed("two neighbours went away while they were asked; try again");
    assert_int_equal(ask_stats().lost, 3);
}

static void the_last_neighbour_that_goes_away_ends_the_query(void **state)
{
    (void)state;
    memset(offers, 0, sizeof offers);
    offers[0] = true;
    start();
    told(0);
    offers[0] = false;
    ask_lost(0);
    failed("no neighbour with an upstream is reachable");
}

static void it_is_asked_again_on_a_link_that_moved_however_often(void **state)
{
    (void)state;
    start();
    for (unsigned i = 0; i < 5; i++) {
        uint16_t id = told(0);
        piece(0, id, "{\"half\":", false, i == 2);
        links_woken = 0;
        ask_lost(0);
        assert_int_equal(links_woken, 1);
        piece(0, id, "1}", true, false);
        waits();
    }
    ask_lost(0); /* not said yet */
    ask_lost(1); /* of no concern */
    uint16_t id = told(0);
    piece(0, id, "{}", true, false);
    answered("{}", true);
}

static void what_is_lost_when_nothing_is_asked_is_no_loss(void **state)
{
    (void)state;
    ask_lost(0);
    start();
    uint16_t id = told(0);
    piece(0, id, "{}", true, false);
    ask_lost(0); /* the answer was whole */
    answered("{}", true);
    ask_lost(0);
    waits();
    assert_int_equal(ask_stats().lost, 0);
}

static void one_deadline_bounds_asking_waiting_and_asking_again(void **state)
{
    (void)state;
    start();
    now_ms = DEADLINE - 1;
    waits();
    now_ms = DEADLINE; /* the link had no room */
    failed("neighbour B did not answer in time");
    told_nothing(0);

    now_ms = 5000;
    start();
    told(0);
    ask_lost(0);
    uint16_t id = told(0);
    piece(0, id, "{\"half\":", false, false);
    now_ms = DEADLINE;
    failed("neighbour B did not answer in time");
    piece(0, id, "1}", true, false);
    waits();
    assert_int_equal(ask_stats().late, 2);
}

static void an_answer_fills_the_room_and_no_more(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        assert_int_equal(start_with(PLACES_BYTES_MIN), HERD_OK);
        uint16_t id = told(0);
        piece(0, id, "{", false, false);
        for (size_t i = 0; i < PLACES_BYTES_MIN - 2 + extra; i++) {
            piece(0, id, "x", false, false);
        }
        piece(0, id, "}", true, false);
        assert_int_equal(buffer[PLACES_BYTES_MIN], '?');
        if (extra == 0) {
            assert_true(ask_backend.run(&outcome));
            assert_int_equal(outcome.bytes, PLACES_BYTES_MIN);
        } else {
            failed("the answer of neighbour B is larger than asked for");
        }
    }
    assert_int_equal(ask_stats().too_large, 1);
}

static void a_failure_replaces_what_came_before(void **state)
{
    (void)state;
    start();
    uint16_t id = told(0);
    piece(0, id, "{\"half\":", false, false);
    piece(0, id, "{\"fail", false, true);
    piece(0, id, "ure\":1}", true, false);
    answered("{\"failure\":1}", false);
    start();
    id = told(0);
    piece(0, id, "{}", true, false);
    answered("{}", true); /* and says nothing about the next */
}

static void runs_of_newlines_are_one_wherever_pieces_meet(void **state)
{
    (void)state;
    start();
    uint16_t id = told(0);
    static const char *const pieces[] = {"\n\n", "{\n", "\n", "\n\n1\n2\n\n3", "}\n", "\n\n"};
    for (unsigned i = 0; i < 6; i++) {
        piece(0, id, pieces[i], i == 5, false);
    }
    answered("{\n1\n2\n3}", true);
}

static void what_is_no_object_is_a_failure(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "{", "}", "x", "[]", "{}x", " {}"};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        start();
        uint16_t id = told(0);
        piece(0, id, texts[i], true, false);
        failed("the answer of neighbour B is not JSON");
    }
}

static void one_query_at_a_time(void **state)
{
    (void)state;
    start();
    expect_assert_failure(start_with(ROOM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_first_neighbour_that_offers_is_asked, begin),
        cmocka_unit_test_setup(nobody_to_ask_is_said_at_once, begin),
        cmocka_unit_test_setup(pieces_of_other_queries_links_and_times_are_nobodys, begin),
        cmocka_unit_test_setup(a_neighbour_that_goes_away_is_replaced_once, begin),
        cmocka_unit_test_setup(the_last_neighbour_that_goes_away_ends_the_query, begin),
        cmocka_unit_test_setup(it_is_asked_again_on_a_link_that_moved_however_often, begin),
        cmocka_unit_test_setup(what_is_lost_when_nothing_is_asked_is_no_loss, begin),
        cmocka_unit_test_setup(one_deadline_bounds_asking_waiting_and_asking_again, begin),
        cmocka_unit_test_setup(an_answer_fills_the_room_and_no_more, begin),
        cmocka_unit_test_setup(a_failure_replaces_what_came_before, begin),
        cmocka_unit_test_setup(runs_of_newlines_are_one_wherever_pieces_meet, begin),
        cmocka_unit_test_setup(what_is_no_object_is_a_failure, begin),
        cmocka_unit_test_setup(one_query_at_a_time, begin),
    };
    return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}

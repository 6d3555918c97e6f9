/* answer: what neighbours ask, with places made up here. */
#include "unit.h"

#include <stdio.h>

#include "answer.h"
#include "ask_unit.h"
#include "places.h"

#define PIECE ((size_t)FRAMES_PIECE_BYTES_MAX(128))

/* --- Places --------------------------------------------------------------------------------- */

static struct {
    bool has_upstream;
    unsigned slots;            /* free */
    struct places_query query; /* the last one */
    unsigned asks, out;        /* tickets that are out */
    int state;                 /* of every ticket */
    bool failure;
    char json[2000];
} places;

bool places_has_upstream(void)
{
    return places.has_upstream;
}

int places_ask(const struct places_query *query, places_ticket *out)
{
    if (places.slots == 0) {
        return HERD_E_FULL;
    }
    assert_in_range(query->bytes_max, PLACES_BYTES_MIN, UINT32_MAX);
    places.slots--;
    places.out++;
    places.query = *query;
    *out = 100 + places.asks++;
    return HERD_OK;
}

int places_poll(places_ticket ticket, struct span *answer)
{
    assert_in_range(ticket, 100, 100 + places.asks - 1);
    if (places.state == HERD_OK) {
        *answer = span_of(places.json);
    }
    return places.state;
}

bool places_is_failure(places_ticket ticket)
{
    assert_in_range(ticket, 100, 100 + places.asks - 1);
    return places.failure;
}

void places_release(places_ticket ticket)
{
    assert_in_range(ticket, 100, 100 + places.asks - 1);
    assert_true(places.out > 0);
    places.out--;
    places.slots++;
}

/* --- The neighbours ------------------------------------------------------------------------- */

static int begin(void **state)
{
    (void)state;
    begin_config(CFG_LINKS);
    memset(&places, 0, sizeof places);
    places.has_upstream = true;
    places.slots = CFG_LINKS;
    places.state = HERD_E_AGAIN;
    answer_init(&config);
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CFG_LINKS; i++) {
        answer_lost(i);
    }
    return (int)places.out; /* every ticket was given back */
}

static struct frames_ask ask_of(uint16_t id)
{
    return (struct frames_ask){
        .id = id, .at = {1, -2}, .radius_mm = 3, .bound = 4, .bytes_max = 5000};
}

static void take(unsigned link, uint16_t id)
{
    struct frames_ask ask = ask_of(id);

    answer_take(link, &ask);
}

static bool next(unsigned link, struct frames_answer *piece)
{
    static char bytes[FRAMES_BYTES_MAX];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    if (!answer_next(link, &t)) {
        assert_int_equal(t.bytes, 0);
        return false;
    }
    assert_int_equal(bytes[0], FRAMES_ANSWER);
    struct span body = {bytes + FRAMES_HEADER_BYTES, t.bytes - FRAMES_HEADER_BYTES};
    assert_int_equal(frames_get_answer(body, piece), HERD_OK);
    assert_in_range(piece->bytes.bytes, 1, PIECE);
    return true;
}

static void told_nothing(unsigned link)
{
    struct frames_answer piece;

    assert_false(next(link, &piece));
}

/* The whole answer that this neighbour is told. */
static const char *told(unsigned link, uint16_t id, bool failure)
{
    static char json[sizeof places.json + 1];
    size_t bytes = 0;
    struct frames_answer piece;

    do {
        assert_true(next(link, &piece));
        assert_int_equal(piece.id, id);
        assert_int_equal(piece.failure, failure && bytes == 0);
        memcpy(json + bytes, piece.bytes.at, piece.bytes.bytes);
        bytes += piece.bytes.bytes;
    } while (!piece.last);
    told_nothing(link);
    json[bytes] = '\0';
    return json;
}

#define FAILURE(status, message)                                                                   \
    "{\"html_attributions\":[],\"results\":[],\"status\":\"" status                                \
    "\",\"error_message\":\"" message "\"}"

static void fill(size_t bytes)
{
    memset(places.json, 'x', bytes);
    places.json[0] = '{';
    places.json[bytes - 1] = '}';
    places.json[bytes] = '\0';
    places.state = HERD_OK;
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void an_upstream_is_announced(void **state)
{
    (void)state;
    assert_int_equal(answer_features(), FRAMES_FEATURE_ASK);
    places.has_upstream = false;
    assert_int_equal(answer_features(), 0);
}

static void an_ask_is_a_query_and_its_answer_goes_back(void **state)
{
    (void)state;
    take(0, 7);
    assert_int_equal(places.query.at.lat_e7, 1);
    assert_int_equal(places.query.at.lng_e7, -2);
    assert_int_equal(places.query.radius_mm, 3);
    assert_int_equal(places.query.bound, 4);
    assert_int_equal(places.query.bytes_max, 5000);
    told_nothing(0);
    fill(20);
    told_nothing(1);
    assert_string_equal(told(0, 7, false), places.json);
    assert_int_equal(places.out, 0);
    assert_int_equal(answer_stats().answered, 1);
}

static void answers_of_every_length_come_in_full_pieces_and_one_last(void **state)
{
    (void)state;
    static const size_t lengths[] = {2,         PIECE - 1,     PIECE, PIECE + 1,
                                     2 * PIECE, 2 * PIECE + 1, 1999};
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint32_t before = answer_stats().pieces;
        fill(lengths[i]);
        take(0, (uint16_t)i);
        assert_string_equal(told(0, (uint16_t)i, false), places.json);
        assert_int_equal(answer_stats().pieces - before, (lengths[i] + PIECE - 1) / PIECE);
    }
}

static void a_failure_of_places_is_marked_as_one(void **state)
{
    (void)state;
    fill(3 * PIECE);
    places.failure = true;
    take(0, 1);
    assert_string_equal(told(0, 1, true), places.json);
}

static void a_query_out_of_range_is_refused(void **state)
{
    (void)state;
    static const struct frames_ask bad[] = {
        {1, {900000001, 0}, 3, 4, 5000},
        {1, {-900000001, 0}, 3, 4, 5000},
        {1, {0, 1800000001}, 3, 4, 5000},
        {1, {0, -1800000001}, 3, 4, 5000},
        {1, {INT32_MIN, 0}, 3, 4, 5000},
        {1, {0, INT32_MIN}, 3, 4, 5000},
        {1, {0, 0}, 0, 4, 5000},
        {1, {0, 0}, 50000001, 4, 5000},
        {1, {0, 0}, 3, 0, 5000},
        {1, {0, 0}, 3, 21, 5000},
        {1, {0, 0}, 3, 4, 0},
        {1, {0, 0}, 3, 4, PLACES_BYTES_MIN - 1},
    };
    static const struct frames_ask good[] = {
        {1, {900000000, 1800000000}, 1, 1, PLACES_BYTES_MIN},
        {1, {-900000000, -1800000000}, 50000000, 20, UINT32_MAX},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        answer_take(0, &bad[i]);
        assert_string_equal(told(0, 1, true),
                            FAILURE("INVALID_REQUEST", "the query is out of range"));
    }
    assert_int_equal(places.asks, 0);
    assert_int_equal(answer_stats().refused, sizeof bad / sizeof bad[0]);
    for (unsigned i = 0; i < 2; i++) {
        answer_take(0, &good[i]);
        assert_int_equal(places.asks, i + 1);
    }
}

static void without_an_upstream_nothing_is_asked_further(void **state)
{
    (void)state;
    places.has_upstream = false;
    take(0, 1);
    assert_string_equal(told(0, 1, true),
                        FAILURE("REQUEST_DENIED", "the neighbour has no upstream of its own"));
    assert_int_equal(places.asks, 0);
}

static void beyond_the_limit_a_neighbour_is_told_to_try_again(void **state)
{
    (void)state;
    if (CFG_ASK_SERVED == CFG_LINKS) {
        skip();
    }
    for (unsigned i = 0; i <= CFG_ASK_SERVED; i++) {
        take(i, 1);
    }
    assert_int_equal(places.asks, CFG_ASK_SERVED);
    static const char busy[] = "the neighbour is busy with other queries; try again";
    char expected[200];
    snprintf(expected, sizeof expected, FAILURE("UNKNOWN_ERROR", "%s"), busy);
    assert_string_equal(told(CFG_ASK_SERVED, 1, true), expected);
    assert_int_equal(answer_stats().busy, 1);
    fill(10);
    assert_string_equal(told(0, 1, false), places.json); /* makes room */
    take(CFG_ASK_SERVED, 2);
    assert_string_equal(told(CFG_ASK_SERVED, 2, false), places.json);
}

static void a_later_ask_takes_the_place_of_an_earlier_one(void **state)
{
    (void)state;
    struct frames_answer piece;
    take(0, 1); /* waits for places */
    take(0, 2);
    assert_int_equal(places.out, 1);
    fill(3 * PIECE);
    assert_true(next(0, &piece)); /* is being told */
    take(0, 3);
    assert_int_equal(places.out, 1);
    assert_string_equal(told(0, 3, false), places.json);
    places.slots = 0; /* waits for a slot */
    take(0, 4);
    take(0, 5);
    places.slots = 1;
    assert_string_equal(told(0, 5, false), places.json);
    assert_int_equal(answer_stats().dropped, 3);
    assert_int_equal(answer_stats().asked, 5);
}

static void who_waits_for_a_slot_gets_one_or_is_told_in_time(void **state)
{
    (void)state;
    assert_true(answer_wake_ms() == SCHED_NEVER);
    places.slots = 0;
    take(0, 1);
    assert_true(answer_wake_ms() == now_ms + 10000);
    told_nothing(0);
    now_ms += 9999;
    told_nothing(0);
    places.slots = 1;
    told_nothing(0); /* now it is with places, whose deadline it is */
    assert_true(answer_wake_ms() == SCHED_NEVER);
    now_ms += 20000;
    told_nothing(0);
    answer_lost(0);

    places.slots = 0;
    take(0, 2);
    now_ms += 10000;
    assert_string_equal(
        told(0, 2, true),
        FAILURE("UNKNOWN_ERROR", "the neighbour is busy with other queries; try again"));
    assert_true(answer_wake_ms() == SCHED_NEVER);
}

static void a_lost_connection_gives_everything_back(void **state)
{
    (void)state;
    struct frames_answer piece;
    take(0, 1);
    answer_lost(0);
    assert_int_equal(places.out, 0);
    fill(3 * PIECE);
    take(0, 2);
    assert_true(next(0, &piece));
    answer_lost(0);
    assert_int_equal(places.out, 0);
    told_nothing(0);
    answer_lost(0); /* twice is once */
    assert_int_equal(answer_stats().dropped, 2);
}

static void an_answer_that_places_takes_back_ends_as_a_failure(void **state)
{
    (void)state;
    struct frames_answer piece;
    fill(3 * PIECE);
    take(0, 1);
    assert_true(next(0, &piece));
    assert_false(piece.last || piece.failure);
    places.state = HERD_E_CLOSED;
    places.out--; /* the ticket is stale already */
    assert_string_equal(told(0, 1, true),
                        FAILURE("UNKNOWN_ERROR", "the answer was not taken in time; try again"));
}

static void neighbours_are_served_side_by_side(void **state)
{
    (void)state;
    if (CFG_ASK_SERVED < 2) {
        skip();
    }
    struct frames_answer a, b;
    fill(2 * PIECE);
    take(0, 1);
    take(1, 1);
    assert_true(next(0, &a));
    assert_true(next(1, &b));
    assert_true(next(0, &a));
    assert_true(next(1, &b));
    assert_true(a.last && b.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_upstream_is_announced, begin, end),
        cmocka_unit_test_setup_teardown(an_ask_is_a_query_and_its_answer_goes_back, begin, end),
        cmocka_unit_test_setup_teardown(answers_of_every_length_come_in_full_pieces_and_one_last,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_failure_of_places_is_marked_as_one, begin, end),
        cmocka_unit_test_setup_teardown(a_query_out_of_range_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(without_an_upstream_nothing_is_asked_further, begin, end),
        cmocka_unit_test_setup_teardown(beyond_the_limit_a_neighbour_is_told_to_try_again, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_later_ask_takes_the_place_of_an_earlier_one, begin, end),
        cmocka_unit_test_setup_teardown(who_waits_for_a_slot_gets_one_or_is_told_in_time, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_lost_connection_gives_everything_back, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_that_places_takes_back_ends_as_a_failure, begin,
                                        end),
        cmocka_unit_test_setup_teardown(neighbours_are_served_side_by_side, begin, end),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}

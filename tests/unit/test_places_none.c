/* places of a node without an upstream. The firmware objects of the tests have one: this includes the
 * file. */
#include "unit.h"

#include "log.h"

#undef CFG_UPSTREAM
#define CFG_UPSTREAM 0
#include "../../firmware/places_none.c" // NOLINT

struct log_line *log_begin(enum log_event event)
{
    assert_int_equal(event, EV_PLACES_SETUP);
    return NULL;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
    (void)l;
    (void)key;
    (void)value;
}

void log_end(struct log_line *l)
{
    (void)l;
}

static void a_query_is_answered_at_once_with_a_failure(void **state)
{
    (void)state;
    static const struct config_places config;
    static const struct places_query query = {.radius_mm = 10000000, .bound = 5};
    places_ticket ticket = PLACES_NONE;
    struct span json = {NULL, 0};
    assert_int_equal(places_init(&config, (struct span){NULL, 0}, NULL), HERD_OK);
    assert_int_equal(places_ask(&query, &ticket), HERD_OK);
    assert_int_not_equal(ticket, PLACES_NONE);
    assert_int_equal(places_poll(ticket, &json), HERD_OK);
    assert_span_equal(json,
                      "{\"html_attributions\":[],\"results\":[],\"status\":\"REQUEST_DENIED\","
                      "\"error_message\":\"this node has no upstream\"}");
    places_release(ticket);
    assert_int_equal(places_stats().failed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_answered_at_once_with_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

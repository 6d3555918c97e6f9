/* places_budget: sliding windows of queries. */
#include "unit.h"

#include "places_budget.h"

static void a_minute_allows_its_number_and_no_more(void **state)
{
    (void)state;
    struct places_budget b;
    places_budget_init(&b, 60, 1000);
    for (unsigned i = 0; i < 60; i++) {
        assert_int_equal(places_budget_take(&b, 5000 + i * 100), PLACES_BUDGET_FINE);
    }
    assert_int_equal(places_budget_take(&b, 11500), PLACES_BUDGET_MINUTE);
    assert_int_equal(places_budget_take(&b, 64999), PLACES_BUDGET_MINUTE);
    assert_int_equal(places_budget_take(&b, 66000), PLACES_BUDGET_FINE);
}

static void a_day_allows_its_number_and_no_more(void **state)
{
    (void)state;
    struct places_budget b;
    places_budget_init(&b, 60000, 1000);
    uint64_t now = 1234567;
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(places_budget_take(&b, now), PLACES_BUDGET_FINE);
    }
    assert_int_equal(places_budget_take(&b, now), PLACES_BUDGET_DAY);
    assert_int_equal(places_budget_take(&b, now + 24u * 3600000u - 1u), PLACES_BUDGET_DAY);
    assert_int_equal(places_budget_take(&b, now + 25u * 3600000u), PLACES_BUDGET_FINE);
}

static void a_query_that_was_not_asked_is_returned(void **state)
{
    (void)state;
    struct places_budget b;
    places_budget_init(&b, 1, 1);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(places_budget_take(&b, i * 10), PLACES_BUDGET_FINE);
        places_budget_return(&b);
    }
    assert_int_equal(places_budget_take(&b, 1000), PLACES_BUDGET_FINE);
    assert_int_equal(places_budget_take(&b, 1000), PLACES_BUDGET_DAY);
}

/* Against a list of all times, in random order of pauses. */
static void no_window_of_a_minute_holds_more_than_the_limit(void **state)
{
    (void)state;
    static uint64_t taken[20000];
    struct unit_random random = {7};
    struct places_budget b;
    places_budget_init(&b, 17, 1000000);
    unsigned n = 0;
    uint64_t now = 0;
    for (unsigned i = 0; i < 20000; i++) {
        now +=
            unit_below(&random, 50) == 0 ? unit_below(&random, 200000) : unit_below(&random, 3000);
        if (places_budget_take(&b, now) == PLACES_BUDGET_FINE) {
            taken[n++] = now;
            if (n > 17) {
                assert_true(now - taken[n - 18] >= 60000);
            }
        } else {
            assert_true(n >= 17 && now - taken[n - 17] < 61000);
        }
    }
    assert_in_range(n, 1000, 19999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_allows_its_number_and_no_more),
        cmocka_unit_test(a_day_allows_its_number_and_no_more),
        cmocka_unit_test(a_query_that_was_not_asked_is_returned),
        cmocka_unit_test(no_window_of_a_minute_holds_more_than_the_limit),
    };
    return cmocka_run_group_tests_name("places_budget", tests, NULL, NULL);
}

/* backoff: pauses between attempts. */
#include "unit.h"

#include "backoff.h"

/* The shortest and the longest pause after so many failures. */
static void pauses(uint32_t failures, uint32_t shortest_ms, uint32_t longest_ms)
{
    assert_int_equal(backoff_ms(failures, 100, 5000, 0), shortest_ms);
    assert_int_equal(backoff_ms(failures, 100, 5000, longest_ms - shortest_ms), longest_ms);
    assert_int_equal(backoff_ms(failures, 100, 5000, longest_ms - shortest_ms + 1), shortest_ms);
}

static void pauses_double_up_to_the_last_and_half_of_each_is_random(void **state)
{
    (void)state;
    pauses(0, 50, 100);
    pauses(1, 100, 200);
    pauses(5, 1600, 3200);
    pauses(6, 2500, 5000);
    pauses(7, 2500, 5000);
    pauses(UINT32_MAX, 2500, 5000);
}

static void pauses_stay_within_bounds_for_any_bits(void **state)
{
    struct unit_random r = {4711};
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t pause_ms = backoff_ms(unit_below(&r, 40), 100, 5000, unit_next(&r));
        assert_in_range(pause_ms, 50, 5000);
    }
}

static void extremes_of_the_bounds_are_legal(void **state)
{
    (void)state;
    assert_int_equal(backoff_ms(UINT32_MAX, 0, 5000, UINT32_MAX), 0);
    assert_int_equal(backoff_ms(UINT32_MAX, 7, 7, 0), 3);
    assert_int_equal(backoff_ms(0, 1, 1, 12345), 0);
    assert_int_equal(backoff_ms(UINT32_MAX, 1, UINT32_C(1) << 31, UINT32_C(1) << 30), UINT32_C(1)
                                                                                          << 31);
    assert_int_equal(backoff_ms(31, 3, UINT32_C(1) << 31, 0), UINT32_C(1) << 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_the_last_and_half_of_each_is_random),
        cmocka_unit_test(pauses_stay_within_bounds_for_any_bits),
        cmocka_unit_test(extremes_of_the_bounds_are_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

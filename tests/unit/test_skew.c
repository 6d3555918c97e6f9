/* skew: the median of neighbours' clocks against a bound. */
#include "unit.h"

#include "skew.h"

#define BOUND 30

static bool within(unsigned count, int64_t a, int64_t b, int64_t c, int64_t d)
{
    int64_t offsets[4] = {a, b, c, d};
    return skew_is_within(offsets, count, BOUND);
}

static void a_clock_alone_is_its_own_judge(void **state)
{
    (void)state;
    assert_true(skew_is_within(NULL, 0, 0));
}

static void one_neighbour_decides_up_to_the_bound_on_both_sides(void **state)
{
    (void)state;
    assert_true(within(1, 0, 0, 0, 0));
    assert_true(within(1, BOUND, 0, 0, 0));
    assert_true(within(1, -BOUND, 0, 0, 0));
    assert_false(within(1, BOUND + 1, 0, 0, 0));
    assert_false(within(1, -BOUND - 1, 0, 0, 0));
    assert_false(within(1, INT64_MAX, 0, 0, 0));
    assert_false(within(1, INT64_MIN, 0, 0, 0));
}

static void one_wrong_neighbour_of_two_proves_nothing(void **state)
{
    (void)state;
    assert_true(within(2, 0, 1000, 0, 0));
    assert_true(within(2, -1000, 0, 0, 0));
    assert_true(within(2, 1000, -1000, 0, 0)); /* our clock lies between them */
    assert_true(within(2, INT64_MIN, INT64_MAX, 0, 0));
}

static void two_neighbours_that_are_wrong_on_one_side_prove_it(void **state)
{
    (void)state;
    assert_false(within(2, 31, 1000, 0, 0));
    assert_false(within(2, 1000, 31, 0, 0));
    assert_false(within(2, -31, -1000, 0, 0));
    assert_true(within(2, 30, 1000, 0, 0));
    assert_false(within(2, 1000, 1000, 0, 0));
}

static void most_of_three_or_four_decide_in_any_order(void **state)
{
    (void)state;
    static const int64_t good[3] = {-5, 5, 100000}, bad[3] = {-5, 50, 100000};
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned i = 0; i < 6; i++) {
        const unsigned *o = orders[i];
        assert_true(within(3, good[o[0]], good[o[1]], good[o[2]], 0));
        assert_false(within(3, bad[o[0]], bad[o[1]], bad[o[2]], 0));
        assert_true(within(4, good[o[0]], good[o[1]], good[o[2]], 100000));
        assert_false(within(4, bad[o[0]], bad[o[1]], bad[o[2]], 100000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_alone_is_its_own_judge),
        cmocka_unit_test(one_neighbour_decides_up_to_the_bound_on_both_sides),
        cmocka_unit_test(one_wrong_neighbour_of_two_proves_nothing),
        cmocka_unit_test(two_neighbours_that_are_wrong_on_one_side_prove_it),
        cmocka_unit_test(most_of_three_or_four_decide_in_any_order),
    };
    return cmocka_run_group_tests_name("skew", tests, NULL, NULL);
}

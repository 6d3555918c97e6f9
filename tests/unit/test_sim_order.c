/* The simulator's own idea of order (tests/sim/order.h), against the examples of firmware/PROTOCOL.md. */
#include "unit.h"

#include "order.h"

#define SKEW_NS (60 * ORDER_NS_PER_S)

static struct order_record record(const char *line, enum order_trust trust)
{
    struct order_at at;
    assert_true(order_parse_at(order_text_of(line), &at));
    return order_of(&at, SKEW_NS, trust);
}

static enum order_result compare(const char *a, const char *b)
{
    struct order_record one = record(a, ORDER_TRUSTED);
    struct order_record other = record(b, ORDER_TRUSTED);
    assert_int_equal(order_compare(&one, &other), -(int)order_compare(&other, &one));
    return order_compare(&one, &other);
}

static void times_are_numbers_of_nanoseconds(void **state)
{
    static const char *const bad[] = {"",
                                      ".",
                                      "-1",
                                      "+1",
                                      "1e9",
                                      "1.2.3",
                                      "0x1",
                                      " 1",
                                      "9223372036.854775808",
                                      "99999999999999999999"};
    int64_t ns = 0;
    (void)state;
    assert_true(order_parse_time(order_text_of("1621464827.959498503"), &ns));
    assert_int_equal(ns, 1621464827959498503);
    assert_true(order_parse_time(order_text_of("0009223372036.8547758079"), &ns));
    assert_int_equal(ns, INT64_MAX);
    assert_true(order_parse_time(order_text_of(".5"), &ns));
    assert_int_equal(ns, 500000000);
    assert_true(order_parse_time(order_text_of("7."), &ns));
    assert_int_equal(ns, 7000000000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(order_parse_time(order_text_of(bad[i]), &ns));
    }
}

static void an_at_line_is_taken_apart_or_refused(void **state)
{
    static const char *const bad[] = {
        "AT Clark +0.263873386 kiwi +34.068930-118.445127",
        "AT Clark +0.263873386 kiwi +34.068930-118.445127 1 2",
        "AT  Clark +0.263873386 kiwi +34.068930-118.445127 1",
        "AT Clark 0.263873386 kiwi +34.068930-118.445127 1",
        "AT Clark +0.26387338 kiwi +34.068930-118.445127 1",
        "AT Clark +00.263873386 kiwi +34.068930-118.445127 1",
        "at Clark +0.263873386 kiwi +34.068930-118.445127 1",
        "AT Clark +0.263873386 kiwi +34.068930-118.445127 1 ",
    };
    struct order_at at;
    (void)state;
    assert_true(order_parse_at(
        order_text_of("AT Clark -0.263873386 kiwi +34.068930-118.445127 1621464827.9"), &at));
    assert_int_equal(at.difference_ns, -263873386);
    assert_int_equal(at.stamp_ns, 1621464827900000000);
    assert_true(order_text_equal(at.device, order_text_of("kiwi")));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(order_parse_at(order_text_of(bad[i]), &at));
    }
}

static void equal_keys_are_ordered_by_time_server_and_location(void **state)
{
    (void)state;
    assert_int_equal(compare("AT B +1.000000000 k +1+1 1000", "AT A +1.000000000 k +9+9 1000.1"),
                     ORDER_OLDER);
    assert_int_equal(compare("AT B +1.000000000 k +1+1 1000", "AT A +1.000000000 k +9+9 1000.0"),
                     ORDER_NEWER);
    assert_int_equal(compare("AT B +1.000000000 k +1+1 1000", "AT Ba +1.000000000 k +1+1 1000"),
                     ORDER_OLDER);
    assert_int_equal(compare("AT B +1.000000000 k +1+1 1000", "AT B +9.000000000 k +1+2 1000"),
                     ORDER_OLDER);
    assert_int_equal(compare("AT B +1.000000000 k +1+1 1000", "AT B +1.000000000 k +1+1 1000"),
                     ORDER_SAME);
    /* one key, 1060: the time decides */
    assert_int_equal(
        compare("AT B -4000.000000000 k +1+1 5000", "AT A -5000.000000000 k +1+1 6000"),
        ORDER_OLDER);
}

static void a_time_ahead_of_the_clock_is_ordered_by_arrival(void **state)
{
    struct order_record ahead = record("AT B -4000.000000000 k +1+1 5000", ORDER_TRUSTED);
    (void)state;
    assert_int_equal(ahead.key_low_ns, 1060 * ORDER_NS_PER_S);
    assert_int_equal(ahead.key_high_ns, 1060 * ORDER_NS_PER_S);
    assert_true(order_is_ahead(&ahead, SKEW_NS));
    assert_int_equal(compare("AT B -4000.000000000 k +1+1 5000", "AT A +0.000000000 k +1+1 1061"),
                     ORDER_OLDER);
    struct order_record limit = record("AT B -60.000000000 k +1+1 1060", ORDER_TRUSTED);
    assert_false(order_is_ahead(&limit, SKEW_NS));
}

static void without_trust_the_time_is_the_key_and_what_is_not_known_is_open(void **state)
{
    struct order_record later = record("AT A +0.000000000 k +1+1 2000", ORDER_UNKNOWN);
    struct order_record ahead = record("AT B -4000.000000000 k +1+1 5000", ORDER_UNTRUSTED);
    (void)state;
    assert_int_equal(ahead.key_low_ns, 5000 * ORDER_NS_PER_S);
    assert_int_equal(order_compare(&ahead, &later), ORDER_NEWER);
    ahead = record("AT B -4000.000000000 k +1+1 5000", ORDER_UNKNOWN);
    assert_int_equal(order_compare(&ahead, &later), ORDER_OPEN);
    later = record("AT A +0.000000000 k +1+1 5001", ORDER_UNKNOWN);
    assert_int_equal(order_compare(&ahead, &later), ORDER_OLDER);
    later = record("AT A +0.000000000 k +1+1 1059", ORDER_UNKNOWN);
    assert_int_equal(order_compare(&ahead, &later), ORDER_NEWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_numbers_of_nanoseconds),
        cmocka_unit_test(an_at_line_is_taken_apart_or_refused),
        cmocka_unit_test(equal_keys_are_ordered_by_time_server_and_location),
        cmocka_unit_test(a_time_ahead_of_the_clock_is_ordered_by_arrival),
        cmocka_unit_test(without_trust_the_time_is_the_key_and_what_is_not_known_is_open),
    };
    return cmocka_run_group_tests_name("sim_order", tests, NULL, NULL);
}

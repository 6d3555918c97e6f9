/* when: POSIX time as nanoseconds, differences, dates. */
#include "unit.h"

#include "when.h"

static const char *format(void (*formatter)(struct text *, int64_t), int64_t ns)
{
    static char buffer[64];
    struct text t;

    text_init(&t, buffer, sizeof buffer);
    formatter(&t, ns);
    return text_cstr(&t);
}

static void stamp_is_read_in_every_form_of_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"1621464827.959498503", INT64_C(1621464827959498503)},
        {"0", 0},
        {"0.", 0},
        {".0", 0},
        {".5", 500000000},
        {"5.", 5000000000},
        {"1.5", 1500000000},
        {"1.50", 1500000000},
        {"0.000000001", 1},
        {"0.0000000019", 1},
        {"0.00000000099999999999999999999999999999", 0},
        {"00000000000000000000000000000000000000000000000000000001.5", 1500000000},
        {"9223372036.854775807", INT64_MAX},
        {"0009223372036.854775807", INT64_MAX},
        {"9223372036.8547758079999", INT64_MAX},
        {"9223372036", INT64_C(9223372036000000000)},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ns = -7;
        assert_int_equal(when_parse(span_of(good[i].text), &ns), HERD_OK);
        assert_true(ns == good[i].ns);
    }
}

static void stamp_is_refused_when_it_is_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      ".",
                                      "..",    "1..2",
                                      "1.2.3", "-1",
                                      "+1",    "1e9",
                                      "1E9",   "0x10",
                                      " 1",    "1 ",
                                      "1,5",   "1_000",
                                      "inf",   "nan",
                                      "1.-5",  "1.+5",
                                      "-0",    "a",
                                      "1s",    "99999999999999999999e"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = -7;
        assert_int_equal(when_parse(span_of(bad[i]), &ns), HERD_E_SYNTAX);
        assert_int_equal(ns, -7);
    }
}

static void stamp_is_refused_when_64_bits_do_not_hold_its_nanoseconds(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "9223372036.854775808", "9223372036.9",          "9223372037",
        "10000000000",          "18446744073.709551616", "18446744074.209551616",
        "9223372036854775807",  "18446744073709551616",  "999999999999999999999999999999999999.5",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = -7;
        assert_int_equal(when_parse(span_of(bad[i]), &ns), HERD_E_RANGE);
        assert_int_equal(ns, -7);
    }
}

static void stamp_of_hundreds_of_digits_is_judged_by_its_value(void **state)
{
    (void)state;
    char text[500];
    int64_t ns = -7;

    memset(text, '0', sizeof text);
    text[400] = '7';
    assert_int_equal(when_parse((struct span){text, 401}, &ns), HERD_OK);
    assert_true(ns == 7 * WHEN_NS_PER_S);
    text[100] = '1'; /* 10^300 and something */
    assert_int_equal(when_parse((struct span){text, 401}, &ns), HERD_E_RANGE);
    text[100] = '.';
    text[99] = '3';
    assert_int_equal(when_parse((struct span){text, sizeof text}, &ns), HERD_OK);
    assert_true(ns == 3 * WHEN_NS_PER_S);
}

static void difference_saturates_instead_of_wrapping(void **state)
{
    (void)state;
    assert_true(when_difference(5, 3) == 2);
    assert_true(when_difference(3, 5) == -2);
    assert_true(when_difference(0, INT64_MAX) == -INT64_MAX);
    assert_true(when_difference(INT64_MAX, 0) == INT64_MAX);
    assert_true(when_difference(-2, INT64_MAX) == INT64_MIN);
    assert_true(when_difference(-1, INT64_MAX) == INT64_MIN);
    assert_true(when_difference(INT64_MIN, 1) == INT64_MIN);
    assert_true(when_difference(INT64_MAX, -1) == INT64_MAX);
    assert_true(when_difference(0, INT64_MIN) == INT64_MAX);
    assert_true(when_difference(-1, INT64_MIN) == INT64_MAX);
}

static void difference_has_sign_seconds_and_nine_decimals(void **state)
{
    (void)state;
    assert_string_equal(format(when_format_difference, 263873386), "+0.263873386");
    assert_string_equal(format(when_format_difference, -263873386), "-0.263873386");
    assert_string_equal(format(when_format_difference, 0), "+0.000000000");
    assert_string_equal(format(when_format_difference, -1), "-0.000000001");
    assert_string_equal(format(when_format_difference, 61 * WHEN_NS_PER_S + 5), "+61.000000005");
    assert_string_equal(format(when_format_difference, INT64_MAX), "+9223372036.854775807");
    assert_string_equal(format(when_format_difference, INT64_MIN), "-9223372036.854775808");
    assert_int_equal(strlen("-9223372036.854775808"), WHEN_DIFFERENCE_BYTES_MAX);
}

static void difference_is_read_back(void **state)
{
    (void)state;
    static const int64_t values[] = {0,         1,           -1,
                                     999999999, -1000000000, INT64_C(12345678901234567),
                                     INT64_MAX, -INT64_MAX,  INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int64_t ns = 7;
        const char *text = format(when_format_difference, values[i]);
        assert_int_equal(when_parse_difference(span_of(text), &ns), HERD_OK);
        assert_true(ns == values[i]);
    }
    int64_t ns = 7;
    assert_int_equal(when_parse_difference(SPAN_LIT("-0.000000000"), &ns), HERD_OK);
    assert_int_equal(ns, 0);
    assert_int_equal(when_parse_difference(SPAN_LIT("+0000000001.000000000"), &ns), HERD_OK);
    assert_int_equal(ns, WHEN_NS_PER_S);
}

static void difference_is_refused_when_it_is_not_as_servers_write_it(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "+",
        "0.263873386",
        "+.263873386",
        "+0.26387338",
        "+0.2638733860",
        "+0",
        "+0.",
        "+0,263873386",
        "+0.2638733a6",
        "+a.263873386",
        "++.263873386",
        "+-1.263873386",
        "+0.+63873386",
        "+1e1.00000000",
        " +0.263873386",
        "+0.263873386 ",
        "+00000000001.000000000",
        "*0.263873386",
        "+0.2.3873386",
        "+1.2.345678901",
        "+1..345678901",
        "-.000000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = 7;
        assert_int_equal(when_parse_difference(span_of(bad[i]), &ns), HERD_E_SYNTAX);
        assert_int_equal(ns, 7);
    }
}

static void difference_is_refused_beyond_64_bits(void **state)
{
    (void)state;
    static const char *const bad[] = {"+9223372036.854775808", "-9223372036.854775809",
                                      "+9999999999.999999999", "-9999999999.999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = 7;
        assert_int_equal(when_parse_difference(span_of(bad[i]), &ns), HERD_E_RANGE);
        assert_int_equal(ns, 7);
    }
}

static void utc_is_right_at_the_edges_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } days[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1970-01-01T00:00:00.000Z"}, /* before 1970: the first moment */
        {68169600, "1972-02-29T00:00:00.000Z"},
        {68255999, "1972-02-29T23:59:59.000Z"},
        {68256000, "1972-03-01T00:00:00.000Z"},
        {94694399, "1972-12-31T23:59:59.000Z"},
        {951782400, "2000-02-29T00:00:00.000Z"},
        {951868800, "2000-03-01T00:00:00.000Z"},
        {978307199, "2000-12-31T23:59:59.000Z"},
        {1795172982, "2026-11-20T11:09:42.000Z"},
        {4107542399, "2100-02-28T23:59:59.000Z"},
        {4107542400, "2100-03-01T00:00:00.000Z"},
        {7258118399, "2199-12-31T23:59:59.000Z"},
        {9223372036, "2262-04-11T23:47:16.000Z"},
    };
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        assert_string_equal(format(when_format_utc, days[i].seconds * WHEN_NS_PER_S), days[i].text);
    }
    assert_string_equal(format(when_format_utc, INT64_MAX), "2262-04-11T23:47:16.854Z");
    assert_string_equal(format(when_format_utc, 123999999), "1970-01-01T00:00:00.123Z");
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static void utc_counts_every_day_up_to_2262(void **state)
{
    (void)state;
    static const unsigned lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = 1970, month = 1, day = 1;

    for (int64_t days = 0; days < 106751; days++) {
        char expected[64];
        struct text t;
        text_init(&t, expected, sizeof expected);
        text_pad(&t, year, 4);
        text_char(&t, '-');
        text_pad(&t, month, 2);
        text_char(&t, '-');
        text_pad(&t, day, 2);
        text_str(&t, "T00:00:00.000Z");
        assert_string_equal(format(when_format_utc, days * 86400 * WHEN_NS_PER_S), text_cstr(&t));

        unsigned length = lengths[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
        day = day == length ? 1 : day + 1;
        month = day != 1 ? month : month % 12 + 1;
        year += day == 1 && month == 1 ? 1 : 0;
    }
    assert_int_equal(year, 2262);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamp_is_read_in_every_form_of_a_number),
        cmocka_unit_test(stamp_is_refused_when_it_is_no_number),
        cmocka_unit_test(stamp_is_refused_when_64_bits_do_not_hold_its_nanoseconds),
        cmocka_unit_test(stamp_of_hundreds_of_digits_is_judged_by_its_value),
        cmocka_unit_test(difference_saturates_instead_of_wrapping),
        cmocka_unit_test(difference_has_sign_seconds_and_nine_decimals),
        cmocka_unit_test(difference_is_read_back),
        cmocka_unit_test(difference_is_refused_when_it_is_not_as_servers_write_it),
        cmocka_unit_test(difference_is_refused_beyond_64_bits),
        cmocka_unit_test(utc_is_right_at_the_edges_of_the_calendar),
        cmocka_unit_test(utc_counts_every_day_up_to_2262),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

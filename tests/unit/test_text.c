/* text: bounded building, escaping, and numbers as text. */
#include "unit.h"

static char buffer[64];
static struct text t;

static void use_capacity(size_t capacity)
{
    memset(buffer, '#', sizeof buffer);
    text_init(&t, buffer, capacity);
}

static int use_everything(void **state)
{
    (void)state;
    use_capacity(sizeof buffer);
    return 0;
}

static void spans_are_equal_only_with_the_same_bytes_and_length(void **state)
{
    (void)state;
    assert_true(span_equal(SPAN_LIT("ab"), SPAN_LIT("ab")));
    assert_true(span_equal(SPAN_LIT(""), (struct span){NULL, 0}));
    assert_true(span_equal(SPAN_LIT("a\0b"), SPAN_LIT("a\0b")));
    assert_false(span_equal(SPAN_LIT("a\0b"), SPAN_LIT("a\0c")));
    assert_false(span_equal(SPAN_LIT("ab"), SPAN_LIT("abc")));
    assert_false(span_equal(SPAN_LIT("ab"), SPAN_LIT("aB")));
    assert_false(span_equal(SPAN_LIT(""), SPAN_LIT("a")));
}

static void spans_compare_bytewise_as_unsigned_and_shorter_first(void **state)
{
    (void)state;
    static const char *const rising[] = {"",    "A", "B",    "Ba",   "a",   "a.",
                                         "a.b", "z", "\x7f", "\x80", "\xff"};
    for (size_t i = 0; i < sizeof rising / sizeof rising[0]; i++) {
        for (size_t j = 0; j < sizeof rising / sizeof rising[0]; j++) {
            int order = span_compare(span_of(rising[i]), span_of(rising[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void builder_appends_in_order(void **state)
{
    (void)state;
    text_str(&t, "a=");
    text_u64(&t, 7);
    text_char(&t, ' ');
    text_put(&t, SPAN_LIT("x\0y"));
    assert_memory_equal(text_span(&t).at, "a=7 x\0y", 7);
    assert_int_equal(t.bytes, 7);
    assert_false(t.cut);
    assert_int_equal(buffer[7], '#');
}

static void builder_keeps_what_fits_exactly(void **state)
{
    (void)state;
    use_capacity(4);
    text_str(&t, "abcd");
    assert_span_equal(text_span(&t), "abcd");
    assert_false(t.cut);
    text_put(&t, SPAN_LIT(""));
    assert_false(t.cut);
}

static void builder_cuts_a_string_at_the_end_of_the_buffer(void **state)
{
    (void)state;
    use_capacity(4);
    text_str(&t, "abcde");
    assert_span_equal(text_span(&t), "abcd");
    assert_true(t.cut);
    assert_int_equal(buffer[4], '#');
}

static void builder_appends_nothing_after_a_cut(void **state)
{
    (void)state;
    use_capacity(4);
    text_str(&t, "ab");
    text_u64(&t, 123);
    assert_true(t.cut);
    text_char(&t, 'c');
    text_str(&t, "d");
    text_put(&t, SPAN_LIT("e"));
    text_json(&t, SPAN_LIT("f"));
    text_escaped(&t, SPAN_LIT("g"), 1);
    assert_span_equal(text_span(&t), "ab");
    assert_true(t.cut);
}

static void builder_without_capacity_takes_nothing(void **state)
{
    (void)state;
    use_capacity(0);
    text_char(&t, 'a');
    assert_true(t.cut);
    assert_int_equal(t.bytes, 0);
    assert_string_equal(text_cstr(&t), "");
    assert_int_equal(buffer[0], '#');
}

static void cstr_ends_the_text_and_lets_it_go_on(void **state)
{
    (void)state;
    text_str(&t, "ab");
    assert_string_equal(text_cstr(&t), "ab");
    text_char(&t, 'c');
    assert_string_equal(text_cstr(&t), "abc");
    assert_false(t.cut);
}

static void cstr_gives_up_the_last_byte_of_a_full_buffer(void **state)
{
    (void)state;
    use_capacity(3);
    text_str(&t, "abc");
    assert_string_equal(text_cstr(&t), "ab");
    assert_true(t.cut);
    assert_int_equal(buffer[3], '#');
}

static void integers_are_written_in_full_range(void **state)
{
    (void)state;
    text_u64(&t, 0);
    text_char(&t, ' ');
    text_u64(&t, 10);
    text_char(&t, ' ');
    text_u64(&t, UINT64_MAX);
    assert_span_equal(text_span(&t), "0 10 18446744073709551615");
    use_capacity(sizeof buffer);
    text_i64(&t, 0);
    text_char(&t, ' ');
    text_i64(&t, -1);
    text_char(&t, ' ');
    text_i64(&t, INT64_MAX);
    text_char(&t, ' ');
    text_i64(&t, INT64_MIN);
    assert_span_equal(text_span(&t), "0 -1 9223372036854775807 -9223372036854775808");
}

static void padded_and_hexadecimal_numbers_have_the_digits_asked_for(void **state)
{
    (void)state;
    text_pad(&t, 7, 3);
    text_char(&t, ' ');
    text_pad(&t, 1234, 2); /* the low digits */
    text_char(&t, ' ');
    text_hex(&t, 0xABCDEF, 8);
    text_char(&t, ' ');
    text_hex(&t, UINT64_MAX, 16);
    assert_span_equal(text_span(&t), "007 34 00abcdef ffffffffffffffff");
}

static void digits_outside_the_contract_panic(void **state)
{
    (void)state;
    expect_assert_failure(text_pad(&t, 1, 0));
    expect_assert_failure(text_pad(&t, 1, 21));
    expect_assert_failure(text_hex(&t, 1, 0));
    expect_assert_failure(text_hex(&t, 1, 17));
}

static void degrees_have_seven_decimals_and_a_sign_below_zero(void **state)
{
    (void)state;
    text_e7(&t, -338587323);
    text_char(&t, ' ');
    text_e7(&t, 5);
    text_char(&t, ' ');
    text_e7(&t, -5);
    text_char(&t, ' ');
    text_e7(&t, 1800000000);
    assert_span_equal(text_span(&t), "-33.8587323 0.0000005 -0.0000005 180.0000000");
}

static void escaping_leaves_no_byte_that_could_forge_a_line(void **state)
{
    (void)state;
    text_escaped(&t, SPAN_LIT("a b\n\r\"\\\x7f\x80\xff\0~!"), 100);
    assert_span_equal(text_span(&t), "a b\\x0a\\x0d\\x22\\x5c\\x7f\\x80\\xff\\x00~!");
}

static void escaping_marks_what_it_cut(void **state)
{
    (void)state;
    text_escaped(&t, SPAN_LIT("abcdef"), 3);
    text_char(&t, '|');
    text_escaped(&t, SPAN_LIT("abc"), 3);
    text_char(&t, '|');
    text_escaped(&t, SPAN_LIT("abc"), 0);
    assert_span_equal(text_span(&t), "abc...|abc|...");
    assert_false(t.cut);
}

static void escapes_are_whole_or_absent_at_the_end_of_the_buffer(void **state)
{
    (void)state;
    use_capacity(4);
    text_escaped(&t, SPAN_LIT("a\n"), 10);
    assert_span_equal(text_span(&t), "a");
    assert_true(t.cut);
    use_capacity(6);
    text_json(&t, SPAN_LIT("a\x01"));
    assert_span_equal(text_span(&t), "a");
    assert_true(t.cut);
    use_capacity(2);
    text_json(&t, SPAN_LIT("a\""));
    assert_span_equal(text_span(&t), "a");
    assert_true(t.cut);
}

static void json_escapes_quote_backslash_and_controls_only(void **state)
{
    (void)state;
    text_json(&t, SPAN_LIT("a\"b\\c/\n\x1f\x7f\xc3\xa9\0"));
    assert_span_equal(text_span(&t), "a\\\"b\\\\c/\\u000a\\u001f\x7f\xc3\xa9\\u0000");
}

static void u64_takes_digits_up_to_the_maximum(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_true(text_parse_u64(SPAN_LIT("0"), 0, &value));
    assert_int_equal(value, 0);
    assert_true(text_parse_u64(SPAN_LIT("020"), 20, &value));
    assert_int_equal(value, 20);
    assert_true(text_parse_u64(SPAN_LIT("18446744073709551615"), UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_true(text_parse_u64(SPAN_LIT("0000000000000000000000000000000000009"), 9, &value));
    assert_int_equal(value, 9);
}

static void u64_refuses_everything_else_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "-1",
                                      "+1",
                                      "1 ",
                                      " 1",
                                      "1.",
                                      "1.0",
                                      "0x1",
                                      "1e1",
                                      "21",
                                      "100",
                                      "18446744073709551616",
                                      "99999999999999999999999999",
                                      "a",
                                      "/",
                                      ":"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t value = 77;
        assert_false(text_parse_u64(span_of(bad[i]), 20, &value));
        assert_int_equal(value, 77);
    }
    uint64_t value = 77;
    assert_false(text_parse_u64(SPAN_LIT("18446744073709551616"), UINT64_MAX, &value));
    assert_false(text_parse_u64(SPAN_LIT("1\0"), 20, &value));
    assert_false(text_parse_u64(SPAN_LIT("7"), 5, &value));
    assert_false(text_parse_u64(SPAN_LIT("1"), 0, &value));
    assert_int_equal(value, 77);
}

/* Digit by digit, as the contract reads. */
static bool plain_u64(const char *digits, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    for (const char *at = digits; *at != '\0'; at++) {
        unsigned unit = (unsigned)(*at - '0');
        if (value > (UINT64_MAX - unit) / 10 || value * 10 + unit > max) {
            return false;
        }
        value = value * 10 + unit;
    }
    *out = value;
    return true;
}

static void u64_reads_in_groups_what_digit_by_digit_gives(void **state)
{
    (void)state;
    static const char source[] =
        "184467440737095516150998001844674407370955161699999999999999999999";
    static const uint64_t bounds[] = {UINT64_MAX, UINT64_MAX - 1, INT64_MAX, 999999999, 1000000000};
    char digits[24];
    for (size_t from = 0; from + 22 < sizeof source; from++) {
        for (size_t count = 1; count <= 22; count++) {
            memcpy(digits, source + from, count);
            digits[count] = '\0';
            for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
                uint64_t value = 7;
                uint64_t expected = 7;
                assert_int_equal(text_parse_u64(span_of(digits), bounds[i], &value),
                                 plain_u64(digits, bounds[i], &expected));
                assert_true(value == expected);
            }
        }
    }
}

static void fixed_takes_all_decimals_of_a_time_up_to_the_last(void **state)
{
    (void)state;
    uint64_t value = 0;
    bool beyond = true;
    assert_int_equal(
        text_parse_fixed(SPAN_LIT("9223372036.854775807"), 9, INT64_MAX, &value, &beyond), HERD_OK);
    assert_true(value == INT64_MAX && !beyond);
    assert_int_equal(
        text_parse_fixed(SPAN_LIT("9223372036.854775808"), 9, INT64_MAX, &value, &beyond),
        HERD_E_RANGE);
    assert_int_equal(
        text_parse_fixed(SPAN_LIT("18446744073.709551616"), 9, UINT64_MAX, &value, &beyond),
        HERD_E_RANGE);
    assert_int_equal(text_parse_fixed(SPAN_LIT("9223372037"), 9, INT64_MAX, &value, &beyond),
                     HERD_E_RANGE);
    assert_true(value == INT64_MAX);
}

static void fixed_reads_each_form_of_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
        bool beyond;
    } good[] = {
        {"0", 0, false},
        {"12", 12000, false},
        {"12.", 12000, false},
        {".5", 500, false},
        {"1.5", 1500, false},
        {"0012.0340", 12034, false},
        {".0009", 0, true},
        {"1.2345", 1234, true},
        {"1.23400", 1234, false},
        {"99.999", 99999, false},
        {"99.9990001", 99999, true},
        {"000000000000000000000000000000001.000000000000000000000000000001", 1000, true},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t value = 7;
        bool beyond = !good[i].beyond;
        assert_int_equal(text_parse_fixed(span_of(good[i].text), 3, 99999, &value, &beyond),
                         HERD_OK);
        assert_int_equal(value, good[i].value);
        assert_int_equal(beyond, good[i].beyond);
    }
}

static void fixed_refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   ".",  "..",  "1..", "1.2.3", "-1",  "+1", "1e3",
                                      " 1", "1 ", "1,5", "0x1", "inf",   "nan", "1_0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t value = 7;
        bool beyond = true;
        assert_int_equal(text_parse_fixed(span_of(bad[i]), 3, 99999, &value, &beyond),
                         HERD_E_SYNTAX);
        assert_int_equal(value, 7);
        assert_true(beyond);
    }
}

static void fixed_refuses_what_is_above_the_maximum(void **state)
{
    (void)state;
    static const char *const bad[] = {"100",
                                      "100.",
                                      "99.9999999999999999999999991e",
                                      "18446744073709551616",
                                      "184467440737095516160000000000.5",
                                      "000100"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t value = 7;
        bool beyond = true;
        int err = text_parse_fixed(span_of(bad[i]), 3, 99999, &value, &beyond);
        assert_int_equal(err, strchr(bad[i], 'e') ? HERD_E_SYNTAX : HERD_E_RANGE);
        assert_int_equal(value, 7);
    }
}

/* --- Parts of spans ------------------------------------------------------------------------------ */

static void an_address_has_four_numbers(void **state)
{
    (void)state;
    text_init(&t, buffer, sizeof buffer);
    text_ip4(&t, 0x7F000001);
    text_char(&t, ' ');
    text_ip4(&t, 0xFFFFFFFF);
    text_char(&t, ' ');
    text_ip4(&t, 0);
    assert_span_equal(text_span(&t), "127.0.0.1 255.255.255.255 0.0.0.0");
}

static void blanks_are_taken_off_both_ends(void **state)
{
    (void)state;
    assert_span_equal(span_trimmed(SPAN_LIT(" \t a b\tc \r")), "a b\tc");
    assert_span_equal(span_trimmed(SPAN_LIT("a\n")), "a\n");
    assert_int_equal(span_trimmed(SPAN_LIT(" \t\r")).bytes, 0);
    assert_int_equal(span_trimmed((struct span){NULL, 0}).bytes, 0);
}

static void words_and_parts_are_taken_one_by_one(void **state)
{
    (void)state;
    struct span rest = SPAN_LIT("  a\tbc \r");
    assert_span_equal(span_take_word(&rest), "a");
    assert_span_equal(span_take_word(&rest), "bc");
    assert_int_equal(span_take_word(&rest).bytes, 0);
    assert_int_equal(rest.bytes, 0);
    rest = SPAN_LIT("a>>b");
    assert_span_equal(span_take_until(&rest, '>'), "a");
    assert_span_equal(span_take_until(&rest, '>'), "");
    assert_span_equal(span_take_until(&rest, '>'), "b");
    assert_int_equal(rest.bytes, 0);
    assert_int_equal(span_take_until(&rest, '>').bytes, 0);
    rest = SPAN_LIT("a>");
    assert_span_equal(span_take_until(&rest, '>'), "a");
    assert_int_equal(rest.bytes, 0);
    rest = (struct span){NULL, 0};
    assert_int_equal(span_take_until(&rest, '>').bytes, 0);
    assert_int_equal(span_take_word(&rest).bytes, 0);
}

static void a_secret_is_wiped_and_nothing_beside_it(void **state)
{
    (void)state;
    char bytes[] = "abcdef";
    text_wipe(bytes + 1, 4);
    assert_memory_equal(bytes, "a\0\0\0\0f", 7);
    text_wipe(bytes, 0);
    assert_int_equal(bytes[0], 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_equal_only_with_the_same_bytes_and_length),
        cmocka_unit_test(spans_compare_bytewise_as_unsigned_and_shorter_first),
        cmocka_unit_test_setup(builder_appends_in_order, use_everything),
        cmocka_unit_test(builder_keeps_what_fits_exactly),
        cmocka_unit_test(builder_cuts_a_string_at_the_end_of_the_buffer),
        cmocka_unit_test(builder_appends_nothing_after_a_cut),
        cmocka_unit_test(builder_without_capacity_takes_nothing),
        cmocka_unit_test_setup(cstr_ends_the_text_and_lets_it_go_on, use_everything),
        cmocka_unit_test(cstr_gives_up_the_last_byte_of_a_full_buffer),
        cmocka_unit_test_setup(integers_are_written_in_full_range, use_everything),
        cmocka_unit_test_setup(padded_and_hexadecimal_numbers_have_the_digits_asked_for,
                               use_everything),
        cmocka_unit_test_setup(digits_outside_the_contract_panic, use_everything),
        cmocka_unit_test_setup(degrees_have_seven_decimals_and_a_sign_below_zero, use_everything),
        cmocka_unit_test_setup(escaping_leaves_no_byte_that_could_forge_a_line, use_everything),
        cmocka_unit_test_setup(escaping_marks_what_it_cut, use_everything),
        cmocka_unit_test(escapes_are_whole_or_absent_at_the_end_of_the_buffer),
        cmocka_unit_test_setup(json_escapes_quote_backslash_and_controls_only, use_everything),
        cmocka_unit_test(u64_takes_digits_up_to_the_maximum),
        cmocka_unit_test(u64_refuses_everything_else_and_writes_nothing),
        cmocka_unit_test(u64_reads_in_groups_what_digit_by_digit_gives),
        cmocka_unit_test(fixed_takes_all_decimals_of_a_time_up_to_the_last),
        cmocka_unit_test(fixed_reads_each_form_of_a_number),
        cmocka_unit_test(fixed_refuses_what_is_no_number),
        cmocka_unit_test(fixed_refuses_what_is_above_the_maximum),
        cmocka_unit_test(an_address_has_four_numbers),
        cmocka_unit_test(blanks_are_taken_off_both_ends),
        cmocka_unit_test(words_and_parts_are_taken_one_by_one),
        cmocka_unit_test(a_secret_is_wiped_and_nothing_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* names: server names as small numbers. */
#include "unit.h"

#include "cfg.h"
#include "names.h"

static int begin(void **state)
{
    (void)state;
    names_init();
    return 0;
}

static void intern_numbered(unsigned i, int expected)
{
    char buffer[16];
    struct text t;
    uint8_t index = 255;

    text_init(&t, buffer, sizeof buffer);
    text_str(&t, "node-");
    text_u64(&t, i);
    assert_int_equal(names_intern(text_span(&t), &index), expected);
    assert_int_equal(index, expected == HERD_OK ? i : 255);
    memset(buffer, '#', sizeof buffer); /* the table must have copied */
}

static void name_keeps_its_index(void **state)
{
    (void)state;
    uint8_t bailey, bona, again;

    assert_int_equal(names_intern(SPAN_LIT("Bailey"), &bailey), HERD_OK);
    assert_int_equal(names_intern(SPAN_LIT("Bona"), &bona), HERD_OK);
    assert_int_equal(names_intern(SPAN_LIT("Bailey"), &again), HERD_OK);
    assert_int_not_equal(bailey, bona);
    assert_int_equal(again, bailey);
    assert_span_equal(names_get(bailey), "Bailey");
    assert_span_equal(names_get(bona), "Bona");
    assert_int_equal(names_count(), 2);
}

static void names_differ_by_case_and_length(void **state)
{
    (void)state;
    uint8_t index;

    assert_int_equal(names_intern(SPAN_LIT("Bona"), &index), HERD_OK);
    assert_int_equal(names_intern(SPAN_LIT("bona"), &index), HERD_OK);
    assert_int_equal(names_intern(SPAN_LIT("Bon"), &index), HERD_OK);
    assert_int_equal(names_intern(SPAN_LIT("12345678901234567890123456789012"), &index), HERD_OK);
    assert_span_equal(names_get(index), "12345678901234567890123456789012");
    assert_int_equal(names_count(), 4);
}

static void name_is_refused_when_it_is_none(void **state)
{
    (void)state;
    uint8_t index = 255;

    assert_int_equal(names_intern(SPAN_LIT(""), &index), HERD_E_SYNTAX);
    assert_int_equal(names_intern(SPAN_LIT("a b"), &index), HERD_E_SYNTAX);
    assert_int_equal(names_intern(SPAN_LIT("a\n"), &index), HERD_E_SYNTAX);
    assert_int_equal(names_intern(SPAN_LIT("a\0"), &index), HERD_E_SYNTAX);
    assert_int_equal(names_intern(SPAN_LIT("K\xc3\xa4se"), &index), HERD_E_SYNTAX);
    assert_int_equal(names_intern(SPAN_LIT("123456789012345678901234567890123"), &index),
                     HERD_E_SYNTAX);
    assert_int_equal(index, 255);
    assert_int_equal(names_count(), 0);
    assert_int_equal(names_refused(), 0);
}

static void full_table_refuses_new_names_counts_them_and_still_knows_the_old(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CFG_SERVER_NAMES; i++) {
        intern_numbered(i, HERD_OK);
    }
    intern_numbered(CFG_SERVER_NAMES, HERD_E_FULL);
    intern_numbered(CFG_SERVER_NAMES + 1, HERD_E_FULL);
    intern_numbered(0, HERD_OK);
    intern_numbered(CFG_SERVER_NAMES - 1, HERD_OK);
    assert_int_equal(names_count(), CFG_SERVER_NAMES);
    assert_int_equal(names_refused(), 2);
    assert_span_equal(names_get(0), "node-0");
}

static void index_that_was_never_given_panics(void **state)
{
    (void)state;
    expect_assert_failure(names_get(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(name_keeps_its_index, begin),
        cmocka_unit_test_setup(names_differ_by_case_and_length, begin),
        cmocka_unit_test_setup(name_is_refused_when_it_is_none, begin),
        cmocka_unit_test_setup(full_table_refuses_new_names_counts_them_and_still_knows_the_old,
                               begin),
        cmocka_unit_test_setup(index_that_was_never_given_panics, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

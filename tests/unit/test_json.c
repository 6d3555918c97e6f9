/* json: bounded values over cJSON, numbers as digits. */
#include "unit.h"

#include "json.h"

static int parse(const char *text, const struct json_value **out)
{
    return json_parse(span_of(text), out);
}

static void values_of_an_object_are_found_by_name(void **state)
{
    (void)state;
    const struct json_value *root;
    const struct json_value *v;
    struct span s;
    assert_int_equal(parse(" {\"a\":\"x\\u00e9\\n\",\"b\":-33.8587323,\"c\":[1,2,3]} \n", &root),
                     0);
    assert_int_equal(json_member(root, "a", &v), HERD_OK);
    assert_int_equal(json_string(v, &s), HERD_OK);
    assert_span_equal(s, "x\xc3\xa9\n");
    assert_int_equal(json_number(v, &s), HERD_E_SYNTAX);
    assert_int_equal(json_member(root, "b", &v), HERD_OK);
    assert_int_equal(json_number(v, &s), HERD_OK);
    assert_span_equal(s, "-33.8587323");
    assert_int_equal(json_string(v, &s), HERD_E_SYNTAX);
    assert_int_equal(json_member(root, "c", &v), HERD_OK);
    unsigned n = 0;
    for (v = json_first(v); v != NULL; v = json_next(v)) {
        n++;
    }
    assert_int_equal(n, 3);
    assert_int_equal(json_member(root, "d", &v), HERD_E_RANGE);
    assert_int_equal(json_member(json_first(root), "d", &v), HERD_E_SYNTAX);
}

static void a_name_that_is_there_twice_is_refused(void **state)
{
    (void)state;
    const struct json_value *root;
    const struct json_value *v;
    assert_int_equal(parse("{\"a\":1,\"b\":2,\"a\":1}", &root), HERD_OK);
    assert_int_equal(json_member(root, "a", &v), HERD_E_SYNTAX);
    assert_int_equal(json_member(root, "b", &v), HERD_OK);
}

static void what_is_not_one_json_value_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          " ",           "{",        "{}x",       "{} {}", "[1,]", "[1 2]",
        "{\"a\"}",   "{\"a\":}",    "nul",      "truefalse", "\"a",   "'a'",  "01",
        "1.",        ".5",          "+1",       "-",         "1e",    "1e+",  "--1",
        "1-2",       "0x10",        "1.e5",     "NaN",       "[1",    "]",    "\"\\x\"",
        "\"\\u12\"", "\"\\ud800\"", "Infinity",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct json_value *v = NULL;
        assert_int_equal(parse(bad[i], &v), HERD_E_SYNTAX);
        assert_null(v);
    }
}

static void nesting_is_limited(void **state)
{
    (void)state;
    const struct json_value *v;
    char text[2 * CFG_JSON_DEPTH + 4];
    for (unsigned depth = 1; depth <= CFG_JSON_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int err = json_parse((struct span){text, 2u * depth}, &v);
        assert_int_equal(err, depth <= CFG_JSON_DEPTH ? HERD_OK : HERD_E_SYNTAX);
    }
    static char deep[100000];
    memset(deep, '[', sizeof deep);
    assert_int_equal(json_parse((struct span){deep, sizeof deep}, &v), HERD_E_SYNTAX);
}

static void a_tree_that_does_not_fit_is_told_from_bad_syntax(void **state)
{
    (void)state;
    static char text[CFG_JSON_ARENA_BYTES];
    const struct json_value *v;
    for (size_t i = 0; i < sizeof text; i += 2) {
        text[i] = i == 0 ? '[' : ',';
        text[i + 1] = '1';
    }
    text[sizeof text - 1] = ']';
    text[sizeof text - 2] = '1';
    assert_int_equal(json_parse((struct span){text, sizeof text - 1}, &v), HERD_E_FULL);
    assert_int_equal(parse("{\"a\":[true]}", &v), HERD_OK); /* the next one has the whole arena */
    assert_true(json_stats().arena_peak <= CFG_JSON_ARENA_BYTES);
    assert_int_equal(json_stats().too_large, 1);
}

static void degrees_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *digits;
        int err;
        int32_t e7;
    } cases[] = {
        {"-33.8587323", HERD_OK, -338587323},
        {"151.2100055", HERD_OK, 1512100055},
        {"0", HERD_OK, 0},
        {"-0", HERD_OK, 0},
        {"-0.0", HERD_OK, 0},
        {"180", HERD_OK, 1800000000},
        {"180.00000009", HERD_OK, 1800000000},
        {"-33.86009812989271", HERD_OK, -338600981},
        {"1e-7", HERD_OK, 1},
        {"1e-8", HERD_OK, 0},
        {"5.5E-05", HERD_OK, 550},
        {"1.8e2", HERD_OK, 1800000000},
        {"0.0018E+5", HERD_OK, 1800000000},
        {"18000000000000000000000e-20", HERD_OK, 1800000000},
        {"0e999999999999", HERD_OK, 0},
        {"180.1", HERD_E_RANGE, 0},
        {"-180.0000001", HERD_E_RANGE, 0},
        {"1e999", HERD_E_RANGE, 0},
        {"1e99999999999999999999", HERD_E_RANGE, 0},
        {"99999999999999999999999999999999", HERD_E_RANGE, 0},
        {"", HERD_E_SYNTAX, 0},
        {"1 ", HERD_E_SYNTAX, 0},
        {"1e", HERD_E_SYNTAX, 0},
        {"e5", HERD_E_SYNTAX, 0},
        {"01", HERD_E_SYNTAX, 0},
        {"nan", HERD_E_SYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t e7 = 77;
        assert_int_equal(json_parse_e7(span_of(cases[i].digits), 1800000000u, &e7), cases[i].err);
        assert_int_equal(e7, cases[i].err == HERD_OK ? cases[i].e7 : 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_an_object_are_found_by_name),
        cmocka_unit_test(a_name_that_is_there_twice_is_refused),
        cmocka_unit_test(what_is_not_one_json_value_is_refused),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(a_tree_that_does_not_fit_is_told_from_bad_syntax),
        cmocka_unit_test(degrees_are_read_exactly),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

/* geo: ISO 6709 decimal degrees. */
#include "unit.h"

#include "geo.h"

static void location_is_read_in_every_form_of_its_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t lat_e7;
        int32_t lng_e7;
    } good[] = {
        {"+34.068930-118.445127", 340689300, -1184451270},
        {"+34-118", 340000000, -1180000000},
        {"+.5-.5", 5000000, -5000000},
        {"+34.-118.", 340000000, -1180000000},
        {"-33.8670522+151.1957362", -338670522, 1511957362},
        {"+0+0", 0, 0},
        {"-0-0", 0, 0},
        {"-0.0+0.0", 0, 0},
        {"+90+180", 900000000, 1800000000},
        {"-90-180", -900000000, -1800000000},
        {"+90.000-180.0000000000", 900000000, -1800000000},
        {"+89.99999999-179.99999999", 899999999, -1799999999},
        {"+.00000009+.00000019", 0, 1},
        {"+0000000000000000000000000034.5-0000000000000118", 345000000, -1180000000},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct geo_point point = {1, 1};
        assert_int_equal(geo_parse(span_of(good[i].text), &point), HERD_OK);
        assert_int_equal(point.lat_e7, good[i].lat_e7);
        assert_int_equal(point.lng_e7, good[i].lng_e7);
    }
}

static void assert_all_refused(const char *const *bad, size_t count, int err)
{
    for (size_t i = 0; i < count; i++) {
        struct geo_point point = {1, 2};
        assert_int_equal(geo_parse(span_of(bad[i]), &point), err);
        assert_int_equal(point.lat_e7, 1);
        assert_int_equal(point.lng_e7, 2);
    }
}

static void location_is_refused_when_it_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "+",          "-",        "+-",          "34.0-118.4",   "+34.0",
        "34.0+118.4", "+34.0118.4", "+-118",    "+34-",        "+34+",         "+.-.",
        "+34.-.",     "+.+118",     "+1e1+1",   "+1+1e1",      "+34-118/",     "+34-118+10",
        "+34-118-",   "++34-118",   "+34--118", "+34.0.0-118", "+34-118.0.0",  "+0x1+1",
        " +34-118",   "+34-118 ",   "+34 -118", "+34,0-118",   "+inf+nan",     "+nan-nan",
        "34-118",     "*34-118",    "+34*118",  "+34\xb0-118", "+34:30-118:5", "+91e0+0",
    };
    assert_all_refused(bad, sizeof bad / sizeof bad[0], HERD_E_SYNTAX);
    struct geo_point point;
    assert_int_equal(geo_parse(SPAN_LIT("+34-118\0"), &point), HERD_E_SYNTAX);
    assert_int_equal(geo_parse(SPAN_LIT("+3\0-118"), &point), HERD_E_SYNTAX);
}

static void location_is_refused_when_it_is_not_on_earth(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "+90.00000001+0",
        "-90.00000001+0",
        "+0+180.00000001",
        "+0-180.00000001",
        "+90.0000000000000000000000000000001+0",
        "+90.0000001+0",
        "+91+0",
        "+0+181",
        "-91-0",
        "+0-181",
        "+100-100",
        "+4294967296+0",           /* 2^32 */
        "+18446744073709551616+0", /* 2^64 */
        "+0-18446744073709551706", /* 2^64 + 90 */
        "+429.4967296+0",          /* 2^32 units of 1e-7 */
        "+0+99999999999999999999999999999999999999999999999999999999999999999999",
    };
    assert_all_refused(bad, sizeof bad / sizeof bad[0], HERD_E_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(location_is_read_in_every_form_of_its_numbers),
        cmocka_unit_test(location_is_refused_when_it_is_none),
        cmocka_unit_test(location_is_refused_when_it_is_not_on_earth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

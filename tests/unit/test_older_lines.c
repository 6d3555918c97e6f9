/* older_lines: what servers of the older kind write, and what merely looks like it. */
#include <stdio.h>

#include "unit.h"

#include "older_lines.h"

#define REPORT_BYTES 128
#define S            INT64_C(1000000000)

static struct older_lines_line line;

static int parse(const char *text)
{
    memset(&line, 0xA5, sizeof line);
    return older_lines_parse(span_of(text), REPORT_BYTES, &line);
}

static void takes(const char *text)
{
    if (parse(text) != HERD_OK) {
        fail_msg("refused: %s", text);
    }
    assert_span_equal(line.report.client, "kiwi.cs.ucla.edu");
    assert_span_equal(line.report.location, "+34.068930-118.445127");
}

static void refuses(const char *text, int err)
{
    struct older_lines_line before;

    memset(&before, 0xA5, sizeof before);
    if (parse(text) != err) {
        fail_msg("not refused with %d: %s", err, text);
    }
    assert_memory_equal(&line, &before, sizeof line); /* written on success only */
}

/* --- Kinds ---------------------------------------------------------------------------------- */

static void the_first_field_alone_tells_the_kind(void **state)
{
    (void)state;
    assert_int_equal(older_lines_kind(SPAN_LIT("AT")), OLDER_LINES_AT);
    assert_int_equal(older_lines_kind(SPAN_LIT(" \t\vAT\r")), OLDER_LINES_AT);
    assert_int_equal(older_lines_kind(SPAN_LIT("AT AT AT AT AT AT AT")), OLDER_LINES_AT);
    assert_int_equal(older_lines_kind(SPAN_LIT("UPDATE x")), OLDER_LINES_UPDATE);
    static const char *const none[] = {"",      " ",       "at x",     "ATx",
                                       "A T",   "IAMAT x", "UPDATES",  "update x",
                                       "UPDAT", "x AT y",  "\"AT\" x", "\xC3\x84T"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(older_lines_kind(span_of(none[i])), OLDER_LINES_NONE);
    }
}

/* --- Lines ---------------------------------------------------------------------------------- */

#define REPORT "kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503"

static void at_lines_are_read_as_others_write_them(void **state)
{
    (void)state;
    takes("AT Clark +0.263873386 " REPORT);
    assert_span_equal(line.server, "Clark");
    assert_span_equal(line.report.stamp, "1621464827.959498503");
    assert_true(line.report.stamp_ns == INT64_C(1621464827959498503));
    assert_int_equal(line.difference_ns, 263873386);

    takes("AT Clark 3.1e-05 " REPORT);
    assert_int_equal(line.difference_ns, 31000);
    takes("AT Clark garbage " REPORT);
    assert_int_equal(line.difference_ns, 0);
    takes("  AT \t Clark\v-1.5\f " REPORT " \r");
    assert_int_equal(line.difference_ns, -3 * S / 2);
    takes("AT Clark +1 " REPORT " 3");
    takes("AT Clark +1 " REPORT " 3 Bona Jaquez \x01");
    takes("AT x 0 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.9594986");
    assert_true(line.report.stamp_ns == INT64_C(1621464827959498600));
    takes("AT x 0 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827");
}

static void update_lines_are_read_and_their_label_is_not(void **state)
{
    static const char *const labels[] = {"1621464827959", "0", "-1", "label", "1e300", "\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "UPDATE " REPORT " %s Hands 7", labels[i]);
        takes(text);
        assert_span_equal(line.server, "Hands");
        assert_int_equal(line.difference_ns, 0);
        assert_true(line.report.stamp_ns == INT64_C(1621464827959498503));
    }
}

static void what_is_no_line_of_theirs_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "AT",
        "UPDATE",
        REPORT,
        "IAMAT " REPORT,
        "at Clark +1 " REPORT,
        "AT Clark " REPORT, /* no difference: the fields are one too few */
        "AT Clark +1 kiwi.cs.ucla.edu +34.068930-118.445127",
        "AT Cl/ark +1 " REPORT, /* no server name */
        "AT Cl\xC3\xA4rk +1 " REPORT,
        "AT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa +1 " REPORT,
        "AT Clark +1 kiwi.cs.ucla.edu 34.068930-118.445127 1",
        "AT Clark +1 kiwi.cs.ucla.edu +34.068930 1",
        "AT Clark +1 kiwi.cs.ucla.edu +90.1-118 1",
        "AT Clark +1 kiwi.cs.ucla.edu +34-181 1",
        "AT Clark +1 kiwi.cs.ucla.edu +34-118 1e9", /* clients are shown the stamp: a number, or none */
        "AT Clark +1 kiwi.cs.ucla.edu +34-118 1.6e+16",
        "AT Clark +1 kiwi.cs.ucla.edu +34-118 +1",
        "AT Clark +1 kiwi.cs.ucla.edu +34-118 -1",
        "AT Clark +1 kiwi.cs.ucla.edu +34-118 nan",
        "AT Clark +1 kiwi.cs.ucla.edu +34-118 9223372036.854775808",
        "AT Clark +1 kiwi\x01 +34-118 1",
        "AT Clark +1 kiwi\x7F +34-118 1",
        "UPDATE " REPORT,
        "UPDATE " REPORT " 1621464827959",
        "UPDATE " REPORT " 1 H@nds",
        "UPDATE kiwi +34 1 2 Hands",
        "UPDATE kiwi +34-118 1e9 2 Hands",
        "UPDATE Hands " REPORT " 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        refuses(texts[i], HERD_E_SYNTAX);
    }
}

static void a_report_longer_than_the_herd_allows_is_refused(void **state)
{
    char text[256];
    (void)state;
    snprintf(text, sizeof text, "AT Clark +1 %0121d +1+2 123", 0); /* 121 + 4 + 3 */
    assert_int_equal(parse(text), HERD_OK);
    snprintf(text, sizeof text, "AT Clark +1 %0122d +1+2 123", 0);
    refuses(text, HERD_E_RANGE);
    snprintf(text, sizeof text, "UPDATE %0122d +1+2 123 1 Clark", 0);
    refuses(text, HERD_E_RANGE);
}

/* Whatever the bytes are: what is taken is within the rules. */
static unsigned try(const char *text, size_t bytes)
{
    if (older_lines_parse((struct span){text, bytes}, REPORT_BYTES, &line) != HERD_OK) {
        return 0;
    }
    assert_true(proto_is_server_name(line.server));
    assert_true(line.report.stamp_ns >= 0);
    assert_true(line.report.client.at > text && line.report.client.at < text + bytes);
    return 1;
}

static void no_truncation_or_change_of_a_byte_crashes(void **state)
{
    static const char at[] = "AT Clark -3.1e-05 " REPORT " 2";
    static const char update[] = "UPDATE " REPORT " 1621464827959 Hands 7";
    static const char *const texts[] = {at, update};
    char copy[128];
    unsigned taken = 0;
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        size_t bytes = strlen(texts[t]);
        for (size_t n = 0; n <= bytes; n++) {
            taken += try(texts[t], n);
        }
        for (size_t n = 0; n < bytes; n++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                memcpy(copy, texts[t], bytes);
                copy[n] = (char)byte;
                taken += try(copy, bytes);
            }
        }
    }
    assert_true(taken > 1000);
}

/* --- Differences ---------------------------------------------------------------------------- */

static void differences_are_read_in_every_decimal_form(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"0", 0},
        {"1", S},
        {"+1", S},
        {"-1", -S},
        {"-0.0", 0},
        {"1.", S},
        {".5", S / 2},
        {"-.5", -S / 2},
        {"+0.263873386", 263873386},
        {"0.2638733860", 263873386},
        {"0.26387338699999", 263873386}, /* towards zero */
        {"-0.26387338699999", -263873386},
        {"3.1e-05", 31000},
        {"-3.1e-05", -31000},
        {"3.1E-05", 31000},
        {"9.5367431640625e-07", 953},
        {"1e-9", 1},
        {"9.9e-10", 0},
        {"1e-4096", 0},
        {"1e-99999999999999999999", 0},
        {"1e3", 1000 * S},
        {"1e+3", 1000 * S},
        {"1.5e1", 15 * S},
        {"15e-1", 3 * S / 2},
        {"123456e-3", INT64_C(123456000000)},
        {"0e99999999999999999999", 0},
        {"0.000000000000000000000000000001e30", S},
        {"000000000000000000000000000000000001", S},
        {"1000000000000000000000000000e-27", S},
        {"9223372036.854775807", INT64_MAX},
        {"-9223372036.854775807", -INT64_MAX},
        {"9.223372036854775807e9", INT64_MAX},
        {"9223372036.8547758079", INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = older_lines_difference(span_of(cases[i].text));
        if (ns != cases[i].ns) {
            fail_msg("%s is read as %lld", cases[i].text, (long long)ns);
        }
    }
}

static void an_unreadable_difference_is_zero(void **state)
{
    static const char *const texts[] = {
        "",
        "+",
        "-",
        ".",
        "+.",
        "e",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1e-",
        "1e5.",
        "1e5e5",
        "1.2.3",
        "++1",
        "+-1",
        "--1",
        "1+1",
        "nan",
        "inf",
        "-inf",
        "0x10",
        "1_000",
        "1,5",
        " 1",
        "1 ",
        "1s",
        "1e 5",
        "1e5\r",
        "\xC2\xBD",
        "one",
        "1\xB2",
        "None",
        "1e19",
        "1e4096",
        "1e99999999999999999999",
        "9223372036.854775808",
        "-9223372036.854775808",
        "99999999999",
        "1e10",
        "9.3e9",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (older_lines_difference(span_of(texts[i])) != 0) {
            fail_msg("\"%s\" is read as a number", texts[i]);
        }
    }
}

static void a_difference_of_any_length_takes_linear_time(void **state)
{
    static char text[100002];
    (void)state;
    memset(text, '0', sizeof text - 1);
    text[0] = '.';
    text[sizeof text - 2] = '1';
    assert_int_equal(older_lines_difference(span_of(text)), 0);
    text[0] = '0';
    assert_int_equal(older_lines_difference(span_of(text)), S);
    memset(text, '9', sizeof text - 1);
    assert_int_equal(older_lines_difference(span_of(text)), 0);
}

/* --- Writing -------------------------------------------------------------------------------- */

static void what_is_written_is_read_again(void **state)
{
    char buffer[OLDER_LINES_BYTES_MAX(REPORT_BYTES)];
    struct text t;
    (void)state;
    takes("AT Clark -1.000000001 " REPORT);
    struct older_lines_line said = line;

    text_init(&t, buffer, sizeof buffer);
    older_lines_format_update(&t, said.server, INT64_C(1621464827959998503), &said.report);
    assert_span_equal(text_span(&t), "UPDATE " REPORT " 1621464827959 Clark");
    assert_int_equal(older_lines_parse(text_span(&t), REPORT_BYTES, &line), HERD_OK);
    assert_true(span_equal(line.report.stamp, said.report.stamp));

    text_init(&t, buffer, sizeof buffer);
    proto_format_at(&t, said.server, said.difference_ns, &said.report);
    assert_int_equal(older_lines_parse(text_span(&t), REPORT_BYTES, &line), HERD_OK);
    assert_int_equal(line.difference_ns, -S - 1);
}

static void the_longest_lines_fit(void **state)
{
    char client[REPORT_BYTES];
    char buffer[OLDER_LINES_BYTES_MAX(REPORT_BYTES)];
    struct text t;
    (void)state;
    memset(client, 'c', sizeof client);
    struct proto_report report = {.client = {client, REPORT_BYTES - 7},
                                  .location = SPAN_LIT("+1+2"),
                                  .stamp = SPAN_LIT("123"),
                                  .stamp_ns = 123 * S};
    struct span server = SPAN_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    text_init(&t, buffer, sizeof buffer);
    older_lines_format_update(&t, server, INT64_MAX, &report);
    assert_false(t.cut);
    text_init(&t, buffer, sizeof buffer);
    proto_format_at(&t, server, INT64_MIN, &report);
    assert_false(t.cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_field_alone_tells_the_kind),
        cmocka_unit_test(at_lines_are_read_as_others_write_them),
        cmocka_unit_test(update_lines_are_read_and_their_label_is_not),
        cmocka_unit_test(what_is_no_line_of_theirs_is_refused),
        cmocka_unit_test(a_report_longer_than_the_herd_allows_is_refused),
        cmocka_unit_test(no_truncation_or_change_of_a_byte_crashes),
        cmocka_unit_test(differences_are_read_in_every_decimal_form),
        cmocka_unit_test(an_unreadable_difference_is_zero),
        cmocka_unit_test(a_difference_of_any_length_takes_linear_time),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(the_longest_lines_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

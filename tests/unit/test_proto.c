/* proto: bytes to commands and back. */
#include "unit.h"

#include "proto.h"

#define REPORT_BYTES 128

static struct proto_command command;

static enum proto_kind parse(struct span line)
{
    memset(&command, 0xA5, sizeof command);
    proto_parse(line, REPORT_BYTES, &command);
    return command.kind;
}

static enum proto_kind parse_str(const char *line)
{
    return parse(span_of(line));
}

static void blank_line_is_blank_whatever_its_white_space(void **state)
{
    (void)state;
    assert_int_equal(parse((struct span){NULL, 0}), PROTO_BLANK);
    assert_int_equal(parse_str(""), PROTO_BLANK);
    assert_int_equal(parse_str(" \t\r\n\f\v "), PROTO_BLANK);
    assert_int_equal(parse_str("\r"), PROTO_BLANK);
    assert_int_equal(parse_str("\b"), PROTO_INVALID);
    assert_int_equal(parse(SPAN_LIT(" \0")), PROTO_INVALID);
    assert_int_equal(parse_str("\xc2\xa0"), PROTO_INVALID); /* a no-break space is no white space */
}

static void iamat_gives_the_exact_bytes_of_each_field(void **state)
{
    (void)state;
    assert_int_equal(parse_str("IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503"),
                     PROTO_IAMAT);
    assert_span_equal(command.iamat.client, "kiwi.cs.ucla.edu");
    assert_span_equal(command.iamat.location, "+34.068930-118.445127");
    assert_span_equal(command.iamat.stamp, "1621464827.959498503");
    assert_true(command.iamat.stamp_ns == INT64_C(1621464827959498503));
}

static void iamat_takes_any_white_space_around_its_fields(void **state)
{
    (void)state;
    assert_int_equal(parse_str("\v\f IAMAT\t\tkiwi \r +34.-118.\f.5\r"), PROTO_IAMAT);
    assert_span_equal(command.iamat.client, "kiwi");
    assert_span_equal(command.iamat.location, "+34.-118.");
    assert_span_equal(command.iamat.stamp, ".5");
    assert_int_equal(command.iamat.stamp_ns, 500000000);
}

static void iamat_takes_any_client_without_white_space_and_controls(void **state)
{
    (void)state;
    static const char *const good[] = {"a",           "IAMAT",        "?",      "+1", "\"\\",
                                       "K\xc3\xa4se", "\x80\xff\xfe", "a=b;c%n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char line[100];
        struct text t;
        text_init(&t, line, sizeof line);
        text_str(&t, "IAMAT ");
        text_str(&t, good[i]);
        text_str(&t, " +34-118 1");
        assert_int_equal(parse(text_span(&t)), PROTO_IAMAT);
        assert_span_equal(command.iamat.client, good[i]);
    }
}

static void client_with_a_control_byte_is_invalid(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char iamat[] = "IAMAT a?b +34-118 1";
        char whatsat[] = "WHATSAT a?b 10 5";
        bool control = byte < 0x20 || byte == 0x7F;
        bool white = byte == ' ' || (byte >= '\t' && byte <= '\r');
        iamat[7] = (char)byte;
        whatsat[9] = (char)byte;
        bool good = !control && !white;
        assert_int_equal(parse((struct span){iamat, sizeof iamat - 1}),
                         good ? PROTO_IAMAT : PROTO_INVALID);
        assert_int_equal(parse((struct span){whatsat, sizeof whatsat - 1}),
                         good ? PROTO_WHATSAT : PROTO_INVALID);
    }
}

static void white_space_is_exactly_six_bytes(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool white = byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\f' ||
                     byte == '\v';
        assert_int_equal(proto_is_space((char)byte), white);
    }
}

static void line_that_is_no_command_is_invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "IAMAT",
        "IAMAT kiwi",
        "IAMAT kiwi +34-118",
        "iamat kiwi +34-118 1",
        "Iamat kiwi +34-118 1",
        "IAMATkiwi +34-118 1",
        "IAMAT kiwi +34-118 1 extra",
        "IAMAT kiwi +34 -118 1",
        "IAMAT kiwi 34-118 1",
        "IAMAT kiwi +34-118/ 1",
        "IAMAT kiwi +90.00000001-118 1",
        "IAMAT kiwi +34-180.1 1",
        "IAMAT kiwi +34-118 -1",
        "IAMAT kiwi +34-118 +1",
        "IAMAT kiwi +34-118 1e9",
        "IAMAT kiwi +34-118 .",
        "IAMAT kiwi +34-118 9223372036.854775808",
        "IAMAT kiwi 1 +34-118",
        "IAMATS kiwi +34-118 1",
        "IAMA kiwi +34-118 1",
        "\xef\xbb\xbfIAMAT kiwi +34-118 1",
        "AT Clark +0.263873386 kiwi +34-118 1",
        "WHATSAT",
        "WHATSAT kiwi",
        "WHATSAT kiwi 10",
        "WHATSAT kiwi 10 5 1",
        "whatsat kiwi 10 5",
        "WHATSAT 10 5 kiwi",
        "WHATISAT kiwi 10 5",
        "HELP",
        "?",
        "? IAMAT kiwi +34-118 1",
        "a b c d",
        "a b c d e f g h i j k l m n o p",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse_str(bad[i]), PROTO_INVALID);
    }
}

static void iamat_is_refused_when_it_exceeds_report_bytes(void **state)
{
    (void)state;
    const char *line = "IAMAT kiwi +34-118 1621464827.5"; /* 4 + 7 + 12 = 23 */

    proto_parse(span_of(line), 23, &command);
    assert_int_equal(command.kind, PROTO_IAMAT);
    proto_parse(span_of(line), 22, &command);
    assert_int_equal(command.kind, PROTO_INVALID);
    proto_parse(SPAN_LIT("IAMAT   kiwi    +34-118    1621464827.5   "), 23, &command);
    assert_int_equal(command.kind, PROTO_IAMAT);
}

static void whatsat_takes_radius_and_bound_in_range(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint32_t radius_mm;
        uint32_t bound;
    } good[] = {
        {"WHATSAT kiwi 10 5", 10000000, 5},
        {"WHATSAT kiwi 0 0", 0, 0},
        {"WHATSAT kiwi 50 20", 50000000, 20},
        {"WHATSAT kiwi 50. 020", 50000000, 20},
        {"WHATSAT kiwi 0050 0", 50000000, 0},
        {"WHATSAT kiwi .5 1", 500000, 1},
        {"WHATSAT kiwi 0.000001 1", 1, 1},
        {"WHATSAT kiwi 0.0000019 1", 1, 1},
        {"WHATSAT kiwi 49.9999999 1", 49999999, 1},
        {"WHATSAT kiwi 50.000000000000 1", 50000000, 1},
        {" WHATSAT\tkiwi  1.5\v0000000000000000000000000007\r", 1500000, 7},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(parse_str(good[i].line), PROTO_WHATSAT);
        assert_span_equal(command.whatsat.client, "kiwi");
        assert_int_equal(command.whatsat.radius_mm, good[i].radius_mm);
        assert_int_equal(command.whatsat.bound, good[i].bound);
    }
}

static void whatsat_is_refused_when_radius_is_none_or_exceeds_50(void **state)
{
    (void)state;
    static const char *const bad[] = {"50.0000001",
                                      "50.1",
                                      "51",
                                      "050.000000000000001",
                                      "-1",
                                      "+1",
                                      "-0",
                                      ".",
                                      "1e1",
                                      "ten",
                                      "5,0",
                                      "1.2.3",
                                      "0x10",
                                      "inf",
                                      "1km",
                                      "99999999999999999999999",
                                      "18446744073709.551617"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[100];
        struct text t;
        text_init(&t, line, sizeof line);
        text_str(&t, "WHATSAT kiwi ");
        text_str(&t, bad[i]);
        text_str(&t, " 5");
        assert_int_equal(parse(text_span(&t)), PROTO_INVALID);
    }
}

static void whatsat_is_refused_when_bound_is_no_digits_or_exceeds_20(void **state)
{
    (void)state;
    static const char *const bad[] = {"21",
                                      "021",
                                      "5.",
                                      "5.0",
                                      ".5",
                                      "-1",
                                      "+1",
                                      "-0",
                                      "1e1",
                                      "0x5",
                                      "five",
                                      "99999999999999999999999",
                                      "18446744073709551617"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[100];
        struct text t;
        text_init(&t, line, sizeof line);
        text_str(&t, "WHATSAT kiwi 10 ");
        text_str(&t, bad[i]);
        assert_int_equal(parse(text_span(&t)), PROTO_INVALID);
    }
}

/* --- AT lines ------------------------------------------------------------------------------- */

static const char at_line[] =
    "AT Clark +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";

static int parse_at(struct span line, size_t report_bytes, struct span *server, int64_t *difference,
                    struct proto_report *report)
{
    *server = SPAN_LIT("untouched");
    *difference = 77;
    memset(report, 0xA5, sizeof *report);
    return proto_parse_at(line, report_bytes, server, difference, report);
}

static void at_line_is_read_and_written_back_byte_for_byte(void **state)
{
    (void)state;
    struct span server;
    int64_t difference;
    struct proto_report report;
    char buffer[PROTO_AT_BYTES_MAX(REPORT_BYTES)];
    struct text t;

    assert_int_equal(parse_at(span_of(at_line), REPORT_BYTES, &server, &difference, &report),
                     HERD_OK);
    assert_span_equal(server, "Clark");
    assert_int_equal(difference, 263873386);
    assert_span_equal(report.client, "kiwi.cs.ucla.edu");
    assert_span_equal(report.location, "+34.068930-118.445127");
    assert_span_equal(report.stamp, "1621464827.959498503");
    assert_true(report.stamp_ns == INT64_C(1621464827959498503));
    text_init(&t, buffer, sizeof buffer);
    proto_format_at(&t, server, difference, &report);
    assert_span_equal(text_span(&t), at_line);
}

static void longest_at_line_is_as_long_as_its_bound(void **state)
{
    (void)state;
    char client[REPORT_BYTES];
    char buffer[PROTO_AT_BYTES_MAX(REPORT_BYTES) + 1];
    struct text t;

    memset(client, 'c', sizeof client);
    struct proto_report report = {.client = {client, REPORT_BYTES - 5},
                                  .location = SPAN_LIT("+1-1"),
                                  .stamp = SPAN_LIT("1"),
                                  .stamp_ns = 1000000000};
    text_init(&t, buffer, sizeof buffer);
    proto_format_at(&t, SPAN_LIT("12345678901234567890123456789012"), INT64_MIN, &report);
    assert_false(t.cut);
    assert_int_equal(t.bytes, PROTO_AT_BYTES_MAX(REPORT_BYTES));

    struct span server;
    int64_t difference;
    assert_int_equal(parse_at(text_span(&t), REPORT_BYTES, &server, &difference, &report), HERD_OK);
    assert_true(difference == INT64_MIN);
}

static void at_line_is_refused_when_anything_is_off(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "AT",
        "AT Clark",
        "AT Clark +0.263873386 kiwi +34-118",
        "AT Clark +0.263873386 kiwi +34-118 ",
        "AT Clark +0.263873386 kiwi +34-118 1 ",
        "AT Clark +0.263873386 kiwi +34-118 1 1",
        " AT Clark +0.263873386 kiwi +34-118 1",
        "AT  Clark +0.263873386 kiwi +34-118 1",
        "AT Clark +0.263873386  kiwi +34-118 1",
        "AT Clark +0.263873386 kiwi\t+34-118 1",
        "AT\tClark +0.263873386 kiwi +34-118 1",
        "AT Clark +0.263873386 ki\twi +34-118 1",
        "AT Clark +0.263873386 kiwi +34-118 1\r",
        "AT Clark +0.263873386 kiwi +34-118 1\n",
        "at Clark +0.263873386 kiwi +34-118 1",
        "IAMAT Clark +0.263873386 kiwi +34-118 1",
        "AT Cl@rk +0.263873386 kiwi +34-118 1",
        "AT 123456789012345678901234567890123 +0.263873386 kiwi +34-118 1",
        "AT Clark 0.263873386 kiwi +34-118 1",
        "AT Clark +0.26387338 kiwi +34-118 1",
        "AT Clark +0.2638733860 kiwi +34-118 1",
        "AT Clark +.263873386 kiwi +34-118 1",
        "AT Clark +9999999999.000000000 kiwi +34-118 1",
        "AT Clark +0.263873386 kiwi 34-118 1",
        "AT Clark +0.263873386 kiwi +91-118 1",
        "AT Clark +0.263873386 kiwi +34-118 -1",
        "AT Clark +0.263873386 kiwi +34-118 1e1",
        "AT Clark +0.263873386 kiwi +34-118 9223372037",
        "AT Clark +0.263873386 ki\x7fwi +34-118 1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct span server;
        int64_t difference;
        struct proto_report report;
        assert_int_equal(parse_at(span_of(bad[i]), REPORT_BYTES, &server, &difference, &report),
                         HERD_E_SYNTAX);
        assert_span_equal(server, "untouched");
        assert_int_equal(difference, 77);
    }
}

static void at_line_is_out_of_range_when_it_exceeds_report_bytes(void **state)
{
    (void)state;
    struct span server;
    int64_t difference;
    struct proto_report report;
    size_t bytes = 16 + 21 + 20;

    assert_int_equal(parse_at(span_of(at_line), bytes, &server, &difference, &report), HERD_OK);
    assert_int_equal(parse_at(span_of(at_line), bytes - 1, &server, &difference, &report),
                     HERD_E_RANGE);
    assert_int_equal(difference, 77);
}

static void at_line_cut_anywhere_never_reads_as_another_server_or_client(void **state)
{
    (void)state;
    size_t stamp = sizeof at_line - 1 - 20; /* where the stamp begins */

    for (size_t bytes = 0; bytes < sizeof at_line - 1; bytes++) {
        struct span server;
        int64_t difference;
        struct proto_report report;
        int err =
            parse_at((struct span){at_line, bytes}, REPORT_BYTES, &server, &difference, &report);
        /* Only a shorter stamp is a line as well: frames carry the length. */
        assert_int_equal(err, bytes > stamp ? HERD_OK : HERD_E_SYNTAX);
    }
}

static void server_names_are_letters_digits_dot_underscore_hyphen(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char name[2] = {'a', (char)byte};
        bool good = byte < 128 && byte != 0 &&
                    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
                           byte) != NULL;
        assert_int_equal(proto_is_server_name((struct span){name, 2}), good);
    }
    assert_true(proto_is_server_name(SPAN_LIT("12345678901234567890123456789012")));
    assert_false(proto_is_server_name(SPAN_LIT("123456789012345678901234567890123")));
    assert_false(proto_is_server_name(SPAN_LIT("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_line_is_blank_whatever_its_white_space),
        cmocka_unit_test(iamat_gives_the_exact_bytes_of_each_field),
        cmocka_unit_test(iamat_takes_any_white_space_around_its_fields),
        cmocka_unit_test(iamat_takes_any_client_without_white_space_and_controls),
        cmocka_unit_test(client_with_a_control_byte_is_invalid),
        cmocka_unit_test(white_space_is_exactly_six_bytes),
        cmocka_unit_test(line_that_is_no_command_is_invalid),
        cmocka_unit_test(iamat_is_refused_when_it_exceeds_report_bytes),
        cmocka_unit_test(whatsat_takes_radius_and_bound_in_range),
        cmocka_unit_test(whatsat_is_refused_when_radius_is_none_or_exceeds_50),
        cmocka_unit_test(whatsat_is_refused_when_bound_is_no_digits_or_exceeds_20),
        cmocka_unit_test(at_line_is_read_and_written_back_byte_for_byte),
        cmocka_unit_test(longest_at_line_is_as_long_as_its_bound),
        cmocka_unit_test(at_line_is_refused_when_anything_is_off),
        cmocka_unit_test(at_line_is_out_of_range_when_it_exceeds_report_bytes),
        cmocka_unit_test(at_line_cut_anywhere_never_reads_as_another_server_or_client),
        cmocka_unit_test(server_names_are_letters_digits_dot_underscore_hyphen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

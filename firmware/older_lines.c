/* Lines between servers of the older kind; older_lines.h has the contracts. */
#include "older_lines.h"

#include "when.h"

#define FIELDS       6    /* of either line, the word included */
#define NS_DECIMALS  9    /* of a second */
#define EXPONENT_MAX 4096 /* beyond this every number is 0 or does not fit */

enum older_lines_kind older_lines_kind(struct span line)
{
    struct span word = proto_take_field(&line);

    return span_equal(word, SPAN_LIT("AT"))       ? OLDER_LINES_AT
           : span_equal(word, SPAN_LIT("UPDATE")) ? OLDER_LINES_UPDATE
                                                  : OLDER_LINES_NONE;
}

int older_lines_parse(struct span line, size_t report_bytes, struct older_lines_line *out)
{
    enum older_lines_kind kind = older_lines_kind(line);
    struct span fields[FIELDS];
    struct older_lines_line found = {.difference_ns = 0};

    for (unsigned i = 0; i < FIELDS; i++) {
        fields[i] = proto_take_field(&line);
    }
    if (kind == OLDER_LINES_NONE || fields[FIELDS - 1].bytes == 0) {
        return HERD_E_SYNTAX;
    }
    found.server = kind == OLDER_LINES_AT ? fields[1] : fields[5];
    if (!proto_is_server_name(found.server)) {
        return HERD_E_SYNTAX;
    }
    int err = proto_parse_report(kind == OLDER_LINES_AT ? &fields[3] : &fields[1], report_bytes,
                                 &found.report);
    if (err != HERD_OK) {
        return err;
    }
    if (kind == OLDER_LINES_AT) {
        found.difference_ns = older_lines_difference(fields[2]);
    }
    *out = found;
    return HERD_OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes a sign off *rest. */
static bool take_minus(struct span *rest)
{
    bool minus = rest->bytes > 0 && rest->at[0] == '-';

    if (minus || (rest->bytes > 0 && rest->at[0] == '+')) {
        rest->at++;
        rest->bytes--;
    }
    return minus;
}

/* `digits`, `digits.`, `digits.digits` or `.digits` at the front of *rest, which is then behind them;
 * empty when there is none. *whole counts the digits before the point. */
static struct span take_decimal(struct span *rest, size_t *whole)
{
    struct span number = {rest->at, 0};
    size_t digits = 0;
    bool point = false;

    *whole = 0;
    while (number.bytes < rest->bytes) {
        char c = rest->at[number.bytes];
        if (is_digit(c)) {
            digits++;
            *whole += point ? 0 : 1;
        } else if (c == '.' && !point) {
            point = true;
        } else {
            break;
        }
        number.bytes++;
    }
    if (digits == 0) {
        number.bytes = 0;
    }
    rest->at += number.bytes;
    rest->bytes -= number.bytes;
    return number;
}

/* `e` or `E`, sign, digits: all of s, or nothing at all. *exponent is held at ±EXPONENT_MAX. */
static bool parse_exponent(struct span s, int32_t *exponent)
{
    *exponent = 0;
    if (s.bytes == 0) {
        return true;
    }
    struct span digits = {s.at + 1, s.bytes - 1};
    bool minus = take_minus(&digits);
    if ((s.at[0] != 'e' && s.at[0] != 'E') || digits.bytes == 0) {
        return false;
    }
    int32_t value = 0;
    for (size_t i = 0; i < digits.bytes; i++) {
        if (!is_digit(digits.at[i])) {
            return false;
        }
        value = value * 10 + (digits.at[i] - '0');
        value = value > EXPONENT_MAX ? EXPONENT_MAX : value;
    }
    *exponent = minus ? -value : value;
    return true;
}

/* *value = *value * 10 + unit; false when that does not fit into an int64_t. */
static bool append(int64_t *value, int unit)
{
    if (*value > (INT64_MAX - unit) / 10) {
        return false;
    }
    *value = *value * 10 + unit;
    return true;
}

int64_t older_lines_difference(struct span s)
{
    bool minus = take_minus(&s);
    size_t whole = 0;
    struct span number = take_decimal(&s, &whole);
    int32_t exponent = 0;
    int64_t ns = 0;

    if (number.bytes == 0 || !parse_exponent(s, &exponent)) {
        return 0;
    }
    /* How many digits count, from the first one on: those worth a nanosecond or more. */
    int64_t places = (int64_t)whole + exponent + NS_DECIMALS;
    for (size_t i = 0; i < number.bytes && places > 0; i++) {
        if (number.at[i] != '.') {
            if (!append(&ns, number.at[i] - '0')) {
                return 0;
            }
            places--;
        }
    }
    for (; places > 0 && ns > 0; places--) { /* at most 19 rounds: then it does not fit */
        if (!append(&ns, 0)) {
            return 0;
        }
    }
    return minus ? -ns : ns;
}

void older_lines_format_update(struct text *t, struct span server, int64_t key_ns,
                               const struct proto_report *report)
{
    text_str(t, "UPDATE ");
    text_put(t, report->client);
    text_char(t, ' ');
    text_put(t, report->location);
    text_char(t, ' ');
    text_put(t, report->stamp);
    text_char(t, ' ');
    text_i64(t, key_ns / WHEN_NS_PER_MS);
    text_char(t, ' ');
    text_put(t, server);
}

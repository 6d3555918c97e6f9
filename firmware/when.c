/* Times as integers; when.h has the contracts. */
#include "when.h"

#define NS_PER_S_U      UINT64_C(1000000000)
#define SECONDS_PER_DAY 86400u
/* From 1 March of the year 0 (proleptic Gregorian) to 1 January 1970. */
#define DAYS_TO_1970  719468u
#define DAYS_PER_400Y 146097u
#define DAYS_PER_100Y 36524u
#define DAYS_PER_4Y   1461u
#define DAYS_PER_YEAR 365u

int when_parse(struct span s, int64_t *ns)
{
    uint64_t value;
    bool beyond; /* finer than we order by: not an error */
    int err = text_parse_fixed(s, 9, INT64_MAX, &value, &beyond);

    if (err != HERD_OK) {
        return err;
    }
    *ns = (int64_t)value;
    return HERD_OK;
}

int64_t when_difference(int64_t server_ns, int64_t client_ns)
{
    if (client_ns < 0 && server_ns > INT64_MAX + client_ns) {
        return INT64_MAX;
    }
    if (client_ns > 0 && server_ns < INT64_MIN + client_ns) {
        return INT64_MIN;
    }
    return server_ns - client_ns;
}

void when_format_difference(struct text *t, int64_t ns)
{
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    text_char(t, ns < 0 ? '-' : '+');
    text_u64(t, magnitude / NS_PER_S_U);
    text_char(t, '.');
    text_pad(t, magnitude % NS_PER_S_U, 9);
}

int when_parse_difference(struct span s, int64_t *ns)
{
    /* sign, a digit, point, nine digits; up to nine digits more */
    if (s.bytes < 12 || s.bytes > WHEN_DIFFERENCE_BYTES_MAX || (s.at[0] != '+' && s.at[0] != '-') ||
        s.at[s.bytes - 10] != '.') {
        return HERD_E_SYNTAX;
    }
    bool negative = s.at[0] == '-';
    uint64_t max = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    struct span number = {s.at + 1, s.bytes - 1};
    uint64_t magnitude;
    bool beyond;
    int err = text_parse_fixed(number, 9, max, &magnitude, &beyond);

    if (err != HERD_OK) {
        return err;
    }
    if (!negative) {
        *ns = (int64_t)magnitude;
    } else {
        /* INT64_MIN has no positive counterpart. */
        *ns = magnitude > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)magnitude;
    }
    return HERD_OK;
}

/* Appends YYYY-MM-DD. Counting from 1 March puts the leap day at the end of a year and of every
 * longer cycle; the last century of 400 years and the last year of four are a day longer, hence the
 * caps. */
static void format_date(struct text *t, uint32_t days_since_1970)
{
    static const uint8_t month_days[12] = {31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29};
    uint32_t days = days_since_1970 + DAYS_TO_1970;
    uint32_t year = days / DAYS_PER_400Y * 400;

    days %= DAYS_PER_400Y;
    uint32_t centuries = days / DAYS_PER_100Y < 3 ? days / DAYS_PER_100Y : 3;
    days -= centuries * DAYS_PER_100Y;
    year += centuries * 100 + days / DAYS_PER_4Y * 4;
    days %= DAYS_PER_4Y;
    uint32_t years = days / DAYS_PER_YEAR < 3 ? days / DAYS_PER_YEAR : 3;
    days -= years * DAYS_PER_YEAR;
    year += years;

    uint32_t month = 0; /* 0: March */
    while (days >= month_days[month]) {
        days -= month_days[month];
        month++;
    }
    if (month >= 10) { /* January and February belong to the next civil year */
        year++;
    }
    text_pad(t, year, 4);
    text_char(t, '-');
    text_pad(t, (month + 2) % 12 + 1, 2);
    text_char(t, '-');
    text_pad(t, days + 1, 2);
}

void when_format_utc(struct text *t, int64_t ns)
{
    uint64_t ms = ns < 0 ? 0 : (uint64_t)ns / (uint64_t)WHEN_NS_PER_MS;
    uint64_t seconds = ms / 1000;
    uint32_t of_day = (uint32_t)(seconds % SECONDS_PER_DAY);

    format_date(t, (uint32_t)(seconds / SECONDS_PER_DAY));
    text_char(t, 'T');
    text_pad(t, of_day / 3600, 2);
    text_char(t, ':');
    text_pad(t, of_day / 60 % 60, 2);
    text_char(t, ':');
    text_pad(t, of_day % 60, 2);
    text_char(t, '.');
    text_pad(t, ms % 1000, 3);
    text_char(t, 'Z');
}

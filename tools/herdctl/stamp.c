#include "stamp.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NANOS_PER_SECOND 1000000000LL

/* Reads exactly `count` digits at *at and moves past them. */
static bool read_digits(const char **at, int count, int *number)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        char digit = (*at)[i];
        if (digit < '0' || digit > '9') {
            return false;
        }
        value = value * 10 + (digit - '0');
    }
    *at += count;
    *number = value;
    return true;
}

static bool skip(const char **at, char expected)
{
    if (**at != expected) {
        return false;
    }
    (*at)++;
    return true;
}

/* Days from 1970-01-01 in the Gregorian calendar; years from 1970 on. */
static int64_t days_since_1970(int year, int month, int day)
{
    static const int days_before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t before = year - 1; /* whole years, for counting leap days */
    int64_t leap_days =
        (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return (int64_t)(year - 1970) * 365 + leap_days + days_before[month - 1] +
           (leap && month > 2 ? 1 : 0) + day - 1;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool read_date(const char **at, int64_t *seconds)
{
    int year;
    int month;
    int day;

    if (!read_digits(at, 4, &year) || !skip(at, '-') || !read_digits(at, 2, &month) ||
        !skip(at, '-') || !read_digits(at, 2, &day)) {
        return false;
    }
    if (year < 1969 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *seconds = days_since_1970(year, month, day) * 86400;
    return true;
}

static bool read_clock(const char **at, int64_t *seconds)
{
    int hour;
    int minute;
    int second;

    if (!read_digits(at, 2, &hour) || !skip(at, ':') || !read_digits(at, 2, &minute) ||
        !skip(at, ':') || !read_digits(at, 2, &second)) {
        return false;
    }
    /* 60 is a leap second: POSIX time has none, it becomes the first second of the next minute.
     * 24:00:00 is the end of the day. */
    if (minute > 59 || second > 60 || hour > 24 || (hour == 24 && (minute > 0 || second > 0))) {
        return false;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* Z, nothing, or an offset: the seconds by which local time is ahead of UTC. */
static bool read_zone(const char **at, int64_t *ahead_seconds)
{
    int hours;
    int minutes = 0;

    *ahead_seconds = 0;
    if (**at != '+' && **at != '-') {
        (void)skip(at, 'Z');
        return true;
    }
    int sign = *(*at)++ == '-' ? -1 : 1;
    if (!read_digits(at, 2, &hours)) {
        return false;
    }
    if (**at == ':' || (**at >= '0' && **at <= '9')) {
        (void)skip(at, ':');
        if (!read_digits(at, 2, &minutes)) {
            return false;
        }
    }
    *ahead_seconds = sign * (hours * 3600 + minutes * 60);
    return hours <= 23 && minutes <= 59;
}

static int64_t fraction_nanos(const char *decimals, size_t count)
{
    int64_t nanos = 0;

    for (size_t i = 0; i < 9; i++) {
        nanos = nanos * 10 + (i < count ? decimals[i] - '0' : 0);
    }
    return nanos;
}

bool stamp_read(const char *text, struct stamp *stamp)
{
    static const char blanks[] = " \t\r\n";
    const char *at = text + strspn(text, blanks);
    const char *decimals = NULL;
    size_t decimal_count = 0;
    int64_t date_seconds;
    int64_t clock_seconds;
    int64_t ahead_seconds;

    if (!read_date(&at, &date_seconds) || !skip(&at, 'T') || !read_clock(&at, &clock_seconds)) {
        return false;
    }
    if (*at == '.' || *at == ',') {
        decimals = ++at;
        decimal_count = strspn(at, "0123456789");
        at += decimal_count;
        if (decimal_count == 0) {
            return false;
        }
    }
    if (!read_zone(&at, &ahead_seconds) || at[strspn(at, blanks)] != '\0') {
        return false;
    }
    int64_t seconds = date_seconds + clock_seconds - ahead_seconds;
    if (seconds < 0 || seconds >= INT64_MAX / NANOS_PER_SECOND) {
        return false;
    }
    stamp->nanos = seconds * NANOS_PER_SECOND + fraction_nanos(decimals, decimal_count);
    int bytes = snprintf(stamp->text, sizeof stamp->text, "%lld%s%.*s", (long long)seconds,
                         decimal_count > 0 ? "." : "", (int)decimal_count,
                         decimals != NULL ? decimals : "");
    return bytes > 0 && (size_t)bytes < sizeof stamp->text;
}

void stamp_set(int64_t nanos, struct stamp *stamp)
{
    stamp->nanos = nanos;
    (void)snprintf(stamp->text, sizeof stamp->text, "%lld.%09lld",
                   (long long)(nanos / NANOS_PER_SECOND), (long long)(nanos % NANOS_PER_SECOND));
}

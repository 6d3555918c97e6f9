/* What mbedTLS asks of its platform: the time of day. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <mbedtls/platform.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/platform_util.h>

#include "cfg.h"
#include "err.h"
#include "hal_clock.h"
#include "wall.h"

#if CFG_UPSTREAM

/* Seconds since 1970. 0 while the time is not known (wall.h): then every certificate is "not yet valid", and
 * verification fails closed. */
int64_t mbedtls_port_time(int64_t *out)
{
    int64_t ns;
    int64_t seconds = wall_now_ns(&ns) && ns > 0 ? ns / INT64_C(1000000000) : 0;

    if (out != NULL) {
        *out = seconds;
    }
    return seconds;
}

mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return (mbedtls_ms_time_t)hal_clock_ms();
}

/* Days since 1970 to a date of the Gregorian calendar, by eras of 400 years that start in March, so
 * that the leap day is the last of its year. Only what x509 compares is filled in. */
struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *tt, struct tm *tm_buf)
{
    int64_t seconds = *tt < 0 ? 0 : *tt;
    int64_t days = seconds / 86400 + 719468; /* since 0000-03-01 */
    int64_t era = days / 146097;
    int64_t day = days % 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
    int64_t rest = seconds % 86400;

    memset(tm_buf, 0, sizeof *tm_buf);
    tm_buf->tm_mday = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    tm_buf->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
    tm_buf->tm_year = (int)(year + era * 400 + (month < 10 ? 0 : 1) - 1900);
    tm_buf->tm_hour = (int)(rest / 3600);
    tm_buf->tm_min = (int)(rest / 60 % 60);
    tm_buf->tm_sec = (int)(rest % 60);
    return tm_buf;
}

#endif

/* Names and numbers of certificates as text: no code of ours asks for them. */
int mbedtls_port_snprintf(char *out, size_t bytes, const char *format, ...)
{
    (void)out;
    (void)bytes;
    hal_panic(__FILE__, __LINE__, format);
}

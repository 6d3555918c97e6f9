#include "text.h"

#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789";

bool text_is_number(const char *text)
{
    size_t whole = strspn(text, digits);
    size_t fraction = 0;

    text += whole;
    if (*text == '.') {
        text++;
        fraction = strspn(text, digits);
        text += fraction;
    }
    return *text == '\0' && whole + fraction > 0;
}

int text_compare(const char *a, const char *b)
{
    a += strspn(a, "0");
    b += strspn(b, "0");
    size_t a_whole = strspn(a, digits);
    size_t b_whole = strspn(b, digits);
    if (a_whole != b_whole) {
        return a_whole < b_whole ? -1 : 1;
    }
    int order = strncmp(a, b, a_whole);
    if (order != 0) {
        return order;
    }
    a += a_whole;
    b += b_whole;
    a += *a == '.' ? 1 : 0;
    b += *b == '.' ? 1 : 0;
    while (*a != '\0' || *b != '\0') {
        char a_digit = *a != '\0' ? *a++ : '0';
        char b_digit = *b != '\0' ? *b++ : '0';
        if (a_digit != b_digit) {
            return a_digit < b_digit ? -1 : 1;
        }
    }
    return 0;
}

bool text_is_id(const char *id)
{
    for (const unsigned char *at = (const unsigned char *)id; *at != '\0'; at++) {
        if (*at <= 0x20 || *at == 0x7F) {
            return false;
        }
    }
    return id[0] != '\0';
}

bool text_is_time(const char *time)
{
    /* INT64_MAX nanoseconds; decimals beyond the ninth are cut, so everything below the next
     * nanosecond still fits. */
    return text_is_number(time) && text_compare(time, "9223372036.854775808") < 0;
}

/* One coordinate: sets *sign and *number; false when it is none or its value is above `most`. */
static bool coordinate(const char *text, const char *most, char *sign, const char **number)
{
    *sign = '+';
    if (*text == '+' || *text == '-') {
        *sign = *text++;
    }
    *number = text;
    return text_is_number(text) && text_compare(text, most) <= 0;
}

bool text_location(const char *lat, const char *lon, char location[TEXT_LOCATION_BYTES])
{
    char lat_sign;
    char lon_sign;

    if (!coordinate(lat, "90", &lat_sign, &lat) || !coordinate(lon, "180", &lon_sign, &lon)) {
        return false;
    }
    int bytes = snprintf(location, TEXT_LOCATION_BYTES, "%c%s%c%s", lat_sign, lat, lon_sign, lon);
    return bytes > 0 && bytes < TEXT_LOCATION_BYTES;
}

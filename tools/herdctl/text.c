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

bool text_is_coordinate(const char *text, const char *most)
{
    char sign;

    return coordinate(text, most, &sign, &text);
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

/* RFC 3629, section 4: which second byte may follow which first one. The further ones are tails. */
static size_t utf8_lead(unsigned first, unsigned *second_low, unsigned *second_high)
{
    *second_low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *second_high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t text_utf8_bytes(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned low;
    unsigned high;
    size_t length = utf8_lead(at[0], &low, &high);

    if (length > bytes) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if (at[i] < low || at[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

bool text_is_control(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0];

    if (length == 1) {
        return first < 0x20 || first == 0x7F;
    }
    return length == 2 && first == 0xC2 && (unsigned char)text[1] < 0xA0;
}

void text_printable(const char *text, size_t bytes, char *shown, size_t room)
{
    size_t used = 0;
    size_t at = 0;

    while (at < bytes) {
        size_t length = text_utf8_bytes(text + at, bytes - at);
        bool plain = length > 0 && !text_is_control(text + at, length);
        if (used + sizeof "\\xNN..." > room) {
            memcpy(shown + used, "...", 3);
            used += 3;
            break;
        }
        if (plain) {
            memcpy(shown + used, text + at, length);
            used += length;
            at += length;
        } else {
            used += (size_t)snprintf(shown + used, room - used, "\\x%02X",
                                     (unsigned)(unsigned char)text[at]);
            at++;
        }
    }
    shown[used] = '\0';
}

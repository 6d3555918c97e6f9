#include "workload_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lines_put(struct lines_buffer *b, const void *data, size_t bytes)
{
    if (b->bytes + bytes > b->room) {
        b->room = 2 * (b->bytes + bytes) + 64;
        b->at = realloc(b->at, b->room);
        if (b->at == NULL) {
            abort();
        }
    }
    if (bytes > 0) {
        memcpy(b->at + b->bytes, data, bytes);
        b->bytes += bytes;
    }
}

void lines_text(struct lines_buffer *b, const char *text)
{
    lines_put(b, text, strlen(text));
}

static void put(struct lines_buffer *b, struct order_text text)
{
    lines_put(b, text.at, text.bytes);
}

void lines_name(char *out, size_t out_bytes, size_t i)
{
    switch (i % 8) {
    case 0:
        (void)snprintf(out, out_bytes, "k%zu", i);
        break;
    case 1:
        (void)snprintf(out, out_bytes, "\xd0\xba\xd0\xb8\xd1\x82-%zu", i);
        break;
    case 2:
        (void)snprintf(out, out_bytes, "<%zu>&\"'`\\{}", i);
        break;
    case 3:
        (void)snprintf(out, out_bytes, "%zu\x80\xff", i);
        break;
    case 4:
        (void)snprintf(out, out_bytes, "a-device-with-a-long-name-%zu.of.some.department.example",
                       i);
        break;
    default:
        (void)snprintf(out, out_bytes, "device-%zu.cs.ucla.edu", i);
        break;
    }
}

static char sign(struct random *r)
{
    return random_chance(r, 500000) ? '+' : '-';
}

void lines_location(char out[LINES_LOCATION_MAX], struct random *r)
{
    unsigned lat = (unsigned)random_below(r, 90);
    unsigned lng = (unsigned)random_below(r, 180);
    unsigned lat_part = (unsigned)random_below(r, 1000000);
    unsigned lng_part = (unsigned)random_below(r, 1000000);
    char a = sign(r);
    char b = sign(r);
    size_t n = LINES_LOCATION_MAX;
    switch (random_below(r, 10)) {
    case 0:
        (void)snprintf(out, n, "%c%u%c%u", a, lat, b, lng);
        break;
    case 1:
        (void)snprintf(out, n, "%c%u.%c%u.", a, lat, b, lng);
        break;
    case 2:
        (void)snprintf(out, n, "%c.%u%c.%u", a, lat_part, b, lng_part);
        break;
    case 3:
        (void)snprintf(out, n, "%c90.0%c180.000", a, b);
        break;
    case 4:
        (void)snprintf(out, n, "%c%03u.%06u0000%c%05u.%06u99", a, lat, lat_part, b, lng, lng_part);
        break;
    default:
        (void)snprintf(out, n, "%c%u.%06u%c%u.%06u", a, lat, lat_part, b, lng, lng_part);
        break;
    }
}

void lines_stamp(char out[LINES_STAMP_MAX], int64_t ns, bool exact, struct random *r)
{
    int64_t s = ns / ORDER_NS_PER_S;
    unsigned decimals = (unsigned)random_below(r, 13);
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%09" PRId64 "%03u", ns % ORDER_NS_PER_S,
                   exact ? 0u : (unsigned)random_below(r, 1000));
    if (exact) {
        unsigned least = 9;
        while (least > 0 && digits[least - 1] == '0') {
            least--;
        }
        decimals = decimals < least ? least : decimals;
    }
    const char *zeros = random_chance(r, 100000) ? "00" : "";
    if (decimals == 0) {
        (void)snprintf(out, LINES_STAMP_MAX, "%s%" PRId64 "%s", zeros, s,
                       random_chance(r, 300000) ? "." : "");
    } else if (s == 0 && random_chance(r, 500000)) {
        (void)snprintf(out, LINES_STAMP_MAX, ".%.*s", (int)decimals, digits);
    } else {
        (void)snprintf(out, LINES_STAMP_MAX, "%s%" PRId64 ".%.*s", zeros, s, (int)decimals, digits);
    }
}

/* --- Commands --------------------------------------------------------------------------------------- */

/* White space, at least one of it if `least` is 1, while the line has room for it and what must follow. */
static void space(struct lines_buffer *b, size_t least, size_t room, struct random *r)
{
    static const char any[] = {' ', '\t', '\r', '\f', '\v', ' '};
    size_t count = least;
    bool odd = random_chance(r, 60000);
    if (odd) {
        count += (size_t)random_below(r, 4);
    }
    count = count > room ? room : count;
    count = count < least ? least : count;
    for (size_t i = 0; i < count; i++) {
        lines_put(b, odd ? &any[random_below(r, sizeof any)] : " ", 1);
    }
}

static void command(struct lines_buffer *b, const struct order_text fields[4], size_t line_bytes,
                    struct random *r)
{
    size_t least = 3;
    for (unsigned i = 0; i < 4; i++) {
        least += fields[i].bytes;
    }
    size_t spare = line_bytes > least ? line_bytes - least : 0;
    size_t begin = b->bytes;
    space(b, 0, spare < 4 ? spare : 4, r);
    for (unsigned i = 0; i < 4; i++) {
        put(b, fields[i]);
        if (i < 3) {
            space(b, 1, spare < 20 ? 1 : 5, r);
        }
    }
    size_t used = b->bytes - begin;
    if (used < line_bytes && random_chance(r, 30000)) { /* to the last byte that a line may have */
        while (b->bytes - begin < line_bytes) {
            lines_put(b, " ", 1);
        }
    }
}

void lines_iamat(struct lines_buffer *b, struct order_text device, const char *location,
                 const char *stamp, size_t line_bytes, struct random *r)
{
    const struct order_text fields[4] = {order_text_of("IAMAT"), device, order_text_of(location),
                                         order_text_of(stamp)};
    command(b, fields, line_bytes, r);
}

void lines_whatsat(struct lines_buffer *b, struct order_text device, bool places, size_t line_bytes,
                   struct random *r)
{
    static const char *const nothing[][2] = {{"0", "0"},    {"0", "20"},     {"50", "0"},
                                             {".0", "5"},   {"00.", "1"},    {"10", "0"},
                                             {"12.5", "0"}, {"0.000", "020"}};
    static const char *const something[][2] = {
        {"10", "5"}, {"50", "20"}, {".5", "1"}, {"50.0", "03"}};
    const char *const *numbers =
        places ? something[random_below(r, 4)] : nothing[random_below(r, 8)];
    const struct order_text fields[4] = {order_text_of("WHATSAT"), device,
                                         order_text_of(numbers[0]), order_text_of(numbers[1])};
    command(b, fields, line_bytes, r);
}

/* --- What is none ----------------------------------------------------------------------------------- */

#define DEVICE 1 /* in a pattern: the device's name */
#define STAMP  2 /* a good stamp */

static const char *const patterns[] = {
    "IAMAT",
    "IAMAT \1",
    "IAMAT \1 +34.068930-118.445127",
    "IAMAT \1 +34.068930-118.445127 \2 more",
    "IAMAT \1 34.068930-118.445127 \2",
    "IAMAT \1 +34.068930118.445127 \2",
    "IAMAT \1 +34.068930-118.445127 -1",
    "IAMAT \1 +34.068930-118.445127 +1",
    "IAMAT \1 +34.068930-118.445127 1e9",
    "IAMAT \1 +34.068930-118.445127 0x10",
    "IAMAT \1 +34.068930-118.445127 9223372036.854775808",
    "IAMAT \1 +34.068930-118.445127 99999999999999999999",
    "IAMAT \1 +34.068930-118.445127 .",
    "IAMAT \1 +34.068930-118.445127 1.2.3",
    "IAMAT \1 +34.068930-118.445127 nan",
    "IAMAT \1 +90.0000001-118 \2",
    "IAMAT \1 +91-118 \2",
    "IAMAT \1 +34-180.000000000001 \2",
    "IAMAT \1 +-118 \2",
    "IAMAT \1 +.-. \2",
    "IAMAT \1 +34-118/ \2",
    "IAMAT \1 +34-118+100 \2",
    "iamat \1 +34-118 \2",
    "IAMATX \1 +34-118 \2",
    "WHATSAT",
    "WHATSAT \1 10",
    "WHATSAT \1 10 5 5",
    "WHATSAT \1 51 5",
    "WHATSAT \1 50.0000001 5",
    "WHATSAT \1 10 21",
    "WHATSAT \1 10 5.0",
    "WHATSAT \1 -1 5",
    "WHATSAT \1 10 -1",
    "WHATSAT nobody-has-this-name 0 0",
    "whatsat \1 0 0",
    "AT Clark +0.263873386 \1 +34.068930-118.445127 1893456100",
    "AT Bona +1.000000000 forged-by-a-client +1+1 1893456100",
    "UPDATE \1 +34.068930-118.445127 1893456100 1893456100000 Clark",
    "? \1",
    "AT",
    "\x16\x03\x01 hello",
    "GET / HTTP/1.0\r",
    "%s%n%x",
};

static void pattern(struct lines_buffer *b, const char *text, struct order_text device,
                    const char *stamp)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == DEVICE) {
            put(b, device);
        } else if (*c == STAMP) {
            lines_text(b, stamp);
        } else {
            lines_put(b, c, 1);
        }
    }
}

/* Any bytes but a newline; the first makes it no command. */
static void noise(struct lines_buffer *b, struct random *r)
{
    size_t bytes = (size_t)random_below(r, 60);
    lines_put(b, "!", 1);
    for (size_t i = 0; i < bytes; i++) {
        char c = (char)(unsigned char)random_below(r, 256);
        lines_put(b, c == '\n' ? "\0" : &c, 1);
    }
}

/* A report that is one byte longer than reports may be. */
static void too_long(struct lines_buffer *b, const char *stamp, size_t report_bytes)
{
    size_t name_bytes = report_bytes + 1 - strlen("+34-118") - strlen(stamp);
    lines_text(b, "IAMAT ");
    for (size_t i = 0; i < name_bytes; i++) {
        lines_put(b, "z", 1);
    }
    lines_text(b, " +34-118 ");
    lines_text(b, stamp);
}

void lines_invalid(struct lines_buffer *b, struct order_text device, const char *stamp,
                   size_t report_bytes, struct random *r)
{
    size_t count = sizeof patterns / sizeof patterns[0];
    size_t choice = (size_t)random_below(r, count + 4);
    if (choice < count) {
        pattern(b, patterns[choice], device, stamp);
    } else if (choice < count + 2) {
        noise(b, r);
    } else if (choice == count + 2) {
        too_long(b, stamp, report_bytes);
    } else {
        lines_text(b, "IAMAT with\x01");
        lines_text(b, "control +34-118 ");
        lines_text(b, stamp);
    }
}

void lines_long(struct lines_buffer *b, struct order_text device, const char *stamp,
                size_t line_bytes, struct random *r)
{
    size_t begin = b->bytes;
    size_t bytes = line_bytes + 1;
    bool valid = random_chance(r, 400000);
    if (valid) { /* but for one space too many */
        pattern(b, "IAMAT \1 +34-118 \2", device, stamp);
    } else {
        bytes += (size_t)random_below(r, 8 * line_bytes);
    }
    while (b->bytes - begin < bytes) {
        char c = (char)('!' + random_below(r, 94));
        lines_put(b, valid ? " " : &c, 1);
    }
}

void lines_blank(struct lines_buffer *b, struct random *r)
{
    static const char *const blanks[] = {"", "", " ", "\r", " \t \r", "\v\f", "          "};
    lines_text(b, blanks[random_below(r, 7)]);
}

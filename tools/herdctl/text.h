/* The fields of a command as text: checked and compared digit by digit, never through a double. */
#ifndef HERDCTL_TEXT_H
#define HERDCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_LOCATION_BYTES 128 /* room for a location; longer ones are refused here */

/* True when `text` is a number of the protocol: digits, `digits.`, `digits.digits` or `.digits`. */
bool text_is_number(const char *text);

/* Compares two numbers (see text_is_number) by value: <0, 0 or >0. */
int text_compare(const char *a, const char *b);

/* True when `id` can be a client: one byte or more, no white space, no control byte. */
bool text_is_id(const char *id);

/* True when `time` is a number that 64-bit nanoseconds can hold. */
bool text_is_time(const char *time);

/* True when `text` is an optional sign and a number not above `most` ("90", "180"). */
bool text_is_coordinate(const char *text, const char *most);

/*
 * Joins coordinates in decimal degrees (optional sign, then a number) into ISO 6709: both signs
 * written, digits kept as they are. Returns false, with *location undefined, when one is no such
 * number, is beyond +-90 or +-180, or both do not fit.
 */
bool text_location(const char *lat, const char *lon, char location[TEXT_LOCATION_BYTES]);

/* Bytes (1 to 4) of the UTF-8 character at text[bytes], bytes > 0; 0 when there is none. */
size_t text_utf8_bytes(const char *text, size_t bytes);

/* True when the character text[length], which text_utf8_bytes() has measured, is a control
 * character (U+0000 to U+001F, U+007F to U+009F): one that can change what a terminal shows. */
bool text_is_control(const char *text, size_t length);

/*
 * Writes text[bytes] from the wire to shown[room], room >= 8, so that a terminal can show it:
 * control characters and what is no UTF-8 as \xNN, cut with `...` where it does not fit.
 */
void text_printable(const char *text, size_t bytes, char *shown, size_t room);

#endif

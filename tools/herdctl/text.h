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

/*
 * Joins coordinates in decimal degrees (optional sign, then a number) into ISO 6709: both signs
 * written, digits kept as they are. Returns false, with *location undefined, when one is no such
 * number, is beyond +-90 or +-180, or both do not fit.
 */
bool text_location(const char *lat, const char *lon, char location[TEXT_LOCATION_BYTES]);

#endif

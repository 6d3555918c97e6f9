/* Spans of bytes, bounded building of text, and numbers as text: the printf and strtod that firmware
 * does not have. Pure.
 *
 * A builder never writes past its buffer. What does not fit is dropped, `cut` is set, and nothing is
 * appended from then on: what was built is always a prefix of what was asked for, and an escape or a
 * number is in it whole or not at all. Nothing is NUL-terminated unless text_cstr says so. Cost:
 * linear in the bytes appended.
 */
#ifndef HERD_TEXT_H
#define HERD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Bytes owned by somebody else; valid as long as the owner says. */
struct span {
    const char *at;
    size_t bytes;
};

struct text {
    char *at;        /* caller's buffer */
    size_t bytes;    /* used */
    size_t capacity; /* of the buffer */
    bool cut;        /* something did not fit; nothing is appended any more */
};

#define SPAN_LIT(s) ((struct span){(s), sizeof(s) - 1})

struct span span_of(const char *cstr);          /* NUL-terminated string, not owned */
bool span_equal(struct span a, struct span b);  /* same bytes */
int span_compare(struct span a, struct span b); /* bytewise as unsigned, shorter first; <0, 0, >0 */

void text_init(struct text *t, char *buffer, size_t capacity);
struct span text_span(const struct text *t); /* what was built; lives in the buffer */
const char *text_cstr(struct text *t);       /* adds a NUL (the last byte gives way when full) */

void text_char(struct text *t, char c);
void text_str(struct text *t, const char *cstr);
void text_put(struct text *t, struct span s);
void text_u64(struct text *t, uint64_t value);
void text_i64(struct text *t, int64_t value);
void text_pad(struct text *t, uint64_t value, unsigned digits); /* zero-padded, 1 to 20 digits */
void text_hex(struct text *t, uint64_t value, unsigned digits); /* lower case, 1 to 16 digits */
void text_ip4(struct text *t, uint32_t address);                /* host byte order, as 127.0.0.1 */
/* Degrees as -33.8587323 from units of 1e-7 degree; always seven decimals. */
void text_e7(struct text *t, int32_t value_e7);
/* At most `bytes_max` bytes of s with everything outside 0x21..0x7E, and the quote and backslash,
 * as \xNN (space stays); "..." follows when it was cut. For logs: hostile bytes cannot forge a line. */
void text_escaped(struct text *t, struct span s, size_t bytes_max);
/* s as the inside of a JSON string: quote, backslash and control bytes escaped (RFC 8259, 7). Bytes
 * from 0x80 on are passed through: UTF-8 stays what it is. */
void text_json(struct text *t, struct span s);

/* Zeroes, even where the compiler sees that nobody reads it afterwards: for what held a secret. */
void text_wipe(void *at, size_t bytes);

/* Without spaces, TABs and CRs at both ends. */
struct span span_trimmed(struct span s);
/* The first word of *rest, which may be empty, and *rest behind it; such blanks separate words. */
struct span span_take_word(struct span *rest);
/* What stands before the first `separator`, and *rest behind it; all of it when there is none. */
struct span span_take_until(struct span *rest, char separator);

/* Decimal digits only, whole span, no sign; false and *out untouched when empty, not digits, or > max. */
bool text_parse_u64(struct span s, uint64_t max, uint64_t *out);

/* A number of the protocol, `digits`, `digits.`, `digits.digits` or `.digits`, in units of
 * 10^-decimals; at most nine. Further decimals are read and dropped; *beyond tells that one of them was not zero,
 * so that the value is above *out. HERD_E_SYNTAX: anything else; HERD_E_RANGE: *out would exceed
 * `max`. Cost: linear, any number of digits. */
int text_parse_fixed(struct span s, unsigned decimals, uint64_t max, uint64_t *out,
                     bool *beyond) HERD_MUST_CHECK;

#endif

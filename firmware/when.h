/* Time as 64-bit nanoseconds since 1970-01-01T00:00:00Z (POSIX time). Pure: no clock here, `now` is
 * always an argument; never double.
 */
#ifndef HERD_WHEN_H
#define HERD_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "text.h"

#define WHEN_NS_PER_S  INT64_C(1000000000)
#define WHEN_NS_PER_MS INT64_C(1000000)
/* sign, ten digits of seconds, point, nine decimals */
#define WHEN_DIFFERENCE_BYTES_MAX 21

/* POSIX seconds as text (`digits`, `digits.`, `digits.digits`, `.digits`; PROTOCOL.md section 2) to
 * nanoseconds; decimals beyond nine are read and dropped. HERD_E_SYNTAX: not a number;
 * HERD_E_RANGE: above INT64_MAX ns. Cost: linear. */
int when_parse(struct span s, int64_t *ns) HERD_MUST_CHECK;

/* server - client, held at INT64_MIN and INT64_MAX where it does not fit. */
int64_t when_difference(int64_t server_ns, int64_t client_ns);

/* A difference of two times as servers write it: sign, seconds, point, nine decimals. */
void when_format_difference(struct text *t, int64_t ns);

/* The reverse of when_format_difference, strict: sign, 1 to 10 digits, point, nine digits.
 * HERD_E_SYNTAX, or HERD_E_RANGE outside INT64_MIN to INT64_MAX ns. */
int when_parse_difference(struct span s, int64_t *ns) HERD_MUST_CHECK;

/* 2026-11-20T11:09:42.123Z (RFC 3339, milliseconds, UTC); years 1970 to 2262; earlier times are
 * shown as the first moment of 1970. */
void when_format_utc(struct text *t, int64_t ns);

#endif

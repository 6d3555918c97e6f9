/* Times of a track: ISO 8601 as GPX writes it, POSIX seconds as the protocol wants it. */
#ifndef HERDCTL_STAMP_H
#define HERDCTL_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define STAMP_TEXT_BYTES 48

struct stamp {
    int64_t nanos;               /* since 1970, decimals beyond the ninth cut */
    char text[STAMP_TEXT_BYTES]; /* POSIX seconds, with the decimals that the track gives */
};

/*
 * Reads an ISO 8601 date and time: 2010-10-03T10:18:24Z, with decimals after `.` or `,`, with
 * an offset such as +02:00, +0200 or +02 in place of Z; without either it is UTC, as GPX
 * says. White space around it is ignored. Returns false, with *stamp undefined, when it is none or
 * lies outside 1970..2262, which is what the protocol can carry.
 */
bool stamp_read(const char *text, struct stamp *stamp);

/* Sets *stamp to `nanos` since 1970 (not negative), its text to nine decimals. */
void stamp_set(int64_t nanos, struct stamp *stamp);

#endif

/* The client protocol: bytes to commands and back (firmware/PROTOCOL.md). Pure.
 *
 * Spans in results point into the caller's line and live as long as it does.
 */
#ifndef HERD_PROTO_H
#define HERD_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "geo.h"
#include "text.h"

#define PROTO_SERVER_BYTES_MAX 32 /* [A-Za-z0-9._-]{1,32} */
#define PROTO_RADIUS_MM_MAX    50000000u
#define PROTO_BOUND_MAX        20u
/* "AT ", server, space, difference, space, report with two spaces; no newline. */
#define PROTO_AT_BYTES_MAX(report_bytes)                                                           \
    (3 + PROTO_SERVER_BYTES_MAX + 1 + 21 + 1 + (report_bytes) + 2)

/* Where a device was, as it said it: the fields are exact copies of its bytes. */
struct proto_report {
    struct span client;   /* 1 byte or more, none of them white space or control */
    struct span location; /* ISO 6709 text */
    struct span stamp;    /* POSIX seconds text */
    int64_t stamp_ns;     /* the same as a number, 0 to INT64_MAX */
};

struct proto_whatsat {
    struct span client;
    uint32_t radius_mm; /* 0 to PROTO_RADIUS_MM_MAX */
    uint32_t bound;     /* 0 to PROTO_BOUND_MAX */
};

enum proto_kind { PROTO_BLANK, PROTO_IAMAT, PROTO_WHATSAT, PROTO_INVALID };

struct proto_command {
    enum proto_kind kind;
    union {
        struct proto_report iamat;
        struct proto_whatsat whatsat;
    };
};

/* Takes the next field off *rest: bytes without white space. Empty when only white space is left. */
struct span proto_take_field(struct span *rest);

/* A report from its client, location and stamp. HERD_E_SYNTAX: not a report; HERD_E_RANGE: the three
 * together are longer than report_bytes. */
int proto_parse_report(const struct span fields[3], size_t report_bytes,
                       struct proto_report *out) HERD_MUST_CHECK;

/* White space of the protocol: space, TAB, CR, NL, FF, VT. */
bool proto_is_space(char c);

/* One line without its newline. Never fails: what is not a command is PROTO_INVALID.
 * `report_bytes` is the herd's setting: client, location and stamp together may not exceed it.
 * Cost: linear in the line. */
void proto_parse(struct span line, size_t report_bytes, struct proto_command *out);

/* Appends `AT server difference client location stamp`, without newline. */
void proto_format_at(struct text *t, struct span server, int64_t difference_ns,
                     const struct proto_report *report);

/* The reverse, for lines between servers: exactly one space between fields, a strict difference,
 * a valid server name. HERD_E_SYNTAX when it is anything else, HERD_E_RANGE when client, location
 * and stamp exceed report_bytes. */
int proto_parse_at(struct span line, size_t report_bytes, struct span *server,
                   int64_t *difference_ns, struct proto_report *report) HERD_MUST_CHECK;

/* [A-Za-z0-9._-]{1,32} */
bool proto_is_server_name(struct span s);

#endif

/* Lines between servers of the older kind (firmware/PROTOCOL.md, section 5). Pure.
 *
 *     AT server difference client location stamp
 *     UPDATE client location stamp label server
 *
 * What we write is exact; what we read may be sloppy: any white space between fields, any field behind
 * the last one (some count hops there), any text as a difference. The report itself, and the server's
 * name, are held to the rules for everybody: other nodes and clients are shown them.
 */
#ifndef HERD_OLDER_LINES_H
#define HERD_OLDER_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "proto.h"
#include "text.h"

/* Either line without newline, with a report of up to report_bytes: AT is the longer one. */
#define OLDER_LINES_BYTES_MAX(report_bytes) PROTO_AT_BYTES_MAX(report_bytes)

enum older_lines_kind { OLDER_LINES_NONE, OLDER_LINES_AT, OLDER_LINES_UPDATE };

/* Spans point into the line. */
struct older_lines_line {
    struct span server;
    int64_t difference_ns; /* AT: 0 when unreadable; UPDATE has none: 0 */
    struct proto_report report;
};

/* By the first field alone. */
enum older_lines_kind older_lines_kind(struct span line);

/* A line of either kind. HERD_E_SYNTAX: neither, a field is missing, no server name, or not a report;
 * HERD_E_RANGE: client, location and stamp together exceed report_bytes. Cost: linear. */
int older_lines_parse(struct span line, size_t report_bytes,
                      struct older_lines_line *out) HERD_MUST_CHECK;

/* A difference of two times as anybody may write it: optional sign, digits with at most one point,
 * optional exponent (Python prints 3.1e-05), in nanoseconds, towards zero. What is anything else (nan,
 * inf), or does not fit, is 0. Cost: linear, whatever the exponent. */
int64_t older_lines_difference(struct span s);

/* Appends an UPDATE line without newline; its label is the ordering key in milliseconds. (AT lines are
 * those of proto_format_at.) */
void older_lines_format_update(struct text *t, struct span server, int64_t key_ns,
                               const struct proto_report *report);

#endif

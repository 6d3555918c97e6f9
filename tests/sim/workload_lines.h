/* Lines that clients write: valid in every form that firmware/PROTOCOL.md allows, and invalid in many. Pure
 * but for the random numbers that it is given.
 */
#ifndef SIM_WORKLOAD_LINES_H
#define SIM_WORKLOAD_LINES_H

#include "order.h"
#include "random.h"

/* Bytes that grow. Zero is empty; free() what `at` holds. */
struct lines_buffer {
    char *at;
    size_t bytes, room;
};
void lines_put(struct lines_buffer *b, const void *data, size_t bytes);
void lines_text(struct lines_buffer *b, const char *text);

#define LINES_STAMP_MAX    40
#define LINES_LOCATION_MAX 40

/* The name of device i: letters, UTF-8, punctuation, short and long. */
void lines_name(char *out, size_t out_bytes, size_t i);
/* A location in one of its forms. */
void lines_location(char out[LINES_LOCATION_MAX], struct random *r);
/* A stamp of at most this time: exactly `ns` if `exact`, in one of its forms; else with fewer decimals. */
void lines_stamp(char out[LINES_STAMP_MAX], int64_t ns, bool exact, struct random *r);

/* Appends a command without its newline: white space in between, before and behind as it comes, at most
 * `line_bytes` in all. */
void lines_iamat(struct lines_buffer *b, struct order_text device, const char *location,
                 const char *stamp, size_t line_bytes, struct random *r);
void lines_whatsat(struct lines_buffer *b, struct order_text device, bool places, size_t line_bytes,
                   struct random *r);
/* A line that is no command; `device` is one that exists, `stamp` a good one. */
void lines_invalid(struct lines_buffer *b, struct order_text device, const char *stamp,
                   size_t report_bytes, struct random *r);
/* A line of more than `line_bytes`, valid or not but for its length. */
void lines_long(struct lines_buffer *b, struct order_text device, const char *stamp,
                size_t line_bytes, struct random *r);
void lines_blank(struct lines_buffer *b, struct random *r);

#endif

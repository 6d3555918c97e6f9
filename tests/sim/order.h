/* The order between reports and the text of an AT line, as firmware/PROTOCOL.md promises them: written from
 * the document alone. Includes nothing of firmware/ and shares no code with it, so that both would have to
 * be wrong in the same way.
 */
#ifndef SIM_ORDER_H
#define SIM_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORDER_NS_PER_S INT64_C(1000000000)

/* Bytes that somebody else owns. */
struct order_text {
    const char *at;
    size_t bytes;
};

struct order_text order_text_of(const char *text);
bool order_text_equal(struct order_text a, struct order_text b);
int order_text_compare(struct order_text a, struct order_text b); /* bytewise; a prefix is lower */

/* `digits`, `digits.`, `digits.digits` or `.digits` as nanoseconds; what is finer is cut off. False: it is
 * something else, or more than 2^63-1 ns. */
bool order_parse_time(struct order_text text, int64_t *ns);

/* One AT line without its newline: exactly one space between fields; a difference of sign, seconds and nine
 * decimals. */
struct order_at {
    struct order_text server, device, location, stamp;
    int64_t difference_ns;
    int64_t stamp_ns;
};
bool order_parse_at(struct order_text line, struct order_at *out);

/* A record as its order sees it. The node that took it wrote server and difference; of the key is known
 * what section 6 says: the report's time, or the time of arrival + skew_max if that is earlier and the node
 * trusted its clock. Whether it did is not on the wire: where it matters and is not known, the key is one
 * of two. */
struct order_record {
    struct order_text server, location, stamp;
    int64_t difference_ns;
    int64_t stamp_ns;
    int64_t key_low_ns;  /* if the clock was trusted */
    int64_t key_high_ns; /* if it was not; the same where it makes no difference */
};

enum order_trust { ORDER_TRUSTED, ORDER_UNTRUSTED, ORDER_UNKNOWN };

struct order_record order_of(const struct order_at *at, int64_t skew_max_ns,
                             enum order_trust trust);
/* Whether the stamp was more than skew_max ahead of the clock of the node that took it. */
bool order_is_ahead(const struct order_record *record, int64_t skew_max_ns);

enum order_result { ORDER_OLDER = -1, ORDER_SAME = 0, ORDER_NEWER = 1, ORDER_OPEN = 2 };

/* How a stands to b, both of one device. ORDER_OPEN: it depends on keys that are not known. */
enum order_result order_compare(const struct order_record *a, const struct order_record *b);

#endif

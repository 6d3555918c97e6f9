#include "order.h"

#include <string.h>

struct order_text order_text_of(const char *text)
{
    return (struct order_text){text, strlen(text)};
}

bool order_text_equal(struct order_text a, struct order_text b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

int order_text_compare(struct order_text a, struct order_text b)
{
    size_t common = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = common == 0 ? 0 : memcmp(a.at, b.at, common);
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool order_parse_time(struct order_text text, int64_t *ns)
{
    uint64_t value = 0;
    size_t i = 0;
    size_t digits = 0;
    unsigned decimals = 0;
    for (; i < text.bytes && is_digit(text.at[i]); i++, digits++) {
        if (value > (uint64_t)INT64_MAX / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    if (i < text.bytes && text.at[i] == '.') {
        i++;
        for (; i < text.bytes && is_digit(text.at[i]); i++, digits++) {
            if (decimals == 9) {
                continue; /* finer than nanoseconds: no part of the order */
            }
            if (value > (uint64_t)INT64_MAX / 10) {
                return false;
            }
            value = value * 10 + (uint64_t)(text.at[i] - '0');
            decimals++;
        }
    }
    if (digits == 0 || i != text.bytes) {
        return false;
    }
    for (; decimals < 9; decimals++) {
        if (value > (uint64_t)INT64_MAX / 10) {
            return false;
        }
        value *= 10;
    }
    if (value > (uint64_t)INT64_MAX) {
        return false;
    }
    *ns = (int64_t)value;
    return true;
}

/* Sign, seconds, point, nine decimals. */
static bool parse_difference(struct order_text text, int64_t *ns)
{
    if (text.bytes < 12 || (text.at[0] != '+' && text.at[0] != '-') ||
        text.at[text.bytes - 10] != '.' || (text.bytes > 12 && text.at[1] == '0')) {
        return false;
    }
    struct order_text number = {text.at + 1, text.bytes - 1};
    int64_t magnitude = 0;
    if (!order_parse_time(number, &magnitude)) {
        return false;
    }
    *ns = text.at[0] == '-' ? -magnitude : magnitude;
    return true;
}

bool order_parse_at(struct order_text line, struct order_at *out)
{
    struct order_text fields[6];
    size_t count = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= line.bytes; i++) {
        if (i < line.bytes && line.at[i] != ' ') {
            continue;
        }
        if (i == begin || count == 6) {
            return false;
        }
        fields[count++] = (struct order_text){line.at + begin, i - begin};
        begin = i + 1;
    }
    if (count != 6 || !order_text_equal(fields[0], order_text_of("AT")) ||
        !parse_difference(fields[2], &out->difference_ns) ||
        !order_parse_time(fields[5], &out->stamp_ns)) {
        return false;
    }
    out->server = fields[1];
    out->device = fields[3];
    out->location = fields[4];
    out->stamp = fields[5];
    return true;
}

/* When it arrived, by the clock of the node that took it. */
static int64_t received(int64_t stamp_ns, int64_t difference_ns)
{
    return stamp_ns +
           difference_ns; /* the difference was made by subtracting: it cannot overflow */
}

struct order_record order_of(const struct order_at *at, int64_t skew_max_ns, enum order_trust trust)
{
    struct order_record record = {.server = at->server,
                                  .location = at->location,
                                  .stamp = at->stamp,
                                  .difference_ns = at->difference_ns,
                                  .stamp_ns = at->stamp_ns};
    int64_t bound_ns = received(at->stamp_ns, at->difference_ns) + skew_max_ns;
    int64_t least_ns = at->stamp_ns < bound_ns ? at->stamp_ns : bound_ns;
    record.key_low_ns = trust == ORDER_UNTRUSTED ? at->stamp_ns : least_ns;
    record.key_high_ns = trust == ORDER_TRUSTED ? least_ns : at->stamp_ns;
    return record;
}

bool order_is_ahead(const struct order_record *record, int64_t skew_max_ns)
{
    return record->stamp_ns > received(record->stamp_ns, record->difference_ns) + skew_max_ns;
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Of two with the same key: time, server name, location; and, so that only equal records are equal, the
 * rest. */
static enum order_result compare_rest(const struct order_record *a, const struct order_record *b)
{
    int order = compare_i64(a->stamp_ns, b->stamp_ns);
    if (order == 0) {
        order = order_text_compare(a->server, b->server);
    }
    if (order == 0) {
        order = order_text_compare(a->location, b->location);
    }
    if (order == 0) {
        order = compare_i64(a->difference_ns, b->difference_ns);
    }
    if (order == 0) {
        order = order_text_compare(a->stamp, b->stamp);
    }
    return (enum order_result)order;
}

enum order_result order_compare(const struct order_record *a, const struct order_record *b)
{
    enum order_result rest = compare_rest(a, b);
    if (rest == ORDER_SAME) {
        return ORDER_SAME; /* one record has one key */
    }
    if (a->key_high_ns < b->key_low_ns) {
        return ORDER_OLDER;
    }
    if (a->key_low_ns > b->key_high_ns) {
        return ORDER_NEWER;
    }
    bool known = a->key_low_ns == a->key_high_ns && b->key_low_ns == b->key_high_ns;
    if (known) {
        return rest; /* neither lower nor higher: equal */
    }
    /* The keys may be equal at an end of their ranges; then the rest decides. */
    if (a->key_high_ns == b->key_low_ns && rest == ORDER_OLDER) {
        return ORDER_OLDER;
    }
    if (a->key_low_ns == b->key_high_ns && rest == ORDER_NEWER) {
        return ORDER_NEWER;
    }
    return ORDER_OPEN;
}

/* What the tests of replica share: three links, records with an order of their own, and what a link
 * is expected to send. Include it once, in a test program.
 */
#ifndef HERD_REPLICA_UNIT_H
#define HERD_REPLICA_UNIT_H

#include "unit.h"

#include "names.h"
#include "replica.h"

#define S    INT64_C(1000000000)
#define SKEW (60 * S)
#define NOW  (1000000 * S)

#define LINKS 3
#define A     0u /* links */
#define B     1u
#define C     2u

static uint8_t self, other;

static inline int begin_with_capacity(unsigned capacity)
{
    names_init();
    clients_init(capacity);
    replica_init(LINKS, SKEW);
    return names_intern(SPAN_LIT("Self"), &self) | names_intern(SPAN_LIT("Other"), &other);
}

static inline int begin(void **state)
{
    (void)state;
    return begin_with_capacity(CFG_DEVICES);
}

static inline int begin_up(void **state)
{
    int err = begin(state);

    for (unsigned link = 0; link < LINKS; link++) {
        replica_link_up(link);
    }
    return err;
}

/* As begin_up, with a table of two records. */
static inline int begin_small(void **state)
{
    int err = begin_up(state);

    clients_init(2);
    return err;
}

static inline struct proto_report report_of(const char *client, int64_t stamp_ns)
{
    return (struct proto_report){.client = span_of(client),
                                 .location = SPAN_LIT("+34-118"),
                                 .stamp = SPAN_LIT("1"),
                                 .stamp_ns = stamp_ns};
}

/* A report of our own client, by a trusted clock. */
static inline enum clients_result take(const char *client, int64_t stamp_ns)
{
    struct proto_report report = report_of(client, stamp_ns);

    return replica_take(&report, self, NOW, true);
}

static inline struct client_record record_of(const char *client, int64_t stamp_ns)
{
    return (struct client_record){
        .key_ns = stamp_ns, .server = other, .report = report_of(client, stamp_ns)};
}

static inline void merge(unsigned link, const char *client, int64_t stamp_ns)
{
    struct client_record record = record_of(client, stamp_ns);

    assert_int_equal(replica_merge(link, &record, NOW, true), HERD_OK);
}

static inline struct client_record held(const char *client)
{
    struct client_record record;
    unsigned slot = 0;

    assert_int_equal(clients_find(span_of(client), &slot), HERD_OK);
    clients_get(slot, &record);
    return record;
}

static inline void assert_sends(unsigned link, const char *client, int64_t stamp_ns)
{
    struct client_record record;

    assert_int_equal(replica_next(link, &record), HERD_OK);
    assert_span_equal(record.report.client, client);
    assert_true(record.report.stamp_ns == stamp_ns);
}

static inline void assert_sends_nothing(unsigned link)
{
    struct client_record record;

    assert_int_equal(replica_next(link, &record), HERD_E_AGAIN);
}

static inline void ack(unsigned link, uint32_t reports)
{
    assert_int_equal(replica_acked(link, reports), HERD_OK);
}

static inline const char *name_of(unsigned i)
{
    static char names[CFG_LINK_INFLIGHT * 4][8];
    struct text t;

    assert_true(i < sizeof names / sizeof names[0]);
    text_init(&t, names[i], sizeof names[i]);
    text_char(&t, 'n');
    text_pad(&t, i, 3);
    return text_cstr(&t);
}

#endif

/* replica, as neighbours of the older kind need it: one microsecond, the key on entry, no echo. */
#include "unit.h"

#include "names.h"
#include "replica.h"

#define S    INT64_C(1000000000)
#define SKEW (60 * S)
#define NOW  (1000000 * S)

#define NODE 0u /* links: one to a node, two to neighbours of the older kind */
#define OLD  1u
#define OLD2 2u

static uint8_t self, foreign;

static int begin(void **state)
{
    (void)state;
    names_init();
    clients_init(CFG_DEVICES);
    replica_init(3, SKEW);
    replica_link_up(NODE);
    return names_intern(SPAN_LIT("Self"), &self) | names_intern(SPAN_LIT("Old"), &foreign);
}

static int begin_small(void **state)
{
    int err = begin(state);

    clients_init(1);
    return err;
}

static struct proto_report report_of(const char *client, const char *location, int64_t stamp_ns)
{
    return (struct proto_report){.client = span_of(client),
                                 .location = span_of(location),
                                 .stamp = SPAN_LIT("1"),
                                 .stamp_ns = stamp_ns};
}

static enum clients_result take(const char *client, int64_t stamp_ns)
{
    struct proto_report report = report_of(client, "+34-118", stamp_ns);

    return replica_take(&report, self, NOW, true);
}

static enum clients_result hear_at(unsigned link, const char *client, const char *location,
                                   int64_t stamp_ns, bool trusted)
{
    struct client_record record = {.key_ns = 4711, /* whatever it says there is not used */
                                   .difference_ns = 5,
                                   .server = foreign,
                                   .report = report_of(client, location, stamp_ns)};

    return replica_take_older(link, &record, NOW, trusted);
}

static enum clients_result hear(unsigned link, const char *client, int64_t stamp_ns)
{
    return hear_at(link, client, "+34-118", stamp_ns, true);
}

static struct client_record held(const char *client)
{
    struct client_record record;
    unsigned slot = 0;

    assert_int_equal(clients_find(span_of(client), &slot), HERD_OK);
    clients_get(slot, &record);
    return record;
}

static void pending(unsigned node, unsigned old, unsigned old2)
{
    assert_int_equal(replica_pending(NODE), node);
    assert_int_equal(replica_pending(OLD), old);
    assert_int_equal(replica_pending(OLD2), old2);
    assert_int_equal(replica_has_news(OLD), old > 0);
}

/* Tells the neighbour everything, as one connection would. */
static unsigned tell(unsigned link)
{
    struct client_record record;
    unsigned lines = 0;

    replica_link_resume(link);
    while (replica_next(link, &record) == HERD_OK) {
        lines++;
    }
    assert_int_equal(replica_acked(link, lines), HERD_OK);
    replica_link_down(link);
    return lines;
}

/* --- Hearing -------------------------------------------------------------------------------- */

static void a_new_report_goes_to_everybody_but_its_sender(void **state)
{
    (void)state;
    assert_int_equal(hear(OLD, "kiwi", NOW), CLIENTS_STORED);
    pending(1, 0, 1);
    assert_int_equal(replica_stats().merged, 1);
    assert_int_equal(held("kiwi").server, foreign);
    assert_int_equal(held("kiwi").difference_ns, 5);
    assert_int_equal(hear(OLD, "kiwi", NOW + S), CLIENTS_STORED);
    pending(1, 0, 1);
}

static void a_report_of_nobody_known_goes_to_everybody(void **state)
{
    (void)state;
    assert_int_equal(hear(REPLICA_NOBODY, "kiwi", NOW), CLIENTS_STORED);
    pending(1, 1, 1);
}

static void the_key_is_computed_on_entry(void **state)
{
    (void)state;
    hear(OLD, "past", NOW - 100 * SKEW);
    hear(OLD, "edge", NOW + SKEW);
    hear(OLD, "ahead", NOW + SKEW + S);
    assert_int_equal(held("past").key_ns, NOW - 100 * SKEW);
    assert_int_equal(held("edge").key_ns, NOW + SKEW);
    assert_int_equal(held("ahead").key_ns, NOW + SKEW);
    hear_at(OLD, "untrusted", "+1+2", NOW + 100 * SKEW, false);
    assert_int_equal(held("untrusted").key_ns, NOW + 100 * SKEW);
}

static void a_stamp_within_a_microsecond_is_a_duplicate_whatever_else_it_says(void **state)
{
    static const int64_t apart[] = {0, 1, -1, 120, -120, 999, -999, 1000, -1000};
    (void)state;
    take("kiwi", NOW);
    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++) {
        assert_int_equal(hear(REPLICA_NOBODY, "kiwi", NOW + apart[i]), CLIENTS_SAME);
        assert_int_equal(hear_at(REPLICA_NOBODY, "kiwi", "+9-9", NOW + apart[i], true),
                         CLIENTS_SAME);
        assert_int_equal(hear_at(REPLICA_NOBODY, "kiwi", "+9-9", NOW + apart[i], false),
                         CLIENTS_SAME);
    }
    assert_int_equal(replica_stats().duplicate, 27);
    assert_int_equal(held("kiwi").server, self);
    assert_span_equal(held("kiwi").report.location, "+34-118");
    pending(1, 1, 1);
    assert_int_equal(hear(REPLICA_NOBODY, "kiwi", NOW + 1001), CLIENTS_STORED);
    assert_int_equal(hear(REPLICA_NOBODY, "kiwi", NOW), CLIENTS_OLDER);
    assert_int_equal(hear(REPLICA_NOBODY, "pear", NOW), CLIENTS_STORED);
}

static void the_microsecond_does_not_wrap_at_the_ends_of_time(void **state)
{
    (void)state;
    hear_at(OLD, "first", "+1+2", 0, false);
    hear_at(OLD, "last", "+1+2", INT64_MAX, false);
    assert_int_equal(hear_at(OLD, "first", "+1+2", 1000, false), CLIENTS_SAME);
    assert_int_equal(hear_at(OLD, "last", "+1+2", INT64_MAX - 1000, false), CLIENTS_SAME);
    assert_int_equal(hear_at(OLD, "last", "+1+2", 0, false), CLIENTS_OLDER);
    assert_int_equal(hear_at(OLD, "first", "+1+2", INT64_MAX, false), CLIENTS_STORED);
}

static void what_a_neighbour_sends_back_is_not_told_to_it(void **state)
{
    (void)state;
    take("kiwi", NOW);
    pending(1, 1, 1);
    assert_int_equal(hear(OLD, "kiwi", NOW - 120), CLIENTS_SAME); /* it had it from elsewhere */
    pending(1, 0, 1);
    assert_int_equal(tell(OLD2), 1);
    assert_int_equal(hear(OLD2, "kiwi", NOW), CLIENTS_SAME); /* restamped and sent back */
    pending(1, 0, 0);
    assert_int_equal(tell(OLD) + tell(OLD2), 0);
}

static void an_old_report_is_not_answered_with_the_newer_one(void **state)
{
    (void)state;
    take("kiwi", NOW);
    tell(OLD);
    assert_int_equal(hear(OLD, "kiwi", NOW - S), CLIENTS_OLDER);
    assert_int_equal(replica_stats().duplicate, 1);
    pending(1, 0, 1);
}

static void two_stamps_ahead_of_the_clock_keep_their_order(void **state)
{
    (void)state;
    hear(OLD, "kiwi", NOW + 3 * SKEW);
    assert_int_equal(hear(OLD2, "kiwi", NOW + 2 * SKEW), CLIENTS_OLDER);
    assert_int_equal(hear(OLD2, "kiwi", NOW + 4 * SKEW), CLIENTS_STORED);
}

static void a_report_below_a_full_table_marks_nothing(void **state)
{
    (void)state;
    take("kiwi", NOW);
    tell(OLD);
    assert_int_equal(hear(OLD2, "pear", NOW - S), CLIENTS_REFUSED);
    pending(1, 0, 1);
}

static void a_link_that_does_not_exist_is_our_bug(void **state)
{
    (void)state;
    expect_assert_failure(hear(REPLICA_NOBODY + 1, "kiwi", NOW));
}

/* --- Telling -------------------------------------------------------------------------------- */

static void a_neighbour_is_told_news_and_no_history(void **state)
{
    (void)state;
    take("kiwi", NOW);
    assert_int_equal(tell(OLD), 1);
    replica_link_resume(OLD);
    pending(1, 0, 1);
    assert_false(replica_has_news(OLD));
    take("pear", NOW);
    assert_true(replica_has_news(OLD));
    assert_int_equal(tell(OLD), 1);
    assert_int_equal(tell(OLD2), 2);
}

static void what_was_not_acknowledged_is_told_again_as_it_is_then(void **state)
{
    struct client_record record;
    (void)state;
    take("kiwi", NOW);
    replica_link_resume(OLD);
    assert_int_equal(replica_next(OLD, &record), HERD_OK);
    assert_false(replica_has_news(OLD)); /* it is on its way */
    replica_link_down(OLD);
    assert_true(replica_has_news(OLD));
    take("kiwi", NOW + S);
    replica_link_resume(OLD);
    assert_int_equal(replica_next(OLD, &record), HERD_OK);
    assert_true(record.report.stamp_ns == NOW + S);
    assert_int_equal(replica_next(OLD, &record), HERD_E_AGAIN);
    assert_int_equal(replica_acked(OLD, 1), HERD_OK);
    replica_link_down(OLD);
    pending(1, 0, 1);
}

static void what_changed_on_its_way_is_news_afterwards(void **state)
{
    struct client_record record;
    (void)state;
    take("kiwi", NOW);
    replica_link_resume(OLD);
    assert_int_equal(replica_next(OLD, &record), HERD_OK);
    take("kiwi", NOW + S);
    assert_int_equal(replica_acked(OLD, 1), HERD_OK);
    replica_link_down(OLD);
    assert_true(replica_has_news(OLD));
    assert_int_equal(tell(OLD), 1);
    assert_false(replica_has_news(OLD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_report_goes_to_everybody_but_its_sender, begin),
        cmocka_unit_test_setup(a_report_of_nobody_known_goes_to_everybody, begin),
        cmocka_unit_test_setup(the_key_is_computed_on_entry, begin),
        cmocka_unit_test_setup(a_stamp_within_a_microsecond_is_a_duplicate_whatever_else_it_says,
                               begin),
        cmocka_unit_test_setup(the_microsecond_does_not_wrap_at_the_ends_of_time, begin),
        cmocka_unit_test_setup(what_a_neighbour_sends_back_is_not_told_to_it, begin),
        cmocka_unit_test_setup(an_old_report_is_not_answered_with_the_newer_one, begin),
        cmocka_unit_test_setup(two_stamps_ahead_of_the_clock_keep_their_order, begin),
        cmocka_unit_test_setup(a_report_below_a_full_table_marks_nothing, begin_small),
        cmocka_unit_test_setup(a_link_that_does_not_exist_is_our_bug, begin),
        cmocka_unit_test_setup(a_neighbour_is_told_news_and_no_history, begin),
        cmocka_unit_test_setup(what_was_not_acknowledged_is_told_again_as_it_is_then, begin),
        cmocka_unit_test_setup(what_changed_on_its_way_is_news_afterwards, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

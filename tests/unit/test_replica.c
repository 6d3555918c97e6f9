/* replica: taking and merging reports, credit and acknowledgements. */
#include "replica_unit.h"

/* --- Taking reports ------------------------------------------------------------------------- */

static void report_of_a_client_goes_to_every_link_once(void **state)
{
    (void)state;
    assert_int_equal(take("kiwi", NOW), CLIENTS_STORED);
    for (unsigned link = 0; link < LINKS; link++) {
        assert_int_equal(replica_pending(link), 1);
        assert_sends(link, "kiwi", NOW);
        assert_sends_nothing(link);
        assert_int_equal(replica_in_flight(link), 1);
        ack(link, 1);
        assert_int_equal(replica_in_flight(link), 0);
        assert_int_equal(replica_pending(link), 0);
        assert_sends_nothing(link);
    }
    assert_int_equal(replica_stats().taken, 1);
    assert_int_equal(replica_stats().sent, LINKS);
    assert_int_equal(replica_stats().resent, 0);
}

static void taken_report_carries_server_and_difference(void **state)
{
    (void)state;
    take("kiwi", NOW - 5);
    take("pear", NOW + 7);
    assert_int_equal(held("kiwi").difference_ns, 5);
    assert_int_equal(held("pear").difference_ns, -7);
    assert_int_equal(held("kiwi").server, self);
    assert_int_equal(held("kiwi").flags, 0);
}

static void key_is_the_stamp_unless_a_trusted_clock_is_far_behind_it(void **state)
{
    (void)state;
    struct proto_report future = report_of("f", NOW + 10 * SKEW);

    take("past", NOW - 100 * SKEW);
    take("edge", NOW + SKEW);
    take("ahead", NOW + SKEW + 1);
    assert_int_equal(replica_take(&future, self, NOW, false), CLIENTS_STORED);
    assert_true(held("past").key_ns == NOW - 100 * SKEW);
    assert_true(held("edge").key_ns == NOW + SKEW);
    assert_true(held("ahead").key_ns == NOW + SKEW);
    assert_true(held("ahead").report.stamp_ns == NOW + SKEW + 1);
    assert_true(held("f").key_ns == NOW + 10 * SKEW);
}

static void key_does_not_wrap_at_the_ends_of_time(void **state)
{
    (void)state;
    struct proto_report last = report_of("last", INT64_MAX);
    struct proto_report early = report_of("early", 100 * SKEW);

    assert_int_equal(replica_take(&last, self, INT64_MAX - 1, true), CLIENTS_STORED);
    assert_true(held("last").key_ns == INT64_MAX);
    assert_int_equal(replica_take(&early, self, INT64_MIN, true), CLIENTS_STORED);
    assert_true(held("early").key_ns == SKEW);
    assert_true(held("early").difference_ns == INT64_MIN);
    struct client_record record = record_of("kiwi", INT64_MAX);
    assert_int_equal(replica_merge(A, &record, INT64_MAX - 1, true), HERD_OK);
}

static void report_that_is_known_changes_nothing_whoever_took_it(void **state)
{
    (void)state;
    struct proto_report again = report_of("kiwi", NOW);

    again.stamp = SPAN_LIT("1.0"); /* the same number */
    merge(A, "kiwi", NOW);
    uint32_t version = clients_version(clients_sorted(0));
    assert_int_equal(replica_take(&again, self, NOW + S, true), CLIENTS_SAME);
    assert_int_equal(clients_version(clients_sorted(0)), version);
    assert_int_equal(held("kiwi").server, other);
    assert_int_equal(replica_pending(A), 0);
    again.location = SPAN_LIT("+34-119"); /* another place at the same time: the order decides */
    assert_int_equal(replica_take(&again, self, NOW + S, true), CLIENTS_STORED);
    assert_int_equal(replica_pending(A), 1);
}

static void older_report_changes_nothing(void **state)
{
    (void)state;
    take("kiwi", NOW);
    assert_int_equal(take("kiwi", NOW - 1), CLIENTS_OLDER);
    assert_true(held("kiwi").report.stamp_ns == NOW);
    assert_int_equal(replica_stats().taken, 1);
}

static void device_ahead_of_the_clock_is_ordered_by_its_stamps_as_well(void **state)
{
    (void)state;
    struct proto_report first = report_of("kiwi", NOW + 100 * SKEW);
    struct proto_report older = report_of("kiwi", NOW + 99 * SKEW);
    struct proto_report elsewhere = report_of("kiwi", NOW + 100 * SKEW);
    struct proto_report newer = report_of("kiwi", NOW + 100 * SKEW + 1);

    elsewhere.location = SPAN_LIT("+3-3");
    assert_int_equal(replica_take(&first, self, NOW, true), CLIENTS_STORED);
    /* The key of these would be higher: they came later. */
    assert_int_equal(replica_take(&older, self, NOW + S, true), CLIENTS_OLDER);
    assert_int_equal(replica_take(&elsewhere, self, NOW + S, true), CLIENTS_OLDER);
    assert_int_equal(replica_take(&newer, self, NOW + S, true), CLIENTS_STORED);
    assert_true(held("kiwi").key_ns == NOW + S + SKEW);
}

static void clock_that_is_not_trusted_says_nothing_of_who_is_ahead(void **state)
{
    (void)state;
    struct client_record known = record_of("kiwi", NOW + 100 * SKEW);
    struct proto_report older = report_of("kiwi", NOW + 50 * SKEW);

    known.key_ns = NOW; /* a trusted node took it */
    assert_int_equal(replica_merge(A, &known, 0, false), HERD_OK);
    assert_int_equal(replica_take(&older, self, 0, false), CLIENTS_STORED);
    assert_true(held("kiwi").key_ns == NOW + 50 * SKEW);
}

static void device_whose_clock_was_put_right_is_heard_again(void **state)
{
    (void)state;
    struct proto_report ahead = report_of("kiwi", NOW + 100 * SKEW);
    struct proto_report right = report_of("kiwi", NOW + 2 * SKEW);

    assert_int_equal(replica_take(&ahead, self, NOW, true), CLIENTS_STORED);
    assert_int_equal(replica_take(&right, self, NOW + 2 * SKEW, true), CLIENTS_STORED);
    assert_true(held("kiwi").report.stamp_ns == NOW + 2 * SKEW);
}

static void report_below_a_full_table_marks_nothing(void **state)
{
    (void)state;
    take("a", NOW);
    take("b", NOW);
    assert_int_equal(take("c", NOW - 1), CLIENTS_REFUSED);
    merge(A, "c", NOW - 1);
    assert_int_equal(replica_pending(A), 2);
    assert_int_equal(replica_pending(B), 2);
    assert_int_equal(replica_stats().taken, 2);
    assert_int_equal(replica_stats().merged, 0);
}

/* --- Merging records ------------------------------------------------------------------------ */

static void merged_record_goes_on_to_the_others_and_not_back(void **state)
{
    (void)state;
    merge(B, "kiwi", NOW);
    assert_sends_nothing(B);
    assert_sends(A, "kiwi", NOW);
    assert_sends(C, "kiwi", NOW);
    assert_int_equal(replica_stats().merged, 1);
    assert_int_equal(held("kiwi").server, other);
}

static void record_that_a_neighbour_has_by_itself_is_not_sent_to_it(void **state)
{
    (void)state;
    merge(A, "kiwi", NOW);
    merge(B, "kiwi", NOW);
    assert_sends_nothing(A);
    assert_sends_nothing(B);
    assert_sends(C, "kiwi", NOW);
    assert_int_equal(replica_stats().duplicate, 1);
    assert_int_equal(replica_stats().merged, 1);
}

static void neighbour_that_knows_only_an_older_record_is_told_the_newer(void **state)
{
    (void)state;
    merge(A, "kiwi", NOW);
    assert_int_equal(replica_pending(A), 0);
    merge(A, "kiwi", NOW - 1);
    assert_sends(A, "kiwi", NOW);
    merge(A, "kiwi", NOW - 1); /* it had not heard ours yet */
    assert_sends_nothing(A);
    ack(A, 1);
    assert_sends_nothing(A);
    assert_int_equal(replica_stats().duplicate, 2);
}

static void newer_record_of_a_neighbour_takes_the_place_of_what_it_was_to_hear(void **state)
{
    (void)state;
    take("kiwi", NOW);
    merge(A, "kiwi", NOW + 1);
    assert_sends_nothing(A);
    assert_sends(B, "kiwi", NOW + 1);
}

static void
newer_record_of_a_neighbour_stays_known_to_it_when_an_old_one_is_acknowledged(void **state)
{
    (void)state;
    take("kiwi", NOW);
    assert_sends(A, "kiwi", NOW);
    merge(A, "kiwi", NOW + 1);
    ack(A, 1);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 0);
}

static void record_too_far_ahead_is_refused_by_a_trusted_clock_only(void **state)
{
    (void)state;
    struct client_record edge = record_of("edge", NOW + 2 * SKEW);
    struct client_record ahead = record_of("ahead", NOW + 2 * SKEW + 1);

    assert_int_equal(replica_merge(A, &edge, NOW, true), HERD_OK);
    assert_int_equal(replica_merge(A, &ahead, NOW, true), HERD_E_REFUSED);
    assert_int_equal(clients_stats().count, 1);
    assert_int_equal(replica_stats().too_far_ahead, 1);
    assert_int_equal(replica_pending(B), 1);
    assert_int_equal(replica_merge(A, &ahead, 0, false), HERD_OK);
    assert_int_equal(clients_stats().count, 2);
}

static void what_was_too_far_ahead_is_lacked_once_all_of_it_would_be_taken(void **state)
{
    (void)state;
    struct client_record near = record_of("near", NOW + 3 * SKEW);
    struct client_record far = record_of("far", NOW + 9 * SKEW);

    assert_false(replica_lacks_refused(A, NOW, true));
    assert_false(replica_lacks_refused(A, NOW, false));
    assert_int_equal(replica_merge(A, &far, NOW, true), HERD_E_REFUSED);
    assert_int_equal(replica_merge(A, &near, NOW, true), HERD_E_REFUSED);
    assert_false(replica_lacks_refused(A, NOW, true));
    assert_false(replica_lacks_refused(A, NOW + 7 * SKEW - 1, true));
    assert_true(replica_lacks_refused(A, NOW + 7 * SKEW, true));
    assert_true(replica_lacks_refused(A, NOW, false)); /* our clock is in doubt */
    assert_false(replica_lacks_refused(B, NOW, false));
    replica_link_resume(A); /* another connection: nothing is told again */
    assert_true(replica_lacks_refused(A, NOW, false));
    replica_link_up(A);
    assert_false(replica_lacks_refused(A, NOW, false));
}

static void same_report_taken_by_two_nodes_ends_as_one_record_at_both(void **state)
{
    (void)state;
    /* We and a neighbour took it at once; our name is the greater one, so ours stands. */
    take("kiwi", NOW);
    merge(A, "kiwi", NOW);
    assert_int_equal(held("kiwi").server, self);
    assert_sends(A, "kiwi", NOW);
    /* And the other way round. */
    struct client_record theirs = record_of("pear", NOW);
    assert_int_equal(names_intern(SPAN_LIT("Zoe"), &theirs.server), HERD_OK);
    take("pear", NOW);
    assert_int_equal(replica_merge(A, &theirs, NOW, true), HERD_OK);
    assert_int_equal(held("pear").server, theirs.server);
    assert_sends_nothing(A);
}

/* --- Credit, acknowledgement, coalescing ---------------------------------------------------- */

static void link_without_credit_sends_nothing_until_acknowledged(void **state)
{
    (void)state;
    struct client_record record;

    for (unsigned i = 0; i < CFG_LINK_INFLIGHT + 3; i++) {
        take(name_of(i), NOW);
    }
    for (unsigned i = 0; i < CFG_LINK_INFLIGHT; i++) {
        assert_int_equal(replica_next(A, &record), HERD_OK);
    }
    assert_sends_nothing(A);
    assert_int_equal(replica_in_flight(A), CFG_LINK_INFLIGHT);
    assert_int_equal(replica_pending(A), CFG_LINK_INFLIGHT + 3);
    ack(A, 2);
    assert_int_equal(replica_next(A, &record), HERD_OK);
    assert_int_equal(replica_next(A, &record), HERD_OK);
    assert_sends_nothing(A);
    ack(A, CFG_LINK_INFLIGHT + 2);
    assert_int_equal(replica_next(A, &record), HERD_OK);
    ack(A, CFG_LINK_INFLIGHT + 3);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 0);
    /* The other links have credit of their own. */
    assert_int_equal(replica_next(B, &record), HERD_OK);
}

static void reports_of_a_device_coalesce_while_one_is_in_flight(void **state)
{
    (void)state;
    take("kiwi", NOW);
    assert_sends(A, "kiwi", NOW);
    for (int64_t i = 1; i <= 10; i++) {
        take("kiwi", NOW + i);
        assert_sends_nothing(A);
    }
    ack(A, 1); /* late, of the first */
    assert_int_equal(replica_pending(A), 1);
    assert_sends(A, "kiwi", NOW + 10);
    ack(A, 2);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 0);
}

static void acknowledgements_that_cannot_be_are_a_protocol_error_and_change_nothing(void **state)
{
    (void)state;
    assert_int_equal(replica_acked(A, 1), HERD_E_PROTOCOL);
    ack(A, 0);
    take("a", NOW);
    take("b", NOW);
    assert_sends(A, "a", NOW);
    assert_sends(A, "b", NOW);
    assert_int_equal(replica_acked(A, 3), HERD_E_PROTOCOL);
    assert_int_equal(replica_acked(A, UINT32_MAX), HERD_E_PROTOCOL);
    assert_int_equal(replica_in_flight(A), 2);
    assert_int_equal(replica_pending(A), 2);
    ack(A, 1);
    ack(A, 1); /* the same again */
    assert_int_equal(replica_acked(A, 0), HERD_E_PROTOCOL);
    assert_int_equal(replica_in_flight(A), 1);
    ack(A, 2);
    assert_int_equal(replica_acked(A, 3), HERD_E_PROTOCOL);
    replica_link_down(A);
    assert_int_equal(replica_acked(A, 3), HERD_E_PROTOCOL);
}

static void busy_device_does_not_starve_the_others(void **state)
{
    (void)state;
    struct client_record record;
    unsigned busy = 0, quiet = 0;

    for (unsigned i = 0; i < 40; i++) {
        take(name_of(i), NOW);
    }
    for (uint32_t i = 1; i <= 80; i++) {
        take("n000", NOW + (int64_t)i);
        assert_int_equal(replica_next(A, &record), HERD_OK);
        ack(A, i);
        if (span_equal(record.report.client, SPAN_LIT("n000"))) {
            busy++;
        } else {
            quiet++;
        }
        if (quiet == 39) {
            break;
        }
    }
    assert_int_equal(quiet, 39);
    assert_true(busy <= 2);
}

static void every_slot_is_found_wherever_the_turn_is(void **state)
{
    (void)state;
    struct client_record record;
    uint32_t acked = 0;

    for (unsigned i = 0; i < CFG_LINK_INFLIGHT * 4; i++) {
        take(name_of(i), NOW);
        assert_sends(A, name_of(i), NOW);
        ack(A, ++acked);
    }
    for (unsigned i = 0; i < 1000; i++) { /* 37 and 128 have no common divisor: all of them */
        unsigned n = i * 37 % (CFG_LINK_INFLIGHT * 4);
        take(name_of(n), NOW + 1 + (int64_t)i);
        assert_int_equal(replica_next(A, &record), HERD_OK);
        assert_span_equal(record.report.client, name_of(n));
        ack(A, ++acked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(report_of_a_client_goes_to_every_link_once, begin_up),
        cmocka_unit_test_setup(taken_report_carries_server_and_difference, begin_up),
        cmocka_unit_test_setup(key_is_the_stamp_unless_a_trusted_clock_is_far_behind_it, begin_up),
        cmocka_unit_test_setup(key_does_not_wrap_at_the_ends_of_time, begin_up),
        cmocka_unit_test_setup(report_that_is_known_changes_nothing_whoever_took_it, begin_up),
        cmocka_unit_test_setup(older_report_changes_nothing, begin_up),
        cmocka_unit_test_setup(device_ahead_of_the_clock_is_ordered_by_its_stamps_as_well,
                               begin_up),
        cmocka_unit_test_setup(clock_that_is_not_trusted_says_nothing_of_who_is_ahead, begin_up),
        cmocka_unit_test_setup(device_whose_clock_was_put_right_is_heard_again, begin_up),
        cmocka_unit_test_setup(report_below_a_full_table_marks_nothing, begin_small),
        cmocka_unit_test_setup(merged_record_goes_on_to_the_others_and_not_back, begin_up),
        cmocka_unit_test_setup(record_that_a_neighbour_has_by_itself_is_not_sent_to_it, begin_up),
        cmocka_unit_test_setup(neighbour_that_knows_only_an_older_record_is_told_the_newer,
                               begin_up),
        cmocka_unit_test_setup(newer_record_of_a_neighbour_takes_the_place_of_what_it_was_to_hear,
                               begin_up),
        cmocka_unit_test_setup(
            newer_record_of_a_neighbour_stays_known_to_it_when_an_old_one_is_acknowledged,
            begin_up),
        cmocka_unit_test_setup(record_too_far_ahead_is_refused_by_a_trusted_clock_only, begin_up),
        cmocka_unit_test_setup(what_was_too_far_ahead_is_lacked_once_all_of_it_would_be_taken,
                               begin_up),
        cmocka_unit_test_setup(same_report_taken_by_two_nodes_ends_as_one_record_at_both, begin_up),
        cmocka_unit_test_setup(link_without_credit_sends_nothing_until_acknowledged, begin_up),
        cmocka_unit_test_setup(reports_of_a_device_coalesce_while_one_is_in_flight, begin_up),
        cmocka_unit_test_setup(
            acknowledgements_that_cannot_be_are_a_protocol_error_and_change_nothing, begin_up),
        cmocka_unit_test_setup(busy_device_does_not_starve_the_others, begin_up),
        cmocka_unit_test_setup(every_slot_is_found_wherever_the_turn_is, begin_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

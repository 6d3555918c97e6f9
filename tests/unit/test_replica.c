/* replica: what each neighbour still has to hear; neighbours are modelled here. */
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

static int begin_with_capacity(unsigned capacity)
{
    names_init();
    clients_init(capacity);
    replica_init(LINKS, SKEW);
    return names_intern(SPAN_LIT("Self"), &self) | names_intern(SPAN_LIT("Other"), &other);
}

static int begin(void **state)
{
    (void)state;
    return begin_with_capacity(CFG_DEVICES);
}

static int begin_up(void **state)
{
    int err = begin(state);

    for (unsigned link = 0; link < LINKS; link++) {
        replica_link_up(link);
    }
    return err;
}

/* As begin_up, with a table of two records. */
static int begin_small(void **state)
{
    int err = begin_up(state);

    clients_init(2);
    return err;
}

static struct proto_report report_of(const char *client, int64_t stamp_ns)
{
    return (struct proto_report){.client = span_of(client),
                                 .location = SPAN_LIT("+34-118"),
                                 .stamp = SPAN_LIT("1"),
                                 .stamp_ns = stamp_ns};
}

/* A report of our own client, by a trusted clock. */
static enum clients_result take(const char *client, int64_t stamp_ns)
{
    struct proto_report report = report_of(client, stamp_ns);

    return replica_take(&report, self, NOW, true);
}

static struct client_record record_of(const char *client, int64_t stamp_ns)
{
    return (struct client_record){
        .key_ns = stamp_ns, .server = other, .report = report_of(client, stamp_ns)};
}

static void merge(unsigned link, const char *client, int64_t stamp_ns)
{
    struct client_record record = record_of(client, stamp_ns);

    assert_int_equal(replica_merge(link, &record, NOW, true), HERD_OK);
}

static struct client_record held(const char *client)
{
    struct client_record record;
    unsigned slot = 0;

    assert_int_equal(clients_find(span_of(client), &slot), HERD_OK);
    clients_get(slot, &record);
    return record;
}

static void assert_sends(unsigned link, const char *client, int64_t stamp_ns)
{
    struct client_record record;

    assert_int_equal(replica_next(link, &record), HERD_OK);
    assert_span_equal(record.report.client, client);
    assert_true(record.report.stamp_ns == stamp_ns);
}

static void assert_sends_nothing(unsigned link)
{
    struct client_record record;

    assert_int_equal(replica_next(link, &record), HERD_E_AGAIN);
}

static void ack(unsigned link, uint32_t reports)
{
    assert_int_equal(replica_acked(link, reports), HERD_OK);
}

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

static const char *name_of(unsigned i)
{
    static char names[CFG_LINK_INFLIGHT * 4][8];
    struct text t;

    assert_true(i < sizeof names / sizeof names[0]);
    text_init(&t, names[i], sizeof names[i]);
    text_char(&t, 'n');
    text_pad(&t, i, 3);
    return text_cstr(&t);
}

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

/* --- Links come and go ---------------------------------------------------------------------- */

static void link_that_comes_up_is_told_everything(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        take(name_of(i), NOW);
        assert_sends(A, name_of(i), NOW);
    }
    ack(A, 3);
    merge(A, "theirs", NOW);
    assert_int_equal(replica_pending(A), 0);
    replica_link_down(A);
    replica_link_up(A);
    assert_int_equal(replica_pending(A), 4);
    assert_sends(A, "theirs", NOW); /* it may have restarted */
    assert_sends(A, "n000", NOW);
    assert_sends(A, "n001", NOW);
    assert_sends(A, "n002", NOW);
    assert_sends_nothing(A);
    assert_int_equal(replica_stats().resent, 0); /* all had been acknowledged */
}

static void link_that_is_down_sends_nothing_and_forgets_nothing(void **state)
{
    (void)state;
    take("kiwi", NOW);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 1);
    replica_link_up(A);
    assert_sends(A, "kiwi", NOW);
    ack(A, 1);
    replica_link_down(A);
    take("pear", NOW);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 1);
}

static void record_in_flight_is_sent_again_when_its_link_comes_back(void **state)
{
    (void)state;
    take("a", NOW);
    take("b", NOW);
    take("c", NOW);
    take("d", NOW);
    assert_sends(A, "a", NOW);
    assert_sends(A, "b", NOW);
    assert_sends(A, "c", NOW);
    ack(A, 1);
    replica_link_down(A);
    replica_link_down(A); /* twice is once */
    assert_int_equal(replica_in_flight(A), 0);
    assert_int_equal(replica_pending(A), 3);
    take("c", NOW + 1);
    replica_link_up(A);
    assert_int_equal(replica_acked(A, 1), HERD_E_PROTOCOL); /* counts from the start */
    assert_sends(A, "d", NOW);
    assert_sends(A, "a", NOW);
    assert_sends(A, "b", NOW);
    assert_sends(A, "c", NOW + 1);
    assert_sends_nothing(A);
    assert_int_equal(replica_stats().resent, 1); /* b; c is another record now */
    ack(A, 4);
    assert_int_equal(replica_pending(A), 0);
}

static void link_that_comes_up_again_without_going_down_starts_anew(void **state)
{
    (void)state;
    take("kiwi", NOW);
    assert_sends(A, "kiwi", NOW);
    replica_link_up(A);
    assert_int_equal(replica_in_flight(A), 0);
    assert_sends(A, "kiwi", NOW);
    assert_int_equal(replica_stats().resent, 1);
    ack(A, 1);
}

static void links_outside_the_herd_panic(void **state)
{
    (void)state;
    struct client_record record = record_of("kiwi", NOW);
    int err = HERD_OK;

    expect_assert_failure(err = replica_next(LINKS, &record));
    expect_assert_failure(err = replica_merge(LINKS, &record, NOW, true));
    expect_assert_failure(err = replica_acked(LINKS, 0));
    expect_assert_failure(replica_link_up(LINKS));
    expect_assert_failure(replica_init(CFG_LINKS + 1, SKEW));
    assert_int_equal(err, HERD_OK);
}

static void node_without_links_takes_reports(void **state)
{
    (void)state;
    replica_init(0, SKEW);
    assert_int_equal(take("kiwi", NOW), CLIENTS_STORED);
}

/* --- Slots that change hands ---------------------------------------------------------------- */

static void late_acknowledgement_of_an_evicted_record_says_nothing_of_its_successor(void **state)
{
    (void)state;
    take("a", NOW);
    take("b", NOW + 1);
    assert_sends(A, "a", NOW);
    take("c", NOW + 2); /* in the slot of a */
    assert_sends(A, "b", NOW + 1);
    assert_sends_nothing(A); /* c waits until the slot's record has landed */
    ack(A, 1);
    assert_int_equal(replica_pending(A), 2);
    assert_sends(A, "c", NOW + 2);
    assert_sends_nothing(A);
    ack(A, 2);
    assert_sends_nothing(A); /* the acknowledgement of b does not bring c again */
    ack(A, 3);
    assert_int_equal(replica_pending(A), 0);
}

static void evicted_record_that_somebody_lacked_is_counted_once(void **state)
{
    (void)state;
    take("a", NOW);
    take("b", NOW + 1);
    assert_sends(A, "a", NOW);
    take("c", NOW + 2); /* a was in flight to A, and not sent to B and C */
    assert_int_equal(replica_stats().evicted_unsent, 1);
    for (unsigned link = 0; link < LINKS; link++) {
        struct client_record record;
        uint32_t sent = replica_in_flight(link);
        while (replica_next(link, &record) == HERD_OK) {
            sent++;
        }
        ack(link, sent);
        if (replica_next(link, &record) == HERD_OK) {
            ack(link, sent + 1);
        }
        assert_int_equal(replica_pending(link), 0);
    }
    take("d", NOW + 3); /* b is known everywhere */
    assert_int_equal(clients_stats().evicted, 2);
    assert_int_equal(replica_stats().evicted_unsent, 1);
    replica_link_down(B);
    take("d", NOW + 4);
    take("e", NOW + 5); /* c goes, known everywhere */
    assert_int_equal(replica_stats().evicted_unsent, 1);
    take("f", NOW + 6); /* d goes */
    assert_int_equal(replica_stats().evicted_unsent, 2);
}

static void slot_that_a_neighbours_record_takes_over_is_not_sent_back(void **state)
{
    (void)state;
    take("a", NOW);
    take("b", NOW + 1);
    assert_sends(A, "a", NOW);
    merge(A, "c", NOW + 2); /* in the slot of a */
    assert_sends(A, "b", NOW + 1);
    ack(A, 2);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 0);
    assert_sends(B, "c", NOW + 2);
}

/* --- Floors --------------------------------------------------------------------------------- */

static void records_below_the_neighbours_floor_are_passed_over(void **state)
{
    (void)state;
    struct clients_floor floor = {.full = true, .pinned = false, .key_ns = NOW};

    take("low", NOW - 1);
    take("even", NOW);
    take("high", NOW + 1);
    take("low2", NOW - 2);
    replica_set_floor(A, floor);
    assert_sends(A, "even", NOW);
    assert_sends(A, "high", NOW + 1);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 2);
    assert_int_equal(replica_stats().sent, 2);
    assert_sends(B, "low", NOW - 1);
    take("low", NOW + 2); /* no longer */
    assert_sends(A, "low", NOW + 2);
}

static void floor_is_forgotten_when_the_link_comes_up_again(void **state)
{
    (void)state;
    struct clients_floor floor = {.full = true, .pinned = false, .key_ns = NOW + 1};

    take("low", NOW);
    replica_set_floor(A, floor);
    assert_sends_nothing(A);
    assert_int_equal(replica_pending(A), 0);
    replica_link_up(A);
    assert_sends(A, "low", NOW);
}

/* --- A herd in miniature -------------------------------------------------------------------- */

#define DEVICES 24
#define SLOTS   12
#define STEPS   20000

/* A neighbour: what it knows, and what is on its way to it. */
struct model {
    struct client_record known[DEVICES];
    bool knows[DEVICES];
    struct client_record told_us[DEVICES]; /* since the link came up */
    bool told[DEVICES];
    struct client_record wire[CFG_LINK_INFLIGHT];
    unsigned on_wire;
    uint32_t processed; /* since the link came up */
    bool up;
};

static struct model models[LINKS];

static unsigned device_of(const struct client_record *r)
{
    return (unsigned)(r->report.client.at[1] - 'a');
}

static struct span device_name(unsigned device)
{
    static const char names[] = "dadbdcdddedfdgdhdidjdkdldmdndodpdqdrdsdtdudvdwdx";

    return (struct span){names + device * 2, 2};
}

static void model_learns(struct model *m, const struct client_record *r)
{
    unsigned d = device_of(r);

    if (!m->knows[d] || clients_order(r, &m->known[d]) > 0) {
        m->known[d] = *r;
        m->known[d].report.client = device_name(d); /* not the table's bytes */
        m->known[d].report.location = SPAN_LIT("+34-118");
        m->known[d].report.stamp = SPAN_LIT("1");
        m->knows[d] = true;
    }
}

static void model_link(unsigned link, bool up)
{
    struct model *m = &models[link];

    m->up = up;
    m->on_wire = 0; /* what was on its way is lost */
    m->processed = 0;
    memset(m->told, 0, sizeof m->told);
    if (up) {
        replica_link_up(link);
    } else {
        replica_link_down(link);
    }
}

static void model_sends(unsigned link)
{
    struct model *m = &models[link];
    struct client_record r;

    if (replica_next(link, &r) != HERD_OK) {
        return;
    }
    assert_true(m->up);
    unsigned d = device_of(&r);
    /* No echo, and nothing twice at once. */
    assert_false(m->told[d] && clients_order(&m->told_us[d], &r) == 0);
    for (unsigned i = 0; i < m->on_wire; i++) {
        assert_false(device_of(&m->wire[i]) == d && clients_order(&m->wire[i], &r) == 0);
    }
    assert_true(m->on_wire < CFG_LINK_INFLIGHT);
    r.report = report_of("", r.report.stamp_ns);
    r.report.client = device_name(d);
    m->wire[m->on_wire++] = r;
}

static void model_processes_one(unsigned link)
{
    struct model *m = &models[link];

    if (m->on_wire == 0) {
        return;
    }
    model_learns(m, &m->wire[0]);
    m->on_wire--;
    memmove(&m->wire[0], &m->wire[1], m->on_wire * sizeof m->wire[0]);
    m->processed++;
}

static void model_tells(struct unit_random *r, unsigned link)
{
    struct model *m = &models[link];
    unsigned d = unit_below(r, DEVICES);

    if (!m->up || !m->knows[d]) {
        return;
    }
    m->told_us[d] = m->known[d];
    m->told[d] = true;
    assert_int_equal(replica_merge(link, &m->known[d], 0, false), HERD_OK);
}

static struct client_record random_record(struct unit_random *r, uint8_t server)
{
    struct client_record record = record_of("", unit_below(r, 5000));

    record.server = server;
    record.report.client = device_name(unit_below(r, DEVICES));
    return record;
}

static void random_step(struct unit_random *r)
{
    unsigned link = unit_below(r, LINKS);
    struct model *m = &models[link];
    struct client_record record;

    switch (unit_below(r, 16)) {
    case 0:
        record = random_record(r, self);
        (void)replica_take(&record.report, self, 0, false);
        break;
    case 1: /* a client of the neighbour's reports there */
        record = random_record(r, other);
        model_learns(m, &record);
        break;
    case 2:
    case 3:
        model_tells(r, link);
        break;
    case 4:
        if (unit_below(r, 20) == 0) {
            model_link(link, !m->up);
        }
        break;
    case 5:
        if (unit_below(r, 100) == 0) { /* restart: it knows nothing */
            memset(m, 0, sizeof *m);
            model_link(link, true);
        }
        break;
    case 6:
    case 7:
        model_processes_one(link);
        break;
    case 8: /* acknowledgements may lag behind */
        if (m->up) {
            ack(link, m->processed);
        }
        break;
    default:
        model_sends(link);
        break;
    }
    assert_true(replica_in_flight(link) <= CFG_LINK_INFLIGHT);
}

/* All links up, everything sent, processed and acknowledged. */
static void settle(void)
{
    for (unsigned link = 0; link < LINKS; link++) {
        struct model *m = &models[link];

        if (!m->up) {
            model_link(link, true);
        }
        for (unsigned i = 0; replica_pending(link) > 0; i++) {
            assert_true(i < 10 * SLOTS);
            model_sends(link);
            model_processes_one(link);
            ack(link, m->processed);
        }
        assert_int_equal(replica_in_flight(link), m->on_wire);
        while (m->on_wire > 0) {
            model_processes_one(link);
        }
        ack(link, m->processed);
    }
}

static void neighbours_know_all_that_we_hold_after_any_history(void **state)
{
    (void)state;
    struct unit_random r = {314159};

    assert_int_equal(begin_with_capacity(SLOTS), 0);
    memset(models, 0, sizeof models);
    for (unsigned step = 1; step <= STEPS; step++) {
        random_step(&r);
        if (step % 500 != 0) {
            continue;
        }
        settle();
        for (unsigned i = 0; i < clients_stats().count; i++) {
            struct client_record ours;
            clients_get(clients_sorted(i), &ours);
            for (unsigned link = 0; link < LINKS; link++) {
                unsigned d = device_of(&ours);
                assert_true(models[link].knows[d]);
                assert_true(clients_order(&models[link].known[d], &ours) >= 0);
            }
        }
    }
    /* Everything happened that should be tried. */
    assert_true(clients_stats().evicted > 0 && clients_stats().refused > 0);
    assert_true(replica_stats().resent > 0 && replica_stats().evicted_unsent > 0);
    assert_true(replica_stats().duplicate > 0 && replica_stats().merged > 0);
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
        cmocka_unit_test_setup(same_report_taken_by_two_nodes_ends_as_one_record_at_both, begin_up),
        cmocka_unit_test_setup(link_without_credit_sends_nothing_until_acknowledged, begin_up),
        cmocka_unit_test_setup(reports_of_a_device_coalesce_while_one_is_in_flight, begin_up),
        cmocka_unit_test_setup(
            acknowledgements_that_cannot_be_are_a_protocol_error_and_change_nothing, begin_up),
        cmocka_unit_test_setup(busy_device_does_not_starve_the_others, begin_up),
        cmocka_unit_test_setup(every_slot_is_found_wherever_the_turn_is, begin_up),
        cmocka_unit_test_setup(link_that_comes_up_is_told_everything, begin_up),
        cmocka_unit_test_setup(link_that_is_down_sends_nothing_and_forgets_nothing, begin),
        cmocka_unit_test_setup(record_in_flight_is_sent_again_when_its_link_comes_back, begin_up),
        cmocka_unit_test_setup(link_that_comes_up_again_without_going_down_starts_anew, begin_up),
        cmocka_unit_test_setup(links_outside_the_herd_panic, begin_up),
        cmocka_unit_test_setup(node_without_links_takes_reports, begin_up),
        cmocka_unit_test_setup(
            late_acknowledgement_of_an_evicted_record_says_nothing_of_its_successor, begin_small),
        cmocka_unit_test_setup(evicted_record_that_somebody_lacked_is_counted_once, begin_small),
        cmocka_unit_test_setup(slot_that_a_neighbours_record_takes_over_is_not_sent_back,
                               begin_small),
        cmocka_unit_test_setup(records_below_the_neighbours_floor_are_passed_over, begin_up),
        cmocka_unit_test_setup(floor_is_forgotten_when_the_link_comes_up_again, begin_up),
        cmocka_unit_test(neighbours_know_all_that_we_hold_after_any_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

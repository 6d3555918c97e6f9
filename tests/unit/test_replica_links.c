/* replica: links that come and go, slots that change hands, floors, and a herd in miniature whose
 * neighbours are modelled here.
 */
#include "replica_unit.h"

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
    replica_link_up(A);
    for (unsigned i = 0; i < 4; i++) {
        struct client_record record;
        assert_int_equal(replica_next(A, &record), HERD_OK);
    }
    assert_int_equal(replica_stats().resent, 1); /* what was acknowledged counts as new */
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
    expect_assert_failure(replica_init(REPLICA_LINKS_MAX + 1, SKEW));
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

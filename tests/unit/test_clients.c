/* clients: the table of the newest report of each device. */
#include "unit.h"

#include "clients.h"
#include "names.h"

#define S INT64_C(1000000000)

static uint8_t bailey, clark;

static int begin(void **state)
{
    (void)state;
    names_init();
    clients_init(CFG_DEVICES);
    /* Clark first, so that the order of names is not that of indices. */
    return names_intern(SPAN_LIT("Clark"), &clark) | names_intern(SPAN_LIT("Bailey"), &bailey);
}

static int begin_small(void **state)
{
    int err = begin(state);

    clients_init(3);
    return err;
}

/* A record with the stamp "1"; key and stamp are seconds. */
static struct client_record record(const char *client, int64_t key_s, int64_t stamp_s)
{
    return (struct client_record){.key_ns = key_s * S,
                                  .difference_ns = 5,
                                  .server = clark,
                                  .flags = 0,
                                  .report = {.client = span_of(client),
                                             .location = SPAN_LIT("+34-118"),
                                             .stamp = SPAN_LIT("1"),
                                             .stamp_ns = stamp_s * S}};
}

static enum clients_result offer(struct client_record r, unsigned *slot)
{
    bool evicted;

    return clients_offer(&r, slot, &evicted);
}

static enum clients_result put(const char *client, int64_t key_s, int64_t stamp_s)
{
    unsigned slot;

    return offer(record(client, key_s, stamp_s), &slot);
}

static bool knows(const char *client)
{
    unsigned slot;

    return clients_find(span_of(client), &slot) == HERD_OK;
}

static void record_is_found_with_the_bytes_it_came_with(void **state)
{
    (void)state;
    char client[] = "kiwi", location[] = "+34.068930-118.445127", stamp[] = "1621464827.959498503";
    struct client_record in = {.key_ns = 11,
                               .difference_ns = -22,
                               .server = bailey,
                               .flags = CLIENTS_FLAG_PINNED | CLIENTS_FLAG_TOMBSTONE,
                               .report = {span_of(client), span_of(location), span_of(stamp), 33}};
    struct client_record out;
    unsigned slot, found;

    assert_int_equal(offer(in, &slot), CLIENTS_STORED);
    memset(client, '#', 4); /* the bytes were copied */
    memset(location, '#', 5);
    memset(stamp, '#', 5);
    assert_int_equal(clients_find(SPAN_LIT("kiwi"), &found), HERD_OK);
    assert_int_equal(found, slot);
    clients_get(slot, &out);
    assert_int_equal(out.key_ns, 11);
    assert_int_equal(out.difference_ns, -22);
    assert_int_equal(out.server, bailey);
    assert_int_equal(out.flags, CLIENTS_FLAG_PINNED | CLIENTS_FLAG_TOMBSTONE);
    assert_span_equal(out.report.client, "kiwi");
    assert_span_equal(out.report.location, "+34.068930-118.445127");
    assert_span_equal(out.report.stamp, "1621464827.959498503");
    assert_int_equal(out.report.stamp_ns, 33);
}

static void unknown_device_is_not_found(void **state)
{
    (void)state;
    unsigned slot = 77;

    assert_int_equal(clients_find(SPAN_LIT("kiwi"), &slot), HERD_E_RANGE);
    put("kiwi", 1, 1);
    assert_int_equal(clients_find(SPAN_LIT("kiw"), &slot), HERD_E_RANGE);
    assert_int_equal(clients_find(SPAN_LIT("kiwi2"), &slot), HERD_E_RANGE);
    assert_int_equal(clients_find(SPAN_LIT("Kiwi"), &slot), HERD_E_RANGE);
    assert_int_equal(clients_find(SPAN_LIT("a"), &slot), HERD_E_RANGE);
    assert_int_equal(clients_find(SPAN_LIT("z"), &slot), HERD_E_RANGE);
    assert_int_equal(clients_find(SPAN_LIT(""), &slot), HERD_E_RANGE);
    assert_int_equal(slot, 77);
}

static void devices_come_in_bytewise_order_of_names(void **state)
{
    (void)state;
    static const char *const names[] = {"m", "\xc3\xa4", "a", "z", "aa", "A", "m0", "\xff", "~"};
    static const char *const rising[] = {"A", "a", "aa", "m", "m0", "z", "~", "\xc3\xa4", "\xff"};

    for (size_t i = 0; i < 9; i++) {
        put(names[i], (int64_t)i, 1);
    }
    for (unsigned i = 0; i < 9; i++) {
        struct client_record r;
        clients_get(clients_sorted(i), &r);
        assert_span_equal(r.report.client, rising[i]);
        assert_true(knows(names[i]));
    }
    assert_int_equal(clients_stats().count, 9);
    assert_int_equal(clients_stats().high_water, 9);
    expect_assert_failure(clients_sorted(9));
}

/* Records of one device, rising in the order: each differs from the one before in one field, and
 * every field of less weight falls, so that weights in a wrong order are seen. */
static size_t rising_records(struct client_record *r)
{
    size_t n = 0;

    r[n] = record("kiwi", 10, 10);
    r[n].server = bailey;
    r[n].report.location = SPAN_LIT("+3-3");
    r[n].report.stamp = SPAN_LIT("10.0");
    r[n].difference_ns = -5;
    n++;
    r[n] = r[n - 1]; /* flags */
    r[n].flags = CLIENTS_FLAG_TOMBSTONE;
    n++;
    r[n] = r[n - 1]; /* stamp text, bytewise */
    r[n].report.stamp = SPAN_LIT("10.00");
    r[n].flags = 0;
    n++;
    r[n] = r[n - 1]; /* difference */
    r[n].difference_ns = 5;
    r[n].report.stamp = SPAN_LIT("10");
    n++;
    r[n] = r[n - 1]; /* location text */
    r[n].report.location = SPAN_LIT("+3-30");
    r[n].difference_ns = -9;
    n++;
    r[n] = r[n - 1]; /* server name */
    r[n].server = clark;
    r[n].report.location = SPAN_LIT("+1-1");
    n++;
    r[n] = r[n - 1]; /* stamp as a number */
    r[n].report.stamp_ns++;
    r[n].server = bailey;
    n++;
    r[n] = r[n - 1]; /* key */
    r[n].key_ns++;
    r[n].report.stamp_ns = 0;
    n++;
    return n;
}

static void order_weighs_key_stamp_server_location_and_then_the_rest(void **state)
{
    (void)state;
    struct client_record r[10];
    size_t count = rising_records(r);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = clients_order(&r[i], &r[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void higher_record_replaces_lower_and_lower_changes_nothing(void **state)
{
    (void)state;
    struct client_record r[10], now;
    size_t count = rising_records(r);
    unsigned slot;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(offer(r[i], &slot), CLIENTS_STORED);
        uint32_t version = clients_version(slot);
        for (size_t j = 0; j <= i; j++) {
            assert_int_equal(offer(r[j], &slot), j == i ? CLIENTS_SAME : CLIENTS_OLDER);
        }
        assert_int_equal(clients_version(slot), version);
        clients_get(slot, &now);
        assert_int_equal(clients_order(&now, &r[i]), 0);
    }
    assert_int_equal(clients_stats().count, 1);
}

static void version_is_new_with_every_change_and_zero_only_while_free(void **state)
{
    (void)state;
    unsigned a, b;

    assert_int_equal(clients_version(0), 0);
    assert_false(clients_used(0));
    offer(record("a", 1, 1), &a);
    uint32_t first = clients_version(a);
    offer(record("b", 1, 1), &b);
    assert_int_not_equal(first, 0);
    assert_int_not_equal(clients_version(b), first);
    assert_int_equal(clients_version(a), first);
    offer(record("a", 2, 2), &a);
    assert_int_not_equal(clients_version(a), first);
    assert_int_not_equal(clients_version(a), clients_version(b));
    clients_init(CFG_DEVICES);
    assert_false(clients_used(a));
    expect_assert_failure(clients_get(a, &(struct client_record){0}));
    expect_assert_failure(clients_version(CFG_DEVICES));
}

static void full_table_drops_the_record_with_the_lowest_key(void **state)
{
    (void)state;
    unsigned slot_b, slot;
    bool evicted;

    put("a", 30, 1);
    offer(record("b", 10, 9), &slot_b);
    put("c", 20, 5);
    uint32_t version = clients_version(slot_b);
    struct client_record d = record("d", 11, 0);
    assert_int_equal(clients_offer(&d, &slot, &evicted), CLIENTS_STORED);
    assert_true(evicted);
    assert_int_equal(slot, slot_b);
    assert_int_not_equal(clients_version(slot), version);
    assert_false(knows("b"));
    assert_true(knows("a") && knows("c") && knows("d"));
    assert_int_equal(clients_stats().evicted, 1);
    assert_int_equal(clients_stats().count, 3);
    struct client_record a = record("a", 31, 1);
    assert_int_equal(clients_offer(&a, &slot, &evicted), CLIENTS_STORED);
    assert_false(evicted);
}

static void full_table_refuses_a_newcomer_below_its_lowest(void **state)
{
    (void)state;
    unsigned slot = 77;

    put("a", 30, 1);
    put("b", 10, 1);
    put("c", 20, 1);
    assert_int_equal(offer(record("d", 9, 99), &slot), CLIENTS_REFUSED);
    assert_int_equal(slot, 77);
    assert_false(knows("d"));
    assert_true(knows("b"));
    assert_int_equal(clients_stats().refused, 1);
    assert_int_equal(clients_stats().evicted, 0);
    /* A device that is known is never refused, however low. */
    assert_int_equal(put("b", 9, 1), CLIENTS_OLDER);
}

static void equal_keys_are_evicted_by_stamp_and_then_by_device(void **state)
{
    (void)state;
    put("b", 10, 5);
    put("c", 10, 5);
    put("d", 10, 4);
    assert_int_equal(put("a", 10, 4), CLIENTS_REFUSED); /* below d by name */
    assert_int_equal(put("e", 10, 4), CLIENTS_STORED);  /* above d by name */
    assert_false(knows("d"));
    assert_int_equal(put("a", 10, 5), CLIENTS_STORED); /* above e by stamp */
    assert_false(knows("e"));
    assert_int_equal(put("bb", 10, 5), CLIENTS_STORED); /* a goes first now */
    assert_false(knows("a"));
    assert_true(knows("b") && knows("bb") && knows("c"));
}

static void pinned_records_are_evicted_last(void **state)
{
    (void)state;
    struct client_record pinned = record("p", 1, 1);
    unsigned slot;

    pinned.flags = CLIENTS_FLAG_PINNED;
    assert_int_equal(offer(pinned, &slot), CLIENTS_STORED);
    put("a", 10, 1);
    put("b", 20, 1);
    put("c", 30, 1);
    assert_true(knows("p"));
    assert_false(knows("a"));
    pinned.report.client = SPAN_LIT("q");
    assert_int_equal(offer(pinned, &slot), CLIENTS_STORED);
    pinned.report.client = SPAN_LIT("r");
    assert_int_equal(offer(pinned, &slot), CLIENTS_STORED);
    assert_int_equal(put("d", 1000, 1), CLIENTS_REFUSED);
    assert_true(clients_floor().pinned);
    assert_int_equal(clients_floor().key_ns, 1 * S);
}

static void floor_is_the_lowest_key_of_a_full_table(void **state)
{
    (void)state;
    assert_false(clients_floor().full);
    put("a", 30, 1);
    put("b", 10, 1);
    assert_false(clients_floor().full);
    put("c", 20, 1);
    assert_true(clients_floor().full);
    assert_false(clients_floor().pinned);
    assert_int_equal(clients_floor().key_ns, 10 * S);
    put("b", 25, 2); /* the lowest rises by itself */
    assert_int_equal(clients_floor().key_ns, 20 * S);
    put("a", 31, 2); /* another one changes */
    assert_int_equal(clients_floor().key_ns, 20 * S);
    put("d", 40, 1); /* c goes */
    assert_int_equal(clients_floor().key_ns, 25 * S);
}

static void floor_follows_a_pin_that_goes(void **state)
{
    (void)state;
    struct client_record pinned = record("p", 1, 1);
    unsigned slot;

    pinned.flags = CLIENTS_FLAG_PINNED;
    offer(pinned, &slot);
    put("a", 10, 1);
    put("b", 20, 1);
    assert_int_equal(clients_floor().key_ns, 10 * S);
    put("p", 5, 5);
    assert_int_equal(clients_floor().key_ns, 5 * S);
}

static void only_records_under_the_floor_are_below_it(void **state)
{
    (void)state;
    struct clients_floor floor = {.full = true, .pinned = false, .key_ns = 10 * S};
    struct client_record lower = record("a", 9, 99);
    struct client_record equal = record("a", 10, 0);

    assert_true(clients_below(&lower, floor));
    assert_false(clients_below(&equal, floor));
    lower.flags = CLIENTS_FLAG_PINNED;
    assert_false(clients_below(&lower, floor));
    floor.pinned = true;
    assert_true(clients_below(&lower, floor));
    equal.key_ns = INT64_MAX;
    assert_true(clients_below(&equal, floor));
    floor.full = false;
    assert_false(clients_below(&lower, floor));
}

static void record_as_long_as_the_table_allows_is_kept_whole(void **state)
{
    (void)state;
    char client[CFG_REPORT_BYTES + 1];
    struct client_record in = record("", 1, 1), out;
    unsigned slot;

    memset(client, 'c', sizeof client);
    in.report.client = (struct span){client, CFG_REPORT_BYTES - 8};
    assert_int_equal(offer(in, &slot), CLIENTS_STORED);
    clients_get(slot, &out);
    assert_int_equal(clients_order(&in, &out), 0);
    assert_true(span_equal(in.report.client, out.report.client));
}

static void records_outside_the_contract_panic(void **state)
{
    (void)state;
    char client[CFG_REPORT_BYTES + 1];
    struct client_record r = record("a", -1, 1);
    unsigned slot;
    bool evicted;

    expect_assert_failure(clients_offer(&r, &slot, &evicted));
    r = record("a", 1, 1);
    r.server = 2;
    expect_assert_failure(clients_offer(&r, &slot, &evicted));
    r = record("", 1, 1);
    memset(client, 'c', sizeof client);
    r.report.client = (struct span){client, CFG_REPORT_BYTES - 7};
    expect_assert_failure(clients_offer(&r, &slot, &evicted));
    expect_assert_failure(clients_init(0));
    expect_assert_failure(clients_init(CFG_DEVICES + 1));
}

static void table_of_one_keeps_the_highest(void **state)
{
    (void)state;
    clients_init(1);
    assert_int_equal(put("a", 10, 1), CLIENTS_STORED);
    assert_int_equal(put("b", 9, 1), CLIENTS_REFUSED);
    assert_int_equal(put("b", 11, 1), CLIENTS_STORED);
    assert_int_equal(put("a", 11, 1), CLIENTS_REFUSED); /* tie: a is below b */
    assert_true(knows("b"));
    assert_int_equal(clients_stats().count, 1);
}

/* --- Tables agree --------------------------------------------------------------------------- */

#define REPORTS 300
#define DEVICES 40

static struct client_record reports[REPORTS];
static char device_names[DEVICES][8];
static char stamp_texts[2][4] = {"1", "1.0"};
static char locations[3][8] = {"+1-1", "+1-2", "+1-10"};

/* Few values per field, so that ties of every kind are common. */
static void make_reports(struct unit_random *r)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        struct text t;
        text_init(&t, device_names[i], sizeof device_names[i]);
        text_str(&t, "d");
        text_u64(&t, i);
        text_cstr(&t);
    }
    for (unsigned i = 0; i < REPORTS; i++) {
        unsigned device = unit_below(r, DEVICES);
        reports[i] = record(device_names[device], unit_below(r, 12), unit_below(r, 3));
        reports[i].server = unit_below(r, 2) == 0 ? bailey : clark;
        reports[i].flags = device % 9 == 0 ? CLIENTS_FLAG_PINNED : 0;
        reports[i].difference_ns = unit_below(r, 2);
        reports[i].report.location = span_of(locations[unit_below(r, 3)]);
        reports[i].report.stamp = span_of(stamp_texts[unit_below(r, 2)]);
    }
}

static void shuffle(struct unit_random *r)
{
    for (unsigned i = REPORTS - 1; i > 0; i--) {
        unsigned j = unit_below(r, i + 1);
        struct client_record swapped = reports[i];
        reports[i] = reports[j];
        reports[j] = swapped;
    }
}

static bool is_higher(const struct client_record *a, const struct client_record *b)
{
    bool pinned_a = (a->flags & CLIENTS_FLAG_PINNED) != 0;
    bool pinned_b = (b->flags & CLIENTS_FLAG_PINNED) != 0;

    if (pinned_a != pinned_b) {
        return pinned_a;
    }
    if (a->key_ns != b->key_ns) {
        return a->key_ns > b->key_ns;
    }
    if (a->report.stamp_ns != b->report.stamp_ns) {
        return a->report.stamp_ns > b->report.stamp_ns;
    }
    return span_compare(a->report.client, b->report.client) > 0;
}

/* The newest record of each device, and of these whether it is among the `capacity` highest. */
static bool should_hold(const struct client_record *r, unsigned capacity)
{
    unsigned higher = 0;

    for (unsigned d = 0; d < DEVICES; d++) {
        const struct client_record *newest = NULL;
        for (unsigned i = 0; i < REPORTS; i++) {
            if (span_equal(reports[i].report.client, span_of(device_names[d])) &&
                (newest == NULL || clients_order(&reports[i], newest) > 0)) {
                newest = &reports[i];
            }
        }
        if (newest == NULL) {
            continue;
        }
        if (span_equal(newest->report.client, r->report.client)) {
            if (clients_order(newest, r) != 0) {
                return false;
            }
        } else if (is_higher(newest, r)) {
            higher++;
        }
    }
    return higher < capacity;
}

static void assert_table_holds_what_it_should(unsigned capacity)
{
    struct client_record first, r;

    assert_int_equal(clients_stats().count, capacity < DEVICES ? capacity : DEVICES);
    clients_get(clients_sorted(0), &first);
    for (unsigned i = 0; i < clients_stats().count; i++) {
        clients_get(clients_sorted(i), &r);
        assert_true(should_hold(&r, capacity));
        assert_true(i == 0 || span_compare(first.report.client, r.report.client) < 0);
        first = r;
    }
}

static void tables_agree_whatever_the_order_of_arrival_and_their_size(void **state)
{
    (void)state;
    static const unsigned capacities[] = {1, 2, 7, 20, 39, DEVICES, CFG_DEVICES};
    struct unit_random r = {4711};

    for (unsigned set = 0; set < 5; set++) {
        make_reports(&r);
        for (unsigned round = 0; round < 21; round++) {
            unsigned capacity = capacities[round % 7];
            unsigned slot;
            bool evicted;

            clients_init(capacity);
            shuffle(&r);
            for (unsigned i = 0; i < REPORTS; i++) {
                clients_offer(&reports[i], &slot, &evicted);
                if (unit_below(&r, 4) == 0) {
                    (void)clients_floor(); /* remembers the lowest */
                }
            }
            assert_table_holds_what_it_should(capacity);
        }
    }
}

static void floor_is_right_after_every_change(void **state)
{
    (void)state;
    struct unit_random r = {815};

    for (unsigned round = 0; round < 20; round++) {
        clients_init(7);
        make_reports(&r);
        for (unsigned i = 0; i < REPORTS; i++) {
            unsigned slot;
            bool evicted;
            clients_offer(&reports[i], &slot, &evicted);
            if (clients_stats().count < 7) {
                continue;
            }
            struct client_record lowest, other;
            clients_get(clients_sorted(0), &lowest);
            for (unsigned k = 1; k < 7; k++) {
                clients_get(clients_sorted(k), &other);
                lowest = is_higher(&lowest, &other) ? other : lowest;
            }
            assert_int_equal(clients_floor().key_ns, lowest.key_ns);
            assert_int_equal(clients_floor().pinned, lowest.flags != 0);
        }
    }
}

static void largest_table_fills_to_the_last_slot(void **state)
{
    (void)state;
    struct unit_random r = {99};
    unsigned slot;

    for (unsigned i = 0; i < CFG_DEVICES + 100; i++) {
        char name[16];
        struct text t;
        text_init(&t, name, sizeof name);
        text_hex(&t, unit_next(&r), 8);
        struct client_record newcomer = record("", (int64_t)i, 1);
        newcomer.report.client = text_span(&t);
        assert_int_equal(offer(newcomer, &slot), CLIENTS_STORED);
        assert_true(slot < CFG_DEVICES);
    }
    assert_int_equal(clients_stats().count, CFG_DEVICES);
    assert_int_equal(clients_stats().evicted, 100);
    assert_int_equal(clients_floor().key_ns, 100 * S);
    for (unsigned i = 1; i < CFG_DEVICES; i++) {
        struct client_record a, b;
        clients_get(clients_sorted(i - 1), &a);
        clients_get(clients_sorted(i), &b);
        assert_true(span_compare(a.report.client, b.report.client) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(record_is_found_with_the_bytes_it_came_with, begin),
        cmocka_unit_test_setup(unknown_device_is_not_found, begin),
        cmocka_unit_test_setup(devices_come_in_bytewise_order_of_names, begin),
        cmocka_unit_test_setup(order_weighs_key_stamp_server_location_and_then_the_rest, begin),
        cmocka_unit_test_setup(higher_record_replaces_lower_and_lower_changes_nothing, begin),
        cmocka_unit_test_setup(version_is_new_with_every_change_and_zero_only_while_free, begin),
        cmocka_unit_test_setup(full_table_drops_the_record_with_the_lowest_key, begin_small),
        cmocka_unit_test_setup(full_table_refuses_a_newcomer_below_its_lowest, begin_small),
        cmocka_unit_test_setup(equal_keys_are_evicted_by_stamp_and_then_by_device, begin_small),
        cmocka_unit_test_setup(pinned_records_are_evicted_last, begin_small),
        cmocka_unit_test_setup(floor_is_the_lowest_key_of_a_full_table, begin_small),
        cmocka_unit_test_setup(floor_follows_a_pin_that_goes, begin_small),
        cmocka_unit_test_setup(only_records_under_the_floor_are_below_it, begin),
        cmocka_unit_test_setup(record_as_long_as_the_table_allows_is_kept_whole, begin),
        cmocka_unit_test_setup(records_outside_the_contract_panic, begin),
        cmocka_unit_test_setup(table_of_one_keeps_the_highest, begin),
        cmocka_unit_test_setup(tables_agree_whatever_the_order_of_arrival_and_their_size, begin),
        cmocka_unit_test_setup(floor_is_right_after_every_change, begin),
        cmocka_unit_test_setup(largest_table_fills_to_the_last_slot, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

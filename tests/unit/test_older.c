/* older: the room, with connections, clock and neighbours of links made up here. */
#include <stdio.h>

#include "unit.h"

#include "hal_clock.h"
#include "hal_net.h"
#include "net.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "older.h"
#include "replica.h"
#include "rng.h"
#include "sched.h"

#define S   INT64_C(1000000000)
#define NOW (1000000 * S)

/* --- Doubles -------------------------------------------------------------------------------- */

#define CALLER    ((conn_handle)99) /* a client's connection */
#define PEERS     2
#define ELSEWHERE 0x0A000063u

static struct {
    conn_handle handle; /* 1 + how often it was dialled * 16 + slot; CONN_NONE: free */
    enum conn_state state;
    bool ready;
    size_t written, unacked, input;
    char text[4096]; /* of this connection */
    uint32_t address;
} conns[PEERS];
static unsigned dials, finished, released;
static int dial_error;
static uint32_t caller_address;
static bool addresses_are_real;
static uint64_t now_ms;
static unsigned links_woken;
static struct sched_task *task;

static unsigned at(conn_handle h)
{
    for (unsigned i = 0; i < PEERS; i++) {
        if (h != CONN_NONE && conns[i].handle == h) {
            return i;
        }
    }
    return PEERS;
}

int conn_dial(enum conn_class class, uint32_t address, uint16_t port, conn_handle *out)
{
    assert_int_equal(class, CONN_OLDER);
    assert_int_equal(port, 7000);
    dials++;
    for (unsigned i = 0; dial_error == HERD_OK && i < PEERS; i++) {
        if (conns[i].handle == CONN_NONE) {
            memset(&conns[i], 0, sizeof conns[i]);
            conns[i].handle = dials * 16 + i + 1;
            conns[i].state = CONN_OPENING;
            conns[i].address = address;
            *out = conns[i].handle;
            return HERD_OK;
        }
    }
    return dial_error != HERD_OK ? dial_error : HERD_E_FULL;
}

bool conn_next_ready(enum conn_class class, conn_handle *out)
{
    assert_int_equal(class, CONN_OLDER);
    for (unsigned i = 0; i < PEERS; i++) {
        if (conns[i].ready && conns[i].handle != CONN_NONE) {
            conns[i].ready = false;
            *out = conns[i].handle;
            return true;
        }
    }
    return false;
}

void conn_set_owner(enum conn_class class, struct sched_task *owner)
{
    assert_int_equal(class, CONN_OLDER);
    assert_ptr_equal(owner, task);
}

enum conn_state conn_state(conn_handle h)
{
    return at(h) < PEERS ? conns[at(h)].state : CONN_LOST;
}
enum conn_reason conn_reason(conn_handle h)
{
    (void)h;
    return CONN_RESET;
}
const char *conn_reason_name(enum conn_reason r)
{
    (void)r;
    return "reset";
}
size_t conn_readable(conn_handle h)
{
    return conns[at(h)].input;
}
size_t conn_room(conn_handle h)
{
    return sizeof conns[0].text - conns[at(h)].written;
}
size_t conn_unacked(conn_handle h)
{
    return at(h) < PEERS ? conns[at(h)].unacked : SIZE_MAX;
}
struct span conn_peek(conn_handle h)
{
    return (struct span){"", conns[at(h)].input > 0 ? 1 : 0};
}
void conn_consume(conn_handle h, size_t n)
{
    conns[at(h)].input -= n;
}

void conn_peer(conn_handle h, uint32_t *address, uint16_t *port)
{
    assert_int_equal(h, CALLER);
    *address = caller_address;
    *port = 1;
}

size_t conn_write(conn_handle h, const void *data, size_t n)
{
    unsigned i = at(h);
    assert_true(i < PEERS && n <= conn_room(h));
    memcpy(conns[i].text + conns[i].written, data, n);
    conns[i].written += n;
    conns[i].unacked += n;
    return n;
}

void conn_finish(conn_handle h)
{
    conns[at(h)].handle = CONN_NONE;
    finished++;
}
void conn_release(conn_handle h)
{
    if (at(h) < PEERS) {
        conns[at(h)].handle = CONN_NONE;
        released++;
    }
}

uint32_t hal_net_dial_address(uint32_t address)
{
    return address + 1;
}
bool net_is_up(void)
{
    return true;
}

bool hal_net_addresses_are_real(void)
{
    return addresses_are_real;
}
bool hal_clock_wall_ns(int64_t *ns)
{
    *ns = NOW;
    return true;
}
void links_wake(void)
{
    links_woken++;
}
bool links_clock_trusted(void)
{
    return true;
}
uint32_t rng_u32(void)
{
    return 0;
}
void sched_add(struct sched_task *t)
{
    task = t;
}
void sched_wake(struct sched_task *t)
{
    t->woken = true;
}
void sched_at(struct sched_task *t, uint64_t deadline_ms)
{
    t->deadline_ms = deadline_ms;
}
uint64_t sched_now_ms(void)
{
    return now_ms;
}
struct log_line *log_begin(enum log_event event)
{
    (void)event;
    return NULL;
}
void log_str(struct log_line *l, const char *key, const char *value)
{
    (void)l;
    (void)key;
    (void)value;
}
void log_span(struct log_line *l, const char *key, struct span value)
{
    (void)l;
    (void)key;
    (void)value;
}
void log_ip4(struct log_line *l, const char *key, uint32_t address, uint16_t port)
{
    (void)l;
    (void)key;
    (void)address;
    (void)port;
}
void log_end(struct log_line *l)
{
    (void)l;
}

/* --- The herd: Self, linked with a node, with Old (at) and New (update) ----------------------- */

static struct config config;

static int begin_with(unsigned open_count, bool anyone, bool real)
{
    static const struct config_node nodes[] = {
        {.name = "Self", .address = 0x0A000001},
        {.name = "Node", .address = 0x0A000002},
        {.name = "Old", .address = 0x0A000003, .port = 7000, .open = true, .lines = 1},
        {.name = "Two", .address = 0x0A000004, .port = 7000, .open = true, .lines = 3},
    };
    uint8_t index = 0;

    memset(&config, 0, sizeof config);
    memcpy(config.nodes, nodes, sizeof nodes);
    config.nodes[3].dialect = CONFIG_DIALECT_UPDATE;
    config.node_count = 4;
    config.neighbours[0] = 1;
    config.neighbour_count = 1;
    config.open[0] = 2;
    config.open[1] = 3;
    config.open_count = open_count;
    config.open_anyone = anyone;
    config.report_bytes = 128;
    memset(conns, 0, sizeof conns);
    dials = finished = released = links_woken = 0;
    dial_error = HERD_OK;
    now_ms = 1000;
    addresses_are_real = real;
    caller_address = ELSEWHERE;
    names_init();
    clients_init(CFG_DEVICES);
    replica_init(1 + open_count, 60 * S);
    assert_int_equal(names_intern(SPAN_LIT("Self"), &index), HERD_OK);
    return older_init(&config);
}

static int begin(void **state)
{
    (void)state;
    return begin_with(2, false, true);
}

static void run(void)
{
    task->woken = false;
    task->run();
}

static void take(const char *client, int64_t stamp_ns)
{
    struct proto_report report = {span_of(client), SPAN_LIT("+1+2"), SPAN_LIT("7.5"), stamp_ns};

    assert_int_equal(replica_take(&report, 0, NOW, true), CLIENTS_STORED);
    older_wake();
}

/* Something happened to the connection to this address. */
static unsigned to(uint32_t address)
{
    for (unsigned i = 0; i < PEERS; i++) {
        if (conns[i].handle != CONN_NONE && conns[i].address == address + 1) {
            return i;
        }
    }
    fail_msg("no connection");
    return 0;
}

static void happen(uint32_t address, enum conn_state state, size_t unacked)
{
    unsigned i = to(address);

    conns[i].state = state;
    conns[i].unacked = unacked;
    conns[i].ready = true;
    run();
}

#define OLD       0x0A000003u
#define TWO       0x0A000004u
#define LINK_NODE 0u
#define LINK_OLD  1u
#define LINK_TWO  2u

/* --- Telling -------------------------------------------------------------------------------- */

static void nobody_is_dialled_without_news(void **state)
{
    (void)state;
    run();
    assert_int_equal(dials, 0);
    assert_true(task->deadline_ms == SCHED_NEVER);
}

static void news_are_told_in_the_dialect_and_so_many_lines_of_each(void **state)
{
    (void)state;
    take("kiwi", 7 * S + S / 2);
    take("pear", 7 * S + S / 2);
    run();
    assert_int_equal(dials, 2);
    happen(OLD, CONN_OPEN, 0);
    unsigned old = to(OLD);
    assert_string_equal(conns[old].text, "AT Self +999992.500000000 kiwi +1+2 7.5\n");
    happen(TWO, CONN_OPEN, 0);
    assert_string_equal(conns[to(TWO)].text,
                        "UPDATE kiwi +1+2 7.5 7500 Self\nUPDATE pear +1+2 7.5 7500 Self\n");
    assert_int_equal(finished, 0); /* nothing is acknowledged yet */
    happen(TWO, CONN_OPEN, 3);
    assert_int_equal(finished, 0);
    happen(TWO, CONN_OPEN, 0);
    assert_int_equal(finished, 1);
    assert_int_equal(replica_pending(LINK_TWO), 0);
    happen(OLD, CONN_OPEN, 0);
    assert_int_equal(replica_pending(LINK_OLD), 1);
    assert_int_equal(dials,
                     2); /* the slot of the last connection is not free before the round ends */
    now_ms++;
    run();
    assert_int_equal(dials, 3);
    happen(OLD, CONN_OPEN, 0);
    assert_string_equal(conns[to(OLD)].text, "AT Self +999992.500000000 pear +1+2 7.5\n");
    happen(OLD, CONN_OPEN, 0);
    now_ms++;
    run();
    assert_int_equal(dials, 3);
    assert_int_equal(older_stats().made, 3);
    assert_int_equal(older_stats().sent, 4);
    assert_int_equal(older_stats().delivered, 4);
    assert_int_equal(older_stats().failed, 0);
    assert_int_equal(replica_pending(LINK_NODE), 2); /* nobody else's business */
}

static void what_was_lost_is_told_again_after_growing_pauses(void **state)
{
    static const unsigned pauses_ms[] = {50, 100, 200, 400, 800, 1600, 2500, 2500};
    (void)state;
    config.open_count = 1;
    take("kiwi", NOW);
    run();
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(dials, i + 1);
        if (i % 2 == 0) { /* refused; or reset before all was acknowledged */
            happen(OLD, CONN_LOST, 0);
        } else {
            happen(OLD, CONN_OPEN, 0);
            happen(OLD, CONN_LOST, 1);
        }
        assert_int_equal(replica_pending(LINK_OLD), 1);
        assert_true(task->deadline_ms == now_ms + pauses_ms[i]);
        now_ms += pauses_ms[i] - 1;
        run();
        assert_int_equal(dials, i + 1);
        now_ms++;
        run();
    }
    assert_int_equal(older_stats().failed, 8);
    happen(OLD, CONN_OPEN, 0);
    happen(OLD, CONN_OPEN, 0);
    take("kiwi", NOW + S);
    now_ms++;
    run();
    happen(OLD, CONN_LOST, 0);
    assert_true(task->deadline_ms == now_ms + pauses_ms[0]); /* it had worked in between */
}

static void a_dial_that_fails_at_once_is_repeated_as_well(void **state)
{
    (void)state;
    config.open_count = 1;
    dial_error = HERD_E_NETWORK;
    take("kiwi", NOW);
    run();
    assert_int_equal(dials, 1);
    assert_true(task->deadline_ms == now_ms + 50);
    dial_error = HERD_OK;
    now_ms += 50;
    run();
    happen(OLD, CONN_OPEN, 0);
    happen(OLD, CONN_OPEN, 0);
    assert_int_equal(replica_pending(LINK_OLD), 0);
}

static void a_peer_that_resets_after_it_acknowledged_has_heard_it(void **state)
{
    (void)state;
    config.open_count = 1;
    take("kiwi", NOW);
    run();
    happen(OLD, CONN_OPEN, 0);
    happen(OLD, CONN_LOST, 0);
    assert_int_equal(replica_pending(LINK_OLD), 0);
    assert_int_equal(older_stats().delivered, 1);
    assert_int_equal(older_stats().failed, 0);
}

static void a_peer_that_answers_or_ends_first_is_told_all_the_same(void **state)
{
    (void)state;
    config.open_count = 1;
    take("kiwi", NOW);
    run();
    conns[to(OLD)].input = 300;
    happen(OLD, CONN_PEER_ENDED, 0);
    assert_int_equal(conns[to(OLD)].input, 0);
    assert_true(conns[to(OLD)].written > 0);
    happen(OLD, CONN_PEER_ENDED, 0);
    assert_int_equal(older_stats().delivered, 1);
}

static void a_report_that_changes_on_its_way_is_told_afterwards(void **state)
{
    (void)state;
    config.open_count = 1;
    take("kiwi", NOW);
    run();
    happen(OLD, CONN_OPEN, 0);
    take("kiwi", NOW + S);
    take("kiwi", NOW + 2 * S);
    happen(OLD, CONN_OPEN, 0);
    now_ms++;
    run();
    happen(OLD, CONN_OPEN, 0);
    happen(OLD, CONN_OPEN, 0);
    now_ms++;
    run();
    assert_int_equal(older_stats().sent, 2); /* the one in between was of no interest any more */
    assert_int_equal(replica_pending(LINK_OLD), 0);
}

static void the_end_finishes_what_is_open(void **state)
{
    (void)state;
    take("kiwi", NOW);
    run();
    older_stop();
    assert_int_equal(finished, 2);
}

/* --- Hearing -------------------------------------------------------------------------------- */

static bool hear(const char *line)
{
    return older_take(CALLER, span_of(line));
}

static void only_the_address_of_a_neighbour_may_speak_and_in_its_dialect(void **state)
{
    (void)state;
    assert_false(hear("AT Old 1 kiwi +1+2 5"));
    caller_address = 0x0A000002; /* a node has its own listener */
    assert_false(hear("AT Old 1 kiwi +1+2 5"));
    caller_address = TWO;
    assert_false(hear("AT Old 1 kiwi +1+2 5"));
    assert_int_equal(older_stats().got, 0);
    assert_true(hear("UPDATE kiwi +1+2 5 5000 Two"));
    caller_address = OLD;
    assert_false(hear("UPDATE kiwi +1+2 6 6000 Two"));
    assert_false(hear("IAMAT kiwi +1+2 6"));
    assert_false(hear(""));
    assert_true(hear("AT Old 1 kiwi +1+2 6"));
    assert_int_equal(older_stats().got, 2);
    assert_int_equal(older_stats().fresh, 2);
    assert_int_equal(links_woken, 2);
    assert_true(task->woken);
}

static void a_sender_known_by_its_address_is_not_told_its_own_report(void **state)
{
    (void)state;
    caller_address = OLD;
    assert_true(hear("AT Somebody 3.1e-05 kiwi +1+2 5 2"));
    assert_int_equal(replica_pending(LINK_NODE), 1);
    assert_int_equal(replica_pending(LINK_OLD), 0);
    assert_int_equal(replica_pending(LINK_TWO), 1);
    struct client_record record;
    clients_get(0, &record);
    assert_int_equal(record.difference_ns, 31000);
    assert_span_equal(names_get(record.server), "Somebody");
}

static void an_update_has_the_difference_of_its_arrival(void **state)
{
    struct client_record record;
    (void)state;
    caller_address = TWO;
    assert_true(hear("UPDATE kiwi +1+2 999999.5 17 Two"));
    clients_get(0, &record);
    assert_int_equal(record.difference_ns, S / 2);
    assert_int_equal(record.key_ns, NOW - S / 2); /* not the label */
}

static void with_anyone_the_sender_is_the_one_that_names_itself(void **state)
{
    (void)state;
    assert_int_equal(begin_with(2, true, false), HERD_OK);
    config.nodes[3].dialect = CONFIG_DIALECT_AT;
    assert_true(hear("AT Two 1 kiwi +1+2 5"));
    assert_int_equal(replica_pending(LINK_OLD), 1);
    assert_int_equal(replica_pending(LINK_TWO), 0);
    assert_true(hear("AT Somebody 1 pear +1+2 5"));
    assert_int_equal(replica_pending(LINK_OLD), 2);
    assert_int_equal(replica_pending(LINK_TWO), 1);
}

static void with_anyone_the_only_one_of_its_dialect_is_the_sender(void **state)
{
    (void)state;
    assert_int_equal(begin_with(2, true, false), HERD_OK);
    assert_true(hear("AT Somebody 1 kiwi +1+2 5"));
    assert_int_equal(replica_pending(LINK_OLD), 0);
    assert_int_equal(replica_pending(LINK_TWO), 1);
}

static void with_anyone_and_real_addresses_the_address_still_tells(void **state)
{
    (void)state;
    assert_int_equal(begin_with(2, true, true), HERD_OK);
    config.nodes[3].dialect = CONFIG_DIALECT_AT;
    caller_address = TWO;
    assert_true(hear("AT Somebody 1 kiwi +1+2 5"));
    assert_int_equal(replica_pending(LINK_TWO), 0);
    caller_address = ELSEWHERE;
    assert_true(hear("AT Somebody 1 pear +1+2 5"));
    assert_int_equal(replica_pending(LINK_OLD), 2);
}

static void without_open_neighbours_nothing_is_taken(void **state)
{
    (void)state;
    assert_int_equal(begin_with(0, true, false), HERD_OK);
    assert_false(hear("AT Old 1 kiwi +1+2 5"));
    assert_int_equal(begin_with(0, false, false), HERD_OK);
    assert_int_equal(begin_with(0, true, true), HERD_OK);
    assert_false(hear("UPDATE kiwi +1+2 5 5000 Two"));
}

static void addresses_that_are_not_real_need_anyone(void **state)
{
    (void)state;
    assert_int_equal(begin_with(1, false, false), HERD_E_REFUSED);
}

static void what_became_of_each_line_is_counted_and_none_is_answered(void **state)
{
    (void)state;
    caller_address = OLD;
    assert_true(hear("AT Old 1 kiwi +1+2 5"));
    assert_true(hear("AT Old 1 kiwi +1+2 5.000001"));
    assert_true(hear("AT Old 1 kiwi +1+2 4.9"));
    assert_true(hear("AT Old 1 kiwi +1+2 1e9"));
    assert_true(hear("AT"));
    struct older_stats s = older_stats();
    assert_int_equal(s.got, 5);
    assert_int_equal(s.fresh, 1);
    assert_int_equal(s.duplicate, 1);
    assert_int_equal(s.stale, 1);
    assert_int_equal(s.malformed, 2);
    assert_int_equal(s.no_name + s.no_room, 0);
}

static void server_names_beyond_the_table_are_refused(void **state)
{
    char line[64];
    (void)state;
    caller_address = OLD;
    for (unsigned i = names_count(); i < CFG_SERVER_NAMES; i++) {
        snprintf(line, sizeof line, "AT s%u 1 kiwi +1+2 %u", i, i);
        assert_true(hear(line));
    }
    assert_true(hear("AT another 1 kiwi +1+2 7777"));
    assert_int_equal(older_stats().no_name, 1);
    assert_int_equal(names_refused(), 1);
    assert_true(hear("AT s5 1 kiwi +1+2 7777")); /* a known one goes on */
    assert_int_equal(older_stats().no_name, 1);
    assert_int_equal(older_stats().got, older_stats().fresh + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nobody_is_dialled_without_news, begin),
        cmocka_unit_test_setup(news_are_told_in_the_dialect_and_so_many_lines_of_each, begin),
        cmocka_unit_test_setup(what_was_lost_is_told_again_after_growing_pauses, begin),
        cmocka_unit_test_setup(a_dial_that_fails_at_once_is_repeated_as_well, begin),
        cmocka_unit_test_setup(a_peer_that_resets_after_it_acknowledged_has_heard_it, begin),
        cmocka_unit_test_setup(a_peer_that_answers_or_ends_first_is_told_all_the_same, begin),
        cmocka_unit_test_setup(a_report_that_changes_on_its_way_is_told_afterwards, begin),
        cmocka_unit_test_setup(the_end_finishes_what_is_open, begin),
        cmocka_unit_test_setup(only_the_address_of_a_neighbour_may_speak_and_in_its_dialect, begin),
        cmocka_unit_test_setup(a_sender_known_by_its_address_is_not_told_its_own_report, begin),
        cmocka_unit_test_setup(an_update_has_the_difference_of_its_arrival, begin),
        cmocka_unit_test_setup(with_anyone_the_sender_is_the_one_that_names_itself, begin),
        cmocka_unit_test_setup(with_anyone_the_only_one_of_its_dialect_is_the_sender, begin),
        cmocka_unit_test_setup(with_anyone_and_real_addresses_the_address_still_tells, begin),
        cmocka_unit_test_setup(without_open_neighbours_nothing_is_taken, begin),
        cmocka_unit_test_setup(addresses_that_are_not_real_need_anyone, begin),
        cmocka_unit_test_setup(what_became_of_each_line_is_counted_and_none_is_answered, begin),
        cmocka_unit_test_setup(server_names_beyond_the_table_are_refused, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

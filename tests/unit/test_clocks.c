/* clocks: whether our clock is trusted, by what neighbours' clocks showed and however ours is set. */
#include "unit.h"

#include "cfg.h"
#include "clocks.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "log.h"
#include "sched.h"
#include "wall.h"
#include "when.h"

#define BOUND_NS (30 * WHEN_NS_PER_S)
#define NOON_NS  (INT64_C(1900000000) * WHEN_NS_PER_S)

static bool wall_set;
static int64_t wall_ns; /* what our clock shows at now_ms */
static uint64_t now_ms;

bool wall_now_ns(int64_t *ns)
{
    if (wall_set) {
        *ns = wall_ns;
    }
    return wall_set;
}

/* For the log, which is linked in. */
uint64_t hal_clock_ms(void)
{
    return now_ms;
}
bool hal_clock_wall_ns(int64_t *ns)
{
    return wall_now_ns(ns);
}
size_t hal_console_write(const char *data, size_t bytes)
{
    (void)data;
    return bytes;
}

static void pass(uint64_t ms)
{
    now_ms += ms;
    wall_ns += (int64_t)ms * WHEN_NS_PER_MS;
    (void)sched_round(now_ms);
}

static int set_up(void **state)
{
    (void)state;
    wall_set = true;
    wall_ns = NOON_NS;
    now_ms = 5000;
    sched_init();
    log_init(LOG_ERROR);
    (void)sched_round(now_ms);
    clocks_init(BOUND_NS);
    return 0;
}

static void a_clock_that_is_not_set_is_not_trusted(void **state)
{
    (void)state;
    assert_true(clocks_trusted());
    wall_set = false;
    assert_false(clocks_trusted());
}

static void a_clock_within_the_bound_stays_trusted_while_time_passes(void **state)
{
    (void)state;
    clocks_heard(0, wall_ns + BOUND_NS);
    assert_true(clocks_trusted());
    pass(60000);
    assert_true(clocks_trusted());
    clocks_heard(0, wall_ns + BOUND_NS + 1);
    assert_false(clocks_trusted());
}

static void a_clock_that_is_set_wrongly_is_doubted_before_neighbours_speak_again(void **state)
{
    (void)state;
    clocks_heard(0, wall_ns);
    pass(1900);
    wall_ns -= 3600 * WHEN_NS_PER_S;
    assert_false(clocks_trusted());
    wall_ns += 7200 * WHEN_NS_PER_S;
    assert_false(clocks_trusted());
}

static void a_clock_that_is_put_right_is_trusted_at_once(void **state)
{
    (void)state;
    wall_ns -= 3600 * WHEN_NS_PER_S;
    clocks_heard(0, NOON_NS);
    assert_false(clocks_trusted());
    wall_ns += 3600 * WHEN_NS_PER_S;
    assert_true(clocks_trusted());
}

static void a_clock_that_is_set_late_is_compared_with_what_was_heard_before(void **state)
{
    (void)state;
    wall_set = false;
    clocks_heard(0, NOON_NS);
    wall_set = true;
    pass(1000);
    assert_true(clocks_trusted());
    wall_ns -= 3600 * WHEN_NS_PER_S;
    assert_false(clocks_trusted());
}

static void a_neighbour_without_a_clock_or_gone_has_no_say(void **state)
{
    (void)state;
    clocks_heard(0, 0);
    assert_true(clocks_trusted());
    clocks_heard(0, NOON_NS + 3600 * WHEN_NS_PER_S);
    assert_false(clocks_trusted());
    clocks_forget(0);
    assert_true(clocks_trusted());
}

static void the_end_of_time_is_no_overflow(void **state)
{
    (void)state;
    clocks_heard(0, INT64_MAX);
    pass(1000);
    assert_false(clocks_trusted());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_clock_that_is_not_set_is_not_trusted, set_up),
        cmocka_unit_test_setup(a_clock_within_the_bound_stays_trusted_while_time_passes, set_up),
        cmocka_unit_test_setup(a_clock_that_is_set_wrongly_is_doubted_before_neighbours_speak_again,
                               set_up),
        cmocka_unit_test_setup(a_clock_that_is_put_right_is_trusted_at_once, set_up),
        cmocka_unit_test_setup(a_clock_that_is_set_late_is_compared_with_what_was_heard_before,
                               set_up),
        cmocka_unit_test_setup(a_neighbour_without_a_clock_or_gone_has_no_say, set_up),
        cmocka_unit_test_setup(the_end_of_time_is_no_overflow, set_up),
    };
    return cmocka_run_group_tests_name("clocks", tests, NULL, NULL);
}

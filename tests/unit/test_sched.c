/* The scheduler: order, wake flags and deadlines. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sched.h"
#include "unit.h"

static char order[32];
static size_t order_bytes;
static struct sched_task first, second, third;
static struct sched_task *wake_from_second;

static void note(char c)
{
    assert_true(order_bytes < sizeof order - 1);
    order[order_bytes++] = c;
    order[order_bytes] = '\0';
}

static void run_first(void)
{
    note('1');
}

static void run_second(void)
{
    note('2');
    if (wake_from_second != NULL) {
        sched_wake(wake_from_second);
        wake_from_second = NULL;
    }
}

static void run_third(void)
{
    note('3');
}

static int set_up(void **state)
{
    (void)state;
    sched_init();
    first = (struct sched_task){.name = "first", .run = run_first};
    second = (struct sched_task){.name = "second", .run = run_second};
    third = (struct sched_task){.name = "third", .run = run_third};
    wake_from_second = NULL;
    sched_add(&first);
    sched_add(&second);
    sched_add(&third);
    order_bytes = 0;
    order[0] = '\0';
    return 0;
}

/* Runs the first round, in which every task is woken, and forgets it. */
static void settle(void)
{
    sched_round(0);
    order_bytes = 0;
    order[0] = '\0';
}

static void tasks_run_once_in_the_order_of_adding_when_added(void **state)
{
    (void)state;
    assert_int_equal(sched_round(0), UINT32_MAX);
    assert_string_equal(order, "123");
    assert_int_equal(sched_round(1), UINT32_MAX);
    assert_string_equal(order, "123");
}

static void a_task_woken_before_its_turn_runs_in_the_same_round(void **state)
{
    (void)state;
    settle();
    wake_from_second = &third;
    sched_wake(&second);
    sched_round(1);
    assert_string_equal(order, "23");
}

static void a_task_woken_after_its_turn_runs_in_the_next_round_at_once(void **state)
{
    (void)state;
    settle();
    wake_from_second = &first;
    sched_wake(&second);
    assert_int_equal(sched_round(1), 0);
    assert_string_equal(order, "2");
    sched_round(1);
    assert_string_equal(order, "21");
}

static void a_task_that_wakes_itself_runs_again(void **state)
{
    (void)state;
    settle();
    wake_from_second = &second;
    sched_wake(&second);
    assert_int_equal(sched_round(1), 0);
    sched_round(1);
    assert_string_equal(order, "22");
}

static void a_deadline_is_met_once_and_never_early(void **state)
{
    (void)state;
    settle();
    sched_at(&first, 100);
    assert_int_equal(sched_round(99), 1);
    assert_string_equal(order, "");
    assert_int_equal(sched_round(100), UINT32_MAX);
    assert_int_equal(sched_round(101), UINT32_MAX);
    assert_string_equal(order, "1");
}

static void the_nearest_deadline_bounds_the_idle_time(void **state)
{
    (void)state;
    settle();
    sched_at(&first, 500);
    sched_at(&third, 300);
    assert_int_equal(sched_round(100), 200);
}

static void a_wake_up_cancels_the_deadline(void **state)
{
    (void)state;
    settle();
    sched_at(&first, 100);
    sched_wake(&first);
    sched_round(10);
    sched_round(100);
    assert_string_equal(order, "1");
}

static void deadlines_beyond_49_days_are_kept(void **state)
{
    (void)state;
    settle();
    uint64_t wrap = UINT64_C(1) << 32;
    sched_at(&first, wrap + 5);
    assert_int_equal(sched_round(1), UINT32_MAX);
    assert_int_equal(sched_round(wrap), 5);
    sched_round(wrap + 5);
    assert_string_equal(order, "1");
}

static uint64_t clock_now_ms;

static uint64_t fake_clock_ms(void)
{
    return clock_now_ms;
}

static void run_slow(void)
{
    note('s');
    clock_now_ms += 7;
}

static void the_longest_run_of_each_task_is_measured(void **state)
{
    (void)state;
    clock_now_ms = 5000000000;
    sched_measure(fake_clock_ms);
    second.run = run_slow;
    settle();
    assert_int_equal(first.longest_ms, 0);
    assert_int_equal(second.longest_ms, 7);
    assert_int_equal(third.longest_ms, 0);
    second.run = run_second;
    sched_wake(&second);
    sched_round(1);
    assert_int_equal(second.longest_ms, 7);
}

static void rounds_have_numbers(void **state)
{
    (void)state;
    uint32_t before = sched_rounds();
    (void)sched_round(5);
    assert_int_equal(sched_rounds() - before, 1);
    (void)sched_round(5); /* in the same millisecond, too */
    assert_int_equal(sched_rounds() - before, 2);
}

static void nothing_is_measured_without_a_clock(void **state)
{
    (void)state;
    clock_now_ms = 0;
    second.run = run_slow;
    settle();
    assert_int_equal(second.longest_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tasks_run_once_in_the_order_of_adding_when_added, set_up),
        cmocka_unit_test_setup(a_task_woken_before_its_turn_runs_in_the_same_round, set_up),
        cmocka_unit_test_setup(a_task_woken_after_its_turn_runs_in_the_next_round_at_once, set_up),
        cmocka_unit_test_setup(a_task_that_wakes_itself_runs_again, set_up),
        cmocka_unit_test_setup(a_deadline_is_met_once_and_never_early, set_up),
        cmocka_unit_test_setup(the_nearest_deadline_bounds_the_idle_time, set_up),
        cmocka_unit_test_setup(a_wake_up_cancels_the_deadline, set_up),
        cmocka_unit_test_setup(deadlines_beyond_49_days_are_kept, set_up),
        cmocka_unit_test_setup(the_longest_run_of_each_task_is_measured, set_up),
        cmocka_unit_test_setup(nothing_is_measured_without_a_clock, set_up),
        cmocka_unit_test_setup(rounds_have_numbers, set_up),
    };
    return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}

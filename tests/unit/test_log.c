/* The event log: lines, escaping, levels, and what happens when nobody reads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "cfg.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "log.h"
#include "sched.h"
#include "unit.h"

static char console[4 * CFG_LOG_RING_BYTES];
static size_t console_bytes;
static size_t console_takes; /* per call */

size_t hal_console_write(const char *data, size_t bytes)
{
    size_t n = bytes < console_takes ? bytes : console_takes;
    assert_true(console_bytes + n < sizeof console);
    memcpy(console + console_bytes, data, n);
    console_bytes += n;
    console[console_bytes] = '\0';
    return n;
}

uint64_t hal_clock_ms(void)
{
    return 0;
}

bool hal_clock_wall_ns(int64_t *ns)
{
    *ns = INT64_C(1621464827959498503);
    return true;
}

static int set_up(void **state)
{
    (void)state;
    console_bytes = 0;
    console[0] = '\0';
    console_takes = sizeof console;
    sched_init();
    log_init(LOG_INFO);
    return 0;
}

static void a_line_has_time_level_name_and_values(void **state)
{
    (void)state;
    struct log_line *l = log_begin(EV_SESSION_TAKEN);
    log_u64(l, "slot", 3);
    log_i64(l, "error", -7);
    log_ip4(l, "peer", 0x0A000202, 41234);
    log_str(l, "reason", "full");
    log_end(l);
    log_flush();
    assert_string_equal(console, "2021-05-19T22:53:47.959Z info session.taken slot=3 error=-7 "
                                 "peer=10.0.2.2:41234 reason=full\n");
}

static void bytes_from_outside_cannot_forge_a_line(void **state)
{
    (void)state;
    struct log_line *l = log_begin(EV_SESSION_INVALID);
    log_span(l, "line", SPAN_LIT("a\"\n\x1b[2J\\\xff"));
    log_end(l);
    log_flush();
    assert_non_null(strstr(console, "line=\"a\\x22\\x0a\\x1b[2J\\x5c\\xff\"\n"));
}

static void a_long_value_is_cut_and_the_line_still_ends(void **state)
{
    (void)state;
    static char many[5 * CFG_LOG_LINE_BYTES];
    memset(many, 1, sizeof many);
    struct log_line *l = log_begin(EV_SESSION_INVALID);
    for (unsigned i = 0; i < 8; i++) {
        log_span(l, "line", (struct span){many, sizeof many});
    }
    log_end(l);
    log_flush();
    assert_in_range(console_bytes, CFG_LOG_LINE_BYTES - 3,
                    CFG_LOG_LINE_BYTES); /* an escape is whole */
    assert_int_equal(console[console_bytes - 1], '\n');
}

static void an_event_below_the_level_costs_nothing(void **state)
{
    (void)state;
    struct log_line *l = log_begin(EV_LINK_BEAT);
    assert_null(l);
    log_u64(l, "x", 1);
    log_end(l);
    log_flush();
    assert_int_equal(console_bytes, 0);
    log_set_level(LOG_DEBUG);
    log_end(log_begin(EV_LINK_BEAT));
    log_flush();
    assert_true(console_bytes > 0);
}

static void a_full_ring_drops_the_newest_counts_them_and_says_so(void **state)
{
    (void)state;
    console_takes = 0;
    unsigned lines = 0;
    while (log_dropped() < 3) {
        struct log_line *l = log_begin(EV_SESSION_TAKEN);
        log_u64(l, "slot", lines++);
        log_end(l);
        assert_true(lines < CFG_LOG_RING_BYTES);
    }
    console_takes = 7; /* in small bites, across the end of the ring */
    for (uint64_t now = 0; now < 10; now++) {
        sched_round(now);
    }
    assert_non_null(strstr(console, "info session.taken slot=0\n"));
    assert_null(strstr(console, "slot=0\n2021-05-19T22:53:47.959Z info session.taken slot=2\n"));
    assert_non_null(strstr(console, "warn log.dropped lines=3\n"));
    assert_int_equal(console[console_bytes - 1], '\n');
}

static void a_busy_console_is_asked_again_later(void **state)
{
    (void)state;
    sched_round(0);
    console_takes = 0;
    log_end(log_begin(EV_NODE_STOPPED));
    uint32_t wait = sched_round(1);
    assert_true(wait > 0 && wait < 1000);
    console_takes = sizeof console;
    sched_round(1 + wait);
    assert_non_null(strstr(console, "node.stopped\n"));
}

static void level_names_are_read_exactly(void **state)
{
    (void)state;
    enum log_level level = LOG_ERROR;
    assert_int_equal(log_parse_level(SPAN_LIT("debug"), &level), HERD_OK);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_parse_level(SPAN_LIT("Debug"), &level), HERD_E_SYNTAX);
    assert_int_equal(log_parse_level(SPAN_LIT("debu"), &level), HERD_E_SYNTAX);
    assert_int_equal(log_parse_level(SPAN_LIT(""), &level), HERD_E_SYNTAX);
    assert_int_equal(level, LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_time_level_name_and_values, set_up),
        cmocka_unit_test_setup(bytes_from_outside_cannot_forge_a_line, set_up),
        cmocka_unit_test_setup(a_long_value_is_cut_and_the_line_still_ends, set_up),
        cmocka_unit_test_setup(an_event_below_the_level_costs_nothing, set_up),
        cmocka_unit_test_setup(a_full_ring_drops_the_newest_counts_them_and_says_so, set_up),
        cmocka_unit_test_setup(a_busy_console_is_asked_again_later, set_up),
        cmocka_unit_test_setup(level_names_are_read_exactly, set_up),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

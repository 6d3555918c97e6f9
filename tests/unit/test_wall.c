/* What time it is: the port's clock, SNTP's answers, and the floor below which neither is believed. */
#include "unit.h"

#include "lwip/apps/sntp.h"

#include "hal_clock.h"
#include "hal_console.h"
#include "hal_net.h"
#include "log.h"
#include "rng.h"
#include "sched.h"
#include "version.h"
#include "wall.h"
#include "when.h"

#define BUILD_S HERD_BUILD_TIME

static bool clock_set;
static int64_t clock_ns;
static uint64_t now_ms;
static char logged[8192];
static size_t logged_bytes;

/* lwIP's client, as far as wall sees it. */
static ip_addr_t servers[SNTP_MAX_SERVERS];
static unsigned inits;

void sntp_init(void)
{
    inits++;
}
void sntp_setoperatingmode(u8_t mode)
{
    assert_int_equal(mode, SNTP_OPMODE_POLL);
}
void sntp_setserver(u8_t index, const ip_addr_t *server)
{
    assert_true(index < SNTP_MAX_SERVERS);
    servers[index] = *server;
}
const ip_addr_t *sntp_getserver(u8_t index)
{
    return &servers[index];
}
#if SNTP_GET_SERVERS_FROM_DHCP
void sntp_servermode_dhcp(int on)
{
    (void)on;
}
#endif

uint64_t hal_clock_ms(void)
{
    return now_ms;
}
bool hal_clock_wall_ns(int64_t *ns)
{
    if (clock_set) {
        *ns = clock_ns;
    }
    return clock_set;
}
void hal_clock_set_wall_ns(int64_t ns)
{
    clock_ns = ns;
    clock_set = true;
}
size_t hal_console_write(const char *data, size_t bytes)
{
    assert_true(logged_bytes + bytes < sizeof logged);
    memcpy(logged + logged_bytes, data, bytes);
    logged_bytes += bytes;
    logged[logged_bytes] = '\0';
    return bytes;
}
uint32_t hal_net_dial_address(uint32_t address)
{
    return address >> 24 == 127 ? 0x0A000202 : address;
}
uint32_t rng_u32(void)
{
    return 0x12345678;
}

static struct config config;

static int set_up(void **state)
{
    (void)state;
    config = (struct config){.ntp = {.count = 0}};
    clock_set = false;
    clock_ns = 0;
    now_ms = 1000;
    memset(servers, 0, sizeof servers);
    inits = 0;
    logged_bytes = 0;
    logged[0] = '\0';
    sched_init();
    log_init(LOG_DEBUG);
    return 0;
}

static void begin(void)
{
    wall_init(&config);
    log_flush();
}

static void a_port_that_knows_the_time_is_believed_and_nobody_is_asked(void **state)
{
    int64_t ns = 0;
    (void)state;
    clock_set = true;
    clock_ns = (BUILD_S + 100) * WHEN_NS_PER_S;
    begin();
    assert_int_equal(inits, 0);
    assert_true(wall_now_ns(&ns));
    assert_true(ns == clock_ns);
    assert_int_equal(wall_state().source, WALL_PORT);
    assert_string_equal(logged, "");
}

static void a_clock_before_the_build_is_no_clock(void **state)
{
    int64_t ns = 77;
    (void)state;
    clock_set = true;
    clock_ns = INT64_C(946684800) * WHEN_NS_PER_S; /* 2000: a battery that was empty */
    begin();
    assert_false(wall_now_ns(&ns));
    assert_int_equal(ns, 77);
    assert_int_equal(wall_state().source, WALL_NONE);
    assert_int_equal(inits, 1);
    assert_non_null(strstr(logged, "clock.unknown"));
    clock_ns = (BUILD_S - 3600) * WHEN_NS_PER_S; /* an hour is a laptop's clock, not a lie */
    assert_true(wall_now_ns(&ns));
    assert_int_equal(wall_state().source, WALL_PORT);
}

static void without_a_clock_the_servers_of_the_herd_file_are_asked(void **state)
{
    int64_t ns;
    (void)state;
    config.ntp = (struct config_ntp){.at = {0x7F000001, 0xC0A80101}, .count = 2};
    begin();
    assert_int_equal(inits, 1);
    assert_int_equal(ip4_addr_get_u32(&servers[0]), lwip_htonl(0x0A000202)); /* as it is dialled */
    assert_int_equal(ip4_addr_get_u32(&servers[1]), lwip_htonl(0xC0A80101));
    assert_int_equal(wall_state().servers, 2);
    assert_int_equal(wall_state().server, 0x0A000202);
    assert_false(wall_now_ns(&ns));
}

static void an_answer_sets_the_clock(void **state)
{
    int64_t ns = 0;
    (void)state;
    begin();
    wall_sntp_set((uint32_t)(BUILD_S + 5), 250000);
    log_flush();
    assert_true(wall_now_ns(&ns));
    assert_true(ns == (BUILD_S + 5) * WHEN_NS_PER_S + 250 * WHEN_NS_PER_MS);
    assert_int_equal(wall_state().source, WALL_SNTP);
    assert_int_equal(wall_state().answers, 1);
    assert_int_equal(wall_state().step_ns, 0);
    assert_int_equal(wall_state().set_ms, 1000);
    assert_non_null(strstr(logged, "info clock.set by=sntp"));
    wall_sntp_set((uint32_t)(BUILD_S + 5), 260000);
    log_flush();
    assert_int_equal(wall_state().step_ns, 10 * WHEN_NS_PER_MS);
    assert_non_null(strstr(logged, "debug clock.adjusted by=sntp"));
    assert_non_null(strstr(logged, "step_us=10000"));
}

static void an_answer_before_the_build_is_refused(void **state)
{
    int64_t ns;
    (void)state;
    begin();
    wall_sntp_set((uint32_t)(BUILD_S - 2 * 86400), 0);
    wall_sntp_set(0, 0);
    log_flush();
    assert_false(wall_now_ns(&ns));
    assert_false(clock_set);
    assert_int_equal(wall_state().answers, 2);
    assert_int_equal(wall_state().refused, 2);
    assert_non_null(strstr(logged, "warn clock.refused"));
}

static void seconds_that_wrapped_are_in_the_next_era(void **state)
{
    int64_t ns = 0;
    (void)state;
    begin();
    /* 2106-02-07T06:28:16Z and more: 32 bits have begun again. Past the half, so before the floor. */
    wall_sntp_set((uint32_t)(BUILD_S + INT64_C(0x70000000)), 0);
    assert_true(wall_now_ns(&ns));
    assert_true(ns == (BUILD_S + INT64_C(0x70000000)) * WHEN_NS_PER_S);
}

static void ntp_servers_are_asked_beside_a_clock_when_the_herd_file_names_them(void **state)
{
    (void)state;
    clock_set = true;
    clock_ns = (BUILD_S + 100) * WHEN_NS_PER_S;
    config.ntp = (struct config_ntp){.at = {0xC0A80101}, .count = 1};
    begin();
    assert_int_equal(inits, 1);
    wall_sntp_set((uint32_t)(BUILD_S + 103), 0);
    log_flush();
    assert_int_equal(wall_state().step_ns, 3 * WHEN_NS_PER_S);
    assert_non_null(strstr(logged, "info clock.set by=sntp"));
}

static void what_is_sent_before_the_time_is_known_runs_and_cannot_be_guessed(void **state)
{
    uint32_t s = 0, us = 0;
    (void)state;
    begin();
    now_ms = 3250;
    wall_sntp_get(&s, &us);
    assert_int_equal(s, 0x12345678 + 3);
    assert_int_equal(us, 250000);
    wall_sntp_set((uint32_t)(BUILD_S + 5), 7);
    wall_sntp_get(&s, &us);
    assert_int_equal(s, (uint32_t)(BUILD_S + 5));
    assert_int_equal(us, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_port_that_knows_the_time_is_believed_and_nobody_is_asked, set_up),
        cmocka_unit_test_setup(a_clock_before_the_build_is_no_clock, set_up),
        cmocka_unit_test_setup(without_a_clock_the_servers_of_the_herd_file_are_asked, set_up),
        cmocka_unit_test_setup(an_answer_sets_the_clock, set_up),
        cmocka_unit_test_setup(an_answer_before_the_build_is_refused, set_up),
        cmocka_unit_test_setup(seconds_that_wrapped_are_in_the_next_era, set_up),
        cmocka_unit_test_setup(ntp_servers_are_asked_beside_a_clock_when_the_herd_file_names_them,
                               set_up),
        cmocka_unit_test_setup(what_is_sent_before_the_time_is_known_runs_and_cannot_be_guessed,
                               set_up),
    };
    return cmocka_run_group_tests_name("wall", tests, NULL, NULL);
}

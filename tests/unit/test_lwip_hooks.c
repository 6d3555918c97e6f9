/* lwip_hooks: initial sequence numbers (RFC 6528) that time moves and a stranger cannot guess. */
#include "unit.h"

#include "lwip_hooks.h"
#include "lwip/sys.h"

#include "hal_clock.h"
#include "rng.h"

static uint64_t now_ms;

uint64_t hal_clock_ms(void)
{
    return now_ms;
}

void rng_bytes(void *out, size_t bytes)
{
    static bool asked;
    assert_false(asked); /* one secret for the life of the node */
    assert_true(bytes >= 16);
    asked = true;
    memset(out, 0x5A, bytes);
}

uint32_t rng_u32(void)
{
    return 4;
}

static u32_t isn(uint32_t local, u16_t local_port, uint32_t remote, u16_t remote_port)
{
    const ip_addr_t a = {.addr = local};
    const ip_addr_t b = {.addr = remote};
    return lwip_hooks_tcp_isn(&a, local_port, &b, remote_port);
}

static void the_same_connection_moves_by_250_a_millisecond(void **state)
{
    (void)state;
    now_ms = 1000;
    u32_t first = isn(1, 2, 3, 4);
    assert_int_equal(isn(1, 2, 3, 4), first);
    now_ms = 1001;
    assert_int_equal(isn(1, 2, 3, 4), (u32_t)(first + 250));
    now_ms = 1000 + (UINT64_C(1) << 40);
    assert_int_equal(isn(1, 2, 3, 4), (u32_t)(first + (UINT64_C(250) << 40)));
}

static void every_part_of_the_connection_counts(void **state)
{
    (void)state;
    now_ms = 0;
    u32_t base = isn(1, 2, 3, 4);
    const u32_t others[] = {isn(9, 2, 3, 4), isn(1, 9, 3, 4), isn(1, 2, 9, 4), isn(1, 2, 3, 9),
                            isn(3, 4, 1, 2)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_not_equal(others[i], base);
        assert_true(others[i] - base > 100000 && base - others[i] > 100000);
    }
}

static void lwip_time_is_the_low_half_of_ours(void **state)
{
    (void)state;
    now_ms = (UINT64_C(7) << 32) + 5;
    assert_int_equal(sys_now(), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_connection_moves_by_250_a_millisecond),
        cmocka_unit_test(every_part_of_the_connection_counts),
        cmocka_unit_test(lwip_time_is_the_low_half_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

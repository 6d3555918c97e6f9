/* Entropy that fails closed: what counts as secret, and that no seed is used twice. */
#include "unit.h"

#include "flash_double.h"
#include "hal_clock.h"
#include "hal_entropy.h"
#include "nv.h"
#include "rng.h"

static bool has_hardware;
static unsigned asked;

int hal_entropy(void *out, size_t bytes)
{
    if (!has_hardware) {
        return -1;
    }
    for (size_t i = 0; i < bytes; i++) {
        ((uint8_t *)out)[i] = (uint8_t)(asked++ * 37u);
    }
    return 0;
}

uint64_t hal_clock_ms(void)
{
    return 5;
}

bool hal_clock_wall_ns(int64_t *ns)
{
    (void)ns;
    return false;
}

static int set_up(void **state)
{
    (void)state;
    has_hardware = false;
    asked = 0;
    flash_double_make(65536, 4096, 16, 1);
    return 0;
}

static int start(void)
{
    flash_double_restart(1);
    nv_start();
    return rng_init();
}

static bool tls_would_work(void)
{
    unsigned char bytes[32];
    return rng_mbedtls(NULL, bytes, sizeof bytes) == 0;
}

#define SEED SPAN_LIT("correct horse battery staple 0123456789")

static void without_hardware_or_seed_nothing_is_secret(void **state)
{
    uint32_t a, b;
    (void)state;
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_false(rng_is_secret());
    assert_false(tls_would_work());
    rng_bytes(&a, sizeof a); /* ports and jitter go on */
    rng_bytes(&b, sizeof b);
    assert_int_not_equal(a, b);
    assert_non_null(strstr(rng_source(), "neither the port nor a seed"));
    assert_int_equal(start(), HERD_E_ENTROPY); /* and no seed was made of nothing */
    assert_int_equal(nv_info().epoch, 2);
}

static void hardware_is_enough_and_leaves_a_seed(void **state)
{
    (void)state;
    has_hardware = true;
    assert_int_equal(start(), HERD_OK);
    assert_true(tls_would_work());
    assert_string_equal(rng_source(), "port");
    assert_int_equal(start(), HERD_OK);
    assert_string_equal(rng_source(), "port and seed");
    has_hardware = false;
    assert_int_equal(start(), HERD_OK); /* what it left is as good */
    assert_string_equal(rng_source(), "seed");
    assert_true(tls_would_work());
}

static void a_seed_lasts_over_many_starts_and_no_two_are_alike(void **state)
{
    uint32_t drawn[64];
    (void)state;
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_int_equal(rng_add_seed(SEED), HERD_OK);
    assert_true(tls_would_work());
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(start(), HERD_OK);
        drawn[i] = rng_u32();
        for (unsigned j = 0; j < i; j++) {
            assert_int_not_equal(drawn[i], drawn[j]);
        }
    }
}

static void a_seed_that_cannot_be_replaced_is_refused(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_int_equal(rng_add_seed(SEED), HERD_OK);
    flash_double_fail_writes(true);
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_false(tls_would_work());
    assert_non_null(strstr(rng_source(), "could not be replaced"));
    flash_double_fail_writes(false);
    flash_double_ignore_writes(true);
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_false(tls_would_work());
    has_hardware = true;
    assert_int_equal(start(), HERD_OK);
    assert_string_equal(rng_source(), "port");
}

static void a_power_cut_at_the_start_never_brings_a_seed_back(void **state)
{
    (void)state;
    for (uint32_t step = 0; step < 40; step++) {
        uint32_t first = 0;
        flash_double_make(65536, 4096, 16, step + 1);
        assert_int_equal(start(), HERD_E_ENTROPY);
        assert_int_equal(rng_add_seed(SEED), HERD_OK);
        flash_double_restart(step);
        nv_start();
        flash_double_cut_after(step);
        bool drew = rng_init() == HERD_OK;
        if (drew) {
            first = rng_u32();
        }
        assert_int_equal(drew, !flash_double_is_cut());
        assert_int_equal(start(), HERD_OK); /* old seed unused, or new one */
        if (drew) {
            assert_int_not_equal(rng_u32(), first);
        }
    }
}

static void a_blank_medium_or_none_is_no_seed(void **state)
{
    (void)state;
    flash_double_make(0, 512, 512, 1);
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_int_equal(rng_add_seed(SEED), HERD_E_REFUSED); /* for this start alone */
    assert_true(tls_would_work());
    assert_int_equal(start(), HERD_E_ENTROPY);
    has_hardware = true;
    assert_int_equal(start(), HERD_OK);
}

static void a_seed_of_a_person_is_long_and_not_one_letter(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_int_equal(rng_add_seed(SPAN_LIT("short")), HERD_E_RANGE);
    assert_int_equal(rng_add_seed(SPAN_LIT("")), HERD_E_RANGE);
    assert_int_equal(rng_add_seed(SPAN_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
                     HERD_E_RANGE);
    assert_false(tls_would_work());
}

static void the_same_seed_given_twice_gives_different_bytes(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_E_ENTROPY);
    assert_int_equal(rng_add_seed(SEED), HERD_OK);
    uint32_t first = rng_u32();
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(rng_add_seed(SEED), HERD_OK);
    assert_int_not_equal(rng_u32(), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_hardware_or_seed_nothing_is_secret, set_up),
        cmocka_unit_test_setup(hardware_is_enough_and_leaves_a_seed, set_up),
        cmocka_unit_test_setup(a_seed_lasts_over_many_starts_and_no_two_are_alike, set_up),
        cmocka_unit_test_setup(a_seed_that_cannot_be_replaced_is_refused, set_up),
        cmocka_unit_test_setup(a_power_cut_at_the_start_never_brings_a_seed_back, set_up),
        cmocka_unit_test_setup(a_blank_medium_or_none_is_no_seed, set_up),
        cmocka_unit_test_setup(a_seed_of_a_person_is_long_and_not_one_letter, set_up),
        cmocka_unit_test_setup(the_same_seed_given_twice_gives_different_bytes, set_up),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}

/* Non-volatile basics: after a power cut at any step the old or the new state is there. */
#include <stdio.h>

#include "unit.h"

#include "flash_double.h"
#include "nv.h"

struct shape {
    uint32_t bytes, erase_bytes, program_bytes;
};
/* A card's blocks, the flash of a Kinetis, an EEPROM, something with single bytes. */
static const struct shape shapes[] = {
    {65536, 512, 512}, {65536, 4096, 16}, {32768, 128, 128}, {49152, 2048, 1}};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static void make(unsigned shape, uint32_t seed)
{
    flash_double_make(shapes[shape].bytes, shapes[shape].erase_bytes, shapes[shape].program_bytes,
                      seed);
}

/* A configuration that can be told from others: its first byte, and a length of its own. */
static size_t fill(uint8_t letter)
{
    size_t bytes = 200u + letter;
    memset(nv_config_buffer(), letter, bytes);
    return bytes;
}

/* The letter of the configuration in effect; '-': none; fails when it is not whole. */
static char config(void)
{
    size_t bytes = 0;
    int err = nv_config_read(&bytes);
    if (err == HERD_E_RANGE) {
        return '-';
    }
    assert_int_equal(err, HERD_OK);
    uint8_t letter = nv_config_buffer()[0];
    assert_int_equal(bytes, 200u + letter);
    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(nv_config_buffer()[i], letter);
    }
    return (char)letter;
}

static void seed_of(uint8_t *seed, uint32_t number)
{
    for (unsigned i = 0; i < NV_SEED_BYTES; i++) {
        seed[i] = (uint8_t)(number * 31u + i);
    }
}

static void a_blank_medium_has_neither_seed_nor_configuration(void **state)
{
    uint8_t seed[NV_SEED_BYTES];
    (void)state;
    for (unsigned i = 0; i < SHAPES; i++) {
        make(i, 1);
        nv_start();
        assert_int_equal(nv_info().status, NV_READY);
        assert_int_equal(nv_take_seed(seed), NV_SEED_NONE);
        assert_int_equal(config(), '-');
        assert_int_equal(nv_rollback(), HERD_E_RANGE);
        assert_int_equal(nv_info().epoch, 0);
    }
}

static void without_a_medium_everything_is_refused(void **state)
{
    uint8_t seed[NV_SEED_BYTES] = {1, 2};
    size_t bytes = 0;
    (void)state;
    flash_double_make(0, 512, 512, 1);
    nv_start();
    assert_int_equal(nv_info().status, NV_OFF);
    assert_int_equal(nv_begin_boot(seed), HERD_E_REFUSED);
    assert_int_equal(nv_put_seed(seed), HERD_E_REFUSED);
    assert_int_equal(nv_config_read(&bytes), HERD_E_REFUSED);
    assert_int_equal(nv_config_write(10), HERD_E_REFUSED);
    assert_int_equal(nv_rollback(), HERD_E_REFUSED);
    assert_int_equal(nv_factory_reset(), HERD_E_REFUSED);
    make(0, 1);
    flash_double_set_foreign(true);
    nv_start();
    assert_int_equal(nv_info().status, NV_FOREIGN);
    assert_int_equal(nv_config_write(10), HERD_E_REFUSED);
    assert_int_equal(flash_double_steps(), 0); /* nothing was written */
}

static void a_medium_that_is_too_small_is_left_alone(void **state)
{
    (void)state;
    flash_double_make(1024, 512, 512, 1);
    nv_start();
    assert_int_equal(nv_info().status, NV_SMALL);
    assert_int_equal(nv_config_write(10), HERD_E_REFUSED);
    assert_int_equal(flash_double_steps(), 0);
}

static void the_epoch_counts_boots_and_the_seed_is_a_new_one_each_time(void **state)
{
    uint8_t seed[NV_SEED_BYTES], want[NV_SEED_BYTES];
    (void)state;
    for (unsigned i = 0; i < SHAPES; i++) {
        make(i, 1);
        for (uint32_t boot = 1; boot < 50; boot++) {
            nv_start();
            assert_int_equal(nv_take_seed(seed), boot == 1 ? NV_SEED_NONE : NV_SEED_FRESH);
            if (boot > 1) {
                seed_of(want, boot - 1);
                assert_memory_equal(seed, want, sizeof seed);
            }
            seed_of(seed, boot);
            assert_int_equal(nv_begin_boot(seed), HERD_OK);
            assert_int_equal(nv_info().epoch, boot);
        }
    }
}

static void a_blank_seed_is_refused(void **state)
{
    uint8_t seed[NV_SEED_BYTES];
    (void)state;
    make(1, 1);
    nv_start();
    memset(seed, 0, sizeof seed);
    assert_int_equal(nv_begin_boot(seed), HERD_OK);
    nv_start();
    assert_int_equal(nv_take_seed(seed), NV_SEED_BLANK);
    memset(seed, 0xFF, sizeof seed);
    assert_int_equal(nv_begin_boot(seed), HERD_OK);
    nv_start();
    assert_int_equal(nv_take_seed(seed), NV_SEED_BLANK);
    assert_int_equal(nv_begin_boot(NULL), HERD_OK);
    nv_start();
    assert_int_equal(nv_take_seed(seed), NV_SEED_NONE);
    assert_int_equal(nv_info().epoch, 3);
}

static void a_seed_that_was_not_replaced_is_refused(void **state)
{
    uint8_t seed[NV_SEED_BYTES];
    (void)state;
    make(1, 1);
    nv_start();
    seed_of(seed, 1);
    assert_int_equal(nv_begin_boot(seed), HERD_OK);
    assert_int_equal(nv_begin_boot(seed), HERD_OK); /* a boot that found it and left it */
    nv_start();
    assert_int_equal(nv_take_seed(seed), NV_SEED_USED);
    seed_of(seed, 2);
    assert_int_equal(nv_put_seed(seed), HERD_OK);
    nv_start();
    assert_int_equal(nv_take_seed(seed), NV_SEED_FRESH);
}

static void a_medium_that_takes_no_writes_is_noticed(void **state)
{
    uint8_t seed[NV_SEED_BYTES];
    (void)state;
    for (unsigned ignore = 0; ignore < 2; ignore++) {
        make(1, 1);
        nv_start();
        seed_of(seed, 1);
        assert_int_equal(nv_begin_boot(seed), HERD_OK);
        assert_int_equal(nv_config_write(fill('A')), HERD_OK);
        flash_double_ignore_writes(ignore == 1);
        flash_double_fail_writes(ignore == 0);
        nv_start();
        seed_of(seed, 2);
        assert_int_equal(nv_begin_boot(seed), HERD_E_CLOSED);
        assert_int_equal(nv_info().status, NV_FAILED);
        assert_int_equal(nv_config_write(fill('B')), HERD_E_CLOSED);
        assert_int_equal(config(), 'A');
        assert_int_equal(nv_rollback(), HERD_E_CLOSED);
        assert_int_equal(config(), 'A');
    }
}

static void rollback_goes_back_and_forth(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SHAPES; i++) {
        make(i, 1);
        nv_start();
        assert_int_equal(nv_config_write(fill('A')), HERD_OK);
        assert_int_equal(config(), 'A');
        assert_int_equal(nv_rollback(), HERD_OK); /* to the factory's */
        assert_int_equal(config(), '-');
        nv_start();
        assert_int_equal(config(), '-');
        assert_int_equal(nv_rollback(), HERD_OK);
        assert_int_equal(config(), 'A');
        assert_int_equal(nv_config_write(fill('B')), HERD_OK);
        assert_int_equal(nv_config_write(fill('C')), HERD_OK);
        assert_int_equal(config(), 'C');
        assert_int_equal(nv_rollback(), HERD_OK);
        assert_int_equal(config(), 'B');
        nv_start();
        assert_int_equal(config(), 'B');
        assert_int_equal(nv_info().other_sequence, 3);
        assert_int_equal(nv_rollback(), HERD_OK);
        assert_int_equal(config(), 'C');
        assert_int_equal(nv_rollback(), HERD_OK);
        assert_int_equal(nv_config_write(fill('D')), HERD_OK); /* over C, which nobody wants */
        assert_int_equal(config(), 'D');
        assert_int_equal(nv_rollback(), HERD_OK);
        assert_int_equal(config(), 'B');
    }
}

static void a_configuration_written_after_a_rollback_to_the_factorys_counts(void **state)
{
    (void)state;
    make(1, 1);
    nv_start();
    assert_int_equal(nv_config_write(fill('A')), HERD_OK);
    assert_int_equal(nv_rollback(), HERD_OK);
    assert_int_equal(nv_config_write(fill('B')), HERD_OK);
    assert_int_equal(config(), 'B');
    assert_int_equal(nv_rollback(), HERD_OK);
    assert_int_equal(config(), '-');
    assert_int_equal(nv_rollback(), HERD_OK);
    assert_int_equal(config(), 'B');
}

static void a_factory_reset_forgets_configurations_and_keeps_seed_and_epoch(void **state)
{
    uint8_t seed[NV_SEED_BYTES], got[NV_SEED_BYTES];
    (void)state;
    for (unsigned i = 0; i < SHAPES; i++) {
        make(i, 1);
        nv_start();
        seed_of(seed, 7);
        assert_int_equal(nv_begin_boot(seed), HERD_OK);
        assert_int_equal(nv_config_write(fill('A')), HERD_OK);
        assert_int_equal(nv_config_write(fill('B')), HERD_OK);
        assert_int_equal(nv_factory_reset(), HERD_OK);
        assert_int_equal(config(), '-');
        assert_int_equal(nv_rollback(), HERD_E_RANGE);
        for (uint32_t at = 0; at < shapes[i].bytes - 64; at++) { /* no trace of it */
            assert_false(memcmp(flash_double_bytes() + at, "BBBBBBBB", 8) == 0);
        }
        nv_start();
        assert_int_equal(config(), '-');
        assert_int_equal(nv_take_seed(got), NV_SEED_FRESH);
        assert_memory_equal(got, seed, sizeof seed);
        assert_int_equal(nv_config_write(fill('C')), HERD_OK);
        nv_start();
        assert_int_equal(config(), 'C');
    }
}

static void the_largest_configuration_fits_exactly(void **state)
{
    size_t bytes = 0;
    (void)state;
    for (unsigned i = 0; i < SHAPES; i++) {
        make(i, 1);
        nv_start();
        for (size_t at = 0; at < NV_CONFIG_BYTES; at++) {
            nv_config_buffer()[at] = (uint8_t)(at * 7);
        }
        assert_int_equal(nv_config_write(NV_CONFIG_BYTES), HERD_OK);
        nv_start();
        memset(nv_config_buffer(), 0, NV_CONFIG_BYTES);
        assert_int_equal(nv_config_read(&bytes), HERD_OK);
        assert_int_equal(bytes, NV_CONFIG_BYTES);
        for (size_t at = 0; at < NV_CONFIG_BYTES; at++) {
            assert_int_equal(nv_config_buffer()[at], (uint8_t)(at * 7));
        }
    }
}

static void an_empty_configuration_is_one(void **state)
{
    size_t bytes = 9;
    (void)state;
    make(0, 1);
    nv_start();
    assert_int_equal(nv_config_write(0), HERD_OK);
    nv_start();
    assert_int_equal(nv_config_read(&bytes), HERD_OK);
    assert_int_equal(bytes, 0);
}

/* --- Cuts -------------------------------------------------------------------------------------- */

/* What is done while the power may go; before: config A then B, seed 1. */
static int do_config(void)
{
    return nv_config_write(fill('C'));
}

static int do_boot(void)
{
    uint8_t seed[NV_SEED_BYTES];
    seed_of(seed, 2);
    return nv_begin_boot(seed);
}

static const struct deed {
    int (*run)(void);
    char config_before, config_after;
    uint32_t seed_before, seed_after;
    uint32_t epoch_before, epoch_after;
} deeds[] = {
    {do_config, 'B', 'C', 1, 1, 1, 1},
    {do_boot, 'B', 'B', 1, 2, 1, 2},
    {nv_rollback, 'B', 'A', 1, 1, 1, 1},
    {nv_factory_reset, 'B', '-', 1, 1, 1, 1},
};

static void prepare(unsigned shape, uint32_t seed)
{
    uint8_t bytes[NV_SEED_BYTES];
    make(shape, seed);
    nv_start();
    assert_int_equal(nv_config_write(fill('A')), HERD_OK);
    assert_int_equal(nv_config_write(fill('B')), HERD_OK);
    seed_of(bytes, 1);
    assert_int_equal(nv_begin_boot(bytes), HERD_OK);
}

static bool is_seed(uint32_t number)
{
    uint8_t got[NV_SEED_BYTES], want[NV_SEED_BYTES];
    seed_of(want, number);
    assert_int_equal(nv_take_seed(got), NV_SEED_FRESH);
    return memcmp(got, want, sizeof got) == 0;
}

/* After the cut: old or new; and everything can be written again. */
static void check_after_cut(const struct deed *d, uint32_t seed)
{
    uint8_t next[NV_SEED_BYTES];
    flash_double_restart(seed);
    nv_start();
    assert_int_equal(nv_info().status, NV_READY);
    uint32_t epoch = nv_info().epoch;
    assert_true(epoch == d->epoch_before || epoch == d->epoch_after);
    assert_true(is_seed(epoch == d->epoch_after ? d->seed_after : d->seed_before));
    char found = config();
    assert_true(found == d->config_before || found == d->config_after);
    seed_of(next, 9);
    assert_int_equal(nv_begin_boot(next), HERD_OK);
    assert_true(is_seed(1) || nv_info().epoch == epoch + 1);
    assert_int_equal(config(), found); /* torn bytes that read well once may not turn up later */
    assert_int_equal(nv_config_write(fill('E')), HERD_OK);
    nv_start();
    assert_int_equal(config(), 'E');
    assert_true(is_seed(9));
    assert_int_equal(nv_info().epoch, epoch + 1);
}

static void a_power_cut_at_any_step_leaves_the_old_or_the_new(void **state)
{
    unsigned cuts = 0, torn = 0;
    (void)state;
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (unsigned deed = 0; deed < sizeof deeds / sizeof deeds[0]; deed++) {
            bool was_cut = true;
            for (uint32_t step = 0; was_cut; step++) {
                unsigned tries = shapes[shape].program_bytes == 1 ? 3 : 20;
                for (uint32_t seed = 1; seed <= tries && was_cut; seed++) {
                    prepare(shape, seed * 1000 + step);
                    flash_double_cut_after(step);
                    int err = deeds[deed].run();
                    was_cut = flash_double_is_cut();
                    assert_true(was_cut || err == HERD_OK);
                    cuts += was_cut;
                    torn += flash_double_torn();
                    if (was_cut) {
                        check_after_cut(&deeds[deed], seed);
                    }
                }
            }
        }
    }
    print_message("cuts: %u, torn units: %u\n", cuts, torn);
    assert_true(cuts > 4000 && torn > cuts); /* it was tried */
}

static void a_configuration_survives_the_loss_of_both_states(void **state)
{
    (void)state;
    prepare(0, 1);
    flash_double_bytes()[0] ^= 1;
    flash_double_bytes()[65536 - 512] ^= 1;
    nv_start();
    assert_int_equal(nv_info().epoch, 0);
    assert_int_equal(config(), 'B');
}

static void a_second_cut_during_the_recovery_does_no_more_harm(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 400; seed++) {
        uint8_t next[NV_SEED_BYTES];
        prepare(seed % SHAPES, seed);
        flash_double_cut_after(seed % 23);
        (void)!do_config();
        flash_double_restart(seed);
        nv_start();
        char found = config();
        assert_true(found == 'B' || found == 'C');
        flash_double_cut_after(seed % 7);
        seed_of(next, 3);
        (void)!nv_begin_boot(next);
        flash_double_restart(seed + 1);
        nv_start();
        char again = config();
        assert_true(again == 'B' || again == 'C');
        assert_true(nv_info().epoch == 1 || nv_info().epoch == 2);
        assert_true(is_seed(nv_info().epoch == 2 ? 3 : 1));
    }
}

static void noise_on_the_whole_medium_is_no_state(void **state)
{
    struct unit_random r = {1};
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        make(i % SHAPES, 1);
        for (uint32_t at = 0; at < shapes[i % SHAPES].bytes; at++) {
            flash_double_bytes()[at] = (uint8_t)unit_next(&r);
        }
        nv_start();
        assert_int_equal(nv_info().epoch, 0);
        assert_int_equal(config(), '-');
    }
}

static void one_wrong_bit_makes_a_copy_void(void **state)
{
    (void)state;
    prepare(0, 1);
    flash_double_save();
    uint8_t *bytes = flash_double_bytes();
    for (uint32_t at = 0; at < 65536; at++) {
        if (bytes[at] == 0xFF) {
            continue;
        }
        for (unsigned bit = 0; bit < 8; bit += 3) {
            bytes[at] = (uint8_t)(bytes[at] ^ 1u << bit);
            nv_start();
            char found = config();
            assert_true(found == 'A' || found == 'B');
            bytes[at] = (uint8_t)(bytes[at] ^ 1u << bit);
        }
    }
    flash_double_load();
    nv_start();
    assert_int_equal(config(), 'B');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_medium_has_neither_seed_nor_configuration),
        cmocka_unit_test(without_a_medium_everything_is_refused),
        cmocka_unit_test(a_medium_that_is_too_small_is_left_alone),
        cmocka_unit_test(the_epoch_counts_boots_and_the_seed_is_a_new_one_each_time),
        cmocka_unit_test(a_blank_seed_is_refused),
        cmocka_unit_test(a_seed_that_was_not_replaced_is_refused),
        cmocka_unit_test(a_medium_that_takes_no_writes_is_noticed),
        cmocka_unit_test(rollback_goes_back_and_forth),
        cmocka_unit_test(a_configuration_written_after_a_rollback_to_the_factorys_counts),
        cmocka_unit_test(a_factory_reset_forgets_configurations_and_keeps_seed_and_epoch),
        cmocka_unit_test(the_largest_configuration_fits_exactly),
        cmocka_unit_test(an_empty_configuration_is_one),
        cmocka_unit_test(a_power_cut_at_any_step_leaves_the_old_or_the_new),
        cmocka_unit_test(a_configuration_survives_the_loss_of_both_states),
        cmocka_unit_test(a_second_cut_during_the_recovery_does_no_more_harm),
        cmocka_unit_test(noise_on_the_whole_medium_is_no_state),
        cmocka_unit_test(one_wrong_bit_makes_a_copy_void),
    };
    return cmocka_run_group_tests_name("nv", tests, NULL, NULL);
}

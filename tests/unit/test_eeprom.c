/* The EEPROM of mps2-an385: hal_flash over a 24x512 over two wires, all of them the board's, against a
 * model of the chip that sees every edge. */
#include "unit.h"

#include <stdio.h>

#include "../../port/at24c/at24c.h"
#include "eeprom_model.h"
#include "hal_clock.h"
#include "hal_flash.h"
#include "../../port/at24c/i2c.h"
#include "nv.h"

/* All edges would take minutes on an emulated CPU. */
#ifdef __arm__
#define SPARSE 11u
#else
#define SPARSE 1u
#endif

static uint8_t before[65536];
static uint8_t buffer[4096];
static jmp_buf stopped;

static int setup(void **state)
{
    (void)state;
    eeprom_model_make();
    return 0;
}

static void fill_memory(void)
{
    for (uint32_t i = 0; i < sizeof eeprom.memory; i++) {
        eeprom.memory[i] = (uint8_t)(i * 7 + (i >> 7) * 13 + (i >> 15));
    }
    memcpy(before, eeprom.memory, sizeof before);
}

static void started(void)
{
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
}

static void make_page(uint8_t *page, uint8_t first)
{
    for (unsigned i = 0; i < EEPROM_PAGE; i++) {
        page[i] = (uint8_t)(first ^ (i * 29 + 1));
    }
}

/* Nothing but these pages has changed. */
static void check_others(uint32_t page_at, uint32_t other_at)
{
    for (uint32_t at = 0; at < sizeof before; at += EEPROM_PAGE) {
        if (at != page_at && at != other_at) {
            assert_memory_equal(eeprom.memory + at, before + at, EEPROM_PAGE);
        }
    }
}

/* --- The model itself -------------------------------------------------------------------------- */

static void put_all(const uint8_t *bytes, unsigned count)
{
    assert_int_equal(i2c_begin(0x50, false), I2C_OK);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(i2c_put(bytes[i]), I2C_OK);
    }
}

static void the_model_answers_to_its_address_only(void **state)
{
    (void)state;
    assert_int_equal(i2c_start(), I2C_OK);
    for (unsigned address = 0; address < 128; address++) {
        assert_int_equal(i2c_begin((uint8_t)address, false), address == 0x50 ? I2C_OK : I2C_NACK);
        assert_int_equal(i2c_end(), I2C_OK);
    }
    assert_int_equal(eeprom.cycles, 0);
}

static void the_model_writes_round_within_a_page_and_reads_on_over_it(void **state)
{
    (void)state;
    fill_memory();
    assert_int_equal(i2c_start(), I2C_OK);
    put_all((const uint8_t[]){0x12, 0xFE, 0xA0, 0xA1, 0xA2, 0xA3}, 6);
    assert_int_equal(i2c_end(), I2C_OK);
    assert_int_equal(eeprom.cycles, 1);
    assert_int_equal(i2c_begin(0x50, false), I2C_NACK); /* it writes */
    assert_int_equal(i2c_end(), I2C_OK);
    started();
    assert_int_equal(eeprom.memory[0x12FE], 0xA0);
    assert_int_equal(eeprom.memory[0x12FF], 0xA1);
    assert_int_equal(eeprom.memory[0x1280], 0xA2);
    assert_int_equal(eeprom.memory[0x1281], 0xA3);
    assert_int_equal(eeprom.memory[0x1300], before[0x1300]);
    assert_int_equal(hal_flash_read(0x12FF, buffer, 2), HAL_FLASH_OK);
    assert_int_equal(buffer[0], 0xA1);
    assert_int_equal(buffer[1], before[0x1300]);
}

static void the_model_drops_a_write_that_a_start_cuts_short(void **state)
{
    (void)state;
    fill_memory();
    assert_int_equal(i2c_start(), I2C_OK);
    put_all((const uint8_t[]){0x00, 0x00, 0xA0}, 3);
    assert_int_equal(i2c_start(), I2C_OK);
    assert_int_equal(eeprom.cycles, 0);
    check_others(UINT32_MAX, UINT32_MAX);
}

/* --- Use --------------------------------------------------------------------------------------- */

static void the_geometry_is_the_chips(void **state)
{
    (void)state;
    started();
    struct hal_flash_geometry g = hal_flash_geometry();
    assert_int_equal(g.bytes, 65536);
    assert_int_equal(g.erase_bytes, 128);
    assert_int_equal(g.program_bytes, 128);
    assert_int_equal(eeprom.cycles, 0); /* starting writes nothing */
}

static void any_bytes_are_read_at_any_place(void **state)
{
    static const struct {
        uint32_t at, bytes;
    } parts[] = {{0, 1},     {1, 127}, {127, 2},   {128, 128},    {0x7FFF, 2},  {65535, 1},
                 {65536, 0}, {0, 0},   {100, 512}, {61440, 4096}, {0xFF80, 128}};
    (void)state;
    fill_memory();
    started();
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memset(buffer, 0xAA, sizeof buffer);
        assert_int_equal(hal_flash_read(parts[i].at, buffer, parts[i].bytes), HAL_FLASH_OK);
        assert_memory_equal(buffer, before + parts[i].at, parts[i].bytes);
        for (size_t n = parts[i].bytes; n < sizeof buffer; n++) {
            assert_int_equal(buffer[n], 0xAA);
        }
    }
}

static void a_page_is_erased_and_programmed_and_no_other(void **state)
{
    uint8_t page[EEPROM_PAGE];
    (void)state;
    fill_memory();
    make_page(page, 3);
    started();
    for (uint32_t at = 0; at < 65536; at += 21888) { /* 0, and three within */
        assert_int_equal(hal_flash_erase(at), HAL_FLASH_OK);
        assert_int_equal(hal_flash_read(at, buffer, EEPROM_PAGE), HAL_FLASH_OK);
        for (unsigned i = 0; i < EEPROM_PAGE; i++) {
            assert_int_equal(buffer[i], 0xFF);
        }
        assert_int_equal(hal_flash_program(at, page, sizeof page), HAL_FLASH_OK);
        assert_int_equal(hal_flash_sync(), HAL_FLASH_OK);
        check_others(at, at);
        assert_memory_equal(eeprom.memory + at, page, sizeof page);
        memcpy(before + at, page, sizeof page);
    }
    assert_int_equal(hal_flash_program(0, page, 0), HAL_FLASH_OK);
    assert_int_equal(eeprom.cycles, 6);
}

static void misuse_is_our_own_bug(void **state)
{
    (void)state;
    started();
    expect_assert_failure(assert_int_equal(hal_flash_read(65530, buffer, 7), 0));
    expect_assert_failure(assert_int_equal(hal_flash_erase(64), 0));
    expect_assert_failure(assert_int_equal(hal_flash_erase(65536), 0));
    expect_assert_failure(assert_int_equal(hal_flash_program(0, buffer, 64), 0));
    expect_assert_failure(assert_int_equal(hal_flash_program(0, buffer, 256), 0));
    expect_assert_failure(assert_int_equal(hal_flash_program(64, buffer, 128), 0));
}

/* --- Write cycles ------------------------------------------------------------------------------ */

static void a_write_goes_on_by_itself_and_sync_waits_for_its_end(void **state)
{
    (void)state;
    started();
    uint64_t since_us = eeprom_model_us();
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
    assert_true(eeprom.is_cycling);
    uint64_t sent_us = eeprom_model_us() - since_us;
    assert_in_range(sent_us, 131 * 90, 131 * 90 + 500); /* at 100 kHz, and nothing beside it */
    assert_int_equal(hal_flash_sync(), HAL_FLASH_OK);
    assert_false(eeprom.is_cycling);
    assert_in_range(eeprom_model_us() - since_us - sent_us, 5000, 5400);
    since_us = eeprom_model_us();
    assert_int_equal(hal_flash_sync(), HAL_FLASH_OK); /* nothing to wait for */
    assert_in_range(eeprom_model_us() - since_us, 0, 200);
}

static void whatever_comes_next_waits_for_the_write(void **state)
{
    uint8_t page[EEPROM_PAGE];
    (void)state;
    make_page(page, 9);
    started();
    assert_int_equal(hal_flash_program(0, page, sizeof page), HAL_FLASH_OK);
    assert_int_equal(hal_flash_read(0, buffer, sizeof page), HAL_FLASH_OK);
    assert_memory_equal(buffer, page, sizeof page);
    assert_int_equal(hal_flash_erase(128), HAL_FLASH_OK);
    assert_int_equal(hal_flash_program(128, page, sizeof page), HAL_FLASH_OK);
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    assert_memory_equal(eeprom.memory + 128, page, sizeof page);
    assert_int_equal(eeprom.cycles, 3);
}

static void a_chip_slower_than_its_data_sheet_is_waited_for(void **state)
{
    (void)state;
    eeprom.cycle_us = (AT24C_WRITE_MS - 1) * 1000;
    started();
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
    assert_int_equal(hal_flash_sync(), HAL_FLASH_OK);
}

static void a_cycle_that_does_not_end_is_given_up_in_bounded_time(void **state)
{
    (void)state;
    eeprom.cycle_us = UINT32_MAX;
    started();
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
    uint64_t since_ms = hal_clock_ms();
    assert_int_equal(hal_flash_sync(), HAL_FLASH_E_ABSENT);
    assert_in_range(hal_clock_ms() - since_ms, AT24C_WRITE_MS, AT24C_WRITE_MS + 3);
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_E_ABSENT);
}

static void everything_takes_less_than_the_contract_allows(void **state)
{
    (void)state;
    uint64_t since_ms = hal_clock_ms();
    started();
    assert_in_range(hal_clock_ms() - since_ms, 0, HAL_FLASH_START_MS_MAX / 10);
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
    since_ms = hal_clock_ms();
    assert_int_equal(hal_flash_read(0, buffer, 512), HAL_FLASH_OK);
    assert_in_range(hal_clock_ms() - since_ms, 40, HAL_FLASH_READ_MS_MAX / 4);
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
    since_ms = hal_clock_ms();
    assert_int_equal(hal_flash_program(0, buffer, 128), HAL_FLASH_OK);
    assert_in_range(hal_clock_ms() - since_ms, 15, HAL_FLASH_PROGRAM_MS_MAX / 10);
}

/* --- What is not as it should be --------------------------------------------------------------- */

static void check_all_absent(void)
{
    assert_int_equal(hal_flash_read(0, buffer, 1), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_program(0, buffer, 128), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_sync(), HAL_FLASH_E_ABSENT);
}

static void without_a_chip_it_is_absent_soon_until_one_is_plugged_in(void **state)
{
    (void)state;
    eeprom.is_there = false;
    uint64_t since_ms = hal_clock_ms();
    assert_int_equal(hal_flash_start(), HAL_FLASH_E_ABSENT);
    assert_in_range(hal_clock_ms() - since_ms, 0, 20);
    assert_int_equal(hal_flash_geometry().bytes, 0);
    check_all_absent();
    eeprom.is_there = true;
    check_all_absent();
    started();
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
}

static void a_chip_that_is_pulled_is_absent_until_it_is_started_again(void **state)
{
    (void)state;
    fill_memory();
    started();
    eeprom.is_there = false;
    assert_int_equal(hal_flash_read(0, buffer, 1), HAL_FLASH_E_ABSENT);
    uint32_t edges = eeprom.edges;
    check_all_absent();
    assert_int_equal(eeprom.edges, edges); /* it is not asked again and again */
    eeprom.is_there = true;
    started();
    assert_int_equal(hal_flash_read(5, buffer, 1), HAL_FLASH_OK);
    assert_int_equal(buffer[0], before[5]);
}

static void a_data_wire_that_stays_low_is_absent_and_not_an_acknowledge(void **state)
{
    (void)state;
    eeprom.is_stuck = true;
    uint64_t since_ms = hal_clock_ms();
    assert_int_equal(hal_flash_start(), HAL_FLASH_E_ABSENT);
    assert_in_range(hal_clock_ms() - since_ms, 0, 5);
    check_all_absent();
    eeprom.is_stuck = false;
    started();
}

/* Never wrong bytes as if they were right. */
static void a_data_wire_that_goes_low_at_any_edge_is_found(void **state)
{
    uint8_t page[EEPROM_PAGE];
    unsigned absent = 0, fine = 0;
    (void)state;
    make_page(page, 5);
    for (uint32_t edge = 0; edge < 600; edge += SPARSE) {
        eeprom_model_make();
        fill_memory();
        started();
        eeprom_model_stick_after(edge);
        int err = hal_flash_read(3, buffer, 9);
        assert_true(err == HAL_FLASH_E_ABSENT ||
                    (err == HAL_FLASH_OK && memcmp(buffer, before + 3, 9) == 0));
        absent += err == HAL_FLASH_E_ABSENT;
        fine += err == HAL_FLASH_OK;
    }
    assert_true(absent > 200 / SPARSE && fine > 100 / SPARSE);
    for (uint32_t edge = 0; edge < 4400; edge += 7 * SPARSE) {
        eeprom_model_make();
        fill_memory();
        started();
        eeprom_model_stick_after(edge);
        int err = hal_flash_program(256, page, sizeof page);
        err = err == HAL_FLASH_OK ? hal_flash_sync() : err;
        assert_true(err == HAL_FLASH_E_ABSENT ||
                    (err == HAL_FLASH_OK && memcmp(eeprom.memory + 256, page, sizeof page) == 0));
        check_others(256, 256);
    }
}

static void a_chip_that_refuses_data_has_failed_and_can_still_be_read(void **state)
{
    (void)state;
    fill_memory();
    started();
    eeprom.refuses = true;
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_E_FAILED);
    assert_int_equal(hal_flash_read(0, buffer, 16), HAL_FLASH_OK);
    assert_memory_equal(buffer, before, 16);
    assert_int_equal(eeprom.cycles, 0);
}

static void a_write_protected_chip_shows_what_it_has(void **state)
{
    uint8_t key[NV_SEED_BYTES] = {1, 2, 3};
    (void)state;
    fill_memory();
    started();
    eeprom.protected = true;
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK); /* the chip said so */
    assert_int_equal(hal_flash_read(0, buffer, 16), HAL_FLASH_OK);
    assert_memory_equal(buffer, before, 16);
    nv_start(); /* and whoever reads back finds out */
    assert_int_equal(nv_begin_boot(key), HERD_E_CLOSED);
    assert_int_equal(nv_info().status, NV_FAILED);
}

static void a_chip_that_is_too_small_is_foreign_once_something_is_on_it(void **state)
{
    uint8_t page[EEPROM_PAGE];
    static const uint32_t sizes[] = {4096, 8192, 16384, 32768};
    (void)state;
    make_page(page, 1);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        eeprom_model_make();
        eeprom.bytes = sizes[i];
        started();
        assert_int_equal(hal_flash_program(0, page, sizeof page), HAL_FLASH_OK);
        assert_int_equal(hal_flash_start(), HAL_FLASH_E_FOREIGN);
        assert_int_equal(hal_flash_geometry().bytes, 0);
        unsigned cycles = eeprom.cycles;
        check_all_absent();
        assert_int_equal(eeprom.cycles, cycles);
    }
    eeprom.bytes = 65536; /* as it should be */
    started();
}

/* --- Power cuts and resets --------------------------------------------------------------------- */

enum { OLD_PAGE = 40 * 128, NEW_PAGE = 41 * 128 };

/* True when `work` was stopped at that edge; false when it ended before. */
static bool stop_within(uint32_t edge, bool chip_stays, void (*work)(void))
{
    volatile bool was_stopped = true;
    if (setjmp(stopped) == 0) {
        eeprom_model_stop_after(edge, chip_stays, &stopped);
        work();
        was_stopped = false;
    }
    eeprom_model_stop_after(UINT32_MAX, false, NULL);
    return was_stopped;
}

/* Erases and programs two pages, until it is stopped. What was synced is counted. */
static volatile unsigned synced;

static uint8_t page_to_write[EEPROM_PAGE];

static void write_two_pages(void)
{
    const uint8_t *page = page_to_write;
    synced = 0;
    for (uint32_t at = OLD_PAGE; at <= NEW_PAGE; at += 128) {
        assert_int_equal(hal_flash_erase(at), HAL_FLASH_OK);
        assert_int_equal(hal_flash_sync(), HAL_FLASH_OK);
        assert_int_equal(hal_flash_program(at, page, 128), HAL_FLASH_OK);
        assert_int_equal(hal_flash_sync(), HAL_FLASH_OK);
        synced = synced + 1;
    }
}

static bool stop_at_edge(uint32_t edge, bool chip_stays)
{
    eeprom_model_make();
    fill_memory();
    eeprom.seed = edge * 2654435761u | 1u;
    started();
    return stop_within(edge, chip_stays, write_two_pages);
}

static void check_after_stop(void)
{
    const uint8_t *page = page_to_write;
    started(); /* whatever state the chip was left in */
    check_others(OLD_PAGE, NEW_PAGE);
    if (synced > 0) {
        assert_memory_equal(eeprom.memory + OLD_PAGE, page, 128);
    }
    if (synced > 1) {
        assert_memory_equal(eeprom.memory + NEW_PAGE, page, 128);
    }
    assert_int_equal(hal_flash_erase(NEW_PAGE), HAL_FLASH_OK);
    assert_int_equal(hal_flash_program(NEW_PAGE, page, 128), HAL_FLASH_OK);
    assert_int_equal(hal_flash_read(NEW_PAGE, buffer, 128), HAL_FLASH_OK);
    assert_memory_equal(buffer, page, 128);
    check_others(OLD_PAGE, NEW_PAGE);
}

static void check_every_edge(bool chip_stays)
{
    unsigned torn = 0;
    uint32_t edge = 0;
    make_page(page_to_write, 77);
    for (; stop_at_edge(edge, chip_stays); edge += 5 * SPARSE) { /* no factor of a byte's */
        check_after_stop();
        torn += eeprom.torn;
    }
    print_message("edges: %u, torn pages: %u\n", (unsigned)edge, torn);
    assert_true(edge > 4 * 131 * 27);
    assert_true(chip_stays ? torn == 0 : torn > 100 / SPARSE); /* cuts bit */
}

static void a_power_cut_at_any_edge_harms_the_page_that_is_written_only(void **state)
{
    (void)state;
    check_every_edge(false);
}

static void a_reset_at_any_edge_leaves_a_chip_that_can_be_used(void **state)
{
    (void)state;
    check_every_edge(true);
}

static void read_some(void)
{
    assert_int_equal(hal_flash_read(0, buffer, 32), HAL_FLASH_OK);
}

static void a_chip_that_a_reset_left_speaking_is_freed(void **state)
{
    (void)state;
    memset(eeprom.memory, 0, sizeof eeprom.memory); /* it holds the wire low */
    for (uint32_t edge = 0; edge < 1200; edge += SPARSE) {
        started();
        (void)stop_within(edge, true, read_some);
        started();
        assert_int_equal(eeprom.cycles, 0);
    }
}

static void check_config(const char *one, const char *other)
{
    size_t bytes = 0;
    assert_int_equal(nv_config_read(&bytes), HERD_OK);
    assert_true((bytes == strlen(one) && memcmp(nv_config_buffer(), one, bytes) == 0) ||
                (bytes == strlen(other) && memcmp(nv_config_buffer(), other, bytes) == 0));
}

static void save_config(const char *text)
{
    memcpy(nv_config_buffer(), text, strlen(text));
    assert_int_equal(nv_config_write(strlen(text)), HERD_OK);
}

static const char old_text[] = "the old configuration, somewhat longer than a page of the chip: "
                               "0123456789 0123456789 0123456789 "
                               "0123456789 0123456789 0123456789";
static const char new_text[] = "the new one";

/* What a board does from power-up on, and a person at its console. */
static void boot_and_save(void)
{
    uint8_t seed[NV_SEED_BYTES];
    nv_start();
    assert_int_equal(nv_take_seed(seed), NV_SEED_FRESH);
    seed[0] = 2;
    assert_int_equal(nv_begin_boot(seed), HERD_OK);
    save_config(new_text);
}

static void configuration_and_seed_survive_a_power_cut_at_any_step(void **state)
{
    unsigned cuts = 0, torn = 0;
    bool was_cut = true;
    (void)state;
    for (uint32_t edge = 0; was_cut; edge += 61 * SPARSE) {
        uint8_t seed[NV_SEED_BYTES] = {1, 2, 3};
        eeprom_model_make();
        eeprom.seed = edge * 2654435761u | 1u;
        nv_start();
        assert_int_equal(nv_begin_boot(seed), HERD_OK);
        save_config(old_text);
        was_cut = stop_within(edge, false, boot_and_save);
        nv_start();
        assert_int_equal(nv_info().status, NV_READY);
        assert_int_equal(nv_take_seed(seed), NV_SEED_FRESH);
        assert_in_range(seed[0], 1, 2);
        assert_int_equal(seed[1], 2);
        check_config(old_text, new_text);
        cuts += was_cut;
        torn += eeprom.torn;
    }
    print_message("cuts: %u, torn pages: %u\n", cuts, torn);
    assert_true(cuts > 300 / SPARSE && torn > 30 / SPARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_model_answers_to_its_address_only, setup),
        cmocka_unit_test_setup(the_model_writes_round_within_a_page_and_reads_on_over_it, setup),
        cmocka_unit_test_setup(the_model_drops_a_write_that_a_start_cuts_short, setup),
        cmocka_unit_test_setup(the_geometry_is_the_chips, setup),
        cmocka_unit_test_setup(any_bytes_are_read_at_any_place, setup),
        cmocka_unit_test_setup(a_page_is_erased_and_programmed_and_no_other, setup),
        cmocka_unit_test_setup(misuse_is_our_own_bug, setup),
        cmocka_unit_test_setup(a_write_goes_on_by_itself_and_sync_waits_for_its_end, setup),
        cmocka_unit_test_setup(whatever_comes_next_waits_for_the_write, setup),
        cmocka_unit_test_setup(a_chip_slower_than_its_data_sheet_is_waited_for, setup),
        cmocka_unit_test_setup(a_cycle_that_does_not_end_is_given_up_in_bounded_time, setup),
        cmocka_unit_test_setup(everything_takes_less_than_the_contract_allows, setup),
        cmocka_unit_test_setup(without_a_chip_it_is_absent_soon_until_one_is_plugged_in, setup),
        cmocka_unit_test_setup(a_chip_that_is_pulled_is_absent_until_it_is_started_again, setup),
        cmocka_unit_test_setup(a_data_wire_that_stays_low_is_absent_and_not_an_acknowledge, setup),
        cmocka_unit_test_setup(a_data_wire_that_goes_low_at_any_edge_is_found, setup),
        cmocka_unit_test_setup(a_chip_that_refuses_data_has_failed_and_can_still_be_read, setup),
        cmocka_unit_test_setup(a_write_protected_chip_shows_what_it_has, setup),
        cmocka_unit_test_setup(a_chip_that_is_too_small_is_foreign_once_something_is_on_it, setup),
        cmocka_unit_test_setup(a_power_cut_at_any_edge_harms_the_page_that_is_written_only, setup),
        cmocka_unit_test_setup(a_reset_at_any_edge_leaves_a_chip_that_can_be_used, setup),
        cmocka_unit_test_setup(a_chip_that_a_reset_left_speaking_is_freed, setup),
        cmocka_unit_test_setup(configuration_and_seed_survive_a_power_cut_at_any_step, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

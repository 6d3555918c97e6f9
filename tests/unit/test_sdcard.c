/* sdcard: cards of all kinds, and what they do wrong, over a card of our own making. */
#include "unit.h"

#include "sdcard.h"

#include "fake_card.h"

static uint8_t buffer[512];

static int setup(void **state)
{
    (void)state;
    fake_insert(FAKE_SDHC);
    return 0;
}

static void fill(uint8_t *data, uint8_t first)
{
    for (unsigned i = 0; i < 512; i++) {
        data[i] = (uint8_t)(first + i * 7);
    }
}

static void started(void)
{
    assert_int_equal(sdcard_start(), SDCARD_OK);
}

static void check_kind(enum fake_kind inserted, enum sdcard_kind kind, uint32_t blocks)
{
    uint32_t found = 0;
    uint8_t data[512];
    fake_insert(inserted);
    started();
    assert_int_equal(sdcard_kind(), kind);
    assert_true(card.fast);
    assert_true(card.crc_on);
    assert_int_equal(sdcard_blocks(&found), SDCARD_OK);
    assert_int_equal(found, blocks);
    fill(data, 1);
    assert_int_equal(sdcard_write(blocks - 1, data), SDCARD_OK);
    assert_memory_equal(fake_block(blocks - 1), data, 512);
    assert_int_equal(sdcard_read(blocks - 1, 0, buffer, 512), SDCARD_OK);
    assert_memory_equal(buffer, data, 512);
}

static void cards_of_each_kind_start_read_and_write(void **state)
{
    (void)state;
    check_kind(FAKE_SD1, SDCARD_SDSC, 128 * 1024);
    check_kind(FAKE_SDSC, SDCARD_SDSC, 128 * 1024);
    check_kind(FAKE_SDHC, SDCARD_SDHC, 8 * 1024 * 1024);
}

static void a_card_without_crc_on_is_used_without(void **state)
{
    (void)state;
    card.knows_crc_on = false;
    started();
    card.bad_read_crc = 1;
    assert_int_equal(sdcard_read(0, 0, buffer, 512), SDCARD_OK);
    assert_int_equal(card.bad_read_crc, 0);
}

static void an_empty_slot_is_absent_soon(void **state)
{
    (void)state;
    card.kind = FAKE_NONE;
    uint64_t before_ms = hal_clock_ms();
    assert_int_equal(sdcard_start(), SDCARD_ABSENT);
    assert_in_range(hal_clock_ms() - before_ms, 0, 20);
    assert_int_equal(sdcard_kind(), SDCARD_NONE);
    assert_int_equal(sdcard_read(0, 0, buffer, 512), SDCARD_ABSENT);
    assert_int_equal(sdcard_write(0, buffer), SDCARD_ABSENT);
}

static void a_card_that_never_gets_ready_is_absent_in_bounded_time(void **state)
{
    (void)state;
    card.initialise = UINT32_MAX;
    uint64_t before_ms = hal_clock_ms();
    assert_int_equal(sdcard_start(), SDCARD_ABSENT);
    assert_in_range(hal_clock_ms() - before_ms, SDCARD_START_MS, SDCARD_START_MS + 50);
}

static void any_part_of_a_block_is_read_and_nothing_else_written(void **state)
{
    (void)state;
    uint8_t data[512];
    started();
    fill(data, 9);
    memcpy(fake_block(77), data, 512);
    static const struct {
        size_t first, bytes;
    } parts[] = {{0, 0}, {0, 1}, {446, 66}, {511, 1}, {512, 0}, {100, 300}};
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memset(buffer, 0xAA, sizeof buffer);
        assert_int_equal(sdcard_read(77, parts[i].first, buffer, parts[i].bytes), SDCARD_OK);
        assert_memory_equal(buffer, data + parts[i].first, parts[i].bytes);
        for (size_t n = parts[i].bytes; n < sizeof buffer; n++) {
            assert_int_equal(buffer[n], 0xAA);
        }
    }
    expect_assert_failure(assert_int_equal(sdcard_read(77, 500, buffer, 13), 0));
}

static void without_data_a_block_is_written_with_ones(void **state)
{
    (void)state;
    started();
    fill(fake_block(5), 3);
    assert_int_equal(sdcard_write(5, NULL), SDCARD_OK);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(fake_block(5)[i], 0xFF);
    }
}

static void a_wrong_checksum_of_data_is_tried_three_times(void **state)
{
    (void)state;
    started();
    card.bad_read_crc = 2;
    assert_int_equal(sdcard_read(1, 0, buffer, 512), SDCARD_OK);
    card.bad_read_crc = 3;
    assert_int_equal(sdcard_read(1, 0, buffer, 512), SDCARD_FAILED);
    card.write_crc_error = 2;
    assert_int_equal(sdcard_write(1, NULL), SDCARD_OK);
    card.write_crc_error = 3;
    assert_int_equal(sdcard_write(1, NULL), SDCARD_FAILED);
    assert_int_equal(sdcard_read(1, 0, buffer, 512), SDCARD_OK); /* it is still there */
}

static void errors_that_the_card_reports_are_failures(void **state)
{
    (void)state;
    started();
    card.read_error_token = 3;
    assert_int_equal(sdcard_read(1, 0, buffer, 512), SDCARD_FAILED);
    card.write_refused = 1;
    assert_int_equal(sdcard_write(1, NULL), SDCARD_FAILED);
    assert_int_equal(card.writes, 0);
    card.status_error = 1;
    assert_int_equal(sdcard_write(1, NULL), SDCARD_FAILED);
    assert_int_equal(sdcard_write(1, NULL), SDCARD_OK);
}

static void a_card_that_stays_silent_or_busy_is_absent_in_bounded_time(void **state)
{
    (void)state;
    started();
    card.mute_reads = true;
    uint64_t before_ms = hal_clock_ms();
    assert_int_equal(sdcard_read(1, 0, buffer, 512), SDCARD_ABSENT);
    assert_in_range(hal_clock_ms() - before_ms, SDCARD_READ_MS, SDCARD_READ_MS + 10);
    fake_insert(FAKE_SDHC);
    started();
    card.stuck_busy = true;
    before_ms = hal_clock_ms();
    assert_int_equal(sdcard_write(1, NULL), SDCARD_ABSENT);
    assert_in_range(hal_clock_ms() - before_ms, SDCARD_WRITE_MS, SDCARD_WRITE_MS + 30);
    assert_int_equal(sdcard_kind(), SDCARD_NONE);
}

static void a_long_programming_is_waited_for(void **state)
{
    (void)state;
    started();
    card.busy_bytes = (SDCARD_WRITE_MS - 10) * 50;
    assert_int_equal(sdcard_write(1, NULL), SDCARD_OK);
}

static void a_pulled_card_is_absent_until_it_is_started_again(void **state)
{
    (void)state;
    started();
    card.kind = FAKE_NONE;
    assert_int_equal(sdcard_write(1, NULL), SDCARD_ABSENT);
    card.kind = FAKE_SDHC; /* back, but in the mode of power-up */
    card.ready = card.idle = card.crc_on = false;
    card.initialise = 3;
    assert_int_equal(sdcard_read(1, 0, buffer, 512), SDCARD_ABSENT);
    started();
    assert_int_equal(sdcard_read(1, 0, buffer, 512), SDCARD_OK);
}

static void another_card_in_the_slot_is_not_written_before_a_start(void **state)
{
    (void)state;
    started();
    fake_insert(FAKE_SDHC);
    assert_int_equal(sdcard_write(1, NULL), SDCARD_ABSENT);
    assert_int_equal(card.writes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cards_of_each_kind_start_read_and_write, setup),
        cmocka_unit_test_setup(a_card_without_crc_on_is_used_without, setup),
        cmocka_unit_test_setup(an_empty_slot_is_absent_soon, setup),
        cmocka_unit_test_setup(a_card_that_never_gets_ready_is_absent_in_bounded_time, setup),
        cmocka_unit_test_setup(any_part_of_a_block_is_read_and_nothing_else_written, setup),
        cmocka_unit_test_setup(without_data_a_block_is_written_with_ones, setup),
        cmocka_unit_test_setup(a_wrong_checksum_of_data_is_tried_three_times, setup),
        cmocka_unit_test_setup(errors_that_the_card_reports_are_failures, setup),
        cmocka_unit_test_setup(a_card_that_stays_silent_or_busy_is_absent_in_bounded_time, setup),
        cmocka_unit_test_setup(a_long_programming_is_waited_for, setup),
        cmocka_unit_test_setup(a_pulled_card_is_absent_until_it_is_started_again, setup),
        cmocka_unit_test_setup(another_card_in_the_slot_is_not_written_before_a_start, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

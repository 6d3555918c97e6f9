/* hal_flash on an SD card: which cards it takes, and that it writes nowhere else. */
#include "unit.h"

#include "hal_flash.h"

#include "fake_card.h"

#define PARTITION 2048u
#define HALF      (128u * 1024u)

static uint8_t buffer[512], data[512];

static void add_partition(unsigned index, uint8_t type, uint32_t first, uint32_t blocks)
{
    uint8_t *mbr = fake_block(0);
    uint8_t *entry = mbr + 446 + 16 * index;
    entry[4] = type;
    for (unsigned i = 0; i < 4; i++) {
        entry[8 + i] = (uint8_t)(first >> (8 * i));
        entry[12 + i] = (uint8_t)(blocks >> (8 * i));
    }
    mbr[510] = 0x55;
    mbr[511] = 0xAA;
}

static int setup(void **state)
{
    (void)state;
    fake_insert(FAKE_SDHC);
    add_partition(0, 0x0C, 40000, 60000); /* FAT32 */
    add_partition(1, 0x7F, PARTITION, 32768);
    for (unsigned i = 0; i < 512; i++) {
        data[i] = (uint8_t)(i * 5 + 1);
    }
    return 0;
}

static void a_card_with_a_blank_partition_of_its_own_is_taken_and_found_again(void **state)
{
    (void)state;
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    assert_int_equal(card.writes, 1); /* the header */
    struct hal_flash_geometry g = hal_flash_geometry();
    assert_int_equal(g.bytes, 2 * HALF);
    assert_int_equal(g.erase_bytes, 512);
    assert_int_equal(g.program_bytes, 512);
    assert_int_equal(hal_flash_erase(1024), HAL_FLASH_OK);
    assert_int_equal(hal_flash_program(1024, data, 512), HAL_FLASH_OK);
    assert_int_equal(hal_flash_sync(), HAL_FLASH_OK);
    card.ready = card.idle = false; /* power was off */
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    assert_int_equal(card.writes, 3);
    assert_int_equal(hal_flash_read(1024, buffer, 512), HAL_FLASH_OK);
    assert_memory_equal(buffer, data, 512);
}

static void the_area_is_two_halves_of_the_partition_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    assert_int_equal(hal_flash_program(0, data, 512), HAL_FLASH_OK);
    assert_memory_equal(fake_block(PARTITION + 8192), data, 512);
    assert_int_equal(hal_flash_program(HALF - 512, data, 512), HAL_FLASH_OK);
    assert_memory_equal(fake_block(PARTITION + 8192 + 255), data, 512);
    assert_int_equal(hal_flash_program(HALF, data, 512), HAL_FLASH_OK);
    assert_memory_equal(fake_block(PARTITION + 16384), data, 512);
    assert_int_equal(hal_flash_program(2 * HALF - 512, data, 512), HAL_FLASH_OK);
    assert_memory_equal(fake_block(PARTITION + 16384 + 255), data, 512);
    assert_int_equal(card.writes, 5);
}

static void reads_cross_blocks_and_halves(void **state)
{
    (void)state;
    uint8_t read[700];
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    assert_int_equal(hal_flash_program(HALF - 512, data, 512), HAL_FLASH_OK);
    assert_int_equal(hal_flash_erase(HALF), HAL_FLASH_OK);
    assert_int_equal(hal_flash_read(HALF - 500, read, sizeof read), HAL_FLASH_OK);
    assert_memory_equal(read, data + 12, 500);
    for (unsigned i = 500; i < sizeof read; i++) {
        assert_int_equal(read[i], 0xFF);
    }
    expect_assert_failure(assert_int_equal(hal_flash_read(2 * HALF - 3, read, 4), 0));
    expect_assert_failure(assert_int_equal(hal_flash_erase(2 * HALF), 0));
    expect_assert_failure(assert_int_equal(hal_flash_erase(17), 0));
    expect_assert_failure(assert_int_equal(hal_flash_program(0, data, 16), 0));
}

static void check_foreign(void)
{
    assert_int_equal(hal_flash_start(), HAL_FLASH_E_FOREIGN);
    assert_int_equal(card.writes, 0);
    assert_int_equal(hal_flash_geometry().bytes, 0);
    assert_int_equal(hal_flash_read(0, buffer, 1), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_program(0, data, 512), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_sync(), HAL_FLASH_E_ABSENT);
    assert_int_equal(card.writes, 0);
}

static void a_card_without_a_partition_of_its_own_is_never_written(void **state)
{
    (void)state;
    fake_insert(FAKE_SDHC); /* blank throughout, or a file system that begins later */
    check_foreign();
    fake_insert(FAKE_SDHC);
    add_partition(0, 0x0C, 2048, 100000);
    check_foreign();
    fake_insert(FAKE_SDHC);
    add_partition(0, 0xEE, 1, 0xFFFFFFFF); /* GPT */
    check_foreign();
    setup(NULL);
    fake_block(0)[511] = 0; /* no signature */
    check_foreign();
}

static void a_partition_that_is_too_small_or_not_on_the_card_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, blocks;
    } wrong[] = {{2048, 16639},
                 {0, 32768},
                 {8 * 1024 * 1024 - 16639, 16640},
                 {8 * 1024 * 1024, 32768},
                 {0xFFFFFFFF, 32768},
                 {2048, 0xFFFFFFFF}};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fake_insert(FAKE_SDHC);
        add_partition(2, 0x7F, wrong[i].first, wrong[i].blocks);
        check_foreign();
    }
    fake_insert(FAKE_SDHC);
    add_partition(3, 0x7F, 8 * 1024 * 1024 - 16640, 16640);
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
}

static void a_partition_that_holds_anything_is_refused(void **state)
{
    (void)state;
    static const uint32_t blocks[] = {0, 8192, 8192 + 255, 16384, 16384 + 255};
    for (unsigned i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        setup(NULL);
        fake_block(PARTITION + blocks[i])[511] = 1;
        check_foreign();
    }
    setup(NULL);
    memset(fake_block(PARTITION), 0xFF, 512); /* blank, too */
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
}

static void no_card_is_absent(void **state)
{
    (void)state;
    card.kind = FAKE_NONE;
    assert_int_equal(hal_flash_start(), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_geometry().bytes, 0);
}

static void failures_of_the_card_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    card.bad_read_crc = 3;
    assert_int_equal(hal_flash_read(0, buffer, 1), HAL_FLASH_E_UNREADABLE);
    card.write_refused = 1;
    assert_int_equal(hal_flash_program(0, data, 512), HAL_FLASH_E_FAILED);
    assert_int_equal(hal_flash_read(0, buffer, 1), HAL_FLASH_OK);
    card.kind = FAKE_NONE;
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_E_ABSENT);
    assert_int_equal(hal_flash_sync(), HAL_FLASH_E_ABSENT);
    card.kind = FAKE_SDHC;
    card.ready = card.idle = card.crc_on = false;
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_card_with_a_blank_partition_of_its_own_is_taken_and_found_again,
                               setup),
        cmocka_unit_test_setup(the_area_is_two_halves_of_the_partition_and_nothing_else, setup),
        cmocka_unit_test_setup(reads_cross_blocks_and_halves, setup),
        cmocka_unit_test_setup(a_card_without_a_partition_of_its_own_is_never_written, setup),
        cmocka_unit_test_setup(a_partition_that_is_too_small_or_not_on_the_card_is_refused, setup),
        cmocka_unit_test_setup(a_partition_that_holds_anything_is_refused, setup),
        cmocka_unit_test_setup(no_card_is_absent, setup),
        cmocka_unit_test_setup(failures_of_the_card_are_told_apart, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

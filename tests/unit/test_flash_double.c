/* The double of hal_flash itself: it must tear what was in flight, and nothing else. */
#include "unit.h"

#include "flash_double.h"

static const uint8_t ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static void it_keeps_what_was_programmed(void **state)
{
    uint8_t got[16];
    (void)state;
    flash_double_make(16384, 4096, 16, 1);
    assert_int_equal(hal_flash_geometry().bytes, 0); /* not started */
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    assert_int_equal(hal_flash_geometry().bytes, 16384);
    assert_int_equal(hal_flash_erase(4096), HAL_FLASH_OK);
    assert_int_equal(hal_flash_program(4096 + 32, ones, 16), HAL_FLASH_OK);
    assert_int_equal(hal_flash_read(4096 + 32, got, 16), HAL_FLASH_OK);
    assert_memory_equal(got, ones, 16);
    assert_int_equal(flash_double_steps(), 2);
}

static void what_was_synced_survives_every_cut(void **state)
{
    uint8_t got[16];
    (void)state;
    for (uint32_t seed = 1; seed < 200; seed++) {
        flash_double_make(16384, 4096, 16, seed);
        assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
        assert_int_equal(hal_flash_erase(0), HAL_FLASH_OK);
        assert_int_equal(hal_flash_program(0, ones, 16), HAL_FLASH_OK);
        assert_int_equal(hal_flash_sync(), HAL_FLASH_OK);
        flash_double_cut_after(seed % 3);
        (void)!hal_flash_program(16, ones, 16);
        (void)!hal_flash_erase(4096);
        (void)!hal_flash_sync();
        assert_true(flash_double_is_cut());
        assert_int_equal(hal_flash_read(0, got, 16), HAL_FLASH_E_ABSENT);
        flash_double_restart(seed);
        assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
        assert_int_equal(hal_flash_read(0, got, 16), HAL_FLASH_OK);
        assert_memory_equal(got, ones, 16);
    }
}

static void what_was_in_flight_is_torn_in_every_way(void **state)
{
    static const uint8_t blank[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                      255, 255, 255, 255, 255, 255, 255, 255};
    unsigned done = 0, undone = 0, mixed = 0, unreadable = 0, unstable = 0;
    (void)state;
    for (uint32_t seed = 1; seed < 400; seed++) {
        uint8_t got[16], again[16];
        flash_double_make(16384, 4096, 16, seed);
        assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
        flash_double_cut_after(0);
        assert_int_equal(hal_flash_program(64, ones, 16), HAL_FLASH_E_ABSENT);
        flash_double_restart(seed);
        assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
        if (hal_flash_read(64, got, 16) == HAL_FLASH_E_UNREADABLE) {
            unreadable++;
            continue;
        }
        bool differs = false;
        for (unsigned i = 0; i < 20; i++) {
            assert_int_equal(hal_flash_read(64, again, 16), HAL_FLASH_OK);
            differs = differs || memcmp(got, again, 16) != 0;
        }
        if (differs) {
            unstable++;
        } else if (memcmp(got, ones, 16) == 0) {
            done++;
        } else if (memcmp(got, blank, 16) == 0) {
            undone++;
        } else {
            mixed++;
        }
    }
    assert_true(done > 10 && undone > 10 && mixed > 10 && unreadable > 10 && unstable > 10);
}

static void writes_that_are_ignored_say_ok(void **state)
{
    uint8_t got[16];
    (void)state;
    flash_double_make(16384, 4096, 16, 1);
    assert_int_equal(hal_flash_start(), HAL_FLASH_OK);
    flash_double_ignore_writes(true);
    assert_int_equal(hal_flash_program(0, ones, 16), HAL_FLASH_OK);
    assert_int_equal(hal_flash_read(0, got, 16), HAL_FLASH_OK);
    assert_int_equal(got[0], 0xFF);
    flash_double_ignore_writes(false);
    flash_double_fail_writes(true);
    assert_int_equal(hal_flash_program(0, ones, 16), HAL_FLASH_E_FAILED);
    assert_int_equal(hal_flash_erase(0), HAL_FLASH_E_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_keeps_what_was_programmed),
        cmocka_unit_test(what_was_synced_survives_every_cut),
        cmocka_unit_test(what_was_in_flight_is_torn_in_every_way),
        cmocka_unit_test(writes_that_are_ignored_say_ok),
    };
    return cmocka_run_group_tests_name("flash_double", tests, NULL, NULL);
}

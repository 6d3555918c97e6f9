/* The flash driver against a register model; first the model itself. */
#include "unit.h"

#include "../../port/nxp/ftfe.h"
#include "ftfe_model.h"
#include "../../port/nxp/mmio.h"

static const struct ftfe flash = {
    .base = FTFE_MODEL_BASE, .first = FTFE_MODEL_FIRST, .bytes = FTFE_MODEL_BYTES};

#define AT(offset) (FTFE_MODEL_FIRST + (offset))

uint8_t mmio_read8(uintptr_t address)
{
    return ftfe_model_read8((uint32_t)(address - FTFE_MODEL_BASE));
}

void mmio_write8(uintptr_t address, uint8_t value)
{
    ftfe_model_write8((uint32_t)(address - FTFE_MODEL_BASE), value);
}

static int set_up(void **state)
{
    (void)state;
    ftfe_model_reset();
    return 0;
}

/* No test may leave a violation behind, unless it made it. */
static int tear_down(void **state)
{
    (void)state;
    if (ftfe_model.violations != 0) {
        print_error("%s\n", ftfe_model.why);
    }
    return ftfe_model.violations == 0 ? 0 : -1;
}

/* --- The model --------------------------------------------------------------------------------- */

static void model_command(uint8_t command, uint32_t address)
{
    ftfe_model_write8(7, command);
    ftfe_model_write8(6, (uint8_t)(address >> 16));
    ftfe_model_write8(5, (uint8_t)(address >> 8));
    ftfe_model_write8(4, (uint8_t)address);
    for (uint32_t i = 8; i < 16; i++) {
        ftfe_model_write8(i, (uint8_t)i); /* offsets 8..11: bytes 0..3; 12..15: 4..7 */
    }
    ftfe_model_write8(0, 0x80);
}

static uint8_t model_wait(void)
{
    uint8_t status;
    unsigned looks = 0;
    do {
        status = ftfe_model_read8(0);
        assert_true(++looks < 100);
    } while ((status & 0x80) == 0);
    return status;
}

static void assert_violation(void)
{
    assert_int_equal(ftfe_model.violations, 1);
    ftfe_model.violations = 0;
}

static void model_programs_bytes_in_the_order_of_the_register_words(void **state)
{
    static const uint8_t expected[8] = {8, 9, 10, 11, 12, 13, 14, 15};
    (void)state;
    model_command(0x07, AT(8));
    assert_int_equal(ftfe_model_read8(0), 0); /* busy */
    assert_int_equal(model_wait(), 0x80);
    assert_memory_equal(&ftfe_model.memory[8], expected, 8);
    assert_int_equal(ftfe_model.memory[7], 0xFF);
    assert_int_equal(ftfe_model.memory[16], 0xFF);
}

static void model_objects_to_a_phrase_programmed_twice_and_makes_it_unreadable(void **state)
{
    uint8_t byte;
    (void)state;
    model_command(0x07, AT(0));
    (void)model_wait();
    model_command(0x07, AT(0));
    (void)model_wait();
    assert_violation();
    assert_false(ftfe_port_read(AT(0), &byte, 1));
    assert_false(ftfe_port_read(AT(15), &byte, 1)); /* its neighbour, too */
    assert_true(ftfe_port_read(AT(16), &byte, 1));
}

static void model_objects_to_registers_written_while_a_command_runs(void **state)
{
    (void)state;
    model_command(0x09, AT(0));
    ftfe_model_write8(7, 1);
    assert_violation();
}

static void model_objects_to_reading_the_block_while_a_command_runs(void **state)
{
    uint8_t byte;
    (void)state;
    model_command(0x09, AT(0));
    assert_false(ftfe_port_read(AT(4096), &byte, 1));
    assert_violation();
}

static void model_objects_to_commands_on_the_program(void **state)
{
    (void)state;
    model_command(0x09, 0x1000);
    assert_violation();
}

static void model_objects_to_a_command_with_errors_left(void **state)
{
    (void)state;
    model_command(0x07, AT(4)); /* misaligned */
    assert_int_equal(model_wait(), 0x80 | 0x20);
    model_command(0x09, AT(0));
    assert_violation();
    assert_int_equal(model_wait() & 0x80, 0x80);
}

static void model_reports_protection_margin_and_what_is_unknown(void **state)
{
    (void)state;
    ftfe_model.protected = true;
    model_command(0x09, AT(0));
    assert_int_equal(model_wait(), 0x80 | 0x10);
    ftfe_model_write8(0, 0x70);
    assert_int_equal(ftfe_model_read8(0), 0x80);
    model_command(0x55, AT(0));
    assert_int_equal(model_wait(), 0x80 | 0x20);
}

static void model_cuts_power_in_three_ways(void **state)
{
    uint8_t byte;
    (void)state;
    for (uint32_t kind = 0; kind < 3; kind++) {
        ftfe_model_reset();
        ftfe_model.cut_at = 1;
        ftfe_model.cut_kind = kind;
        model_command(0x07, AT(0));
        (void)model_wait();
        assert_true(ftfe_model.dead);
        model_command(0x07, AT(16)); /* without power nothing happens */
        (void)model_wait();
        assert_int_equal(ftfe_model.memory[16], 0xFF);
        ftfe_model_power_on();
        assert_int_equal(ftfe_port_read(AT(0), &byte, 1), kind != 1);
        assert_int_equal(ftfe_model.memory[0], kind == 0 ? 0xFF : 8);
    }
}

/* --- The driver -------------------------------------------------------------------------------- */

static void fill(uint8_t *to, size_t bytes, uint8_t first)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(first + 3 * i);
    }
}

static void write_lands_where_it_should_and_nowhere_else(void **state)
{
    uint8_t data[4096];
    uint8_t back[4096];
    (void)state;
    fill(data, sizeof data, 7);
    assert_int_equal(ftfe_write(&flash, AT(4096), data, sizeof data), FTFE_OK);
    assert_memory_equal(&ftfe_model.memory[4096], data, sizeof data);
    assert_int_equal(ftfe_model.memory[4095], 0xFF);
    assert_int_equal(ftfe_model.memory[8192], 0xFF);
    assert_int_equal(ftfe_read(&flash, AT(4096), back, sizeof back), FTFE_OK);
    assert_memory_equal(back, data, sizeof data);
}

static void write_across_sectors_works(void **state)
{
    uint8_t data[64];
    (void)state;
    fill(data, sizeof data, 1);
    assert_int_equal(ftfe_write(&flash, AT(4096 - 32), data, sizeof data), FTFE_OK);
    assert_memory_equal(&ftfe_model.memory[4096 - 32], data, sizeof data);
}

static void write_is_refused_where_something_is_written(void **state)
{
    uint8_t data[32] = {1, 2, 3};
    (void)state;
    assert_int_equal(ftfe_write(&flash, AT(16), data, 16), FTFE_OK);
    uint32_t before = ftfe_model.commands;
    assert_int_equal(ftfe_write(&flash, AT(16), data, 16), FTFE_NOT_BLANK);
    assert_int_equal(ftfe_write(&flash, AT(0), data, 32), FTFE_NOT_BLANK);
    assert_int_equal(ftfe_model.commands, before);
    assert_int_equal(ftfe_model.memory[0], 0xFF);
}

static void erase_makes_a_sector_blank_and_leaves_its_neighbours(void **state)
{
    uint8_t data[16] = {0};
    (void)state;
    assert_int_equal(ftfe_write(&flash, AT(4080), data, 16), FTFE_OK);
    assert_int_equal(ftfe_write(&flash, AT(4096), data, 16), FTFE_OK);
    assert_int_equal(ftfe_write(&flash, AT(8192), data, 16), FTFE_OK);
    assert_int_equal(ftfe_erase(&flash, AT(4096)), FTFE_OK);
    assert_int_equal(ftfe_is_blank(&flash, AT(4096), 4096), FTFE_OK);
    assert_int_equal(ftfe_model.memory[4080], 0);
    assert_int_equal(ftfe_model.memory[8192], 0);
    assert_int_equal(ftfe_is_blank(&flash, AT(0), 8192), FTFE_NOT_BLANK);
}

static void what_is_outside_or_misaligned_is_refused(void **state)
{
    uint8_t data[32] = {0};
    (void)state;
    assert_int_equal(ftfe_erase(&flash, AT(0) - 4096), FTFE_RANGE);
    assert_int_equal(ftfe_erase(&flash, AT(FTFE_MODEL_BYTES)), FTFE_RANGE);
    assert_int_equal(ftfe_erase(&flash, AT(FTFE_MODEL_BYTES) + 4096), FTFE_RANGE);
    assert_int_equal(ftfe_erase(&flash, AT(16)), FTFE_RANGE);
    assert_int_equal(ftfe_erase(&flash, 0), FTFE_RANGE);
    assert_int_equal(ftfe_write(&flash, 0x400, data, 16), FTFE_RANGE);
    assert_int_equal(ftfe_write(&flash, AT(8), data, 16), FTFE_RANGE);
    assert_int_equal(ftfe_write(&flash, AT(0), data, 8), FTFE_RANGE);
    assert_int_equal(ftfe_write(&flash, AT(FTFE_MODEL_BYTES - 16), data, 32), FTFE_RANGE);
    assert_int_equal(ftfe_write(&flash, AT(0), data, SIZE_MAX - 15), FTFE_RANGE);
    assert_int_equal(ftfe_read(&flash, AT(FTFE_MODEL_BYTES) - 1, data, 2), FTFE_RANGE);
    assert_int_equal(ftfe_read(&flash, AT(0) - 1, data, 1), FTFE_RANGE);
    assert_int_equal(ftfe_is_blank(&flash, AT(0), 8), FTFE_RANGE);
    assert_int_equal(ftfe_model.commands, 0);
}

static void nothing_to_write_is_written(void **state)
{
    (void)state;
    assert_int_equal(ftfe_write(&flash, AT(FTFE_MODEL_BYTES), "", 0), FTFE_OK);
    assert_int_equal(ftfe_model.commands, 0);
}

static void a_protected_region_is_said_to_be(void **state)
{
    uint8_t data[16] = {0};
    (void)state;
    ftfe_model.protected = true;
    assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_PROTECTED);
    assert_int_equal(ftfe_write(&flash, AT(0), data, 16), FTFE_PROTECTED);
    ftfe_model.protected = false; /* errors of the past do not stop what comes */
    assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_OK);
    assert_int_equal(ftfe_write(&flash, AT(0), data, 16), FTFE_OK);
}

static void a_module_that_hangs_is_given_up(void **state)
{
    uint8_t data[16] = {0};
    (void)state;
    ftfe_model.hang = true;
    assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_TIMEOUT);
    assert_int_equal(ftfe_write(&flash, AT(0), data, 16), FTFE_TIMEOUT);
}

static void a_worn_phrase_is_noticed(void **state)
{
    uint8_t data[32] = {0};
    (void)state;
    ftfe_model.worn = 3; /* bytes 16 to 23 */
    assert_int_equal(ftfe_write(&flash, AT(0), data, 32), FTFE_FAILED);
    assert_int_equal(ftfe_model.memory[24], 0xFF); /* and nothing written behind it */
    assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_OK);
    ftfe_model.unsaid = true; /* reading it back shows it */
    assert_int_equal(ftfe_write(&flash, AT(0), data, 32), FTFE_FAILED);
}

static void a_sector_that_does_not_erase_well_is_noticed(void **state)
{
    (void)state;
    ftfe_model.weak_erase = true;
    assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_FAILED);
}

static void an_erase_that_was_cut_short_is_not_taken_for_blank(void **state)
{
    uint8_t data[16] = {0};
    (void)state;
    ftfe_model.cut_at = 1;
    ftfe_model.cut_kind = 2;
    (void)!ftfe_erase(&flash, AT(0));
    ftfe_model_power_on();
    assert_int_equal(ftfe_model.memory[0], 0xFF); /* it looks erased */
    assert_int_equal(ftfe_write(&flash, AT(0), data, 16), FTFE_NOT_BLANK);
    assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_OK);
    assert_int_equal(ftfe_write(&flash, AT(0), data, 16), FTFE_OK);
}

/* Power cut at every command of a write, in every way: what was written before stays, the unit at work
 * is anything or unreadable, behind it is blank, and erasing mends all. */
static void a_power_cut_at_any_step_of_a_write_leaves_what_the_contract_says(void **state)
{
    uint8_t data[64];
    (void)state;
    fill(data, sizeof data, 1);
    for (uint32_t cut = 1; cut <= 8; cut++) {
        for (uint32_t kind = 0; kind < 3; kind++) {
            ftfe_model_reset();
            ftfe_model.cut_at = cut;
            ftfe_model.cut_kind = kind;
            (void)!ftfe_write(&flash, AT(0), data, sizeof data);
            assert_true(ftfe_model.dead);
            ftfe_model_power_on();
            uint32_t unit = (cut - 1) / 2;
            for (uint32_t i = 0; i < 4; i++) {
                uint8_t back[16];
                int read = ftfe_read(&flash, AT(16 * i), back, 16);
                if (i < unit) {
                    assert_int_equal(read, FTFE_OK);
                    assert_memory_equal(back, data + 16 * i, 16);
                } else if (i == unit) {
                    assert_int_equal(read, kind == 1 ? FTFE_UNREADABLE : FTFE_OK);
                } else {
                    assert_int_equal(ftfe_is_blank(&flash, AT(16 * i), 16), FTFE_OK);
                }
            }
            assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_OK);
            assert_int_equal(ftfe_write(&flash, AT(0), data, sizeof data), FTFE_OK);
        }
    }
}

static void a_power_cut_during_an_erase_is_mended_by_another(void **state)
{
    uint8_t data[16] = {1};
    uint8_t back[16];
    (void)state;
    for (uint32_t kind = 0; kind < 3; kind++) {
        ftfe_model_reset();
        assert_int_equal(ftfe_write(&flash, AT(0), data, 16), FTFE_OK);
        ftfe_model.cut_at = 3;
        ftfe_model.cut_kind = kind;
        (void)!ftfe_erase(&flash, AT(0)); /* nobody is there any more to hear what it says */
        ftfe_model_power_on();
        assert_int_equal(ftfe_erase(&flash, AT(0)), FTFE_OK);
        assert_int_equal(ftfe_write(&flash, AT(0), data, 16), FTFE_OK);
        assert_int_equal(ftfe_read(&flash, AT(0), back, 16), FTFE_OK);
        assert_memory_equal(back, data, 16);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(model_programs_bytes_in_the_order_of_the_register_words),
        TEST(model_objects_to_a_phrase_programmed_twice_and_makes_it_unreadable),
        TEST(model_objects_to_registers_written_while_a_command_runs),
        TEST(model_objects_to_reading_the_block_while_a_command_runs),
        TEST(model_objects_to_commands_on_the_program),
        TEST(model_objects_to_a_command_with_errors_left),
        TEST(model_reports_protection_margin_and_what_is_unknown),
        TEST(model_cuts_power_in_three_ways),
        TEST(write_lands_where_it_should_and_nowhere_else),
        TEST(write_across_sectors_works),
        TEST(write_is_refused_where_something_is_written),
        TEST(erase_makes_a_sector_blank_and_leaves_its_neighbours),
        TEST(what_is_outside_or_misaligned_is_refused),
        TEST(nothing_to_write_is_written),
        TEST(a_protected_region_is_said_to_be),
        TEST(a_module_that_hangs_is_given_up),
        TEST(a_worn_phrase_is_noticed),
        TEST(a_sector_that_does_not_erase_well_is_noticed),
        TEST(an_erase_that_was_cut_short_is_not_taken_for_blank),
        TEST(a_power_cut_at_any_step_of_a_write_leaves_what_the_contract_says),
        TEST(a_power_cut_during_an_erase_is_mended_by_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The random number generator's driver against a register model; first the model itself. */
#include "unit.h"

#include "../../port/nxp/mmio.h"
#include "../../port/nxp/rnga.h"
#include "rnga_model.h"

#define BASE 0x40029000u

uint32_t mmio_read32(uintptr_t address)
{
    return rnga_model_read((uint32_t)(address - BASE));
}

void mmio_write32(uintptr_t address, uint32_t value)
{
    rnga_model_write((uint32_t)(address - BASE), value);
}

static int set_up(void **state)
{
    (void)state;
    rnga_model_reset();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (rnga_model.violations != 0) {
        print_error("%s\n", rnga_model.why);
    }
    return rnga_model.violations == 0 ? 0 : -1;
}

static void assert_violation(void)
{
    assert_int_equal(rnga_model.violations, 1);
    rnga_model.violations = 0;
}

/* --- The model --------------------------------------------------------------------------------- */

static void model_gives_a_word_after_some_looks(void **state)
{
    unsigned looks = 0;
    (void)state;
    rnga_model_write(0, 7);
    while ((rnga_model_read(4) >> 8 & 0xFF) == 0) {
        assert_true(++looks < 10);
    }
    assert_int_equal(looks, 4);
    assert_int_equal(rnga_model_read(0xC), rnga_model_word(0));
    assert_int_equal(rnga_model_read(4) >> 8 & 0xFF, 0);
}

static void model_says_that_it_was_read_while_empty(void **state)
{
    (void)state;
    rnga_model_write(0, 7);
    assert_int_equal(rnga_model_read(0xC), 0);
    assert_int_equal(rnga_model_read(4) & 6, 6);
    assert_int_equal(rnga_model_read(4) & 6, 2); /* ORU goes, LRS stays until the next good word */
}

static void model_objects_to_misuse(void **state)
{
    (void)state;
    rnga_model_write(0, 5);
    assert_violation(); /* GO without HA */
    rnga_model_write(0, 7);
    rnga_model_write(0, 4);
    assert_violation(); /* GO cleared */
    rnga_model_write(0, 3);
    assert_violation(); /* interrupts */
    rnga_model_write(8, 1);
    assert_violation(); /* ER */
    rnga_model_write(0, 0x17);
    (void)rnga_model_read(0xC);
    assert_violation(); /* asleep */
}

static void model_does_nothing_before_it_is_started(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(rnga_model_read(4) >> 8 & 0xFF, 0);
    }
}

/* --- The driver -------------------------------------------------------------------------------- */

#define WORDS 64

static void reads_the_words_that_come_in_their_order(void **state)
{
    uint32_t words[WORDS];
    (void)state;
    rnga_start(BASE);
    assert_true(rnga_read(BASE, words, WORDS));
    for (uint32_t i = 0; i < WORDS; i++) {
        assert_int_equal(words[i], rnga_model_word(i));
    }
    rnga_stop(BASE);
    assert_true(rnga_model.asleep);
    rnga_start(BASE);
    assert_true(rnga_read(BASE, words, 1));
    assert_int_equal(words[0], rnga_model_word(WORDS));
}

static void assert_refused(void)
{
    uint32_t words[WORDS];
    memset(words, 0xAA, sizeof words);
    rnga_start(BASE);
    assert_false(rnga_read(BASE, words, WORDS));
    for (uint32_t i = 0; i < WORDS; i++) {
        assert_int_equal(words[i], 0);
    }
}

static void a_generator_that_is_not_started_or_silent_is_refused(void **state)
{
    uint32_t word = 1;
    (void)state;
    assert_false(rnga_read(BASE, &word, 1));
    assert_int_equal(word, 0);
    rnga_model.silent = true;
    assert_refused();
}

static void a_security_violation_is_refused_whenever_it_comes(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= WORDS; at += 16) {
        rnga_model_reset();
        rnga_model.violated_at = at;
        assert_refused();
    }
}

static void a_stuck_generator_is_refused_whenever_it_sticks(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= WORDS - RNGA_REPEATS_MAX; at++) {
        rnga_model_reset();
        rnga_model.stuck_at = at;
        assert_refused();
        assert_int_equal(rnga_model.words, at + RNGA_REPEATS_MAX);
    }
}

static void words_that_alternate_are_refused(void **state)
{
    (void)state;
    rnga_model.flipping_at = 10;
    assert_refused();
}

static void two_equal_words_are_chance_and_accepted(void **state)
{
    uint32_t words[WORDS];
    (void)state;
    rnga_model.stuck_at = WORDS - 2;
    rnga_start(BASE);
    assert_true(rnga_read(BASE, words, WORDS));
    assert_int_equal(words[WORDS - 1], words[WORDS - 2]);
}

static void a_word_read_from_an_empty_register_is_refused(void **state)
{
    (void)state;
    rnga_model.underrun_at = 5;
    assert_refused();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(model_gives_a_word_after_some_looks),
        TEST(model_says_that_it_was_read_while_empty),
        TEST(model_objects_to_misuse),
        TEST(model_does_nothing_before_it_is_started),
        TEST(reads_the_words_that_come_in_their_order),
        TEST(a_generator_that_is_not_started_or_silent_is_refused),
        TEST(a_security_violation_is_refused_whenever_it_comes),
        TEST(a_stuck_generator_is_refused_whenever_it_sticks),
        TEST(words_that_alternate_are_refused),
        TEST(two_equal_words_are_chance_and_accepted),
        TEST(a_word_read_from_an_empty_register_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* memcpy, memset and memcmp at every place and length: on the target CPU those of port/cortex-m/memory.c,
 * on the host the C library's, which shows that the test asks for the right thing. */
#include "unit.h"

#define BYTES 48 /* three rounds of the loops of 16 bytes */
#define ROOM  (BYTES + 16)

/* By pointers that the compiler does not know, or it would put code of its own in place of calls. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile set)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;

static uint8_t from[ROOM], to[ROOM];

static void fill(uint8_t *at, uint8_t first)
{
    for (unsigned i = 0; i < ROOM; i++) {
        at[i] = (uint8_t)(first + 7 * i);
    }
}

static void a_copy_is_whole_and_nothing_else(void **state)
{
    (void)state;
    for (size_t a = 0; a < 8; a++) {
        for (size_t b = 0; b < 8; b++) {
            for (size_t bytes = 0; bytes <= BYTES; bytes++) {
                fill(from, 1);
                fill(to, 100);
                assert_ptr_equal(copy(to + a, from + b, bytes), to + a);
                for (size_t i = 0; i < ROOM; i++) {
                    bool inside = i >= a && i < a + bytes;
                    uint8_t expected = (uint8_t)(inside ? 1 + 7 * (i - a + b) : 100 + 7 * i);
                    assert_int_equal(to[i], expected);
                }
            }
        }
    }
}

static void a_filling_is_whole_and_nothing_else(void **state)
{
    (void)state;
    for (size_t a = 0; a < 8; a++) {
        for (size_t bytes = 0; bytes <= BYTES; bytes++) {
            fill(to, 100);
            assert_ptr_equal(set(to + a, 0x1A5, bytes), to + a); /* as an unsigned char */
            for (size_t i = 0; i < ROOM; i++) {
                bool inside = i >= a && i < a + bytes;
                assert_int_equal(to[i], inside ? 0xA5 : (uint8_t)(100 + 7 * i));
            }
        }
    }
}

static void what_is_equal_compares_equal_whatever_follows(void **state)
{
    (void)state;
    for (size_t a = 0; a < 4; a++) {
        for (size_t b = 0; b < 4; b++) {
            for (size_t bytes = 0; bytes <= BYTES; bytes++) {
                fill(from, 1);
                fill(to, 100);
                for (size_t i = 0; i < bytes; i++) {
                    to[b + i] = from[a + i];
                }
                to[b + bytes] = (uint8_t)~from[a + bytes];
                assert_int_equal(compare(from + a, to + b, bytes), 0);
            }
        }
    }
}

static void the_first_byte_that_differs_decides_as_unsigned(void **state)
{
    static const uint8_t pairs[][2] = {{0, 1}, {0x7F, 0x80}, {1, 0xFF}, {0xFE, 0xFF}};
    (void)state;
    for (size_t a = 0; a < 4; a++) {
        for (size_t bytes = 1; bytes <= 20; bytes++) {
            for (size_t at = 0; at < bytes; at++) {
                for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
                    memset(from, 9, sizeof from);
                    memset(to, 9, sizeof to);
                    from[a + at] = pairs[i][0];
                    to[at] = pairs[i][1];
                    if (at + 1 < bytes) { /* the other way, and too late */
                        from[a + at + 1] = 200;
                        to[at + 1] = 0;
                    }
                    assert_true(compare(from + a, to, bytes) < 0);
                    assert_true(compare(to, from + a, bytes) > 0);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_whole_and_nothing_else),
        cmocka_unit_test(a_filling_is_whole_and_nothing_else),
        cmocka_unit_test(what_is_equal_compares_equal_whatever_follows),
        cmocka_unit_test(the_first_byte_that_differs_decides_as_unsigned),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

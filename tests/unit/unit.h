/* What unit tests share: cmocka, spans of text, a small seeded generator, and hal_panic.
 *
 * Include it once, first, in a test program; the program defines UNIT_OWN_PANIC before when it
 * brings a hal_panic of its own.
 */
#ifndef HERD_UNIT_H
#define HERD_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "err.h"
#include "text.h"

/* A failed HERD_ASSERT fails the test, or is what expect_assert_failure() waits for. */
#ifndef UNIT_OWN_PANIC
void hal_panic(const char *file, unsigned line, const char *what)
{
    mock_assert(0, what, file, (int)line);
    abort(); /* not reached: mock_assert leaves the test */
}
#endif

/* The bytes of a span are those of a string. */
#define assert_span_equal(value, string)                                                           \
    do {                                                                                           \
        struct span unit_span = (value);                                                           \
        assert_int_equal(unit_span.bytes, strlen(string));                                         \
        assert_memory_equal(unit_span.at, string, unit_span.bytes);                                \
    } while (0)

/* xorshift32: the same sequence in every run. */
struct unit_random {
    uint32_t state; /* not 0 */
};

static inline uint32_t unit_next(struct unit_random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 17;
    r->state ^= r->state << 5;
    return r->state;
}

/* 0 to below-1 */
static inline uint32_t unit_below(struct unit_random *r, uint32_t below)
{
    return unit_next(r) % below;
}

#endif

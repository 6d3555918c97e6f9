/* Regions of mbedTLS's memory: blocks that do not overlap, that are given back whole, and a scratch region
 * for what does not fit. */
#include "unit.h"

#include <string.h>

#include "tls_memory.h"

#define BYTES 4096
#define CROWD 64

static _Alignas(max_align_t) unsigned char bytes_a[BYTES], bytes_b[BYTES], bytes_scratch[1024];
static struct tls_memory a, b, scratch;

static int setup(void **state)
{
    (void)state;
    memset(bytes_a, 0xA5, sizeof bytes_a);
    tls_memory_init(&scratch, bytes_scratch, sizeof bytes_scratch, NULL);
    tls_memory_init(&a, bytes_a, sizeof bytes_a, &scratch);
    tls_memory_init(&b, bytes_b, sizeof bytes_b, NULL);
    (void)tls_memory_use(&a);
    return 0;
}

/* What a region can give at once when nothing is taken. */
static size_t most(void)
{
    return BYTES - 2 * sizeof(size_t);
}

static void memory_is_zero_and_aligned(void **state)
{
    (void)state;
    for (size_t n = 1; n < 100; n += 7) {
        unsigned char *at = tls_memory_calloc(n, 1);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % (2 * sizeof(size_t)), 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(at[i], 0);
        }
        memset(at, 0xFF, n);
    }
}

static void everything_given_back_is_one_block_again(void **state)
{
    (void)state;
    void *at[CROWD];
    for (unsigned i = 0; i < CROWD; i++) {
        at[i] = tls_memory_calloc(1, 8 + i % 5);
    }
    for (unsigned step = 0; step < 3; step++) { /* neighbours before, behind, and on both sides */
        for (unsigned i = step; i < CROWD; i += 3) {
            tls_memory_free(at[i]);
        }
    }
    assert_int_equal(a.used, 0);
    void *all = tls_memory_calloc(1, most());
    assert_non_null(all);
    assert_int_equal(scratch.used, 0);
    tls_memory_free(all);
    assert_int_equal(a.peak, BYTES);
}

static void what_does_not_fit_comes_from_scratch_and_then_from_nowhere(void **state)
{
    (void)state;
    void *all = tls_memory_calloc(1, most());
    assert_non_null(all);
    void *more = tls_memory_calloc(1, 100);
    assert_non_null(more);
    assert_true((unsigned char *)more >= bytes_scratch &&
                (unsigned char *)more < bytes_scratch + sizeof bytes_scratch);
    assert_int_equal(a.refused, 0);
    assert_null(tls_memory_calloc(1, 1024));
    assert_int_equal(a.refused, 1);
    tls_memory_free(more);
    assert_int_equal(scratch.used, 0);
    tls_memory_free(all);
    assert_int_equal(a.used, 0);
}

static void regions_do_not_take_from_each_other(void **state)
{
    (void)state;
    assert_ptr_equal(tls_memory_use(&b), &a);
    void *of_b = tls_memory_calloc(1, most());
    assert_non_null(of_b);
    assert_null(tls_memory_calloc(1, 1)); /* b has no scratch */
    (void)tls_memory_use(&a);
    assert_int_equal(a.used, 0);
    tls_memory_free(of_b); /* whichever is in use */
    assert_int_equal(b.used, 0);
    (void)tls_memory_use(NULL);
    assert_null(tls_memory_calloc(1, 1));
}

static void a_product_that_overflows_is_refused(void **state)
{
    (void)state;
    assert_null(tls_memory_calloc(SIZE_MAX / 2, 3));
    assert_null(tls_memory_calloc(SIZE_MAX, 1));
    assert_null(tls_memory_calloc(1, SIZE_MAX - 4));
    tls_memory_free(NULL);
    assert_int_equal(a.used, 0);
}

static void blocks_keep_what_is_in_them(void **state)
{
    (void)state;
    unsigned char *at[CROWD] = {0};
    size_t size[CROWD] = {0};
    uint32_t x = 1;
    for (unsigned step = 0; step < 20000; step++) {
        x = x * 1664525u + 1013904223u;
        unsigned i = (x >> 16) % CROWD;
        if (at[i] != NULL) {
            for (size_t n = 0; n < size[i]; n++) {
                assert_int_equal(at[i][n], (unsigned char)i);
            }
            tls_memory_free(at[i]);
            at[i] = NULL;
        } else {
            size[i] = (x >> 8) % 200;
            at[i] = tls_memory_calloc(1, size[i]);
            if (at[i] != NULL) {
                memset(at[i], (int)i, size[i]);
            }
        }
        assert_true(a.used <= BYTES);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        tls_memory_free(at[i]);
    }
    assert_int_equal(a.used, 0);
    assert_int_equal(scratch.used, 0);
    assert_non_null(tls_memory_calloc(1, most()));
}

static void a_block_that_is_freed_twice_is_found(void **state)
{
    (void)state;
    void *at = tls_memory_calloc(1, 40);
    void *behind = tls_memory_calloc(1, 40);
    assert_non_null(behind);
    tls_memory_free(at);
    expect_assert_failure(tls_memory_free(at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(memory_is_zero_and_aligned, setup),
        cmocka_unit_test_setup(everything_given_back_is_one_block_again, setup),
        cmocka_unit_test_setup(what_does_not_fit_comes_from_scratch_and_then_from_nowhere, setup),
        cmocka_unit_test_setup(regions_do_not_take_from_each_other, setup),
        cmocka_unit_test_setup(a_product_that_overflows_is_refused, setup),
        cmocka_unit_test_setup(blocks_keep_what_is_in_them, setup),
        cmocka_unit_test_setup(a_block_that_is_freed_twice_is_found, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

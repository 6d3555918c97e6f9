/* The part of cmocka that tests/unit uses, for programs that run on the target CPU with newlib and
 * semihosting, so that the same sources run on the host (real cmocka) and on the target (this). A
 * failed assertion leaves the test; output is one line per test. */
#ifndef TARGET_CMOCKA_H
#define TARGET_CMOCKA_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
};

#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f, NULL, NULL                                                                          \
    }
#define cmocka_unit_test_setup(f, setup)                                                           \
    {                                                                                              \
#f, f, setup, NULL                                                                         \
    }
#define cmocka_unit_test_teardown(f, teardown)                                                     \
    {                                                                                              \
#f, f, NULL, teardown                                                                      \
    }
#define cmocka_unit_test_setup_teardown(f, setup, down)                                            \
    {                                                                                              \
#f, f, setup, down                                                                         \
    }

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    target_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
    target_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

/* Runs the tests; the number of failed ones. */
int target_run(const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
               CMFixtureFunction teardown);

/* All leave the test when it fails. */
void target_true(bool good, const char *what, const char *file, int line);
void target_equal(uintmax_t a, uintmax_t b, bool wanted, const char *file, int line);
void target_memory(const void *a, const void *b, size_t bytes, bool wanted, const char *file,
                   int line);
void target_string(const char *a, const char *b, bool wanted, const char *file, int line);
void target_range(uintmax_t value, uintmax_t min, uintmax_t max, const char *file, int line);
void target_fail(const char *file, int line, const char *format, ...) __attribute__((noreturn));
void target_skip(const char *file, int line) __attribute__((noreturn));

#define assert_true(x)     target_true(!!(x), #x, __FILE__, __LINE__)
#define assert_false(x)    target_true(!(x), "not " #x, __FILE__, __LINE__)
#define assert_non_null(x) target_true((x) != NULL, #x " is not NULL", __FILE__, __LINE__)
#define assert_null(x)     target_true((x) == NULL, #x " is NULL", __FILE__, __LINE__)
#define assert_int_equal(a, b)                                                                     \
    target_equal((uintmax_t)(a), (uintmax_t)(b), true, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    target_equal((uintmax_t)(a), (uintmax_t)(b), false, __FILE__, __LINE__)
#define assert_ptr_equal(a, b)                                                                     \
    target_true((const void *)(a) == (const void *)(b), #a " is " #b, __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b)                                                                 \
    target_true((const void *)(a) != (const void *)(b), #a " is not " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n)     target_memory(a, b, n, true, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, n) target_memory(a, b, n, false, __FILE__, __LINE__)
#define assert_string_equal(a, b)        target_string(a, b, true, __FILE__, __LINE__)
#define assert_string_not_equal(a, b)    target_string(a, b, false, __FILE__, __LINE__)
#define assert_in_range(v, min, max)                                                               \
    target_range((uintmax_t)(v), (uintmax_t)(min), (uintmax_t)(max), __FILE__, __LINE__)
#define fail()        target_fail(__FILE__, __LINE__, "fail")
#define fail_msg(...) target_fail(__FILE__, __LINE__, __VA_ARGS__)
#define skip()        target_skip(__FILE__, __LINE__)
#define print_message printf

/* What hal_panic calls: ends the expectation, or fails the test. */
extern jmp_buf target_expected;
extern bool target_expecting;
void mock_assert(int result, const char *expression, const char *file, int line);

#define expect_assert_failure(call)                                                                \
    do {                                                                                           \
        if (setjmp(target_expected) == 0) {                                                        \
            target_expecting = true;                                                               \
            call;                                                                                  \
            target_expecting = false;                                                              \
            target_fail(__FILE__, __LINE__, "no assertion failed in " #call);                      \
        }                                                                                          \
        target_expecting = false;                                                                  \
    } while (0)

#endif

/* Runs a program of tests/unit on the target CPU: start-up, fault handlers, and cmocka.h. */
#include "cmocka.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main.h"
#include "vectors.h"

extern void initialise_monitor_handles(void); /* of newlib's semihosting */
int main(void);

jmp_buf target_expected;
bool target_expecting;

static jmp_buf leave;
static enum { PASSED, FAILED, SKIPPED } result;

void main_run(void)
{
    initialise_monitor_handles();
    exit(main() == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

void crash_on_exception(void)
{
    printf("fault\n");
    exit(EXIT_FAILURE);
}

void systick_handler(void)
{
    crash_on_exception();
}

static bool fixture(CMFixtureFunction f, void **state, const char *what)
{
    if (f == NULL || f(state) == 0) {
        return true;
    }
    printf("%s failed\n", what);
    return false;
}

static void run_one(const struct CMUnitTest *test)
{
    void *state = NULL;
    result = PASSED;
    if (setjmp(leave) == 0) {
        if (fixture(test->setup_func, &state, "setup")) {
            test->test_func(&state);
        } else {
            result = FAILED;
        }
    }
    if (!fixture(test->teardown_func, &state, "teardown")) {
        result = FAILED;
    }
}

int target_run(const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
               CMFixtureFunction teardown)
{
    static const char *const words[] = {"ok", "FAILED", "skip"};
    void *state = NULL;
    int failed = 0;
    bool ready = fixture(setup, &state, "group setup");
    for (size_t i = 0; i < count; i++) {
        result = FAILED;
        if (ready) {
            run_one(&tests[i]);
        }
        failed += result == FAILED;
        printf("%s %s\n", words[result], tests[i].name);
    }
    return failed + !fixture(teardown, &state, "group teardown");
}

void target_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    result = FAILED;
    longjmp(leave, 1);
}

void target_skip(const char *file, int line)
{
    (void)file;
    (void)line;
    result = SKIPPED;
    longjmp(leave, 1);
}

void mock_assert(int good, const char *expression, const char *file, int line)
{
    if (good != 0) {
        return;
    }
    if (target_expecting) {
        longjmp(target_expected, 1);
    }
    target_fail(file, line, "assertion failed: %s", expression);
}

void target_true(bool good, const char *what, const char *file, int line)
{
    if (!good) {
        target_fail(file, line, "false: %s", what);
    }
}

void target_equal(uintmax_t a, uintmax_t b, bool wanted, const char *file, int line)
{
    if ((a == b) != wanted) { /* newlib-nano prints no 64 bits */
        target_fail(file, line, "%08lx%08lx %s %08lx%08lx", (unsigned long)(a >> 32),
                    (unsigned long)a, wanted ? "is not" : "is", (unsigned long)(b >> 32),
                    (unsigned long)b);
    }
}

void target_memory(const void *a, const void *b, size_t bytes, bool wanted, const char *file,
                   int line)
{
    if ((memcmp(a, b, bytes) == 0) != wanted) {
        target_fail(file, line, "%u bytes %s", (unsigned)bytes, wanted ? "differ" : "are equal");
    }
}

void target_string(const char *a, const char *b, bool wanted, const char *file, int line)
{
    if ((strcmp(a, b) == 0) != wanted) {
        target_fail(file, line, "\"%s\" %s \"%s\"", a, wanted ? "is not" : "is", b);
    }
}

void target_range(uintmax_t value, uintmax_t min, uintmax_t max, const char *file, int line)
{
    if (value < min || value > max) {
        target_fail(file, line, "%lu is outside %lu to %lu", (unsigned long)value,
                    (unsigned long)min, (unsigned long)max);
    }
}

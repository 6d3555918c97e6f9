/* What the C library wants of its platform: a failed assertion of a library (http_parser). */
#include "err.h"

void __assert_func(const char *file, int line, const char *function, const char *what)
    __attribute__((noreturn));
void __assert_func(const char *file, int line, const char *function, const char *what)
{
    (void)function;
    hal_panic(file, (unsigned)line, what);
}

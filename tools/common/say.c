#include "say.h"

#include <stdarg.h>
#include <stdio.h>

static const char *program_name = "herd";

void say_set_program(const char *program)
{
    program_name = program;
}

void say_error(const char *format, ...)
{
    /* One write per line, so that lines of several processes on one terminal do not mix. */
    char line[2048];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(line, sizeof line, format, values);
    va_end(values);
    (void)fprintf(stderr, "%s: %s\n", program_name, line);
}

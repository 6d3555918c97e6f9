/* What host programs say on stderr: one line each, after the name of the program. */
#ifndef HERD_TOOLS_SAY_H
#define HERD_TOOLS_SAY_H

/*
 * Sets the name that say_error() puts before each line. `program` is kept, not copied; without
 * this call lines start with "herd".
 */
void say_set_program(const char *program);

/* Writes "program: text\n" to stderr as one line. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

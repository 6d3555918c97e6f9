/*
 * stdout that never makes the launcher wait: a stopped terminal or a slow pipe must keep it neither
 * from its signals nor from the nodes' pipes. What cannot be written at once is kept, up to
 * OUTPUT_BYTES; beyond that lines are dropped, counted, and the number is shown later.
 */
#ifndef HERD_RUN_OUTPUT_H
#define HERD_RUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#define OUTPUT_BYTES (256 * 1024)

struct output {
    char bytes[OUTPUT_BYTES];
    size_t used;
    size_t dropped; /* lines, since the last that was taken */
    bool broken;    /* nobody reads any more */
};

/* Adds a line: the text as printf makes it, and a newline. Writes as much as goes without waiting. */
void output_line(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes as much as goes without waiting. */
void output_flush(struct output *output);

/* Writes the rest, waiting for at most `wait_ms`. */
void output_finish(struct output *output, int wait_ms);

#endif

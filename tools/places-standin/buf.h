/* A growing byte buffer, and JSON text written into it. Out of memory ends the program. */
#ifndef STANDIN_BUF_H
#define STANDIN_BUF_H

#include <stddef.h>

struct buf {
    char *data; /* NULL while empty; always followed by a NUL that len does not count */
    size_t len;
    size_t cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));

/* Adds text as a JSON string with its quotes. UTF-8 goes through as it is. */
void buf_add_json_string(struct buf *b, const char *text);

/* Adds degrees with up to seven decimals and at least one, as Google writes them. */
void buf_add_degrees(struct buf *b, double degrees);

/* Drops the first len bytes. */
void buf_drop(struct buf *b, size_t len);

/* Makes it empty and gives the memory back. */
void buf_free(struct buf *b);

#endif

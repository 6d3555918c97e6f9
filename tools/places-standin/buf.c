#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void buf_reserve(struct buf *b, size_t more)
{
    if (b->cap - b->len > more) {
        return;
    }
    size_t cap = b->cap < 256 ? 256 : b->cap;
    while (cap - b->len <= more) {
        cap *= 2;
    }
    char *data = realloc(b->data, cap);
    if (data == NULL) {
        fprintf(stderr, "places-standin: out of memory\n");
        exit(1);
    }
    b->data = data;
    b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    buf_reserve(b, len);
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add_str(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        return;
    }
    buf_reserve(b, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

void buf_add_json_string(struct buf *b, const char *text)
{
    buf_add_str(b, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            buf_printf(b, "\\%c", *p);
        } else if (*p < 0x20 || *p == '<' || *p == '>') {
            buf_printf(b, "\\u%04x", *p); /* Google escapes angle brackets too */
        } else {
            buf_add(b, p, 1);
        }
    }
    buf_add_str(b, "\"");
}

void buf_add_degrees(struct buf *b, double degrees)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%.7f", degrees);
    while (len > 2 && text[len - 1] == '0' && text[len - 2] != '.') {
        text[--len] = '\0';
    }
    buf_add_str(b, strcmp(text, "-0.0") == 0 ? "0.0" : text);
}

void buf_drop(struct buf *b, size_t len)
{
    if (len == 0) {
        return;
    }
    memmove(b->data, b->data + len, b->len - len + 1);
    b->len -= len;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

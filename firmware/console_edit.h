/* Editing of one line by keys as they come, for a terminal or for a program. Pure: keys in, bytes for the
 * terminal out.
 *
 * Keys: backspace and DEL, ^U the whole line, ^W a word, ^K to the end, ^A ^E and Home End, arrows left
 * and right, up and down for lines typed before, ^L draws again, ^C gives up. CR, LF and CR LF end a
 * line. Without a terminal nothing is echoed, and keys but line ends, ^C and backspace are text.
 */
#ifndef HERD_CONSOLE_EDIT_H
#define HERD_CONSOLE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "cfg.h"
#include "text.h"

/* What one key may echo at most. */
#define CONSOLE_EDIT_ECHO_BYTES (CFG_CONSOLE_LINE_BYTES + 24)

enum console_edit_event {
    CONSOLE_EDIT_NONE,
    CONSOLE_EDIT_LINE,   /* a line is complete: console_edit_line; then console_edit_clear */
    CONSOLE_EDIT_CANCEL, /* ^C; the line is empty */
    CONSOLE_EDIT_DRAW    /* ^L: call console_edit_draw */
};

/* Zeroed but for `terminal` and `prompt` it is ready. */
struct console_edit {
    bool terminal;
    bool hidden;        /* a secret is typed: no echo, no history */
    const char *prompt; /* drawn before the line, on a terminal */
    bool cut;           /* the line was longer than there is room; what fits is kept */
    char line[CFG_CONSOLE_LINE_BYTES];
    size_t bytes;
    size_t cursor;        /* 0 to bytes */
    bool after_cr;        /* an LF that follows belongs to it */
    unsigned char escape; /* 0; 1: ESC came; 2: ESC [ ; 3: a digit after that, which `digit` is */
    char digit;
    /* Lines typed before, each with a NUL, the newest last; `recalled` counts back from it, 0: none. */
    char history[CFG_CONSOLE_HISTORY_BYTES];
    size_t history_bytes;
    unsigned recalled;
};

/* One byte that came. `echo` has room for CONSOLE_EDIT_ECHO_BYTES. */
enum console_edit_event console_edit_key(struct console_edit *e, char key, struct text *echo);

struct span console_edit_line(const struct console_edit *e);

/* Puts the line into the history, unless it is hidden, blank, or the same as the last. */
void console_edit_remember(struct console_edit *e);
void console_edit_clear(struct console_edit *e);

/* Prompt and line, with the cursor where it is: for a row that is empty. */
void console_edit_draw(const struct console_edit *e, struct text *echo);

/* Makes the row empty again. */
void console_edit_erase(const struct console_edit *e, struct text *echo);

#endif

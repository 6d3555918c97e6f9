#include "console_edit.h"

#include <string.h>

#define CTRL(letter) ((letter) - 'A' + 1)
#define ESC          0x1B
#define DEL          0x7F

/* Of VT100 and every terminal since: to the right and left, and to the end of the row cleared. */
#define ERASE_TO_END "\x1b[K"

static void move_left(struct text *echo, size_t columns)
{
    if (columns > 0) {
        text_str(echo, "\x1b[");
        text_u64(echo, columns);
        text_char(echo, 'D');
    }
}

static bool shows(const struct console_edit *e)
{
    return e->terminal && !e->hidden;
}

/* From the cursor on, after the row's text has changed there. */
static void draw_tail(const struct console_edit *e, struct text *echo)
{
    if (shows(e)) {
        text_put(echo, (struct span){e->line + e->cursor, e->bytes - e->cursor});
        text_str(echo, ERASE_TO_END);
        move_left(echo, e->bytes - e->cursor);
    }
}

static void move_to(struct console_edit *e, size_t cursor, struct text *echo)
{
    if (shows(e)) {
        if (cursor < e->cursor) {
            move_left(echo, e->cursor - cursor);
        } else {
            text_put(echo, (struct span){e->line + e->cursor, cursor - e->cursor});
        }
    }
    e->cursor = cursor;
}

/* Takes out the bytes from `from` to the cursor. */
static void take_out(struct console_edit *e, size_t from, struct text *echo)
{
    size_t to = e->cursor;
    move_to(e, from, echo);
    memmove(e->line + from, e->line + to, e->bytes - to);
    e->bytes -= to - from;
    draw_tail(e, echo);
}

static void insert(struct console_edit *e, char c, struct text *echo)
{
    if (e->bytes == sizeof e->line) {
        e->cut = true;
        if (shows(e)) {
            text_char(echo, '\a');
        }
        return;
    }
    memmove(e->line + e->cursor + 1, e->line + e->cursor, e->bytes - e->cursor);
    e->line[e->cursor] = c;
    e->bytes++;
    e->cursor++;
    if (shows(e)) {
        text_char(echo, c);
        if (e->cursor < e->bytes) {
            draw_tail(e, echo);
        }
    }
}

static size_t word_start(const struct console_edit *e)
{
    size_t at = e->cursor;
    while (at > 0 && e->line[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && e->line[at - 1] != ' ') {
        at--;
    }
    return at;
}

/* --- History ----------------------------------------------------------------------------------- */

/* The line `back` lines ago, 1 and up; a span without `at` when there are not so many. */
static struct span remembered(const struct console_edit *e, unsigned back)
{
    size_t end = e->history_bytes;
    for (; end > 0; back--) {
        size_t start = end - 1;
        while (start > 0 && e->history[start - 1] != '\0') {
            start--;
        }
        if (back == 1) {
            return (struct span){e->history + start, end - 1 - start};
        }
        end = start;
    }
    return (struct span){NULL, 0};
}

void console_edit_remember(struct console_edit *e)
{
    struct span line = console_edit_line(e);
    struct span last = remembered(e, 1);
    bool is_same = last.at != NULL && span_equal(line, last);
    if (e->hidden || line.bytes == 0 || line.bytes + 1 > sizeof e->history || is_same ||
        memchr(line.at, '\0', line.bytes) != NULL) {
        return;
    }
    while (sizeof e->history - e->history_bytes < line.bytes + 1) {
        const char *end = memchr(e->history, '\0', e->history_bytes);
        size_t drop = (size_t)(end - e->history) + 1;
        memmove(e->history, e->history + drop, e->history_bytes - drop);
        e->history_bytes -= drop;
    }
    memcpy(e->history + e->history_bytes, line.at, line.bytes);
    e->history[e->history_bytes + line.bytes] = '\0';
    e->history_bytes += line.bytes + 1;
}

static void recall(struct console_edit *e, unsigned back, struct text *echo)
{
    struct span line = back == 0 ? (struct span){"", 0} : remembered(e, back);
    if (line.at == NULL || e->hidden) {
        return;
    }
    e->recalled = back;
    move_to(e, 0, echo);
    e->bytes = line.bytes < sizeof e->line ? line.bytes : sizeof e->line;
    memcpy(e->line, line.at, e->bytes);
    draw_tail(e, echo);
    move_to(e, e->bytes, echo);
}

/* --- Keys -------------------------------------------------------------------------------------- */

static void take_escape(struct console_edit *e, char key, struct text *echo)
{
    unsigned char stage = e->escape;
    e->escape = 0;
    if (stage == 1) {
        e->escape = key == '[' || key == 'O' ? 2 : 0;
        return;
    }
    if (stage == 2 && key >= '0' && key <= '9') {
        e->digit = key;
        e->escape = 3;
        return;
    }
    if (stage == 3 && key != '~') {
        e->escape =
            (key >= '0' && key <= '9') || key == ';' ? 3 : 0; /* a key that we do not know */
        e->digit = '0';
        return;
    }
    char what = stage == 3 ? e->digit : key;
    if (what == 'A') {
        recall(e, e->recalled + 1, echo);
    } else if (what == 'B' && e->recalled > 0) {
        recall(e, e->recalled - 1, echo);
    } else if (what == 'C' && e->cursor < e->bytes) {
        move_to(e, e->cursor + 1, echo);
    } else if (what == 'D' && e->cursor > 0) {
        move_to(e, e->cursor - 1, echo);
    } else if (what == 'H' || what == '1' || what == '7') {
        move_to(e, 0, echo);
    } else if (what == 'F' || what == '4' || what == '8') {
        move_to(e, e->bytes, echo);
    } else if (what == '3' && e->cursor < e->bytes) {
        move_to(e, e->cursor + 1, echo);
        take_out(e, e->cursor - 1, echo);
    }
}

static enum console_edit_event take_control(struct console_edit *e, char key, struct text *echo)
{
    switch (key) {
    case CTRL('H'):
    case DEL:
        if (e->cursor > 0) {
            take_out(e, e->cursor - 1, echo);
        }
        break;
    case CTRL('U'):
        move_to(e, e->bytes, echo);
        take_out(e, 0, echo);
        e->cut = false;
        break;
    case CTRL('W'):
        take_out(e, word_start(e), echo);
        break;
    case CTRL('K'):
        e->bytes = e->cursor;
        draw_tail(e, echo);
        break;
    case CTRL('A'):
        move_to(e, 0, echo);
        break;
    case CTRL('E'):
        move_to(e, e->bytes, echo);
        break;
    case CTRL('L'):
        return CONSOLE_EDIT_DRAW;
    case '\t':
        insert(e, ' ', echo);
        break;
    case ESC:
        e->escape = 1;
        break;
    default: /* not a key of ours */
        break;
    }
    return CONSOLE_EDIT_NONE;
}

static void end_row(const struct console_edit *e, struct text *echo)
{
    if (e->terminal) {
        text_str(echo, "\r\n");
    }
}

enum console_edit_event console_edit_key(struct console_edit *e, char key, struct text *echo)
{
    bool after_cr = e->after_cr;
    e->after_cr = key == '\r';
    if (key == '\n' && after_cr) {
        return CONSOLE_EDIT_NONE;
    }
    if (key == '\r' || key == '\n') {
        e->escape = 0;
        move_to(e, e->bytes, echo);
        end_row(e, echo);
        return CONSOLE_EDIT_LINE;
    }
    if (key == CTRL('C')) {
        e->escape = 0;
        if (e->terminal) {
            text_str(echo, "^C");
        }
        end_row(e, echo);
        console_edit_clear(e);
        return CONSOLE_EDIT_CANCEL;
    }
    if (e->escape > 0) {
        take_escape(e, key, echo);
        return CONSOLE_EDIT_NONE;
    }
    bool is_control = (unsigned char)key < ' ' || key == DEL;
    if (is_control && (e->terminal || key == CTRL('H') || key == DEL)) {
        return take_control(e, key, echo);
    }
    insert(e, key, echo);
    return CONSOLE_EDIT_NONE;
}

struct span console_edit_line(const struct console_edit *e)
{
    return (struct span){e->line, e->bytes};
}

void console_edit_clear(struct console_edit *e)
{
    memset(e->line, 0, sizeof e->line); /* a secret may have been there */
    e->bytes = 0;
    e->cursor = 0;
    e->cut = false;
    e->recalled = 0;
}

void console_edit_draw(const struct console_edit *e, struct text *echo)
{
    if (!e->terminal) {
        return;
    }
    text_str(echo, e->prompt);
    if (!e->hidden) {
        text_put(echo, console_edit_line(e));
        move_left(echo, e->bytes - e->cursor);
    }
}

void console_edit_erase(const struct console_edit *e, struct text *echo)
{
    if (e->terminal) {
        text_str(echo, "\r" ERASE_TO_END);
    }
}

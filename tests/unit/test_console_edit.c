/* Line editing, seen as a terminal sees it: what is echoed is drawn on one row, and the row is compared. */
#include "unit.h"

#include "console_edit.h"

static struct console_edit edit;
static char row[512];
static size_t row_bytes, column;
static unsigned bells, ends;
static enum console_edit_event last;

/* A terminal with one row, and the sequences that the editor uses; anything else fails. */
static void show(struct span bytes)
{
    for (size_t i = 0; i < bytes.bytes; i++) {
        char c = bytes.at[i];
        if (c == '\r') {
            column = 0;
        } else if (c == '\n') {
            ends++;
        } else if (c == '\a') {
            bells++;
        } else if (c == 0x1B) {
            size_t number = 0;
            assert_int_equal(bytes.at[++i], '[');
            while (bytes.at[++i] >= '0' && bytes.at[i] <= '9') {
                number = number * 10 + (size_t)(bytes.at[i] - '0');
            }
            if (bytes.at[i] == 'K') {
                row_bytes = column;
            } else {
                assert_int_equal(bytes.at[i], 'D');
                assert_true(number >= 1 && number <= column);
                column -= number;
            }
        } else {
            assert_true((unsigned char)c >= ' ' && column < sizeof row);
            row[column++] = c;
            row_bytes = column > row_bytes ? column : row_bytes;
        }
    }
}

static void type(const char *keys, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char buffer[CONSOLE_EDIT_ECHO_BYTES];
        struct text echo;
        text_init(&echo, buffer, sizeof buffer);
        last = console_edit_key(&edit, keys[i], &echo);
        assert_false(echo.cut);
        show(text_span(&echo));
    }
}
#define TYPE(keys) type(keys, sizeof(keys) - 1)

#define assert_row(text, at)                                                                       \
    do {                                                                                           \
        assert_span_equal(((struct span){row, row_bytes}), text);                                  \
        assert_int_equal(column, at);                                                              \
        assert_span_equal(console_edit_line(&edit), text);                                         \
    } while (0)

static int set_up(void **state)
{
    (void)state;
    memset(&edit, 0, sizeof edit);
    edit.terminal = true;
    edit.prompt = "> ";
    row_bytes = column = 0;
    bells = ends = 0;
    return 0;
}

static void enter(const char *line)
{
    type(line, strlen(line));
    TYPE("\r");
    assert_int_equal(last, CONSOLE_EDIT_LINE);
    console_edit_remember(&edit);
    console_edit_clear(&edit);
    row_bytes = column = 0;
}

static void text_is_echoed(void **state)
{
    (void)state;
    TYPE("status");
    assert_row("status", 6);
    assert_int_equal(last, CONSOLE_EDIT_NONE);
    TYPE("\r");
    assert_int_equal(last, CONSOLE_EDIT_LINE);
    assert_int_equal(ends, 1);
    assert_span_equal(console_edit_line(&edit), "status");
}

static void cr_lf_and_cr_lf_together_end_one_line(void **state)
{
    (void)state;
    TYPE("a\r");
    assert_int_equal(last, CONSOLE_EDIT_LINE);
    console_edit_clear(&edit);
    TYPE("\n");
    assert_int_equal(last, CONSOLE_EDIT_NONE); /* of the CR before */
    TYPE("\n");
    assert_int_equal(last, CONSOLE_EDIT_LINE);
    TYPE("\n");
    assert_int_equal(last, CONSOLE_EDIT_LINE);
    TYPE("\rx");
    assert_span_equal(console_edit_line(&edit), "x");
}

static void backspace_takes_the_byte_before_the_cursor(void **state)
{
    (void)state;
    TYPE("abc\x7f\b");
    assert_row("a", 1);
    TYPE("\b\b\b\x7f");
    assert_row("", 0);
    TYPE("xyz\x1b[D\x7f");
    assert_row("xz", 1);
}

static void the_line_the_word_and_the_tail_are_taken_at_once(void **state)
{
    (void)state;
    TYPE("config set a=b  \x17");
    assert_row("config set ", 11);
    TYPE("\x17\x17\x17");
    assert_row("", 0);
    TYPE("one two three\x1b[D\x1b[D\x17");
    assert_row("one two ee", 8);
    TYPE("\x15");
    assert_row("", 0);
    TYPE("abcdef\x01\x1b[C\x1b[C\x0b");
    assert_row("ab", 2);
}

static void the_cursor_moves_and_text_goes_in_where_it_is(void **state)
{
    (void)state;
    TYPE("bd\x1b[D\x1b[D"
         "a\x1b[C"
         "c\x05"
         "e\x01>");
    assert_row(">abcde", 1);
    TYPE("\x1b[H\x1b[3~\x1b[3~\x1b[F!");
    assert_row("bcde!", 5);
    TYPE("\x1b[1~<\x1b[4~.\x1bOH\x1b[D\x1b[C");
    assert_row("<bcde!.", 1);
}

static void unknown_keys_do_nothing(void **state)
{
    (void)state;
    TYPE("ab\x1b[15~\x1b[1;5C\x1b[Z\x1bx\x02\x0e\x1b[5~");
    assert_row("ab", 2);
}

static void history_comes_back_with_the_arrows(void **state)
{
    (void)state;
    enter("first");
    enter("second");
    enter("second"); /* once is enough */
    enter("");
    TYPE("\x1b[A");
    assert_row("second", 6);
    TYPE("\x1b[A");
    assert_row("first", 5);
    TYPE("\x1b[A");
    assert_row("first", 5); /* there is none before */
    TYPE("\x1b[B");
    assert_row("second", 6);
    TYPE("\x1b[B");
    assert_row("", 0);
    TYPE("\x1b[B\x1b[A!");
    assert_row("second!", 7);
}

static void history_forgets_the_oldest(void **state)
{
    (void)state;
    char line[] = "line-of-twenty-by-00";
    for (unsigned i = 0; i < 60; i++) {
        line[18] = (char)('0' + i / 10);
        line[19] = (char)('0' + i % 10);
        enter(line);
        assert_true(edit.history_bytes <= sizeof edit.history);
    }
    TYPE("\x1b[A");
    assert_row("line-of-twenty-by-59", 20);
    for (unsigned i = 0; i < 100; i++) {
        TYPE("\x1b[A");
    }
    line[18] = (char)('0' + (60 - CFG_CONSOLE_HISTORY_BYTES / 21) / 10);
    line[19] = (char)('0' + (60 - CFG_CONSOLE_HISTORY_BYTES / 21) % 10);
    assert_row(line, 20);
}

static void a_full_line_takes_no_more_and_says_so(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CFG_CONSOLE_LINE_BYTES; i++) {
        TYPE("x");
    }
    assert_false(edit.cut);
    TYPE("yz");
    assert_true(edit.cut);
    assert_int_equal(bells, 2);
    assert_int_equal(console_edit_line(&edit).bytes, CFG_CONSOLE_LINE_BYTES);
    TYPE("\x15");
    assert_false(edit.cut);
}

static void what_is_hidden_is_neither_echoed_nor_remembered(void **state)
{
    (void)state;
    enter("visible");
    edit.hidden = true;
    TYPE("secreX\x7ft");
    assert_int_equal(row_bytes, 0);
    assert_span_equal(console_edit_line(&edit), "secret");
    TYPE("\x1b[A"); /* no history in here */
    assert_span_equal(console_edit_line(&edit), "secret");
    TYPE("\r");
    console_edit_remember(&edit);
    console_edit_clear(&edit);
    for (size_t i = 0; i < sizeof edit; i++) {
        assert_false(sizeof edit - i >= 6 && memcmp((const char *)&edit + i, "secret", 6) == 0);
    }
    edit.hidden = false;
    TYPE("\x1b[A");
    assert_row("visible", 7);
}

static void control_c_gives_up(void **state)
{
    (void)state;
    TYPE("half\x03");
    assert_int_equal(last, CONSOLE_EDIT_CANCEL);
    assert_int_equal(ends, 1);
    assert_int_equal(console_edit_line(&edit).bytes, 0);
}

static void it_is_drawn_again_with_the_cursor_where_it_was(void **state)
{
    char buffer[CONSOLE_EDIT_ECHO_BYTES];
    struct text echo;
    (void)state;
    TYPE("abc\x1b[D");
    text_init(&echo, buffer, sizeof buffer);
    console_edit_erase(&edit, &echo);
    show(text_span(&echo));
    assert_int_equal(row_bytes, 0);
    text_init(&echo, buffer, sizeof buffer);
    console_edit_draw(&edit, &echo);
    show(text_span(&echo));
    assert_span_equal(((struct span){row, row_bytes}), "> abc");
    assert_int_equal(column, 4);
    TYPE("\x0c");
    assert_int_equal(last, CONSOLE_EDIT_DRAW);
}

static void a_program_gets_no_echo_and_may_send_any_byte(void **state)
{
    (void)state;
    edit.terminal = false;
    TYPE("a\tb\x01\x1b[A\xc3\xa9");
    assert_span_equal(console_edit_line(&edit), "a\tb\x01\x1b[A\xc3\xa9");
    TYPE("\r");
    assert_int_equal(row_bytes + ends + bells, 0);
    assert_int_equal(last, CONSOLE_EDIT_LINE);
}

static void any_keys_leave_line_and_row_alike(void **state)
{
    static const char *const keys[] = {"a",      "b",      " ",       "\x7f",   "\x15",   "\x17",
                                       "\x0b",   "\x01",   "\x05",    "\x1b[D", "\x1b[C", "\x1b[A",
                                       "\x1b[B", "\x1b[H", "\x1b[3~", "word "};
    struct unit_random r = {7};
    (void)state;
    enter("first line");
    enter("second");
    for (unsigned i = 0; i < 50000; i++) {
        const char *key = keys[unit_below(&r, sizeof keys / sizeof keys[0])];
        type(key, strlen(key));
        assert_int_equal(row_bytes, edit.bytes);
        assert_memory_equal(row, edit.line, edit.bytes);
        assert_int_equal(column, edit.cursor);
    }
}

static void any_bytes_stay_within_their_bounds(void **state)
{
    struct unit_random r = {9};
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        char buffer[CONSOLE_EDIT_ECHO_BYTES];
        struct text echo;
        text_init(&echo, buffer, sizeof buffer);
        char key = (char)unit_next(&r);
        enum console_edit_event event = console_edit_key(&edit, key, &echo);
        assert_false(echo.cut);
        assert_true(edit.cursor <= edit.bytes && edit.bytes <= sizeof edit.line);
        assert_true(edit.history_bytes <= sizeof edit.history);
        if (event == CONSOLE_EDIT_LINE) {
            console_edit_remember(&edit);
            console_edit_clear(&edit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(text_is_echoed, set_up),
        cmocka_unit_test_setup(cr_lf_and_cr_lf_together_end_one_line, set_up),
        cmocka_unit_test_setup(backspace_takes_the_byte_before_the_cursor, set_up),
        cmocka_unit_test_setup(the_line_the_word_and_the_tail_are_taken_at_once, set_up),
        cmocka_unit_test_setup(the_cursor_moves_and_text_goes_in_where_it_is, set_up),
        cmocka_unit_test_setup(unknown_keys_do_nothing, set_up),
        cmocka_unit_test_setup(history_comes_back_with_the_arrows, set_up),
        cmocka_unit_test_setup(history_forgets_the_oldest, set_up),
        cmocka_unit_test_setup(a_full_line_takes_no_more_and_says_so, set_up),
        cmocka_unit_test_setup(what_is_hidden_is_neither_echoed_nor_remembered, set_up),
        cmocka_unit_test_setup(control_c_gives_up, set_up),
        cmocka_unit_test_setup(it_is_drawn_again_with_the_cursor_where_it_was, set_up),
        cmocka_unit_test_setup(a_program_gets_no_echo_and_may_send_any_byte, set_up),
        cmocka_unit_test_setup(any_keys_leave_line_and_row_alike, set_up),
        cmocka_unit_test_setup(any_bytes_stay_within_their_bounds, set_up),
    };
    return cmocka_run_group_tests_name("console_edit", tests, NULL, NULL);
}

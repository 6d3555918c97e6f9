#include "console.h"

#include <string.h>

#include "console_edit.h"
#include "hal_console.h"
#include "log.h"
#include "rng.h"
#include "sched.h"
#include "setup.h"

#define RETRY_MS    20 /* until a busy console is asked again */
#define TURN_LINES  8  /* of an answer, in one round */
#define TURN_KEYS   64
#define INPUT_BYTES 32
#define CTRL_C      3

#define OUT_BYTES (CONSOLE_ANSWER_BYTES + 2)
_Static_assert(OUT_BYTES >= 2 * CONSOLE_EDIT_ECHO_BYTES + 16,
               "a row drawn, and a key's echo behind it");
_Static_assert(CONSOLE_ANSWER_BYTES >= SETUP_ERROR_BYTES,
               "an error of the herd file fits in a line");

static const char prompt[] = "herd> ";
static const char load_prompt[] = "";
static const char more[] = "-- more: any key, q to end --";

enum mode {
    WAITING, /* for a command line */
    RUNNING, /* a command answers */
    PAUSED,  /* it waits for a key */
    LOADING, /* lines are a herd file, or a key file */
    SECRET   /* a line is a key or a seed */
};

static struct console_means means;
CFG_SECRET static struct console_edit edit;
static struct console_call call;
static const struct console_command *running;
static enum mode mode;
static enum console_then reading_for; /* LOADING, SECRET */
static bool awake;                    /* somebody has typed: there is a prompt */
static bool on_row; /* the cursor is behind a prompt or a key's echo, not at a row's beginning */
static bool load_is_cut;
static char load_node[PROTO_SERVER_BYTES_MAX];
static size_t load_node_bytes;
static unsigned page_lines;

CFG_SECRET static char input[INPUT_BYTES];
static size_t input_bytes;
static size_t input_at;

static char out_buffer[OUT_BYTES];
static struct text out;
static size_t out_sent;

static void run(void);
static struct sched_task task = {.name = "console", .run = run};

/* --- Output ------------------------------------------------------------------------------------ */

/* True when everything is on its way, so that `out` is free. */
static bool push(void)
{
    if (out.bytes == 0) {
        return true;
    }
    while (out_sent < out.bytes) {
        size_t took = hal_console_answer(out.at + out_sent, out.bytes - out_sent);
        if (took == 0) {
            return false;
        }
        out_sent += took;
    }
    text_init(&out, out_buffer, sizeof out_buffer);
    out_sent = 0;
    return true;
}

/* The log is about to begin a line. */
static bool yield_row(void)
{
    if (!push()) {
        return false;
    }
    if (on_row) {
        if (mode == PAUSED) {
            text_str(&out, "\r\x1b[K");
        } else {
            console_edit_erase(&edit, &out);
        }
        on_row = false;
        sched_wake(&task); /* to draw it again, below */
        return push();
    }
    return true;
}

static void end_line(void)
{
    /* The line end is never what is cut. */
    if (out.bytes > sizeof out_buffer - 2) {
        out.bytes = sizeof out_buffer - 2;
    }
    out.cut = false;
    text_str(&out, edit.terminal ? "\r\n" : "\n");
}

static void say(const char *words)
{
    text_str(&out, words);
    end_line();
}

static void draw(void)
{
    if (!awake || on_row || !edit.terminal || mode == RUNNING) {
        return;
    }
    if (mode == PAUSED) {
        text_str(&out, more);
    } else {
        console_edit_draw(&edit, &out);
    }
    on_row = out.bytes > 0;
}

/* --- Commands ---------------------------------------------------------------------------------- */

static void split(struct span line)
{
    call = (struct console_call){.means = &means, .terminal = edit.terminal};
    while (call.count < CONSOLE_WORDS_MAX) {
        while (line.bytes > 0 && line.at[0] == ' ') {
            line.at++;
            line.bytes--;
        }
        while (line.bytes > 0 && line.at[line.bytes - 1] == ' ') {
            line.bytes--;
        }
        if (line.bytes == 0) {
            return;
        }
        size_t bytes = 0;
        while (bytes < line.bytes &&
               (line.at[bytes] != ' ' || call.count + 1 == CONSOLE_WORDS_MAX)) {
            bytes++;
        }
        call.words[call.count++] = (struct span){line.at, bytes};
        line.at += bytes;
        line.bytes -= bytes;
    }
}

static const struct console_command *find(struct span name)
{
    unsigned count = 0;
    const struct console_command *commands = console_commands(&count);
    for (unsigned i = 0; i < count; i++) {
        if (span_equal(name, span_of(commands[i].name))) {
            return &commands[i];
        }
    }
    return NULL;
}

static void wait_for_command(void)
{
    console_edit_clear(&edit);
    edit.prompt = prompt;
    edit.hidden = false;
    mode = WAITING;
    running = NULL;
}

static void begin_command(struct span line)
{
    split(line);
    if (call.count == 0) {
        wait_for_command();
        return;
    }
    running = find(call.words[0]);
    if (running == NULL || edit.cut) {
        text_str(&out, edit.cut ? "the line is too long" : "unknown command ");
        if (!edit.cut) {
            text_escaped(&out, call.words[0], 32);
        }
        say("; help lists the commands");
        wait_for_command();
        return;
    }
    struct log_line *l = log_begin(EV_CONSOLE_COMMAND);
    log_str(l, "name", running->name);
    log_end(l);
    mode = RUNNING;
    page_lines = 0;
}

static void begin_secret(enum console_then what)
{
    reading_for = what;
    say(what == CONSOLE_THEN_KEY
            ? "the key, one line; it is not shown; empty takes the factory's:"
            : "32 or more characters that nobody can guess, one line, not shown (on another "
              "machine: openssl rand -hex 32):");
    wait_for_command();
    edit.prompt = "";
    edit.hidden = true;
    mode = SECRET;
}

static void begin_load(enum console_then what)
{
    reading_for = what;
    load_node_bytes = 0;
    load_is_cut = false;
    if (call.count > 2 && call.words[2].bytes <= sizeof load_node) {
        load_node_bytes = call.words[2].bytes;
        memcpy(load_node, call.words[2].at, load_node_bytes);
    }
    bool is_keys = what == CONSOLE_THEN_LINK_KEYS;
    if (is_keys) {
        setup_keys_begin();
    } else {
        setup_load_begin();
    }
    say(is_keys
            ? "this node's key file, then a line with a single dot; it is not shown; ^C gives up:"
            : "the herd file, then a line with a single dot; ^C gives up:");
    wait_for_command();
    edit.hidden = is_keys;
    edit.prompt = load_prompt;
    mode = LOADING;
}

static void end_command(void)
{
    enum console_then then = call.then;
    switch (then) { /* each forgets the line that `call` points into */
    case CONSOLE_THEN_LOAD:
    case CONSOLE_THEN_LINK_KEYS:
        begin_load(then);
        break;
    case CONSOLE_THEN_KEY:
    case CONSOLE_THEN_SEED:
        begin_secret(then);
        break;
    case CONSOLE_THEN_RESTART:
        wait_for_command();
        means.restart();
        break;
    default:
        wait_for_command();
        break;
    }
}

/* One line of the answer; `out` is empty. */
static void step_command(void)
{
    bool again = running->run(&call, &out);
    if (out.bytes > 0) {
        end_line();
        page_lines++;
    }
    if (!again) {
        end_command();
    } else if (edit.terminal && page_lines >= CFG_CONSOLE_PAGE) {
        mode = PAUSED;
    }
}

/* --- Lines ------------------------------------------------------------------------------------- */

static void say_result(int err, const char *fine, const struct text *error)
{
    if (err == HERD_OK) {
        say(fine);
    } else {
        text_put(&out, text_span(error));
        end_line();
    }
}

static void take_load_line(struct span line)
{
    char buffer[SETUP_ERROR_BYTES];
    struct text error;
    bool is_comment = line.bytes > 0 && (line.at[0] == ';' || line.at[0] == '#');
    if (line.bytes != 1 || line.at[0] != '.') {
        load_is_cut = load_is_cut || (edit.cut && !is_comment);
        if (reading_for == CONSOLE_THEN_LINK_KEYS) {
            setup_keys_line(line);
        } else {
            setup_load_line(line);
        }
        console_edit_clear(&edit);
        return;
    }
    text_init(&error, buffer, sizeof buffer);
    int err = HERD_E_FULL;
    if (load_is_cut) {
        setup_discard();
        text_str(&error, "a line is longer than ");
        text_u64(&error, CFG_CONSOLE_LINE_BYTES);
        text_str(&error, " bytes");
    } else if (reading_for == CONSOLE_THEN_LINK_KEYS) {
        err = setup_keys_end(&error);
    } else {
        err = setup_load_end((struct span){load_node, load_node_bytes}, &error);
    }
    say_result(err, "valid; config save keeps it, reboot puts it into effect", &error);
    wait_for_command();
}

static void take_secret(struct span line)
{
    char buffer[SETUP_ERROR_BYTES];
    struct text error;
    int err;
    text_init(&error, buffer, sizeof buffer);
    if (edit.cut) {
        err = HERD_E_RANGE;
        text_str(&error, "too long");
    } else if (reading_for == CONSOLE_THEN_KEY) {
        err = setup_put_key(line, &error);
        say_result(err, "taken; config save keeps it, reboot puts it into effect", &error);
    } else {
        err = rng_add_seed(line);
        text_str(&error, err == HERD_E_RANGE ? "not enough: 32 characters or more, not all alike"
                                             : "taken for now, but not kept for the next start: "
                                               "there is no memory for it (status)");
        say_result(err, "taken, and a successor is kept for the next start", &error);
    }
    wait_for_command();
}

static void take_line(void)
{
    struct span line = console_edit_line(&edit);
    switch (mode) {
    case LOADING:
        take_load_line(line);
        break;
    case SECRET:
        take_secret(line);
        break;
    default:
        /* The words point into the line, which stays while the command runs. */
        begin_command(line);
        break;
    }
}

static void cancel(void)
{
    if (mode == LOADING) {
        setup_discard();
        say("given up; nothing changed since config save");
    }
    wait_for_command();
}

/* --- Keys -------------------------------------------------------------------------------------- */

static void use_key(char key)
{
    awake = true;
    if (mode == PAUSED) {
        text_str(&out, "\r\x1b[K");
        on_row = false;
        page_lines = 0;
        mode = RUNNING;
        if (key == 'q' || key == CTRL_C) {
            wait_for_command();
        }
        return;
    }
    if (!on_row) { /* the log was there meanwhile */
        draw();
    }
    enum console_edit_event event = console_edit_key(&edit, key, &out);
    switch (event) {
    case CONSOLE_EDIT_LINE:
        on_row = false;
        if (mode == WAITING) {
            console_edit_remember(&edit);
        }
        take_line();
        break;
    case CONSOLE_EDIT_CANCEL:
        on_row = false;
        cancel();
        break;
    case CONSOLE_EDIT_DRAW:
        console_edit_erase(&edit, &out);
        console_edit_draw(&edit, &out);
        on_row = true;
        break;
    default:
        on_row = edit.terminal;
        break;
    }
}

/* The next key, or false. */
static bool next_key(char *key)
{
    if (input_at == input_bytes) {
        input_at = 0;
        input_bytes = hal_console_read(input, sizeof input);
        HERD_ASSERT(input_bytes <= sizeof input);
    }
    if (input_at == input_bytes) {
        return false;
    }
    *key = input[input_at++];
    return true;
}

/* While a command answers only ^C counts; other keys wait. */
static void look_for_cancel(void)
{
    if (input_at == input_bytes) {
        input_at = 0;
        input_bytes = hal_console_read(input, sizeof input);
    }
    if (input_at < input_bytes && input[input_at] == CTRL_C) {
        input_at++;
        say("^C");
        wait_for_command();
    }
}

/* --- Task -------------------------------------------------------------------------------------- */

static void run(void)
{
    char key;
    unsigned lines = 0;
    unsigned keys = 0;
    bool is_free = !log_is_mid_line() && push();
    while (is_free && keys < TURN_KEYS && lines < TURN_LINES) {
        if (mode == RUNNING) {
            step_command();
            lines++;
            if (mode == RUNNING) {
                look_for_cancel();
            }
        } else if (next_key(&key)) {
            use_key(key);
            keys++;
        } else {
            break;
        }
        is_free = push();
    }
    if (is_free && !log_is_waiting()) {
        draw();
        is_free = push();
    }
    if (mode == RUNNING || keys == TURN_KEYS) {
        sched_wake(&task);
    }
    if (!is_free) {
        sched_at(&task, sched_now_ms() + RETRY_MS);
    }
}

void console_init(const struct console_means *given)
{
    means = *given;
    memset(&edit, 0, sizeof edit);
    edit.terminal = hal_console_is_terminal();
    awake = false;
    on_row = false;
    input_at = 0;
    input_bytes = 0;
    out_sent = 0;
    text_init(&out, out_buffer, sizeof out_buffer);
    wait_for_command();
    if (edit.terminal) {
        say("herd: Enter gives a prompt, help lists the commands");
    }
    log_set_gate(yield_row);
    sched_add(&task);
}

void console_wake(void)
{
    sched_wake(&task);
}

/* The console: an operator's commands, one line each, answered line by line.
 *
 * It shares hal_console with the log: neither begins a line while the other is within one. An answer is
 * produced line by line as fast as the console takes it, in a bounded piece of each round, however
 * long it is. `help` lists the commands; console_commands.c has their table. Whoever has the console has
 * the node: there is no password. Secrets can be typed in and are never shown. Context: tasks.
 */
#ifndef HERD_CONSOLE_H
#define HERD_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "config.h"
#include "text.h"

/* The longest line of an answer; longer ones are cut. */
#define CONSOLE_ANSWER_BYTES (CFG_REPORT_BYTES + 320)

struct console_means {
    const struct config *config; /* NULL: the node has none, and no network */
    void (*restart)(void);       /* starts the node again, soon */
    uint64_t started_ms;         /* monotonic: when the node started */
};

/* Adds the console's task; it reads when console_wake says so. *means is copied. */
void console_init(const struct console_means *means);

/* Bytes may have come: call after every idle. */
void console_wake(void);

/* --- For the commands ------------------------------------------------------------------------------ */

/* What follows a command. */
enum console_then {
    CONSOLE_THEN_NOTHING,
    CONSOLE_THEN_LOAD,      /* the lines that come are a herd file, up to one with a single dot */
    CONSOLE_THEN_LINK_KEYS, /* the same of a key file, unseen */
    CONSOLE_THEN_KEY,       /* the next line is the key of the places provider, unseen */
    CONSOLE_THEN_SEED,      /* the next line is a seed, unseen */
    CONSOLE_THEN_RESTART
};

#define CONSOLE_WORDS_MAX 4

/* One command on its way. `step` and the rest are the command's: zero at its first call. */
struct console_call {
    struct span
        words[CONSOLE_WORDS_MAX]; /* the command's name first; the rest of the line in the last */
    unsigned count;
    const struct console_means *means;
    bool terminal;
    unsigned step;
    unsigned at;
    unsigned shown;
    enum console_then then;
};

struct console_command {
    const char *name;
    const char *arguments; /* "" or " LEVEL" */
    const char *help;      /* what it does, one line */
    /* Appends one line of the answer, without line end, or nothing; true: call again. */
    bool (*run)(struct console_call *call, struct text *out);
};

/* Of console_commands.c. `count` commands, in the order of `help`. */
const struct console_command *console_commands(unsigned *count);

/* Appends ` name=value`. */
void console_put_count(struct text *t, const char *name, uint64_t value);

/* Of console_links.c: `links`, `keys`. */
bool console_links_run(struct console_call *call, struct text *out);
bool console_keys_run(struct console_call *call, struct text *out);

/* Of console_config.c: `config`. */
bool console_config_run(struct console_call *call, struct text *out);

#endif

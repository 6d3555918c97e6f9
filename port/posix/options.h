/* The command line of the POSIX node. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#define OPTIONS_SETTINGS_MAX 32

/* Strings point into argv. */
struct options {
    const char *herd_file;
    const char *node;                           /* "" when it was left out */
    const char *keys;                           /* NULL: none */
    const char *log_file;                       /* NULL: stdout only */
    const char *log_level;                      /* NULL: what the herd file says */
    const char *settings[OPTIONS_SETTINGS_MAX]; /* SECTION.KEY=VALUE */
    unsigned setting_count;
    const char *state; /* NULL: the node keeps nothing */
    bool check;
    bool console; /* also when stdin is no terminal */
    bool no_clock;
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* OPTIONS_DONE: --help or --version was answered. OPTIONS_WRONG after one line on stderr. */
enum options_result options_parse(struct options *o, int argc, char **argv);

#endif

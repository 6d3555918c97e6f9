/*
 * Command lines of host programs. In place of getopt_long because a coordinate such as -118.445127
 * is an argument, not a bundle of options: `-` followed by a digit or a point is never an option.
 */
#ifndef HERD_TOOLS_ARGS_H
#define HERD_TOOLS_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct args_option {
    char letter;        /* short form, or 0 when there is only the long one */
    const char *name;   /* long form without its dashes */
    const char **value; /* set to the argument; NULL for a flag */
    bool *flag;         /* set to true; used when `value` is NULL */
    /* For an option that may be given several times: `value` then points at an array of
     * `many_max` entries and *many counts them. NULL for all others. */
    size_t *many;
    size_t many_max;
};

/*
 * Sorts argv[1..argc-1] into options and positional arguments, in any order; `--` ends the options.
 * Both `--name=value` and `--name value` are understood.
 *
 * options, option_count: what is known; their targets are written.
 * words: receives the positional arguments (pointers into argv), at most words_max of them.
 * Returns the number of positional arguments, or -1 after saying on stderr what is wrong.
 */
int args_sort(int argc, char **argv, const struct args_option *options, size_t option_count,
              const char **words, size_t words_max);

/*
 * Reads `text` as a decimal number between low and high into *number. Returns false, with *number
 * unchanged and what would be right said on stderr under the name `what`, when it is not one.
 */
bool args_number(const char *what, const char *text, long low, long high, long *number);

#endif

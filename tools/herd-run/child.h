/*
 * One process of the herd: started so that it cannot outlive the launcher, and heard line by line.
 */
#ifndef HERD_RUN_CHILD_H
#define HERD_RUN_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHILD_ARGS_MAX   128
#define CHILD_LINE_BYTES 4096 /* longer lines are passed on in pieces */

/* The two outputs of a child. */
enum child_stream { CHILD_OUT, CHILD_ERR, CHILD_STREAMS };

struct child_pipe {
    int fd; /* read end, -1 when closed */
    char line[CHILD_LINE_BYTES];
    size_t bytes; /* of an unfinished line in `line` */
};

struct child {
    const char *name;
    const char *args[CHILD_ARGS_MAX]; /* args[0] is the program; NULL ends them */
    size_t arg_count;
    const char *places_key; /* PLACES_KEY of the child's environment; NULL: it has none */
    int net_namespace;      /* descriptor of the one it runs in; -1: the launcher's */
    pid_t pid;              /* 0 while not running */
    int status;             /* of waitpid, when it has ended */
    struct child_pipe pipes[CHILD_STREAMS];
    char last_error[512]; /* last line on its stderr, cut; empty when there was none */
};

/* Called for each line of a child, without its newline. `line` is valid during the call only. */
typedef void child_on_line(void *context, struct child *child, const char *line);

/* Makes *child the not yet started process `name` (kept, not copied) that runs `program`. */
void child_init(struct child *child, const char *name, const char *program);

/* Appends one argument (kept, not copied), or two. More than fit is our own bug: abort. */
void child_add(struct child *child, const char *arg);
void child_add_pair(struct child *child, const char *option, const char *value);

/*
 * Starts the process in a process group of its own, so that a terminal's Ctrl-C reaches it through
 * the launcher only; the kernel kills it when the launcher dies. Its stdin is empty. Returns false
 * after saying why not.
 */
bool child_start(struct child *child);

/* Reads what is there on both pipes, without waiting, and calls on_line for each line. */
void child_read(struct child *child, child_on_line *on_line, void *context);

/*
 * Takes note when the process has ended: reads the rest of its output, sets `status`, frees the
 * pipes. Returns true once, then `pid` is 0.
 */
bool child_reap(struct child *child, child_on_line *on_line, void *context);

/* Sends a signal to the process, or, with SIGKILL, to its whole group. Nothing when it has ended. */
void child_signal(const struct child *child, int number);

/* Writes how it ended into text[bytes]: "exit status 2: herd: no such node". */
void child_describe_end(const struct child *child, char *text, size_t bytes);

#endif

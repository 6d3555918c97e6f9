/* The command line of herd-run. */
#ifndef HERD_RUN_OPTIONS_H
#define HERD_RUN_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_SETS_MAX 32

struct options {
    const char *herd_file;
    const char *node_bin;
    const char *standin;
    const char *certs;
    const char *run_dir;
    const char *places_key_file; /* NULL: the stand-in answers */
    const char *keys;            /* the directory of the nodes' key files; NULL: RUN_DIR/keys */
    const char *answer_file;     /* NULL: the stand-in's own places */
    const char *net;
    const char *log_level; /* NULL: the herd file's */
    const char *sets[OPTIONS_SETS_MAX];
    size_t set_count;
    uint16_t standin_port; /* 0: any free one */
    uint16_t control_port; /* 0: none */
    long ready_seconds;    /* 0: wait for ever */
    bool quiet;
    bool help;
    char build[PATH_MAX];   /* where herd-run was built: programs of boards are in BUILD/BOARD */
    char herdctl[PATH_MAX]; /* for what is shown to the user */
    /* Defaults, derived from where herd-run itself was built. */
    char default_node_bin[PATH_MAX];
    char default_standin[PATH_MAX];
    char default_certs[PATH_MAX];
    char default_run_dir[PATH_MAX];
};

/*
 * Reads argv into *options, which must be zero. Pointers into argv are kept. Returns false after
 * saying on stderr what is wrong.
 */
bool options_read(int argc, char **argv, struct options *options);

/* Prints the help on stdout. */
void options_help(void);

#endif

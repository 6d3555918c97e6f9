/* The command lines of the herd's processes. */
#ifndef HERD_RUN_COMMAND_H
#define HERD_RUN_COMMAND_H

#include "child.h"
#include "herdfile.h"
#include "options.h"
#include "tapnet.h"

/* Texts that the command lines point at. Lives as long as the children. */
struct command_texts {
    const struct tapnet *tapnet; /* NULL: not on TAP devices */
    char nets[HERDFILE_NODES_MAX][32];
    char programs[HERDFILE_NODES_MAX][PATH_MAX];
    char standin_port[8];
    char control_port[8];
    char set_address[40];
    char set_port[40];
    char set_trust[PATH_MAX + 40];
    char set_key_file[PATH_MAX + 40];
    char logs[HERDFILE_NODES_MAX][PATH_MAX];
    char keys_directory[PATH_MAX];
    char keys[HERDFILE_NODES_MAX][PATH_MAX];
    char states[HERDFILE_NODES_MAX][PATH_MAX]; /* of boards: what they keep */
    char places_key[48];
};

/*
 * Writes into path[PATH_MAX] the program of a node on this board: that of --node-bin for posix, else
 * BUILD/BOARD/herd, which takes the same arguments. Returns false when it does not fit.
 */
bool command_program(const struct options *options, const char *board, char *path);

/*
 * Prepares the texts, for the nodes on TAP devices unless `tapnet` is NULL; with `standin` also a new random key for it. Returns false after saying why
 * not (no randomness, a path that is too long).
 */
bool command_prepare(const struct options *options, const struct herdfile *herd, bool standin,
                     const struct tapnet *tapnet, struct command_texts *texts);

/* Makes *child the stand-in. */
void command_standin(const struct options *options, const struct command_texts *texts,
                     struct child *child);

/* Makes *child node `index`, or, with `check_only`, the check of the herd file for it. */
void command_node(const struct options *options, const struct herdfile *herd, size_t index,
                  bool standin, bool check_only, const struct command_texts *texts,
                  struct child *child);

#endif

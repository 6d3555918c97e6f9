/* The run directory: one herd at a time, its nodes' logs and pids. */
#ifndef HERD_RUN_RUNDIR_H
#define HERD_RUN_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Makes `path` (and the directories above it) and locks it until rundir_release() or the end of
 * this process, however that comes. Returns false after saying on stderr why not.
 */
bool rundir_take(const char *path);

/* Writes the path of NAME.SUFFIX in `directory` into path[bytes]; false when it does not fit. */
bool rundir_path(const char *directory, const char *name, const char *suffix, char *path,
                 size_t bytes);

/* Notes the pid of node `name` in NAME.pid, or removes the note when pid is 0. */
void rundir_note_pid(const char *directory, const char *name, pid_t pid);

/* Removes the lock of the directory that rundir_take() took. Logs stay. */
void rundir_release(void);

#endif

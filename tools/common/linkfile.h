/*
 * The key file of one node, as firmware/keys.h describes it: for each of its links the number of the
 * current key, that key and the next one. Files are nobody's but their owner's (mode 0600).
 */
#ifndef HERD_TOOLS_LINKFILE_H
#define HERD_TOOLS_LINKFILE_H

#include "herdfile.h"

#include <stdbool.h>
#include <stddef.h>

#define LINKFILE_KEY_BYTES  32
#define LINKFILE_NUMBER_MAX 65535u
#define LINKFILE_LINKS_MAX  (2 * HERDFILE_NODES_MAX) /* those of links that were removed included */

struct linkfile_entry {
    char name[HERDFILE_NAME_BYTES]; /* the neighbour */
    unsigned number;                /* of keys[0], the current key; keys[1] is the one after it */
    unsigned char keys[2][LINKFILE_KEY_BYTES];
};

struct linkfile {
    char node[HERDFILE_NAME_BYTES];
    struct linkfile_entry entries[LINKFILE_LINKS_MAX];
    size_t count;
};

enum linkfile_result { LINKFILE_READ, LINKFILE_MISSING, LINKFILE_FAILED };

/* The number after `number`: after 65535 comes 1. */
unsigned linkfile_after(unsigned number);

/* The entry of a neighbour, or NULL. */
const struct linkfile_entry *linkfile_find(const struct linkfile *file, const char *name);

/*
 * Reads NAME.keys of the directory `directory_fd`, which is called `directory` in messages, as the keys of
 * node `name`. LINKFILE_FAILED after saying on stderr what is wrong: it cannot be read, others can read it,
 * or it is no key file of that node.
 */
enum linkfile_result linkfile_read(int directory_fd, const char *directory, const char *name,
                                   struct linkfile *file);

/* Writes *file to NAME.keys.new, mode 0600, and waits until it is on the disk. False after saying why not. */
bool linkfile_write_new(int directory_fd, const char *directory, const struct linkfile *file);

/* NAME.keys.new takes the place of NAME.keys. False after saying why not. */
bool linkfile_replace(int directory_fd, const char *directory, const char *name);

/* Removes what an interrupted run has left. */
void linkfile_remove_new(int directory_fd, const char *name);

#endif

/*
 * The keys of all links of a herd, in one directory: a file for each node (linkfile.h), and in it only the
 * keys of that node's own links.
 *
 * All links of a directory have keys of the same number; links that are added later begin with it. So the
 * numbers tell where a change was interrupted: between the first file replaced and the last, some ends of
 * links are one number ahead, or have a link that the other end lacks. The next run brings them together
 * again, with the keys that are in the files already.
 */
#ifndef HERD_TOOLS_LINKKEYS_H
#define HERD_TOOLS_LINKKEYS_H

#include "herdfile.h"

#include <stdbool.h>
#include <stddef.h>

struct linkkeys_change {
    unsigned number; /* of the current keys, from now on */
    size_t links;
    size_t added;   /* links that had no keys */
    size_t dropped; /* ends of links that the herd has no more */
    bool rotated;
    bool finished;                      /* the rotation was begun by an earlier run */
    size_t written[HERDFILE_NODES_MAX]; /* nodes whose files changed, as indices into herd->nodes */
    size_t written_count;
};

enum linkkeys_result {
    LINKKEYS_DONE,
    LINKKEYS_WRONG, /* the herd file or the files in the directory cannot be used; nothing changed */
    LINKKEYS_FAILED /* reading or writing failed: run it again */
};

/*
 * Makes the directory when there is none, and its files fit the herd: keys for links that have none, none
 * for links that are gone, and, with `rotate`, the next keys in place of the current ones, and new next
 * ones; where a rotation was interrupted, `rotate` finishes that one and begins no other. Without `rotate`
 * no key is replaced. Whatever is not LINKKEYS_DONE was said on stderr.
 */
enum linkkeys_result linkkeys_update(const struct herdfile *herd, const char *directory,
                                     bool rotate, struct linkkeys_change *change);

/* Keys that are used once: all new, whatever there was. False after saying why not. */
bool linkkeys_throw_away(const struct herdfile *herd, const char *directory);

/* Whether node `index` has a link, and so needs keys. */
bool linkkeys_are_needed(const struct herdfile *herd, size_t index);

#endif

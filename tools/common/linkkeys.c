#include "linkkeys.h"
#include "linkfile.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory while it is changed. */
struct work {
    const struct herdfile *herd;
    const char *directory;
    int fd;
    struct linkfile before[HERDFILE_NODES_MAX];
    bool existed[HERDFILE_NODES_MAX];
    struct linkfile after[HERDFILE_NODES_MAX];
    unsigned low, high; /* the numbers found: one, or two of which high is the later; 0: none */
    struct linkkeys_change *change;
};

static struct work work; /* static for its size; wiped after use */

bool linkkeys_are_needed(const struct herdfile *herd, size_t index)
{
    for (size_t i = 0; i < herd->link_count; i++) {
        if (herd->links[i].ends[0] == index || herd->links[i].ends[1] == index) {
            return true;
        }
    }
    return false;
}

/* Links are told twice, or of a node with itself, only in files that no node takes. */
static bool check_links(const struct herdfile *herd)
{
    for (size_t i = 0; i < herd->link_count; i++) {
        const size_t *ends = herd->links[i].ends;
        bool wrong = ends[0] == ends[1];
        for (size_t j = 0; j < i; j++) {
            const size_t *other = herd->links[j].ends;
            wrong = wrong || (ends[0] == other[0] && ends[1] == other[1]) ||
                    (ends[0] == other[1] && ends[1] == other[0]);
        }
        if (wrong) {
            say_error("[links] has %s and %s twice, or a node with itself; herd --check says where",
                      herd->nodes[ends[0]].name, herd->nodes[ends[1]].name);
            return false;
        }
    }
    return true;
}

static bool make_key(unsigned char key[LINKFILE_KEY_BYTES])
{
    size_t used = 0;

    while (used < LINKFILE_KEY_BYTES) {
        ssize_t got = getrandom(key + used, LINKFILE_KEY_BYTES - used, 0);
        if (got < 0 && errno != EINTR) {
            say_error("no random bytes for keys: %s", strerror(errno));
            return false;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* --- What there is --- */

static bool open_directory(struct work *w)
{
    if (mkdir(w->directory, S_IRWXU) != 0 && errno != EEXIST) {
        say_error("cannot make the directory %s: %s", w->directory, strerror(errno));
        return false;
    }
    w->fd = open(w->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->fd < 0) {
        say_error("cannot open the directory %s: %s", w->directory, strerror(errno));
        return false;
    }
    if (flock(w->fd, LOCK_EX | LOCK_NB) != 0) {
        say_error("the directory %s: %s", w->directory,
                  errno == EWOULDBLOCK ? "another program makes keys there" : strerror(errno));
        return false;
    }
    return true;
}

static bool read_files(struct work *w)
{
    for (size_t i = 0; i < w->herd->node_count; i++) {
        enum linkfile_result result =
            linkfile_read(w->fd, w->directory, w->herd->nodes[i].name, &w->before[i]);
        if (result == LINKFILE_FAILED) {
            return false;
        }
        w->existed[i] = result == LINKFILE_READ;
    }
    return true;
}

/* What node `end` has for its link with node `other`. */
static const struct linkfile_entry *end_of(const struct work *w, size_t end, size_t other)
{
    return linkfile_find(&w->before[end], w->herd->nodes[other].name);
}

static bool note_number(struct work *w, unsigned number, const char *node)
{
    if (w->low == 0) {
        w->low = w->high = number;
    } else if (w->low == w->high && number == linkfile_after(w->high)) {
        w->high = number;
    } else if (w->low == w->high && linkfile_after(number) == w->low) {
        w->low = number;
    } else if (number != w->low && number != w->high) {
        say_error(
            "%s/%s.keys has keys of number %u, and others have %u: it is of another rotation. "
            "Put the right file in its place, or remove it: the other ends of its links have "
            "its keys",
            w->directory, node, number, w->high);
        return false;
    }
    return true;
}

/* Both ends of a link have the same keys, but for those that one end has not got yet. */
static bool ends_agree(const struct linkfile_entry *a, const struct linkfile_entry *b)
{
    if (a->number == b->number) {
        return memcmp(a->keys, b->keys, sizeof a->keys) == 0;
    }
    const struct linkfile_entry *ahead = linkfile_after(b->number) == a->number ? a : b;
    const struct linkfile_entry *behind = ahead == a ? b : a;
    return memcmp(ahead->keys[0], behind->keys[1], LINKFILE_KEY_BYTES) == 0;
}

static bool look_at_links(struct work *w)
{
    for (size_t i = 0; i < w->herd->link_count; i++) {
        const size_t *ends = w->herd->links[i].ends;
        const char *names[2] = {w->herd->nodes[ends[0]].name, w->herd->nodes[ends[1]].name};
        const struct linkfile_entry *a = end_of(w, ends[0], ends[1]);
        const struct linkfile_entry *b = end_of(w, ends[1], ends[0]);
        if ((a != NULL && !note_number(w, a->number, names[0])) ||
            (b != NULL && !note_number(w, b->number, names[1]))) {
            return false;
        }
        if (a != NULL && b != NULL && !ends_agree(a, b)) {
            say_error("%s/%s.keys and %s.keys have different keys for their link; remove the one "
                      "that no node has been given",
                      w->directory, names[0], names[1]);
            return false;
        }
    }
    return true;
}

/* --- What there shall be --- */

/* Which number the links have afterwards. */
static bool choose_number(struct work *w, bool rotate)
{
    struct linkkeys_change *change = w->change;

    if (w->low != w->high && !rotate) {
        say_error("a rotation was interrupted in %s; herdctl keys --rotate finishes it",
                  w->directory);
        return false;
    }
    change->rotated = rotate && w->low != 0;
    change->finished = w->low != w->high;
    change->number = w->low == 0                            ? 1
                     : change->rotated && !change->finished ? linkfile_after(w->high)
                                                            : w->high;
    return true;
}

/* The keys of a link from now on. */
static bool next_keys(struct work *w, size_t a, size_t b, struct linkfile_entry *entry)
{
    const struct linkfile_entry *one = end_of(w, a, b);
    const struct linkfile_entry *other = end_of(w, b, a);
    unsigned number = w->change->number;
    /* Of two ends the one that is ahead. */
    const struct linkfile_entry *now =
        one == NULL || (other != NULL && other->number != one->number && other->number == number)
            ? other
            : one;

    entry->number = number;
    if (now == NULL) {
        w->change->added++;
        return make_key(entry->keys[0]) && make_key(entry->keys[1]);
    }
    if (now->number == number) {
        memcpy(entry->keys, now->keys, sizeof entry->keys);
        return true;
    }
    memcpy(entry->keys[0], now->keys[1], LINKFILE_KEY_BYTES);
    return make_key(entry->keys[1]);
}

static void add_entry(struct linkfile *file, const char *name, const struct linkfile_entry *entry)
{
    struct linkfile_entry *added = &file->entries[file->count++];

    *added = *entry;
    (void)snprintf(added->name, sizeof added->name, "%s", name);
}

static bool make_files(struct work *w)
{
    const struct herdfile *herd = w->herd;
    struct linkfile_entry entry;
    bool fine = true;

    for (size_t i = 0; i < herd->node_count; i++) {
        (void)snprintf(w->after[i].node, sizeof w->after[i].node, "%s", herd->nodes[i].name);
    }
    for (size_t i = 0; fine && i < herd->link_count; i++) {
        const size_t *ends = herd->links[i].ends;
        memset(&entry, 0, sizeof entry);
        fine = next_keys(w, ends[0], ends[1], &entry);
        add_entry(&w->after[ends[0]], herd->nodes[ends[1]].name, &entry);
        add_entry(&w->after[ends[1]], herd->nodes[ends[0]].name, &entry);
    }
    explicit_bzero(&entry, sizeof entry);
    w->change->links = herd->link_count;
    return fine;
}

static bool is_same(const struct linkfile *a, const struct linkfile *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++) {
        const struct linkfile_entry *other = linkfile_find(b, a->entries[i].name);
        same = other != NULL && a->entries[i].number == other->number &&
               memcmp(a->entries[i].keys, other->keys, sizeof other->keys) == 0;
    }
    return same;
}

/* Which files change; a node that has no links needs no file. */
static void compare_files(struct work *w)
{
    for (size_t i = 0; i < w->herd->node_count; i++) {
        const struct linkfile *before = &w->before[i];
        bool is_new = !w->existed[i] && w->after[i].count > 0;
        for (size_t j = 0; j < before->count; j++) {
            w->change->dropped += linkfile_find(&w->after[i], before->entries[j].name) == NULL;
        }
        if (is_new || !is_same(before, &w->after[i])) {
            w->change->written[w->change->written_count++] = i;
        }
    }
}

/* All that can fail for want of room does so before the first file is replaced. */
static bool write_files(struct work *w)
{
    const struct linkkeys_change *change = w->change;

    for (size_t i = 0; i < change->written_count; i++) {
        if (!linkfile_write_new(w->fd, w->directory, &w->after[change->written[i]])) {
            for (size_t j = 0; j <= i; j++) {
                linkfile_remove_new(w->fd, w->herd->nodes[change->written[j]].name);
            }
            return false;
        }
    }
    for (size_t i = 0; i < change->written_count; i++) {
        if (!linkfile_replace(w->fd, w->directory, w->herd->nodes[change->written[i]].name)) {
            return false;
        }
    }
    for (size_t i = 0; i < w->herd->node_count; i++) {
        linkfile_remove_new(w->fd, w->herd->nodes[i].name);
    }
    if (fsync(w->fd) != 0) {
        say_error("cannot write the directory %s: %s", w->directory, strerror(errno));
        return false;
    }
    return true;
}

static enum linkkeys_result update(struct work *w, bool rotate)
{
    if (!check_links(w->herd)) {
        return LINKKEYS_WRONG;
    }
    if (!open_directory(w)) {
        return LINKKEYS_FAILED;
    }
    if (!read_files(w) || !look_at_links(w) || !choose_number(w, rotate)) {
        return LINKKEYS_WRONG;
    }
    if (!make_files(w)) {
        return LINKKEYS_FAILED;
    }
    compare_files(w);
    return write_files(w) ? LINKKEYS_DONE : LINKKEYS_FAILED;
}

enum linkkeys_result linkkeys_update(const struct herdfile *herd, const char *directory,
                                     bool rotate, struct linkkeys_change *change)
{
    memset(change, 0, sizeof *change);
    work = (struct work){.herd = herd, .directory = directory, .fd = -1, .change = change};
    enum linkkeys_result result = update(&work, rotate);
    if (work.fd >= 0) {
        (void)close(work.fd); /* and the lock with it */
    }
    explicit_bzero(&work, sizeof work);
    return result;
}

bool linkkeys_throw_away(const struct herdfile *herd, const char *directory)
{
    struct linkkeys_change change;

    for (size_t i = 0; i < herd->node_count; i++) {
        char path[PATH_MAX];
        int bytes = snprintf(path, sizeof path, "%s/%s.keys", directory, herd->nodes[i].name);
        if (bytes >= (int)sizeof path || (unlink(path) != 0 && errno != ENOENT)) {
            say_error("cannot remove %s: %s", path, strerror(errno));
            return false;
        }
    }
    return linkkeys_update(herd, directory, false, &change) == LINKKEYS_DONE;
}

#include "linkfile.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 32768 /* twice what the most links take */
#define NAME_BYTES_MAX (HERDFILE_NAME_BYTES + 16)

/* A file while it is read. */
struct reader {
    const char *directory;
    const char *name; /* of the file */
    unsigned line;
    bool has_section;
    struct linkfile *file;
};

unsigned linkfile_after(unsigned number)
{
    return number == LINKFILE_NUMBER_MAX ? 1 : number + 1;
}

const struct linkfile_entry *linkfile_find(const struct linkfile *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->entries[i].name, name) == 0) {
            return &file->entries[i];
        }
    }
    return NULL;
}

/* --- Reading --- */

static bool fail(const struct reader *reader, const char *what)
{
    say_error("%s/%s:%u: %s", reader->directory, reader->name, reader->line, what);
    return false;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* NUMBER:HEX64, all of `word`. The number; 0: it is none. */
static unsigned read_key(const char *word, unsigned char key[LINKFILE_KEY_BYTES])
{
    char *end = NULL;
    unsigned long number = strtoul(word, &end, 10);

    if (word[0] < '1' || word[0] > '9' || number > LINKFILE_NUMBER_MAX || *end != ':' ||
        strlen(end + 1) != 2 * LINKFILE_KEY_BYTES) {
        return 0;
    }
    for (size_t i = 0; i < LINKFILE_KEY_BYTES; i++) {
        int high = digit(end[1 + 2 * i]);
        int low = digit(end[2 + 2 * i]);
        if (high < 0 || low < 0) {
            return 0;
        }
        key[i] = (unsigned char)(high << 4 | low);
    }
    return (unsigned)number;
}

static struct linkfile_entry *entry_of(struct reader *reader, const char *name)
{
    struct linkfile *file = reader->file;
    struct linkfile_entry *entry = (struct linkfile_entry *)linkfile_find(file, name);

    if (entry == NULL && file->count < LINKFILE_LINKS_MAX) {
        entry = &file->entries[file->count++];
        (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    }
    return entry;
}

static bool read_keys(struct reader *reader, const char *name, char *value, size_t *counts)
{
    char *rest = NULL;
    struct linkfile_entry *entry = entry_of(reader, name);

    if (entry == NULL) {
        return fail(reader, "more links than a node can have");
    }
    size_t *count = &counts[entry - reader->file->entries];
    for (char *word = strtok_r(value, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        if (*count == 2) {
            return fail(reader, "a third key of one link; there are two, current and next");
        }
        unsigned number = read_key(word, entry->keys[*count]);
        if (number == 0) {
            return fail(reader, "not a key; right is NUMBER:KEY with 64 hexadecimal digits");
        }
        if (*count == 1 && number != linkfile_after(entry->number)) {
            return fail(reader, "the second key is not the one after the first");
        }
        entry->number = *count == 0 ? number : entry->number;
        (*count)++;
    }
    return true;
}

static bool read_section(struct reader *reader, const char *line)
{
    char expected[HERDFILE_NAME_BYTES + 16];

    (void)snprintf(expected, sizeof expected, "[keys %s]", reader->file->node);
    if (reader->has_section || strcmp(line, expected) != 0) {
        char what[160];
        (void)snprintf(what, sizeof what, "not the keys of %s; right is one %s", reader->file->node,
                       expected);
        return fail(reader, what);
    }
    reader->has_section = true;
    return true;
}

static bool read_line(struct reader *reader, char *line, size_t *counts)
{
    static const char blanks[] = " \t\r";

    line += strspn(line, blanks);
    for (size_t end = strlen(line); end > 0 && strchr(blanks, line[end - 1]) != NULL; end--) {
        line[end - 1] = '\0';
    }
    if (line[0] == '\0' || line[0] == ';' || line[0] == '#') {
        return true;
    }
    if (line[0] == '[') {
        return read_section(reader, line);
    }
    char *equals = strchr(line, '=');
    size_t name_bytes = strcspn(line, " \t=");
    if (!reader->has_section || equals == NULL || name_bytes == 0 ||
        name_bytes >= HERDFILE_NAME_BYTES ||
        strspn(line + name_bytes, " \t") != (size_t)(equals - line) - name_bytes) {
        return fail(reader, "not a key file; right are [keys NAME], then NEIGHBOUR = NUMBER:KEY");
    }
    line[name_bytes] = '\0';
    return read_keys(reader, line, equals + 1, counts);
}

/* Cuts text into lines and reads them. */
static bool read_text(struct reader *reader, char *text)
{
    size_t counts[LINKFILE_LINKS_MAX] = {0};
    char *next = text;

    while (next != NULL) {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        reader->line++;
        if (!read_line(reader, line, counts)) {
            return false;
        }
    }
    for (size_t i = 0; i < reader->file->count; i++) {
        if (counts[i] != 2) {
            return fail(reader, "a link has one key only; there are two, current and next");
        }
    }
    return true;
}

/* Reads all of it into text[FILE_BYTES_MAX], with a NUL behind. */
static bool read_all(int fd, char *text, const char *directory, const char *name)
{
    size_t used = 0;
    ssize_t got = 1;

    while (got > 0 && used < FILE_BYTES_MAX - 1) {
        got = read(fd, text + used, FILE_BYTES_MAX - 1 - used);
        used += got > 0 ? (size_t)got : 0;
        got = got < 0 && errno == EINTR ? 1 : got;
    }
    text[used] = '\0';
    if (got != 0 || strlen(text) != used) {
        say_error("%s/%s: %s", directory, name,
                  got < 0 ? strerror(errno) : "not a key file: too long, or not text");
        return false;
    }
    return true;
}

static bool check_private(int fd, const char *directory, const char *name)
{
    struct stat s;

    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        say_error("%s/%s: not a file", directory, name);
        return false;
    }
    if ((s.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        say_error("%s/%s: others can read or change these keys; chmod 600 it, and if somebody may "
                  "have read it rotate twice (herdctl keys --help)",
                  directory, name);
        return false;
    }
    return true;
}

enum linkfile_result linkfile_read(int directory_fd, const char *directory, const char *name,
                                   struct linkfile *file)
{
    static char text[FILE_BYTES_MAX];
    char file_name[NAME_BYTES_MAX];
    struct reader reader = {.directory = directory, .name = file_name, .file = file};

    memset(file, 0, sizeof *file);
    (void)snprintf(file->node, sizeof file->node, "%s", name);
    (void)snprintf(file_name, sizeof file_name, "%s.keys", name);
    int fd = openat(directory_fd, file_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        return LINKFILE_MISSING;
    }
    if (fd < 0) {
        say_error("%s/%s: %s", directory, file_name, strerror(errno));
        return LINKFILE_FAILED;
    }
    bool fine = check_private(fd, directory, file_name) &&
                read_all(fd, text, directory, file_name) && read_text(&reader, text);
    (void)close(fd);
    explicit_bzero(text, sizeof text);
    return fine ? LINKFILE_READ : LINKFILE_FAILED;
}

/* --- Writing --- */

static void new_name(char *text, const char *name)
{
    (void)snprintf(text, NAME_BYTES_MAX, "%s.keys.new", name);
}

/* One line for each key: at a board's console lines are short. */
static void put_key(FILE *stream, const char *name, unsigned number,
                    const unsigned char key[LINKFILE_KEY_BYTES])
{
    (void)fprintf(stream, "%s = %u:", name, number);
    for (size_t i = 0; i < LINKFILE_KEY_BYTES; i++) {
        (void)fprintf(stream, "%02x", key[i]);
    }
    (void)fputc('\n', stream);
}

static bool write_text(FILE *stream, const struct linkfile *file)
{
    (void)fprintf(stream,
                  "; The keys of %s's links. Made by herdctl keys. Nobody else may read this.\n"
                  "[keys %s]\n",
                  file->node, file->node);
    for (size_t i = 0; i < file->count; i++) {
        const struct linkfile_entry *entry = &file->entries[i];
        put_key(stream, entry->name, entry->number, entry->keys[0]);
        put_key(stream, entry->name, linkfile_after(entry->number), entry->keys[1]);
    }
    return fflush(stream) == 0;
}

bool linkfile_write_new(int directory_fd, const char *directory, const struct linkfile *file)
{
    static char buffer[BUFSIZ]; /* the stream's: what was in it is wiped */
    char name[NAME_BYTES_MAX];

    new_name(name, file->node);
    int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    S_IRUSR | S_IWUSR);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool fine = stream != NULL && fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
                setvbuf(stream, buffer, _IOFBF, sizeof buffer) == 0 && write_text(stream, file) &&
                fsync(fd) == 0;
    int error = errno;
    if (stream != NULL) {
        (void)fclose(stream);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    explicit_bzero(buffer, sizeof buffer);
    if (!fine) {
        say_error("cannot write %s/%s: %s", directory, name, strerror(error));
    }
    return fine;
}

bool linkfile_replace(int directory_fd, const char *directory, const char *name)
{
    char from[NAME_BYTES_MAX];
    char to[NAME_BYTES_MAX];

    new_name(from, name);
    (void)snprintf(to, sizeof to, "%s.keys", name);
    if (renameat(directory_fd, from, directory_fd, to) != 0) {
        say_error("cannot make %s/%s of %s: %s", directory, to, from, strerror(errno));
        return false;
    }
    return true;
}

void linkfile_remove_new(int directory_fd, const char *name)
{
    char text[NAME_BYTES_MAX];

    new_name(text, name);
    (void)unlinkat(directory_fd, text, 0);
}

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfg.h"

#define HERD_BYTES_MAX      (256 * 1024)
#define TRUST_BYTES_MAX     (256 * 1024)
#define KEY_BYTES_MAX       256         /* Google's have 39 */
#define LINK_KEYS_BYTES_MAX (16 * 1024) /* 16 links have 4 KB */

#define KEY_VARIABLE "PLACES_KEY"

static int fail(const char *name, const char *what)
{
    fprintf(stderr, "herd: %s: %s\n", name, what);
    return -1;
}

/* Reads all of an open file into buffer[0..capacity-1]; its size, or negative. Any kind of file: a
 * pipe has no size. */
static ssize_t read_all(int fd, const char *name, char *buffer, size_t capacity)
{
    size_t used = 0;
    for (;;) {
        ssize_t got = read(fd, buffer + used, capacity - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(name, strerror(errno));
        }
        if (got == 0) {
            return (ssize_t)used;
        }
        used += (size_t)got;
        if (used == capacity) {
            return fail(name, "the file is too large");
        }
    }
}

/* The descriptor, or negative. */
static int open_file(const char *name, struct stat *s)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, s) != 0) {
        int error = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return fail(name, strerror(error));
    }
    return fd;
}

static ssize_t read_file(const char *name, char *buffer, size_t capacity, struct stat *s)
{
    int fd = open_file(name, s);
    if (fd < 0) {
        return -1;
    }
    ssize_t bytes = read_all(fd, name, buffer, capacity);
    (void)close(fd);
    return bytes;
}

int files_read_herd(const char *name, struct span *text)
{
    static char buffer[HERD_BYTES_MAX];
    struct stat s;
    ssize_t bytes = read_file(name, buffer, sizeof buffer, &s);
    if (bytes < 0) {
        return -1;
    }
    *text = (struct span){buffer, (size_t)bytes};
    return 0;
}

/* As ssh does with its keys: what others can read is no secret, and what others can write is theirs. */
static int check_private(const char *name, const struct stat *s)
{
    if (!S_ISREG(s->st_mode)) {
        return fail(name, "not a file");
    }
    if (s->st_uid != geteuid() && s->st_uid != 0) {
        return fail(name, "somebody else's file; keys must be this user's own, or root's");
    }
    if ((s->st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(name, "others can read or change these keys; chmod 600 it, and if somebody may "
                          "have read it make new ones (herdctl keys --rotate, twice)");
    }
    return 0;
}

int files_read_link_keys(const char *name, struct span *text)
{
    CFG_SECRET static char buffer[LINK_KEYS_BYTES_MAX];
    struct stat s;
    int fd = open_file(name, &s);
    if (fd < 0) {
        return -1;
    }
    ssize_t bytes = check_private(name, &s) == 0 ? read_all(fd, name, buffer, sizeof buffer) : -1;
    (void)close(fd);
    if (bytes < 0) {
        return -1;
    }
    *text = (struct span){buffer, (size_t)bytes};
    return 0;
}

int files_read_trust(const char *name, struct span *pem)
{
    static char buffer[TRUST_BYTES_MAX];
    struct stat s;
    ssize_t bytes = read_file(name, buffer, sizeof buffer - 1, &s);
    if (bytes < 0) {
        return -1;
    }
    buffer[bytes] = '\0';
    if (strstr(buffer, "-----BEGIN CERTIFICATE-----") == NULL) {
        return fail(name, "no certificate in it; trust_file is a file of PEM certificates");
    }
    *pem = (struct span){buffer, (size_t)bytes + 1};
    return 0;
}

CFG_SECRET static char key_buffer[KEY_BYTES_MAX + 1];

/* The value in place: the kernel shows the environment's first memory to whoever may ask. */
static size_t take_from_environment(void)
{
    char *value = getenv(KEY_VARIABLE);
    if (value == NULL) {
        return 0;
    }
    size_t bytes = strlen(value);
    size_t kept = bytes < sizeof key_buffer ? bytes : sizeof key_buffer;
    memcpy(key_buffer, value, kept);
    explicit_bzero(value, bytes);
    (void)unsetenv(KEY_VARIABLE);
    return kept;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* It goes into an HTTP header: nothing but visible ASCII. */
static int check_key(const char *from, struct span *key)
{
    while (key->bytes > 0 && is_space(key->at[0])) {
        key->at++;
        key->bytes--;
    }
    while (key->bytes > 0 && is_space(key->at[key->bytes - 1])) {
        key->bytes--;
    }
    if (key->bytes == 0) {
        return fail(from, "the key is empty");
    }
    if (key->bytes == sizeof key_buffer) {
        return fail(from, "the key is too long");
    }
    for (size_t i = 0; i < key->bytes; i++) {
        if (key->at[i] <= ' ' || key->at[i] > '~') {
            return fail(from, "not one key: there is white space or a control byte within it");
        }
    }
    return 0;
}

int files_read_key(const char *name, struct span *key)
{
    struct stat s;
    size_t from_environment = take_from_environment();
    *key = (struct span){key_buffer, from_environment};
    if (name[0] == '\0') {
        return from_environment == 0 ? 0 : check_key(KEY_VARIABLE, key);
    }
    ssize_t bytes = read_file(name, key_buffer, sizeof key_buffer, &s);
    if (bytes < 0) {
        return -1;
    }
    if (S_ISREG(s.st_mode) && (s.st_mode & S_IROTH) != 0) {
        fprintf(stderr, "herd: warning: everyone on this machine can read %s; chmod 600 it\n",
                name);
    }
    key->bytes = (size_t)bytes;
    return check_key(name, key);
}

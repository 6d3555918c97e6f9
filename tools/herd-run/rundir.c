#include "rundir.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char lock_path[PATH_MAX];
static int lock_fd = -1;

static bool make_directories(const char *path)
{
    char part[PATH_MAX];

    if ((size_t)snprintf(part, sizeof part, "%s", path) >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            return false;
        }
        *slash = '/';
    }
    return mkdir(part, 0777) == 0 || errno == EEXIST;
}

static void say_taken(const char *path, int fd)
{
    char pid[16] = "";
    ssize_t bytes = read(fd, pid, sizeof pid - 1);

    pid[bytes > 0 ? strcspn(pid, "\n") : 0] = '\0';
    say_error(
        "a herd is running from %s (pid %s); end it with Ctrl-C or `kill %s`, or run this one "
        "with --run-dir DIR and other ports",
        path, pid, pid);
}

/* One try: 1 locked, 0 the file was removed meanwhile, -1 taken or impossible, and said. */
static int try_lock(const char *path)
{
    struct stat ours;
    struct stat there;

    lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_fd < 0) {
        say_error("cannot write into the run directory %s: %s", path, strerror(errno));
        return -1;
    }
    if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            say_taken(path, lock_fd);
        } else {
            say_error("cannot lock %s: %s", lock_path, strerror(errno));
        }
        (void)close(lock_fd);
        lock_fd = -1;
        return -1;
    }
    /* The owner before us removes the file when it ends: ours must be the one that others find. */
    if (fstat(lock_fd, &ours) == 0 && stat(lock_path, &there) == 0 && ours.st_ino == there.st_ino &&
        ours.st_dev == there.st_dev) {
        return 1;
    }
    (void)close(lock_fd);
    lock_fd = -1;
    return 0;
}

bool rundir_take(const char *path)
{
    int locked = 0;

    if (!make_directories(path)) {
        say_error("cannot make the run directory %s: %s", path, strerror(errno));
        return false;
    }
    if (!rundir_path(path, "herd-run", "lock", lock_path, sizeof lock_path)) {
        say_error("the name of the run directory %s is too long", path);
        return false;
    }
    for (int round = 0; round < 10 && locked == 0; round++) {
        locked = try_lock(path);
    }
    if (locked == 1) {
        (void)!ftruncate(lock_fd, 0);
        (void)dprintf(lock_fd, "%ld\n", (long)getpid());
    } else if (locked == 0) {
        say_error("cannot lock %s: it is removed again and again", lock_path);
    }
    return locked == 1;
}

bool rundir_path(const char *directory, const char *name, const char *suffix, char *path,
                 size_t bytes)
{
    int wrote = snprintf(path, bytes, "%s/%s.%s", directory, name, suffix);

    return wrote > 0 && (size_t)wrote < bytes;
}

void rundir_note_pid(const char *directory, const char *name, pid_t pid)
{
    char path[PATH_MAX];

    if (!rundir_path(directory, name, "pid", path, sizeof path)) {
        return;
    }
    if (pid == 0) {
        (void)unlink(path);
        return;
    }
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        (void)fprintf(file, "%ld\n", (long)pid);
        (void)fclose(file);
    }
}

void rundir_release(void)
{
    if (lock_fd >= 0) {
        (void)unlink(lock_path);
        (void)close(lock_fd);
        lock_fd = -1;
    }
}

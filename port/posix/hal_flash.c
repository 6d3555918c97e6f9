/* Non-volatile memory in a file (--state): 64 KB, erased as 4 KB and programmed as 16 bytes, as the
 * flash of a microcontroller. A new file is blank. One process at a time: it is locked. */
#include "hal_flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "posix.h"

#define AREA_BYTES    65536u
#define ERASE_BYTES   4096u
#define PROGRAM_BYTES 16u

static int fd = -1;
static bool started;

static int complain(const char *name, const char *what)
{
    fprintf(stderr, "herd: %s: %s\n", name, what);
    if (fd >= 0) {
        (void)close(fd);
        fd = -1;
    }
    return -1;
}

static bool write_all(const void *data, size_t bytes, off_t at)
{
    const char *from = data;
    while (bytes > 0) {
        ssize_t wrote = pwrite(fd, from, bytes, at);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return false;
        }
        from += wrote;
        at += wrote;
        bytes -= (size_t)wrote;
    }
    return true;
}

static bool fill(off_t at, size_t bytes)
{
    static unsigned char blank[ERASE_BYTES];
    memset(blank, 0xFF, sizeof blank);
    for (size_t done = 0; done < bytes; done += sizeof blank) {
        if (!write_all(blank, sizeof blank, at + (off_t)done)) {
            return false;
        }
    }
    return true;
}

int posix_flash_open(const char *name)
{
    struct stat s;
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* seed and keys are in it */
    if (fd < 0 || fstat(fd, &s) != 0) {
        return complain(name, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return complain(name, errno == EWOULDBLOCK ? "another node uses this state file"
                                                   : strerror(errno));
    }
    if (s.st_size != 0 && s.st_size != AREA_BYTES) {
        return complain(name, "not a state file of herd; name a new one");
    }
    if (s.st_size == 0 && (!fill(0, AREA_BYTES) || fsync(fd) != 0)) {
        return complain(name, strerror(errno));
    }
    return 0;
}

int hal_flash_start(void)
{
    started = fd >= 0;
    return started ? HAL_FLASH_OK : HAL_FLASH_E_ABSENT;
}

struct hal_flash_geometry hal_flash_geometry(void)
{
    return started ? (struct hal_flash_geometry){AREA_BYTES, ERASE_BYTES, PROGRAM_BYTES}
                   : (struct hal_flash_geometry){0, 0, 0};
}

int hal_flash_read(uint32_t at, void *out, size_t bytes)
{
    HERD_ASSERT(at <= AREA_BYTES && bytes <= AREA_BYTES - at);
    char *to = out;
    while (started && bytes > 0) {
        ssize_t got = pread(fd, to, bytes, at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return HAL_FLASH_E_UNREADABLE;
        }
        to += got;
        at += (uint32_t)got;
        bytes -= (size_t)got;
    }
    return started ? HAL_FLASH_OK : HAL_FLASH_E_ABSENT;
}

int hal_flash_erase(uint32_t at)
{
    HERD_ASSERT(at % ERASE_BYTES == 0 && at < AREA_BYTES);
    if (!started) {
        return HAL_FLASH_E_ABSENT;
    }
    return fill(at, ERASE_BYTES) ? HAL_FLASH_OK : HAL_FLASH_E_FAILED;
}

int hal_flash_program(uint32_t at, const void *data, size_t bytes)
{
    HERD_ASSERT(at % PROGRAM_BYTES == 0 && bytes % PROGRAM_BYTES == 0 && bytes > 0);
    HERD_ASSERT(at / ERASE_BYTES == (at + bytes - 1) / ERASE_BYTES && at + bytes <= AREA_BYTES);
    if (!started) {
        return HAL_FLASH_E_ABSENT;
    }
    return write_all(data, bytes, at) ? HAL_FLASH_OK : HAL_FLASH_E_FAILED;
}

int hal_flash_sync(void)
{
    if (!started) {
        return HAL_FLASH_E_ABSENT;
    }
    return fdatasync(fd) == 0 ? HAL_FLASH_OK : HAL_FLASH_E_FAILED;
}

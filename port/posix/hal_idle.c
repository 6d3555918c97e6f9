#include "hal_idle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net_ops.h"
#include "posix.h"

#define POLL_FDS 4096
/* A busy node comes here with nothing to wait for after each round; looking at every socket each time
 * would cost more than the rounds, unless there was something the last time. */
#define POLL_APART_US 200

static int wake_fd = -1;
static uint64_t polled_us;
static bool found_any;

int posix_wake_init(void)
{
    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wake_fd < 0 ? -1 : 0;
}

void posix_wake(void)
{
    const uint64_t one = 1;
    int error = errno;
    ssize_t wrote = write(wake_fd, &one, sizeof one);
    (void)wrote; /* full: it is awake anyway */
    errno = error;
}

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void take_wake(const struct pollfd *fd)
{
    uint64_t count;
    if (fd->revents != 0) {
        ssize_t got = read(wake_fd, &count, sizeof count);
        (void)got;
    }
}

void hal_idle(uint32_t max_ms)
{
    static struct pollfd fds[POLL_FDS];
    unsigned count = 0;
    uint32_t timeout_ms = max_ms;

    bool has_frames = net_ops->has_frame();
    if (has_frames) {
        timeout_ms = 0; /* the network has something */
    }
    bool may_skip = timeout_ms == 0 && (has_frames || !found_any);
    if (may_skip && (net_ops->is_busy() || now_us() - polled_us < POLL_APART_US)) {
        return;
    }
    fds[count++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    if (posix_console_wants(&fds[count])) {
        count++;
    }
    count = net_ops->fill(fds, count, POLL_FDS, &timeout_ms);
    int found = poll(fds, count, timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);
    polled_us = now_us();
    found_any = found > 0;
    if (found_any) {
        take_wake(&fds[0]);
    }
    /* Without anything found it still runs libslirp's own clock. */
    net_ops->serve(fds, found < 0);
    posix_console_drain();
}

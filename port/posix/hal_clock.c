#include "hal_clock.h"

#include <time.h>

#include "posix.h"

/* What SNTP says is the node's alone: the system's clock is not ours to set. */
static bool forgotten;
static int64_t offset_ns; /* to the system's clock */

uint64_t hal_clock_ms(void)
{
    struct timespec now;
    /* Stands still while the machine sleeps: links are not dead because the lid was closed. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static bool system_time(int64_t *ns)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return false;
    }
    *ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return true;
}

bool hal_clock_wall_ns(int64_t *ns)
{
    if (forgotten || !system_time(ns)) {
        return false;
    }
    *ns += offset_ns;
    return true;
}

void hal_clock_set_wall_ns(int64_t now_ns)
{
    int64_t system_ns;
    if (system_time(&system_ns)) {
        offset_ns = now_ns - system_ns;
        forgotten = false;
    }
}

void posix_clock_forget(void)
{
    forgotten = true;
}

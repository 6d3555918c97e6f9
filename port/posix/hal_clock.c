#include "hal_clock.h"

#include <time.h>

uint64_t hal_clock_ms(void)
{
    struct timespec now;
    /* Stands still while the machine sleeps: links are not dead because the lid was closed. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

bool hal_clock_wall_ns(int64_t *ns)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return false;
    }
    *ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return true;
}

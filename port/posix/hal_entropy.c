#include "hal_entropy.h"

#include <errno.h>
#include <sys/random.h>

int hal_entropy(void *out, size_t bytes)
{
    unsigned char *at = out;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (got > 0) {
            at += got;
            bytes -= (size_t)got;
        }
    }
    return 0;
}

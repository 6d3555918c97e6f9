#include "output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Writes once. A pipe that polls writable takes PIPE_BUF bytes without blocking, and so does a
 * terminal; O_NONBLOCK is no way, since it would change the terminal for its other users too. */
static bool write_some(struct output *output, int wait_ms)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};

    if (output->used == 0 || output->broken || poll(&out, 1, wait_ms) != 1) {
        return false;
    }
    size_t bytes = output->used < PIPE_BUF ? output->used : PIPE_BUF;
    ssize_t wrote = write(STDOUT_FILENO, output->bytes, bytes);
    if (wrote <= 0) {
        output->broken = wrote < 0 && errno != EINTR && errno != EAGAIN;
        return false;
    }
    output->used -= (size_t)wrote;
    memmove(output->bytes, output->bytes + wrote, output->used);
    return true;
}

void output_flush(struct output *output)
{
    while (write_some(output, 0)) {
    }
}

static bool add(struct output *output, const char *format, va_list values)
{
    size_t room = sizeof output->bytes - output->used;
    int bytes = vsnprintf(output->bytes + output->used, room, format, values);

    if (bytes < 0 || (size_t)bytes + 1 >= room) {
        return false; /* what was cut lies beyond `used` and is gone */
    }
    output->used += (size_t)bytes;
    output->bytes[output->used++] = '\n';
    return true;
}

void output_line(struct output *output, const char *format, ...)
{
    va_list values;

    if (output->dropped > 0 && sizeof output->bytes - output->used > 128) {
        output->used += (size_t)snprintf(
            output->bytes + output->used, 128,
            "herd-run: %zu lines left out: stdout is read too slowly\n", output->dropped);
        output->dropped = 0;
    }
    va_start(values, format);
    if (!add(output, format, values)) {
        output->dropped++;
    }
    va_end(values);
    output_flush(output);
}

void output_finish(struct output *output, int wait_ms)
{
    while (write_some(output, wait_ms)) {
    }
}

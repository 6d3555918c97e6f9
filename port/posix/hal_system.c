#include "hal_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "posix.h"

#define LAST_MS 500

static char **arguments;
static const char *places_key = "";

void posix_system_start(char **argv, const char *key)
{
    arguments = argv;
    places_key = key;
}

/* The same program with the same arguments in place of this one. Its descriptors end with it: whatever a
 * library has left without close-on-exec would be a port in use. */
void hal_system_restart(void)
{
    posix_console_finish(LAST_MS);
    posix_console_close();
    if (places_key[0] != '\0') {
        (void)setenv("PLACES_KEY", places_key, 1); /* files_read_key wipes it again */
    }
    (void)close_range(STDERR_FILENO + 1, ~0u, 0);
    (void)execv("/proc/self/exe", arguments);
    perror("herd: cannot start again");
    _exit(1);
}

size_t hal_system_crash(unsigned line, char *out, size_t bytes)
{
    (void)line; /* a core file, if the system keeps one */
    (void)out;
    (void)bytes;
    return 0;
}

bool hal_system_stack(size_t *reserved, size_t *high_water)
{
    (void)reserved;
    (void)high_water;
    return false;
}

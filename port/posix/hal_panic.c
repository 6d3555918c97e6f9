#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "log.h"
#include "posix.h"

void hal_panic(const char *file, unsigned line, const char *what)
{
    static bool panicking;
    if (!panicking) { /* the log may be what is broken */
        panicking = true;
        log_flush();
        posix_console_finish(200);
        posix_console_close();
    }
    fprintf(stderr, "herd: internal error at %s:%u: %s\n", file, line, what);
    abort();
}

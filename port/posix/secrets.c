#include "secrets.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The linker's names for the ends of the section that CFG_SECRET puts variables into. */
extern char __start_herd_secret[];
extern char __stop_herd_secret[];

int secrets_leave_out_of_dumps(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)__start_herd_secret & ~(page - 1);
    uintptr_t to = ((uintptr_t)__stop_herd_secret + page - 1) & ~(page - 1);

    return madvise((void *)from, to - from, MADV_DONTDUMP);
}

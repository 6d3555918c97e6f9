/* Under AddressSanitizer: lwIP's pools as they are, with their limits, which decide what happens in a run;
 * but what is free is poisoned, so that a use after free is found. The linker puts these before lwIP's own
 * (--wrap, tests/sim/sim.mk). */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

#include "lwip/memp.h"
#include "lwip/priv/memp_priv.h"

/* The link to the next free one lies at the front. */
#define LINK_BYTES sizeof(struct memp)

void *__real_memp_malloc(memp_t type);
void __real_memp_free(memp_t type, void *mem);
void *__wrap_memp_malloc(memp_t type);
void __wrap_memp_free(memp_t type, void *mem);

void *__wrap_memp_malloc(memp_t type)
{
    void *mem = __real_memp_malloc(type);
    if (mem != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(mem, memp_pools[type]->size);
    }
    return mem;
}

void __wrap_memp_free(memp_t type, void *mem)
{
    __real_memp_free(type, mem);
    if (mem != NULL && memp_pools[type]->size > LINK_BYTES) {
        ASAN_POISON_MEMORY_REGION((char *)mem + LINK_BYTES, memp_pools[type]->size - LINK_BYTES);
    }
}
#else
typedef int pools_are_lwips_own; /* not an empty file */
#endif

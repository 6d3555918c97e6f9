/* mbedTLS's memory: regions of fixed size, each static memory of its owner, and one of them in use.
 *
 * The upstream's context and each context of a link have a region of their own, so that none can take
 * another's, and what a connection needs is known to the byte. What a computation takes for its own time
 * only may come from a scratch region that several share. mbedTLS calls tls_memory_calloc and
 * tls_memory_free instead of the C library's (port/mbedtls/mbedtls_config.h).
 *
 * First fit by address, and neighbours that are free are one block: small blocks gather at the start.
 * Cost of a call: linear in the free blocks of the region. Context: tasks.
 */
#ifndef HERD_TLS_MEMORY_H
#define HERD_TLS_MEMORY_H

#include <stddef.h>

/* The owner's to keep, and nobody's to change. */
struct tls_memory {
    unsigned char *at;
    size_t bytes;
    size_t used;    /* now, headers included */
    size_t peak;    /* the most ever */
    size_t refused; /* times that there was no room, nor in scratch */
    struct tls_memory *scratch;
    struct tls_memory *next; /* of all regions */
    void *free;              /* first free block, by address */
};

/* Makes `bytes` bytes at `at` (aligned for anything, at least 64) an empty region; what does not fit in it
 * is asked of `scratch` (or NULL). All three live on. Once more with the same m: empty again. */
void tls_memory_init(struct tls_memory *m, void *at, size_t bytes, struct tls_memory *scratch);

/* From now on memory comes from m. Returns what it came from before; NULL: nowhere. */
struct tls_memory *tls_memory_use(struct tls_memory *m);

/* As calloc and free. NULL when there is no room. */
void *tls_memory_calloc(size_t count, size_t bytes);
void tls_memory_free(void *at);

#endif

#include "tls_memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "err.h"

/* Before each block, used or free. */
struct block {
    size_t bytes;  /* of the block, header included; bit 0: used */
    size_t before; /* of the block before it; 0: the first */
};

/* A free block is on the list of its region. */
struct free_block {
    struct block block;
    struct free_block *next, *previous;
};

#define UNIT sizeof(struct block) /* blocks are multiples of it, and so aligned */
#define USED ((size_t)1)

_Static_assert(sizeof(struct block) >= 8 &&
                   (sizeof(struct block) & (sizeof(struct block) - 1)) == 0,
               "what follows a header is aligned for 64 bits");
_Static_assert(sizeof(struct free_block) == 2 * sizeof(struct block),
               "the least block is two units");

static struct tls_memory *regions;
static struct tls_memory *in_use;

static size_t size_of(const struct block *b)
{
    return b->bytes & ~USED;
}

static bool is_used(const struct block *b)
{
    return (b->bytes & USED) != 0;
}

static struct block *behind(struct block *b)
{
    return (struct block *)(void *)((unsigned char *)b + size_of(b));
}

static bool is_last(const struct tls_memory *m, const struct block *b)
{
    return (const unsigned char *)b + size_of(b) == m->at + m->bytes;
}

/* The next one hears how large the block before it is. */
static void set_size(const struct tls_memory *m, struct block *b, size_t bytes, size_t used)
{
    b->bytes = bytes | used;
    if (!is_last(m, b)) {
        behind(b)->before = bytes;
    }
}

static void unlink_free(struct tls_memory *m, struct free_block *f)
{
    if (f->previous != NULL) {
        f->previous->next = f->next;
    } else {
        m->free = f->next;
    }
    if (f->next != NULL) {
        f->next->previous = f->previous;
    }
}

static void link_free(struct tls_memory *m, struct free_block *f)
{
    struct free_block *previous = NULL;
    struct free_block *next = m->free;
    while (next != NULL && next < f) {
        previous = next;
        next = next->next;
    }
    f->previous = previous;
    f->next = next;
    if (previous != NULL) {
        previous->next = f;
    } else {
        m->free = f;
    }
    if (next != NULL) {
        next->previous = f;
    }
}

void tls_memory_init(struct tls_memory *m, void *at, size_t bytes, struct tls_memory *scratch)
{
    bool known = false;
    for (const struct tls_memory *r = regions; r != NULL; r = r->next) {
        known = known || r == m;
    }
    if (!known) {
        m->next = regions;
        regions = m;
    }
    m->at = at;
    m->bytes = bytes / UNIT * UNIT;
    m->used = 0;
    m->peak = 0;
    m->refused = 0;
    m->scratch = scratch;
    m->free = NULL;
    struct free_block *all = at;
    all->block.before = 0;
    set_size(m, &all->block, m->bytes, 0);
    link_free(m, all);
}

struct tls_memory *tls_memory_use(struct tls_memory *m)
{
    struct tls_memory *before = in_use;
    in_use = m;
    return before;
}

static void *take(struct tls_memory *m, size_t bytes)
{
    struct free_block *f = m->free;
    while (f != NULL && f->block.bytes < bytes) {
        f = f->next;
    }
    if (f == NULL) {
        return NULL;
    }
    unlink_free(m, f);
    size_t rest = f->block.bytes - bytes;
    if (rest >= sizeof(struct free_block)) {
        f->block.bytes = bytes;
        struct free_block *left = (struct free_block *)(void *)behind(&f->block);
        left->block.before = bytes;
        set_size(m, &left->block, rest, 0);
        link_free(m, left);
    } else {
        bytes += rest;
    }
    set_size(m, &f->block, bytes, USED);
    m->used += bytes;
    m->peak = m->used > m->peak ? m->used : m->peak;
    return &f->block + 1;
}

void *tls_memory_calloc(size_t count, size_t bytes)
{
    if (count != 0 && bytes > (SIZE_MAX - 2 * UNIT) / count) {
        return NULL;
    }
    size_t wanted = (count * bytes + UNIT - 1) / UNIT * UNIT + UNIT;
    wanted = wanted < sizeof(struct free_block) ? sizeof(struct free_block) : wanted;
    for (struct tls_memory *m = in_use; m != NULL; m = m->scratch) {
        void *at = take(m, wanted);
        if (at != NULL) {
            return memset(at, 0, count * bytes);
        }
    }
    if (in_use != NULL) {
        in_use->refused++;
    }
    return NULL;
}

static struct tls_memory *region_of(const void *at)
{
    struct tls_memory *m = regions;
    while (m != NULL &&
           ((const unsigned char *)at < m->at || (const unsigned char *)at >= m->at + m->bytes)) {
        m = m->next;
    }
    HERD_ASSERT(m != NULL);
    return m;
}

void tls_memory_free(void *at)
{
    if (at == NULL) {
        return;
    }
    struct tls_memory *m = region_of(at);
    struct block *b = (struct block *)at - 1;
    HERD_ASSERT(is_used(b)); /* or the memory is corrupt, or freed twice */
    size_t bytes = size_of(b);
    m->used -= bytes;
    if (!is_last(m, b) && !is_used(behind(b))) {
        struct block *next = behind(b);
        unlink_free(m, (struct free_block *)(void *)next);
        bytes += size_of(next);
    }
    if (b->before != 0) {
        struct block *previous = (struct block *)(void *)((unsigned char *)b - b->before);
        if (!is_used(previous)) {
            unlink_free(m, (struct free_block *)(void *)previous);
            bytes += size_of(previous);
            b = previous;
        }
    }
    set_size(m, b, bytes, 0);
    link_free(m, (struct free_block *)(void *)b);
}

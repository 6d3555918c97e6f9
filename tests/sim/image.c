#include "image.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define RELOADS true
#else
#define RELOADS false
#endif

#define COPIES_MAX (WORLD_STATIONS_MAX)

struct copy {
    void *handle; /* NULL: not loaded */
    void *entry;
    int fd;         /* kept: dlopen knows objects by name, and this is in it */
    uint8_t *data;  /* its variables */
    uint8_t *fresh; /* and what they were after loading */
    size_t bytes;
};

static const char *const names[IMAGE_KINDS] = {"node.so", "node-small.so", "client.so"};
static const char *const entries[IMAGE_KINDS] = {"sim_node", "sim_node", "sim_peer"};
static struct copy copies[IMAGE_KINDS][COPIES_MAX];
static char folder[4096];

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "sim: %s: %s\n", what, why);
    exit(2);
}

void image_folder(const char *path)
{
    (void)snprintf(folder, sizeof folder, "%s", path);
}

/* The file in a memory file of its own: for the loader another object every time. */
static int clone_file(enum image_kind kind)
{
    static struct {
        void *at;
        size_t bytes;
    } files[IMAGE_KINDS];
    char path[sizeof folder + 32];
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[kind]);
    if (files[kind].at == NULL) {
        struct stat s;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &s) != 0) {
            fail(path, "not there; make sim builds it");
        }
        files[kind].bytes = (size_t)s.st_size;
        files[kind].at = mmap(NULL, files[kind].bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (files[kind].at == MAP_FAILED) {
            fail(path, "cannot be read");
        }
        (void)close(fd);
    }
    int fd = memfd_create(names[kind], MFD_CLOEXEC);
    if (fd < 0 || write(fd, files[kind].at, files[kind].bytes) != (ssize_t)files[kind].bytes) {
        fail(path, "no memory for a copy");
    }
    return fd;
}

/* The writable segment, without what the loader has made read-only since. */
static void find_data(struct copy *c, const char *path)
{
    struct link_map *map = NULL;
    if (dlinfo(c->handle, RTLD_DI_LINKMAP, &map) != 0) {
        fail(path, dlerror());
    }
    const uint8_t *base = (const uint8_t *)map->l_addr;
    const ElfW(Ehdr) *header = (const void *)base;
    const ElfW(Phdr) *segment = (const void *)(base + header->e_phoff);
    uintptr_t from = 0;
    uintptr_t to = 0;
    uintptr_t relro_end = 0;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        uintptr_t at = map->l_addr + segment[i].p_vaddr;
        if (segment[i].p_type == PT_LOAD && (segment[i].p_flags & PF_W) != 0) {
            if (to != 0) {
                fail(path, "two writable segments");
            }
            from = at;
            to = at + segment[i].p_memsz;
        }
        if (segment[i].p_type == PT_GNU_RELRO) {
            relro_end = (at + segment[i].p_memsz) & ~(uintptr_t)4095;
        }
    }
    from = relro_end > from && relro_end < to ? relro_end : from;
    c->data = (uint8_t *)from;
    c->bytes = to - from;
    c->fresh = malloc(c->bytes);
    if (c->fresh == NULL) {
        fail(path, "no memory");
    }
    memcpy(c->fresh, c->data, c->bytes);
}

static void load(enum image_kind kind, struct copy *c)
{
    char path[64];
    c->fd = clone_file(kind);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", c->fd);
    c->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (c->handle == NULL) {
        fail(names[kind], dlerror());
    }
    c->entry = dlsym(c->handle, entries[kind]);
    if (c->entry == NULL) {
        fail(names[kind], "has no entry");
    }
    if (!RELOADS) {
        find_data(c, names[kind]);
    }
}

static void *fresh_entry(enum image_kind kind, unsigned index)
{
    struct copy *c = &copies[kind][index];
    if (c->handle == NULL) {
        load(kind, c);
    } else if (RELOADS) {
        (void)dlclose(c->handle);
        (void)close(c->fd);
        load(kind, c);
    } else {
        memcpy(c->data, c->fresh, c->bytes);
    }
    return c->entry;
}

const struct abi_node *image_node(enum image_kind kind, unsigned index)
{
    abi_node_entry *entry;
    void *symbol = fresh_entry(kind, index);
    memcpy(&entry, &symbol, sizeof entry);
    return entry();
}

const struct abi_peer *image_peer(unsigned index)
{
    abi_peer_entry *entry;
    void *symbol = fresh_entry(IMAGE_CLIENT, index);
    memcpy(&entry, &symbol, sizeof entry);
    return entry();
}

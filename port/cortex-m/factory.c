#include "factory.h"

#include "crc.h"

struct header {
    uint32_t magic;
    uint32_t crc;
    uint32_t version;
    uint32_t bytes;
    struct {
        uint32_t offset, bytes;
    } parts[FACTORY_PARTS];
};

/* Places of the linker script. */
extern const uint8_t ld_factory_start[], ld_factory_end[];

bool factory_read(struct factory *f)
{
    const uint8_t *base = ld_factory_start;
    const struct header *h = (const void *)base;
    size_t room = (size_t)(ld_factory_end - ld_factory_start);
    size_t uncovered = offsetof(struct header, version);
    if (h->magic != FACTORY_MAGIC || h->version != FACTORY_VERSION || h->bytes < sizeof *h ||
        h->bytes > room || h->crc != crc_32(0, base + uncovered, h->bytes - uncovered)) {
        return false;
    }
    struct span parts[FACTORY_PARTS];
    for (unsigned i = 0; i < FACTORY_PARTS; i++) {
        if (h->parts[i].offset > h->bytes || h->parts[i].bytes > h->bytes - h->parts[i].offset) {
            return false;
        }
        parts[i] = (struct span){(const char *)base + h->parts[i].offset, h->parts[i].bytes};
    }
    *f = (struct factory){parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]};
    return true;
}

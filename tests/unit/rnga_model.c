#include "rnga_model.h"

#include <string.h>

struct rnga_model rnga_model;

static struct {
    uint32_t control;
    uint32_t flags; /* ORU, LRS */
    uint32_t looks;
    bool full;
    uint32_t last;
} module;

static void violate(const char *why)
{
    rnga_model.violations++;
    rnga_model.why = why;
}

void rnga_model_reset(void)
{
    memset(&rnga_model, 0, sizeof rnga_model);
    memset(&module, 0, sizeof module);
    rnga_model.wait_reads = 5;
    rnga_model.violated_at = UINT32_MAX;
    rnga_model.stuck_at = UINT32_MAX;
    rnga_model.flipping_at = UINT32_MAX;
    rnga_model.underrun_at = UINT32_MAX;
}

uint32_t rnga_model_word(uint32_t i)
{
    uint32_t x = (i + 1) * 2654435761u;
    return x ^ x >> 15;
}

static uint32_t read_status(void)
{
    bool fills = (module.control & 1) != 0 && !rnga_model.asleep && !rnga_model.silent;
    if (fills && !module.full && ++module.looks >= rnga_model.wait_reads) {
        module.full = true;
    }
    uint32_t status = module.flags | UINT32_C(1) << 16;
    status |= rnga_model.words >= rnga_model.violated_at ? 1 : 0;
    status |= module.full ? UINT32_C(1) << 8 : 0;
    module.flags &= ~UINT32_C(4); /* ORU: cleared by reading */
    return status;
}

static uint32_t read_output(void)
{
    if (rnga_model.words == rnga_model.underrun_at) {
        module.full = false;
    }
    if (!module.full) {
        module.flags |= 6;
        return 0;
    }
    uint32_t i = rnga_model.words++;
    module.full = false;
    module.looks = 0;
    module.flags &= ~UINT32_C(2);
    if (i > rnga_model.flipping_at) {
        module.last = ~module.last;
    } else if (i <= rnga_model.stuck_at) {
        module.last = rnga_model_word(i);
    }
    return module.last;
}

uint32_t rnga_model_read(uint32_t offset)
{
    if (rnga_model.asleep && offset == 0xC) {
        violate("read while asleep");
    }
    switch (offset) {
    case 0x0:
        return module.control;
    case 0x4:
        return read_status();
    case 0xC:
        return read_output();
    default:
        violate("no such register");
        return 0;
    }
}

void rnga_model_write(uint32_t offset, uint32_t value)
{
    if (offset != 0) {
        violate("only CR is to be written");
        return;
    }
    if ((module.control & 3 & ~value) != 0) {
        violate("GO and HA are cleared by a reset only");
    }
    if ((value & 1) != 0 && (value & 2) == 0) {
        violate("started without high assurance");
    }
    if ((value & 4) == 0) {
        violate("interrupts are not masked");
    }
    module.control = value;
    rnga_model.asleep = (value & 0x10) != 0;
}

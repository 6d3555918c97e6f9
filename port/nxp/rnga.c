#include "rnga.h"

#include "mmio.h"

/* "Memory map and register definition" */
#define RNGA_CR 0x0u
#define RNGA_SR 0x4u
#define RNGA_OR 0xCu

#define CR_GO   UINT32_C(0x01) /* fill OR; only a reset clears it */
#define CR_HA   UINT32_C(0x02) /* report security violations; only a reset clears it */
#define CR_INTM UINT32_C(0x04) /* no interrupt */
#define CR_CLRI UINT32_C(0x08) /* clear SR[ERRI] */
#define CR_SLP  UINT32_C(0x10)

#define SR_SECV      UINT32_C(0x01) /* a security violation happened */
#define SR_LRS       UINT32_C(0x02) /* OR was read while empty the last time */
#define SR_ORU       UINT32_C(0x04) /* OR was read while empty since SR was read */
#define SR_LEVEL(sr) ((sr) >> 8 & 0xFFu)
#define SR_BAD       (SR_SECV | SR_LRS | SR_ORU)

#define POLLS 100000u

void rnga_start(uintptr_t base)
{
    mmio_write32(base + RNGA_CR, CR_INTM | CR_HA | CR_GO | CR_CLRI);
    (void)mmio_read32(base + RNGA_SR); /* clears what was before */
}

void rnga_stop(uintptr_t base)
{
    mmio_write32(base + RNGA_CR, CR_INTM | CR_HA | CR_GO | CR_SLP);
}

static bool next_word(uintptr_t base, uint32_t *word)
{
    for (uint32_t i = 0; i < POLLS; i++) {
        uint32_t status = mmio_read32(base + RNGA_SR);
        if ((status & SR_SECV) != 0) {
            return false;
        }
        if (SR_LEVEL(status) > 0) {
            *word = mmio_read32(base + RNGA_OR);
            return (mmio_read32(base + RNGA_SR) & SR_BAD) == 0;
        }
    }
    return false;
}

static bool fill(uintptr_t base, uint32_t *out, size_t count)
{
    unsigned repeats = 1;
    unsigned flips = 1;
    for (size_t i = 0; i < count; i++) {
        if (!next_word(base, &out[i])) {
            return false;
        }
        repeats = i > 0 && out[i] == out[i - 1] ? repeats + 1 : 1;
        flips = i > 0 && out[i] == ~out[i - 1] ? flips + 1 : 1;
        if (repeats == RNGA_REPEATS_MAX || flips == RNGA_REPEATS_MAX) {
            return false;
        }
    }
    return true;
}

bool rnga_read(uintptr_t base, uint32_t *out, size_t count)
{
    bool whole = fill(base, out, count);
    for (size_t i = 0; !whole && i < count; i++) {
        out[i] = 0;
    }
    return whole;
}

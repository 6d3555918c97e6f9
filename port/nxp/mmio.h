/* How the drivers of this folder reach registers and memory that a DMA master shares.
 *
 * On Arm: one volatile access each, as wide as the name says. On the host the same names are ordinary
 * functions, which a register model of tests/unit/ defines: it sees every access, in order, and can
 * object. Nothing here depends on the profile of the core (M, A): an object file that includes this
 * runs on either.
 */
#ifndef NXP_MMIO_H
#define NXP_MMIO_H

#include <stdint.h>

#ifdef __arm__

static inline uint32_t mmio_read32(uintptr_t address)
{
    return *(const volatile uint32_t *)address;
}

static inline void mmio_write32(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

static inline uint8_t mmio_read8(uintptr_t address)
{
    return *(const volatile uint8_t *)address;
}

static inline void mmio_write8(uintptr_t address, uint8_t value)
{
    *(volatile uint8_t *)address = value;
}

/* A DMA master sees memory where the core sees it. */
static inline uint32_t mmio_dma_address(const void *memory)
{
    return (uint32_t)(uintptr_t)memory;
}

#else

uint32_t mmio_read32(uintptr_t address);
void mmio_write32(uintptr_t address, uint32_t value);
uint8_t mmio_read8(uintptr_t address);
void mmio_write8(uintptr_t address, uint8_t value);
uint32_t mmio_dma_address(const void *memory);

#endif

#endif

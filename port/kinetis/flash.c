/* What the FTFE driver wants of the chip: reading that survives, and no cache over the kept data. */
#include "kinetis_flash.h"

#include "board.h"
#include "ftfe.h"
#include "kinetis.h"
#include "regs.h"

#define SCB_CFSR_PRECISERR   (UINT32_C(1) << 9)
#define SCB_CFSR_IMPRECISERR (UINT32_C(1) << 10)
#define SCB_CFSR_BUS         UINT32_C(0xFF00)
#define SCB_CCR_BFHFNMIGN    (UINT32_C(1) << 8)

#define BLOCK_BYTES 524288u

_Static_assert(BOARD_FLASH_BYTES <= BLOCK_BYTES, "the program lies in block 0, all of it");
_Static_assert(BOARD_KEPT_FIRST >= BLOCK_BYTES &&
                   BOARD_KEPT_FIRST + BOARD_KEPT_BYTES <= 2 * BLOCK_BYTES,
               "what is kept lies in block 1, so that the program goes on while it is written");

const struct ftfe kinetis_flash = {
    .base = 0x40020000, .first = BOARD_KEPT_FIRST, .bytes = BOARD_KEPT_BYTES};

/* The FMC is not to be changed while it reads for us: this runs from RAM. Block 1 holds no code, so
 * nothing is lost with its buffers. */
__attribute__((section(".ramfunc"), noinline, long_call)) static void stop_buffers(void)
{
    FMC_PFB1CR &= ~FMC_PFB1CR_BUFFERS;
    __asm volatile("dsb\n isb" ::: "memory");
}

void kinetis_flash_start(void)
{
    SIM_SCGC6 |= SIM_SCGC6_FTF;
    irq_off();
    stop_buffers();
    irq_on();
}

/* With FAULTMASK set and BFHFNMIGN, a bus error of a load leaves its mark in CFSR and is otherwise
 * ignored (ARMv7-M Architecture Reference Manual, B1.5.14 and B3.2.8). 16 bytes at a time, so that
 * interrupts wait for less than a microsecond. */
static bool read_part(uint8_t *to, const volatile uint8_t *from, size_t bytes)
{
    __asm volatile("cpsid f\n isb" ::: "memory");
    SCB_CFSR = SCB_CFSR_BUS; /* write 1 to clear */
    SCB_CCR |= SCB_CCR_BFHFNMIGN;
    __asm volatile("dsb\n isb" ::: "memory");
    for (size_t i = 0; i < bytes; i++) {
        to[i] = from[i];
    }
    __asm volatile("dsb" ::: "memory");
    uint32_t faults = SCB_CFSR & (SCB_CFSR_PRECISERR | SCB_CFSR_IMPRECISERR);
    SCB_CFSR = SCB_CFSR_BUS;
    SCB_CCR &= ~SCB_CCR_BFHFNMIGN;
    __asm volatile("dsb\n isb\n cpsie f" ::: "memory");
    return faults == 0;
}

bool ftfe_port_read(uint32_t address, void *to, size_t bytes)
{
    uint8_t *at = to;
    while (bytes > 0) {
        size_t part = bytes < FTFE_UNIT_BYTES ? bytes : FTFE_UNIT_BYTES;
        if (!read_part(at, (const volatile uint8_t *)(uintptr_t)address, part)) {
            return false;
        }
        at += part;
        address += (uint32_t)part;
        bytes -= part;
    }
    return true;
}

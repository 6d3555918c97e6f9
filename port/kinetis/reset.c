/* The first steps after reset, and pins. */
#include "board.h"
#include "kinetis.h"

/* Variables in SRAM_L (boards/NAME/board.ld) */
extern uint32_t ld_low_bss_start[], ld_low_bss_end[];

void kinetis_reset(void)
{
    /* "You must unlock the registers within 256 bus cycles after reset, failing which the WDOG issues a
     * reset"; both words within 20 cycles of each other; then one cycle's pause ("WDOG: Unlocking and
     * updating the watchdog"). It is started again by watchdog_start. */
    WDOG_UNLOCK = 0xC520;
    WDOG_UNLOCK = 0xD928;
    __asm volatile("nop\n nop\n nop\n nop");
    WDOG_STCTRLH = WDOG_STCTRLH & (uint16_t)~1u;

    /* After reset the protection unit lets the core through, and no other master. */
    SYSMPU_CESR = SYSMPU_CESR & ~SYSMPU_CESR_VLD;

    for (volatile uint32_t *to = ld_low_bss_start; to < ld_low_bss_end; to++) {
        *to = 0;
    }
    (void)kinetis_start_clocks();
}

void kinetis_pin(unsigned port, unsigned pin, unsigned mux, uint32_t flags)
{
    SIM_SCGC5 |= SIM_SCGC5_PORT(port);
    PORT_PCR(port, pin) = PORT_PCR_MUX(mux) | flags;
}

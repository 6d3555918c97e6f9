/* The clocks: MCG from the FLL, on which the core wakes, to the PLL on the external clock. K64 Sub-Family
 * Reference Manual, chapter "Multipurpose Clock Generator (MCG)", "MCG mode switching".
 *
 * Nothing here uses a static variable: it runs before .bss is cleared. */
#include "board.h"
#include "kinetis.h"

#define POLLS 200000u /* some 50 ms at 20.97 MHz; the PLL locks within 2 */

/* The PLL's reference is 2 to 4 MHz, its output 48 to 120. */
_Static_assert(BOARD_EXTAL_HZ / BOARD_PLL_DIVIDE >= 2000000 &&
                   BOARD_EXTAL_HZ / BOARD_PLL_DIVIDE <= 4000000 && BOARD_PLL_DIVIDE <= 25,
               "the reference of the PLL");
_Static_assert(BOARD_PLL_MULTIPLY >= 24 && BOARD_PLL_MULTIPLY <= 55, "MCG_C6[VDIV0]");
_Static_assert(BOARD_EXTAL_HZ / BOARD_PLL_DIVIDE * BOARD_PLL_MULTIPLY == BOARD_CPU_HZ &&
                   BOARD_CPU_HZ <= 120000000,
               "the core's clock is what the PLL makes");
/* Limits of the data sheet: bus 60 MHz, FlexBus 50 MHz, flash 25 MHz. */
_Static_assert(BOARD_CPU_HZ / BOARD_BUS_DIVIDE <= 60000000, "the bus");
_Static_assert(BOARD_CPU_HZ / BOARD_FLEXBUS_DIVIDE <= 50000000, "FlexBus");
_Static_assert(BOARD_CPU_HZ / BOARD_FLASH_DIVIDE <= 25000000, "the flash");
_Static_assert(BOARD_EXTAL_HZ / 1536 >= 31250 && BOARD_EXTAL_HZ / 1536 <= 39062,
               "MCG_C1[FRDIV] 7: the FLL's reference on the way");

#define CLKDIV1                                                                                    \
    ((uint32_t)(BOARD_BUS_DIVIDE - 1) << 24 | (uint32_t)(BOARD_FLEXBUS_DIVIDE - 1) << 20 |         \
     (uint32_t)(BOARD_FLASH_DIVIDE - 1) << 16)

static bool wait_status(uint8_t bits, uint8_t value)
{
    for (uint32_t i = 0; i < POLLS; i++) {
        if ((MCG_S & bits) == value) {
            return true;
        }
    }
    return false;
}

enum kinetis_clock kinetis_start_clocks(void)
{
    /* Dividers first: none of the clocks behind them may ever be too fast. */
    SIM_CLKDIV1 = CLKDIV1;

    /* FBE: the external clock itself. C2[EREFS0] stays 0: a clock comes in, there is no crystal; with 1
     * the pin's clock does not reach RMII. */
    OSC_CR = OSC_CR_ERCLKEN;
    MCG_C7 = 0;
    MCG_C2 = MCG_C2_RANGE(2);
    MCG_C1 = MCG_C1_CLKS(2) | MCG_C1_FRDIV(7);
    if (!wait_status(MCG_S_IREFST | MCG_S_CLKST, 2u << 2)) {
        MCG_C1 = 4; /* CLKS 0, IREFS 1: back to FEI, as after reset */
        return KINETIS_CLOCK_NO_EXTAL;
    }

    /* PBE: the PLL starts, the core still runs on the external clock. */
    MCG_C5 = BOARD_PLL_DIVIDE - 1;
    MCG_C6 = MCG_C6_PLLS | (BOARD_PLL_MULTIPLY - 24);
    if (!wait_status(MCG_S_PLLST | MCG_S_LOCK0, MCG_S_PLLST | MCG_S_LOCK0)) {
        return KINETIS_CLOCK_NO_LOCK;
    }

    /* PEE */
    MCG_C1 = MCG_C1_CLKS(0) | MCG_C1_FRDIV(7);
    return wait_status(MCG_S_CLKST, 3u << 2) ? KINETIS_CLOCK_PLL : KINETIS_CLOCK_NO_LOCK;
}

enum kinetis_clock kinetis_clock(void)
{
    switch ((MCG_S & MCG_S_CLKST) >> 2) {
    case 3:
        return KINETIS_CLOCK_PLL;
    case 2:
        return KINETIS_CLOCK_NO_LOCK;
    default:
        return KINETIS_CLOCK_NO_EXTAL;
    }
}

uint32_t kinetis_core_hz(void)
{
    switch (kinetis_clock()) {
    case KINETIS_CLOCK_PLL:
        return BOARD_CPU_HZ;
    case KINETIS_CLOCK_NO_LOCK:
        return BOARD_EXTAL_HZ;
    default:
        return 20971520; /* 640 times the slow internal reference, as trimmed in the factory */
    }
}

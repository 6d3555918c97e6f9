/* Clocks and pins. */
#include "stellaris.h"

#include "board.h"

#define PLL_HZ      200000000u
#define WAIT_ROUNDS 40000u /* at 12 MHz some 15 ms; the data sheet allows 0.5 ms (5.2.4.4) */

_Static_assert(PLL_HZ % BOARD_CPU_HZ == 0 && PLL_HZ / BOARD_CPU_HZ >= 4 &&
                   PLL_HZ / BOARD_CPU_HZ <= 16,
               "50 MHz at most, and a divisor of four bits");

/* volatile: a loop that the compiler does not remove. */
static void pause(volatile uint32_t rounds)
{
    while (rounds > 0) {
        rounds = rounds - 1;
    }
}

/* In the order of 5.3: bypass, crystal and power, lock, divisor, use. */
static void start_pll(void)
{
    uint32_t rcc = (SYSCTL_RCC | RCC_BYPASS) & ~RCC_USESYSDIV;
    SYSCTL_RCC = rcc;
    rcc &= ~RCC_MOSCDIS;
    SYSCTL_RCC = rcc;
    pause(WAIT_ROUNDS / 4); /* the crystal starts in some milliseconds */
    SYSCTL_MISC = SYSCTL_PLL_LOCKED;
    rcc &= ~(RCC_XTAL_MASK | RCC_OSCSRC_MASK | RCC_PWRDN);
    rcc |= RCC_XTAL(BOARD_CRYSTAL_CODE);
    SYSCTL_RCC = rcc;
    rcc = (rcc & ~RCC_SYSDIV_MASK) | RCC_SYSDIV(PLL_HZ / BOARD_CPU_HZ) | RCC_USESYSDIV;
    SYSCTL_RCC = rcc;
    for (uint32_t i = 0; i < WAIT_ROUNDS; i++) {
        if ((SYSCTL_RIS & SYSCTL_PLL_LOCKED) != 0) {
            SYSCTL_RCC = rcc & ~RCC_BYPASS;
            break;
        }
    }
    pause(16); /* the new clock settles (5.3) */
}

void stellaris_reset(void)
{
    SYSCTL_LDOPCTL = SYSCTL_LDO_2V75; /* early revisions need it for the PLL (errata sheet) */
    start_pll();
    SYSCTL_RCGC0 |= RCGC0_WATCHDOG;
    SYSCTL_RCGC1 |= RCGC1_UART0 | RCGC1_SSI0;
    SYSCTL_RCGC2 |= RCGC2_GPIO(GPIO_PORT_A) | RCGC2_GPIO(GPIO_PORT_D) | RCGC2_GPIO(GPIO_PORT_F) |
                    RCGC2_EMAC | RCGC2_EPHY;
    (void)SYSCTL_RCGC2; /* three cycles before the first access to what was gated */
    pause(4);
}

void stellaris_pins_output(unsigned port, uint32_t pins)
{
    GPIO_AFSEL(port) &= ~pins;
    GPIO_DIR(port) |= pins;
    GPIO_DEN(port) |= pins;
}

void stellaris_pins_peripheral(unsigned port, uint32_t pins, uint32_t pulled_up)
{
    GPIO_PUR(port) |= pulled_up;
    GPIO_AFSEL(port) |= pins;
    GPIO_DEN(port) |= pins;
}

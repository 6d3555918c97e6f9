/* TI Stellaris LM3S6965: registers that this port uses, and what its parts know of each other.
 *
 * Section numbers are those of the LM3S6965 data sheet. boards/NAME/board.h brings the crystal, the
 * pins of the card slot and the names of the interrupt handlers.
 */
#ifndef STELLARIS_H
#define STELLARIS_H

#include "regs.h"

/* --- System control (5) ------------------------------------------------------------------------ */

#define SYSCTL_LDOPCTL    REG32(0x400FE034)
#define SYSCTL_LDO_2V75   UINT32_C(0x1B)
#define SYSCTL_RIS        REG32(0x400FE050)
#define SYSCTL_MISC       REG32(0x400FE058) /* write 1 to clear */
#define SYSCTL_PLL_LOCKED (UINT32_C(1) << 6)
#define SYSCTL_RCC        REG32(0x400FE060)
#define SYSCTL_RCGC0      REG32(0x400FE100) /* clock gates */
#define SYSCTL_RCGC1      REG32(0x400FE104)
#define SYSCTL_RCGC2      REG32(0x400FE108)

#define RCC_SYSDIV(n)   ((uint32_t)((n)-1) << 23) /* 200 MHz / n */
#define RCC_SYSDIV_MASK (UINT32_C(15) << 23)
#define RCC_USESYSDIV   (UINT32_C(1) << 22)
#define RCC_PWRDN       (UINT32_C(1) << 13)
#define RCC_BYPASS      (UINT32_C(1) << 11)
#define RCC_XTAL(code)  ((uint32_t)(code) << 6)
#define RCC_XTAL_MASK   (UINT32_C(15) << 6)
#define RCC_OSCSRC_MASK (UINT32_C(3) << 4) /* 0: the main oscillator */
#define RCC_MOSCDIS     (UINT32_C(1) << 0)

#define RCGC0_WATCHDOG   (UINT32_C(1) << 3)
#define RCGC1_UART0      (UINT32_C(1) << 0)
#define RCGC1_SSI0       (UINT32_C(1) << 4)
#define RCGC2_GPIO(port) (UINT32_C(1) << (port))
#define RCGC2_EMAC       (UINT32_C(1) << 28)
#define RCGC2_EPHY       (UINT32_C(1) << 30)

/* Two words of flash that hold the MAC address of the evaluation boards (7.4), three bytes in each. */
#define FLASH_USER_REG0 REG32(0x400FE1E0)
#define FLASH_USER_REG1 REG32(0x400FE1E4)

/* --- GPIO (8): ports A to G are 0 to 6 ----------------------------------------------------------- */

#define GPIO_BASE(port)                                                                            \
    ((port) < 4 ? 0x40004000u + 0x1000u * (port) : 0x40020000u + 0x1000u * (port))
#define GPIO_DATA(port, pins) REG32(GPIO_BASE(port) + ((uint32_t)(pins) << 2)) /* only these pins */
#define GPIO_DIR(port)        REG32(GPIO_BASE(port) + 0x400)                   /* 1: output */
#define GPIO_AFSEL(port)      REG32(GPIO_BASE(port) + 0x420) /* 1: the pin's peripheral */
#define GPIO_PUR(port)        REG32(GPIO_BASE(port) + 0x510) /* pull-up */
#define GPIO_DEN(port)        REG32(GPIO_BASE(port) + 0x51C) /* digital */

#define GPIO_PORT_A 0u
#define GPIO_PORT_D 3u
#define GPIO_PORT_F 5u

/* BOARD_RESET of board.h: called by reset_handler before all else, without .data and .bss. Starts the
 * crystal and the PLL (BOARD_CPU_HZ) and opens the clock gates. Cost: at most 20 ms. When the crystal
 * or the PLL does not start, the clock stays that of the internal oscillator: slow, and the console
 * shows nothing readable, but no hang. */
void stellaris_reset(void);

/* Makes pins outputs or inputs, or their peripheral's. Clock gates are open. */
void stellaris_pins_output(unsigned port, uint32_t pins);
void stellaris_pins_peripheral(unsigned port, uint32_t pins, uint32_t pulled_up);

#endif

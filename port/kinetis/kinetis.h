/* Kinetis K64: registers that this port uses, and what its parts know of each other.
 *
 * Names and chapters are those of the K64 Sub-Family Reference Manual (K64P144M120SF5RM). Boards bring
 * pins and clocks as data: boards/NAME/board.h.
 */
#ifndef KINETIS_H
#define KINETIS_H

#include <stdbool.h>
#include <stdint.h>

#define KINETIS_REG8(address)  (*(volatile uint8_t *)(uintptr_t)(address))
#define KINETIS_REG16(address) (*(volatile uint16_t *)(uintptr_t)(address))
#define KINETIS_REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* System Integration Module (SIM): clock gates and dividers */
#define SIM_SOPT2         KINETIS_REG32(0x40048004)
#define SIM_SOPT2_RMIISRC (UINT32_C(1) << 19) /* 0: RMII's clock is EXTAL */
#define SIM_SCGC2         KINETIS_REG32(0x4004802C)
#define SIM_SCGC2_ENET    (UINT32_C(1) << 0)
#define SIM_SCGC3         KINETIS_REG32(0x40048030)
#define SIM_SCGC3_RNGA    (UINT32_C(1) << 0) /* the gate is in two registers */
#define SIM_SCGC4         KINETIS_REG32(0x40048034)
#define SIM_SCGC4_UART0   (UINT32_C(1) << 10)
#define SIM_SCGC5         KINETIS_REG32(0x40048038)
#define SIM_SCGC5_PORT(n) (UINT32_C(1) << (9 + (n))) /* 0: port A */
#define SIM_SCGC6         KINETIS_REG32(0x4004803C)
#define SIM_SCGC6_FTF     (UINT32_C(1) << 0)
#define SIM_SCGC6_RNGA    (UINT32_C(1) << 9)
#define SIM_CLKDIV1       KINETIS_REG32(0x40048044)

/* Port Control and Interrupts (PORT): pin control registers. port 0: A */
#define PORT_PCR(port, pin) KINETIS_REG32(0x40049000 + 0x1000 * (port) + 4 * (pin))
#define PORT_PCR_PS         (UINT32_C(1) << 0) /* pull up, not down */
#define PORT_PCR_PE         (UINT32_C(1) << 1) /* pull */
#define PORT_PCR_ODE        (UINT32_C(1) << 5) /* open drain */
#define PORT_PCR_MUX(n)     ((uint32_t)(n) << 8)

/* Watchdog Timer (WDOG), 16 bits wide */
#define WDOG_STCTRLH KINETIS_REG16(0x40052000)
#define WDOG_TOVALH  KINETIS_REG16(0x40052004)
#define WDOG_TOVALL  KINETIS_REG16(0x40052006)
#define WDOG_REFRESH KINETIS_REG16(0x4005200C)
#define WDOG_UNLOCK  KINETIS_REG16(0x4005200E)
#define WDOG_PRESC   KINETIS_REG16(0x40052016)

/* Multipurpose Clock Generator (MCG), 8 bits wide */
#define MCG_C1          KINETIS_REG8(0x40064000)
#define MCG_C1_CLKS(n)  ((uint8_t)((n) << 6)) /* 0: FLL or PLL, 2: external */
#define MCG_C1_FRDIV(n) ((uint8_t)((n) << 3))
#define MCG_C2          KINETIS_REG8(0x40064001)
#define MCG_C2_RANGE(n) ((uint8_t)((n) << 4))
#define MCG_C5          KINETIS_REG8(0x40064004)
#define MCG_C6          KINETIS_REG8(0x40064005)
#define MCG_C6_PLLS     0x40u
#define MCG_S           KINETIS_REG8(0x40064006)
#define MCG_S_LOCK0     0x40u
#define MCG_S_PLLST     0x20u
#define MCG_S_IREFST    0x10u
#define MCG_S_CLKST     0x0Cu
#define MCG_C7          KINETIS_REG8(0x4006400C)

/* Oscillator (OSC) */
#define OSC_CR         KINETIS_REG8(0x40065000)
#define OSC_CR_ERCLKEN 0x80u

/* System Memory Protection Unit (SYSMPU) */
#define SYSMPU_CESR     KINETIS_REG32(0x4000D000)
#define SYSMPU_CESR_VLD UINT32_C(1)

/* Flash Memory Controller (FMC): buffers and cache between the core and block 1 */
#define FMC_PFB1CR         KINETIS_REG32(0x4001F008)
#define FMC_PFB1CR_BUFFERS UINT32_C(0x1F)

/* Reset Control Module (RCM): why we started */
#define RCM_SRS0        KINETIS_REG8(0x4007F000)
#define RCM_SRS0_WDOG   0x20u
#define RCM_SRS0_LOL    0x08u /* the PLL lost its lock */
#define RCM_SRS0_LOC    0x04u /* the external clock was lost */
#define RCM_SRS1        KINETIS_REG8(0x4007F001)
#define RCM_SRS1_LOCKUP 0x02u /* a fault within a fault */

/* SIM: Unique Identification */
#define SIM_UIDH  KINETIS_REG32(0x40048054)
#define SIM_UIDMH KINETIS_REG32(0x40048058)
#define SIM_UIDML KINETIS_REG32(0x4004805C)
#define SIM_UIDL  KINETIS_REG32(0x40048060)

/* BOARD_RESET of board.h: called by reset_handler before anything else, on the stack that the vector
 * table names, without .data and .bss. Disables the watchdog (256 cycles after reset are too late) and
 * the SYSMPU, clears the variables in SRAM_L, and starts the clocks. */
void kinetis_reset(void);

/* What kinetis_reset found. */
enum kinetis_clock {
    KINETIS_CLOCK_PLL,      /* as board.h says */
    KINETIS_CLOCK_NO_EXTAL, /* the MCG did not take the external clock: still the FLL's 20.97 MHz */
    KINETIS_CLOCK_NO_LOCK   /* the PLL did not lock: still the external clock itself */
};
enum kinetis_clock kinetis_clock(void);
/* The core's clock, Hz, as it is. */
uint32_t kinetis_core_hz(void);

/* Starts the clocks: MCG from FEI (after reset) over FBE and PBE to PEE. */
enum kinetis_clock kinetis_start_clocks(void);

/* Switches a pin: port 0 is A; mux: the alternative of the chapter "Signal Multiplexing"; flags:
 * PORT_PCR_*. Enables the port's clock. */
void kinetis_pin(unsigned port, unsigned pin, unsigned mux, uint32_t flags);

#endif

/* Arm CMSDK APB watchdog (DDI 0479, 4.6), and SP805 alike: counts down twice. The first time it raises
 * the NMI, or interrupt BOARD_WATCHDOG_IRQ where the chip has wired it so, which leaves a crash record;
 * the second time, should even that hang, it resets the board.
 * boards/NAME/board.h says BOARD_WATCHDOG_BASE, BOARD_WATCHDOG_CLOCK_HZ and BOARD_WATCHDOG_MS. */
#include "board.h"
#include "cortexm.h"
#include "regs.h"

#define REG(offset) REG32(BOARD_WATCHDOG_BASE + (offset))

#define LOAD    0x000
#define CONTROL 0x008
#define INTCLR  0x00C /* any write: counts from LOAD again */
#define LOCK    0xC00

#define CONTROL_ON  UINT32_C(0x3) /* interrupt (and counting), reset */
#define LOCK_OPEN   UINT32_C(0x1ACCE551)
#define LOCK_CLOSED UINT32_C(0)

static void write_locked(uint32_t offset, uint32_t value)
{
    REG(LOCK) = LOCK_OPEN;
    REG(offset) = value;
    REG(LOCK) = LOCK_CLOSED;
}

void watchdog_start(void)
{
    write_locked(LOAD, BOARD_WATCHDOG_CLOCK_HZ / 1000u * BOARD_WATCHDOG_MS);
    write_locked(CONTROL, CONTROL_ON);
#ifdef BOARD_WATCHDOG_IRQ
    nvic_enable(BOARD_WATCHDOG_IRQ); /* it has no driver: vectors.c makes a crash of it */
#endif
}

void watchdog_feed(void)
{
    write_locked(INTCLR, 1);
}

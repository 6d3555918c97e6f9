/* WDOG, on the 1 kHz oscillator of its own that runs whatever the MCG does. K64 Sub-Family Reference
 * Manual, chapter "Watchdog Timer (WDOG)". board.h says BOARD_WATCHDOG_MS.
 *
 * There is no NMI before the reset that would leave a crash record: its interrupt comes 256 bus cycles
 * before, which is not enough to write one. The next start says "reset by the watchdog" (uart.c). */
#include "board.h"
#include "cortexm.h"
#include "kinetis.h"
#include "regs.h"

#define STCTRLH_WDOGEN      0x0001u
#define STCTRLH_ALLOWUPDATE 0x0010u
#define STCTRLH_STOPEN      0x0040u
#define STCTRLH_WAITEN      0x0080u /* counts during WFI, too */
#define STCTRLH_RESERVED    0x0100u /* reads as 1 after reset */

_Static_assert(BOARD_WATCHDOG_MS >= 1000, "the oscillator is good to 10 %, and WCT must fit");

void watchdog_start(void)
{
    irq_off(); /* 20 bus cycles between the words, 256 for all that follows */
    WDOG_UNLOCK = 0xC520;
    WDOG_UNLOCK = 0xD928;
    __asm volatile("nop\n nop\n nop\n nop");
    WDOG_TOVALH = (uint16_t)((uint32_t)BOARD_WATCHDOG_MS >> 16);
    WDOG_TOVALL = (uint16_t)BOARD_WATCHDOG_MS;
    WDOG_PRESC = 0;
    WDOG_STCTRLH = STCTRLH_RESERVED | STCTRLH_WAITEN | STCTRLH_STOPEN | STCTRLH_ALLOWUPDATE |
                   STCTRLH_WDOGEN; /* CLKSRC 0: the 1 kHz oscillator; not while a debugger halts */
    irq_on();
}

void watchdog_feed(void)
{
    irq_off(); /* 20 bus cycles between the words */
    WDOG_REFRESH = 0xA602;
    WDOG_REFRESH = 0xB480;
    irq_on();
}

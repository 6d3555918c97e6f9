/* Time from SysTick: 1 ms, 64 bits. */
#include "hal_clock.h"

#include "board.h"
#include "cortexm.h"
#include "regs.h"
#include "vectors.h"

#define CYCLES_PER_MS (BOARD_CPU_HZ / 1000u)
_Static_assert(BOARD_CPU_HZ % 1000000 == 0 && CYCLES_PER_MS * UINT64_C(1000) <= UINT32_MAX,
               "cycles of a millisecond become nanoseconds in 32 bits");

/* Two words: a 64-bit access is not atomic, and the tick may come between its halves. */
static volatile uint32_t ms_low, ms_high;

static bool wall_known;
static int64_t wall_at_start_ns; /* wall clock when the cycles were 0 */

void systick_handler(void)
{
    uint32_t next = ms_low + 1;
    if (next == 0) {
        ms_high = ms_high + 1;
    }
    ms_low = next;
}

void clock_start(void)
{
    SYST_RVR = CYCLES_PER_MS - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_RUN;
}

uint64_t hal_clock_ms(void)
{
    uint32_t high, low;
    do {
        high = ms_high;
        low = ms_low;
    } while (high != ms_high);
    return (uint64_t)high << 32 | low;
}

/* Milliseconds, and the cycles of the one that runs; no division. */
static uint64_t now(uint32_t *cycles)
{
    for (;;) {
        uint64_t ms = hal_clock_ms();
        uint32_t left = SYST_CVR;
        if ((SCB_ICSR & SCB_ICSR_PENDSTSET) != 0) {
            left = SYST_CVR; /* interrupts are off, and the counter began anew */
            ms++;
        } else if ((uint32_t)ms != ms_low) {
            continue; /* a tick came in between */
        }
        *cycles = CYCLES_PER_MS - 1 - left;
        return ms;
    }
}

uint64_t clock_cycles(void)
{
    uint32_t cycles;
    uint64_t ms = now(&cycles);
    return ms * CYCLES_PER_MS + cycles;
}

static int64_t since_start_ns(void)
{
    uint32_t cycles;
    uint64_t ms = now(&cycles);
    return (int64_t)(ms * 1000000u + cycles * 1000u / (BOARD_CPU_HZ / 1000000u));
}

void clock_set_wall(int64_t now_ns)
{
    wall_at_start_ns = now_ns - since_start_ns();
    wall_known = true;
}

void hal_clock_set_wall_ns(int64_t now_ns)
{
    clock_set_wall(now_ns);
}

bool hal_clock_wall_ns(int64_t *ns)
{
    if (wall_known) {
        *ns = wall_at_start_ns + since_start_ns();
    }
    return wall_known;
}

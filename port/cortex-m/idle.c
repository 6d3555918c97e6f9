/* Idling: WFI until an ISR has work for a task, or the time is up. */
#include "hal_idle.h"

#include "cortexm.h"
#include "hal_clock.h"
#include "regs.h"

static volatile bool woken;
static uint64_t slept_cycles;

void cortexm_wake(void)
{
    woken = true;
}

uint64_t idle_cycles(void)
{
    return slept_cycles;
}

/* Called once in every round of the scheduler: this is the progress that feeds the watchdog. */
void hal_idle(uint32_t max_ms)
{
    uint64_t deadline_ms = hal_clock_ms() + max_ms;
    for (;;) {
        watchdog_feed();
        /* An interrupt between the test and WFI would be slept through; with PRIMASK set it stays
         * pending, and a pending interrupt ends WFI (DDI 0403, B1.5.18). */
        irq_off();
        if (woken || hal_clock_ms() >= deadline_ms) {
            woken = false;
            irq_on();
            return;
        }
        uint64_t asleep = clock_cycles();
        __asm volatile("dsb\n wfi" ::: "memory");
        slept_cycles += clock_cycles() - asleep;
        irq_on(); /* the handler runs here */
    }
}

/* From reset to main: paint the stack, load .data, clear .bss. No C library start-up is needed. */
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "cortexm.h"
#include "main.h"
#include "regs.h"
#include "vectors.h"

#define PAINT UINT32_C(0xC5C5C5C5)

/* Places of the linker script (port/cortex-m/sections.ld). */
extern uint32_t ld_vectors[], ld_stack_start[], ld_stack_end[];
extern uint32_t ld_data_start[], ld_data_end[], ld_data_load[], ld_bss_start[], ld_bss_end[];

/* volatile: or the compiler makes calls of memcpy and memset of the loops, and uses the stack while
 * it is being painted. */
void reset_handler(void)
{
    volatile uint32_t *to;
    uint32_t *sp;
#ifdef BOARD_RESET
    void BOARD_RESET(void);
    BOARD_RESET(); /* some chips' watchdogs want it before all else */
#endif
    __asm volatile("mov %0, sp" : "=r"(sp));
    for (to = ld_stack_start; to < sp - 8; to++) {
        *to = PAINT;
    }
    const volatile uint32_t *from = ld_data_load;
    for (to = ld_data_start; to < ld_data_end; to++, from++) {
        *to = *from;
    }
    for (to = ld_bss_start; to < ld_bss_end; to++) {
        *to = 0;
    }
    SCB_VTOR = (uint32_t)(uintptr_t)ld_vectors;
    SCB_CCR |= SCB_CCR_STKALIGN | SCB_CCR_DIV_0_TRP;
    main_run();
}

size_t stack_bytes(void)
{
    return (size_t)(ld_stack_end - ld_stack_start) * sizeof(uint32_t);
}

size_t stack_high_water(void)
{
    const volatile uint32_t *at = ld_stack_start;
    while (at < ld_stack_end && *at == PAINT) {
        at++;
    }
    return (size_t)(ld_stack_end - at) * sizeof(uint32_t);
}

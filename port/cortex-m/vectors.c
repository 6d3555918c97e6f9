/* The vector table. Interrupt N is `irqN_handler`: weak, and a crash unless a driver defines it
 * (board.h says which driver's it is). An alias needs its function in the same file. */
#include <stdint.h>

#include "vectors.h"

typedef void (*vector)(void);

extern uint32_t ld_stack_end[];

/* 96 interrupts: more than any board here has. */
/* clang-format off */
#define TEN(X, t)                                                                                  \
    X(t##0) X(t##1) X(t##2) X(t##3) X(t##4) X(t##5) X(t##6) X(t##7) X(t##8) X(t##9)
#define ALL(X)                                                                                     \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)                                              \
    TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4) TEN(X, 5) TEN(X, 6) TEN(X, 7) TEN(X, 8)                \
    X(90) X(91) X(92) X(93) X(94) X(95)
/* clang-format on */

#define DECLARE(n) void irq##n##_handler(void) __attribute__((weak, alias("unused_interrupt")));
#define ENTRY(n)   irq##n##_handler,

void unused_interrupt(void);
__attribute__((naked)) void unused_interrupt(void)
{
    __asm volatile("b crash_on_exception");
}

ALL(DECLARE)

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector core[15];
    vector irq[96];
} table = {
    .stack = ld_stack_end,
    .core = {reset_handler, crash_on_exception, crash_on_exception, crash_on_exception,
             crash_on_exception, crash_on_exception, 0, 0, 0, 0, crash_on_exception,
             crash_on_exception, 0, crash_on_exception, systick_handler},
    .irq = {ALL(ENTRY)},
};

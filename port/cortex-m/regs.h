/* Registers of the Cortex-M core that the port uses (ARMv7-M Architecture Reference Manual, DDI 0403,
 * B3.2 and B3.3), and how a device's are reached. */
#ifndef CORTEXM_REGS_H
#define CORTEXM_REGS_H

#include <stdint.h>

#define REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* System Control Space (B3.2.2) */
#define SCB_ICSR           REG32(0xE000ED04)
#define SCB_ICSR_PENDSTSET (UINT32_C(1) << 26) /* a SysTick exception waits */
#define SCB_VTOR           REG32(0xE000ED08)
#define SCB_AIRCR          REG32(0xE000ED0C)
#define SCB_AIRCR_RESET    (UINT32_C(0x05FA0000) | UINT32_C(1) << 2) /* VECTKEY, SYSRESETREQ */
#define SCB_CCR            REG32(0xE000ED14)
#define SCB_CCR_DIV_0_TRP  (UINT32_C(1) << 4)
#define SCB_CCR_STKALIGN   (UINT32_C(1) << 9)
#define SCB_CFSR           REG32(0xE000ED28)
#define SCB_HFSR           REG32(0xE000ED2C)
#define SCB_MMFAR          REG32(0xE000ED34)
#define SCB_BFAR           REG32(0xE000ED38)

/* SysTick (B3.3.2) */
#define SYST_CSR     REG32(0xE000E010)
#define SYST_CSR_RUN UINT32_C(7) /* processor clock, exception, enabled */
#define SYST_RVR     REG32(0xE000E014)
#define SYST_CVR     REG32(0xE000E018)

/* NVIC (B3.4.3): interrupts 32 to a word */
#define NVIC_ISER(n) REG32(0xE000E100 + 4 * (n))

static inline void nvic_enable(unsigned irq)
{
    NVIC_ISER(irq / 32) = UINT32_C(1) << (irq % 32);
}

static inline void irq_off(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

static inline void irq_on(void)
{
    __asm volatile("cpsie i\n isb" ::: "memory");
}

/* Off, whatever they were; and as they were. */
static inline uint32_t irq_save(void)
{
    uint32_t masked;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(masked)::"memory");
    return masked;
}

static inline void irq_restore(uint32_t masked)
{
    if ((masked & 1) == 0) {
        irq_on();
    }
}

#endif

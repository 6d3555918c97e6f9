/* sabrelite as QEMU emulates it: one Cortex-A9, GIC, its private timer, UART1. Addresses: i.MX 6Dual/
 * 6Quad Reference Manual, "Memory Maps"; Cortex-A9 MPCore Technical Reference Manual, 1.5 and 4. */
#include <string.h>

#include "cortexm.h"
#include "err.h"
#include "hal_clock.h"
#include "hal_idle.h"
#include "rig.h"

#define REG8(address)  (*(volatile uint8_t *)(uintptr_t)(address))
#define REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* --- UART1 ("Universal Asynchronous Receiver/Transmitter (UART)") --------------------------------- */

#define UART1     0x02020000u
#define UART_TXD  REG32(UART1 + 0x40)
#define UART_UCR1 REG32(UART1 + 0x80)
#define UART_UCR2 REG32(UART1 + 0x84)
#define UART_USR1 REG32(UART1 + 0x94)
#define USR1_TRDY (UINT32_C(1) << 13)

void uart_start(void)
{
    UART_UCR1 = 1;
    UART_UCR2 = 0x4005;
}

void uart_write_now(const char *data, size_t bytes)
{
    for (; bytes > 0; bytes--) {
        while ((UART_USR1 & USR1_TRDY) == 0) {
        }
        UART_TXD = (uint8_t)*data++;
    }
}

size_t uart_write(const char *data, size_t bytes)
{
    uart_write_now(data, bytes);
    return bytes;
}

/* Nobody types. */
size_t uart_read(char *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return 0;
}

void rig_say(const char *words)
{
    uart_write_now(words, strlen(words));
    uart_write_now("\n", 1);
}

/* --- GIC and private timer ----------------------------------------------------------------------- */

#define GICC      0x00A00100u
#define GICC_CTLR REG32(GICC + 0x00)
#define GICC_PMR  REG32(GICC + 0x04)
#define GICC_IAR  REG32(GICC + 0x0C)
#define GICC_EOIR REG32(GICC + 0x10)

#define GICD               0x00A01000u
#define GICD_CTLR          REG32(GICD)
#define GICD_ISENABLER(id) REG32(GICD + 0x100 + 4 * ((id) / 32))
#define GICD_ITARGETSR(id) REG8(GICD + 0x800 + (id))

#define TIMER           0x00A00600u
#define TIMER_LOAD      REG32(TIMER + 0x0)
#define TIMER_CONTROL   REG32(TIMER + 0x8)
#define TIMER_STATUS    REG32(TIMER + 0xC)
#define TIMER_INTERRUPT 29u
#define TIMER_HZ        100000000u /* of QEMU's model */

static volatile uint64_t ticks_ms; /* written by the ISR, read with interrupts off or twice */

void rig_enable_interrupt(unsigned id)
{
    GICD_ITARGETSR(id) = 1;
    GICD_ISENABLER(id) = UINT32_C(1) << (id % 32);
}

void rig_interrupt(void);
void rig_interrupt(void)
{
    uint32_t id = GICC_IAR;
    if ((id & 0x3FF) == TIMER_INTERRUPT) {
        TIMER_STATUS = 1;
        ticks_ms = ticks_ms + 1;
    } else if ((id & 0x3FF) == RIG_ENET_INTERRUPT) {
        rig_enet_interrupt();
    }
    GICC_EOIR = id;
}

static void start_interrupts(void)
{
    GICD_CTLR = 1;
    GICC_PMR = 0xFF;
    GICC_CTLR = 1;
    rig_enable_interrupt(TIMER_INTERRUPT);
    TIMER_LOAD = TIMER_HZ / 1000 - 1;
    TIMER_CONTROL = 7; /* interrupt, reload, on */
    __asm volatile("cpsie i" ::: "memory");
}

/* --- MMU ----------------------------------------------------------------------------------------- */

/* A flat table of 1 MB sections. Without it all memory is Strongly-ordered, where the unaligned accesses
 * of memcpy fault. Nothing is cached. (Arm Architecture Reference Manual, ARMv7-A, B3.5.1) */
#define SECTION        UINT32_C(0x00000C02) /* section, full access */
#define SECTION_MEMORY UINT32_C(0x00001000) /* TEX 1, C 0, B 0: normal, non-cacheable */
#define SECTION_DEVICE UINT32_C(0x00000004) /* TEX 0, C 0, B 1 */
#define DDR_FIRST_MB   0x100u

static _Alignas(16384) uint32_t sections[4096];

static void start_mmu(void)
{
    for (uint32_t mb = 0; mb < 4096; mb++) {
        sections[mb] = mb << 20 | SECTION | (mb < DDR_FIRST_MB ? SECTION_DEVICE : SECTION_MEMORY);
    }
    uint32_t control;
    __asm volatile("dsb\n"
                   "mcr p15, 0, %1, c2, c0, 0\n" /* TTBR0 */
                   "mcr p15, 0, %2, c2, c0, 2\n" /* TTBCR */
                   "mcr p15, 0, %3, c3, c0, 0\n" /* DACR: no checks */
                   "mcr p15, 0, %2, c8, c7, 0\n" /* TLBIALL */
                   "isb\n"
                   "mrc p15, 0, %0, c1, c0, 0\n"
                   "orr %0, %0, #1\n"
                   "mcr p15, 0, %0, c1, c0, 0\n"
                   "isb\n"
                   : "=&r"(control)
                   : "r"(sections), "r"(0), "r"(UINT32_MAX)
                   : "memory");
}

/* --- hal/ ---------------------------------------------------------------------------------------- */

uint64_t hal_clock_ms(void)
{
    uint64_t ms;
    do {
        ms = ticks_ms;
    } while (ms != ticks_ms); /* 64 bits are two accesses */
    return ms;
}

static volatile bool woken;

void cortexm_wake(void)
{
    woken = true;
}

/* Sleeps until an interrupt has work, not until any: a tick hides that the controller's is dead. */
void hal_idle(uint32_t max_ms)
{
    uint64_t deadline_ms = hal_clock_ms() + max_ms;
    for (;;) {
        __asm volatile("cpsid i" ::: "memory");
        bool done = woken || ticks_ms >= deadline_ms;
        if (!done) {
            __asm volatile("dsb\n wfi" ::: "memory");
        }
        woken = done ? false : woken;
        __asm volatile("cpsie i\n isb" ::: "memory");
        if (done) {
            return;
        }
    }
}

static void say_hex(uint32_t value)
{
    char digits[9];
    for (unsigned i = 0; i < 8; i++) {
        digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    }
    digits[8] = '\0';
    rig_say(digits);
}

void hal_panic(const char *file, unsigned line, const char *what)
{
    rig_say("rig.panic");
    rig_say(file);
    say_hex(line);
    rig_say(what);
    for (;;) {
    }
}

void rig_fault(uint32_t lr);
void rig_fault(uint32_t lr)
{
    rig_say("rig.fault lr");
    say_hex(lr);
    for (;;) {
    }
}

/* --- What a Cortex-M4 has and a Cortex-A9 has not -------------------------------------------------- */

/* Bit by bit: the compiler's own division would be the very instruction. x / 0 is 0 on a Cortex-M. */
static uint32_t divide(uint32_t n, uint32_t m)
{
    uint32_t quotient = 0;
    uint64_t rest = 0;
    for (int bit = 31; m != 0 && bit >= 0; bit--) {
        rest = rest << 1 | (n >> bit & 1);
        if (rest >= m) {
            rest -= m;
            quotient |= UINT32_C(1) << bit;
        }
    }
    return quotient;
}

static uint32_t magnitude(uint32_t value)
{
    return value >> 31 != 0 ? 0 - value : value;
}

/* SDIV and UDIV. The objects under test use them; here they are undefined instructions, which this
 * carries out. `frame`: r0-r12, lr, address of the instruction + 2, PSR. */
void rig_undefined(uint32_t *frame);
void rig_undefined(uint32_t *frame)
{
    const uint16_t *at = (const uint16_t *)(uintptr_t)(frame[14] - 2);
    uint32_t n = frame[at[0] & 15];
    uint32_t m = frame[at[1] & 15];
    uint32_t *d = &frame[at[1] >> 8 & 15];
    if ((at[0] & 0xFFF0) == 0xFBB0 && (at[1] & 0xF0F0) == 0xF0F0) {
        *d = divide(n, m);
    } else if ((at[0] & 0xFFF0) == 0xFB90 && (at[1] & 0xF0F0) == 0xF0F0) {
        uint32_t quotient = divide(magnitude(n), magnitude(m));
        *d = (n ^ m) >> 31 != 0 ? 0 - quotient : quotient;
    } else {
        rig_fault(frame[14]);
    }
    frame[14] += 2;
    /* On to the next instruction of an IT block (ARMv7-A, A2.5.2: ITAdvance). */
    uint32_t it = (frame[15] >> 25 & 3) | (frame[15] >> 8 & 0xFC);
    it = (it & 7) == 0 ? 0 : (it & 0xE0) | (it << 1 & 0x1F);
    frame[15] = (frame[15] & ~UINT32_C(0x0600FC00)) | (it & 3) << 25 | (it & 0xFC) << 8;
}

void rig_start(void);
void rig_start(void)
{
    start_mmu();
    uart_start();
    start_interrupts();
    rig_main();
}

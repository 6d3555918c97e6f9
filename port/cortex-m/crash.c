/* Crashes: assertions, faults, the watchdog. Each leaves a record in memory that a reset keeps, and
 * resets; the next start prints it. */
#include <string.h>

#include "board.h"
#include "cortexm.h"
#include "crc.h"
#include "err.h"
#include "hal_clock.h"
#include "regs.h"
#include "retained.h"
#include "text.h"
#include "vectors.h"

#define NOINIT __attribute__((section(".noinit")))

/* What the watchdog raises first: the NMI, or an interrupt. */
#ifdef BOARD_WATCHDOG_IRQ
#define EXCEPTION_WATCHDOG (16 + BOARD_WATCHDOG_IRQ)
#else
#define EXCEPTION_WATCHDOG 2
#endif

/* A crash, for the start that follows it. */
NOINIT static struct {
    struct crash crash; /* kind 0: none, only the count */
    uint32_t told;      /* 1: a start has found it */
    uint32_t crc;
} kept;

static bool has_last;

extern uint32_t ld_ram_start[], ld_ram_end[];

static uint32_t kept_crc(void)
{
    return crc_32(3, &kept, offsetof(__typeof__(kept), crc));
}

void cortexm_reset(void)
{
    irq_off();
    retained_keep_wall();
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = SCB_AIRCR_RESET;
    for (;;) {
    }
}

static struct crash *begin(enum crash_kind kind)
{
    irq_off();
    uint32_t count = kept.crc == kept_crc() ? kept.crash.count : 0;
    memset(&kept, 0, sizeof kept);
    kept.crash.kind = (uint32_t)kind;
    kept.crash.count = count + 1;
    kept.crash.uptime_s = (uint32_t)(hal_clock_ms() / 1000);
    return &kept.crash;
}

static void end(void) __attribute__((noreturn));
static void end(void)
{
    kept.crc = kept_crc();
    cortexm_reset();
}

void hal_panic(const char *file, unsigned line, const char *what)
{
    struct crash *c = begin(CRASH_PANIC);
    size_t bytes = strlen(file);
    size_t cut = bytes > sizeof c->file - 1 ? bytes - (sizeof c->file - 1) : 0;
    memcpy(c->file, file + cut, bytes - cut);
    strncpy(c->what, what, sizeof c->what - 1);
    c->line = line;
    __asm volatile("mov %0, sp" : "=r"(c->sp));
    c->frame[5] = (uint32_t)(uintptr_t)__builtin_return_address(0);
    end();
}

/* From crash_on_exception. `sp`: of what was interrupted. */
void crash_record(uint32_t sp) __attribute__((noreturn, used));
void crash_record(uint32_t sp)
{
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    struct crash *c = begin(exception == EXCEPTION_WATCHDOG ? CRASH_WATCHDOG
                            : exception >= 16               ? CRASH_INTERRUPT
                                                            : CRASH_FAULT);
    c->exception = exception;
    c->sp = sp;
    if (sp >= (uint32_t)(uintptr_t)ld_ram_start && sp % 4 == 0 &&
        sp <= (uint32_t)(uintptr_t)ld_ram_end - sizeof c->frame) {
        memcpy(c->frame, (const void *)(uintptr_t)sp, sizeof c->frame);
    }
    c->cfsr = SCB_CFSR;
    c->hfsr = SCB_HFSR;
    c->mmfar = SCB_MMFAR;
    c->bfar = SCB_BFAR;
    end();
}

/* There is one stack, so what was interrupted used it; nothing is pushed before it is changed, for the
 * fault may be that it is full. The end of RAM has the boot block, which is read at the start and comes
 * anew with the next one. */
__attribute__((naked)) void crash_on_exception(void)
{
    __asm volatile("mov r0, sp\n"
                   "ldr r1, =ld_ram_end\n"
                   "mov sp, r1\n"
                   "b crash_record\n");
}

/* --- The next start ---------------------------------------------------------------------------- */

const struct crash *crash_last(void)
{
    if (!has_last && kept.crc == kept_crc() && kept.crash.kind != 0 && kept.told == 0) {
        has_last = true;
        kept.told = 1; /* the start after this one is not to show it again */
        kept.crc = kept_crc();
    }
    return has_last ? &kept.crash : NULL;
}

static void put_register(struct text *t, const char *name, uint32_t value)
{
    text_char(t, ' ');
    text_str(t, name);
    text_char(t, '=');
    text_hex(t, value, 8);
}

static void put_kind(struct text *t, const struct crash *c)
{
    switch (c->kind) {
    case CRASH_PANIC:
        text_str(t, "assertion at ");
        text_str(t, c->file);
        text_char(t, ':');
        text_u64(t, c->line);
        text_str(t, ": ");
        text_str(t, c->what);
        break;
    case CRASH_WATCHDOG:
        text_str(t, "watchdog: no round of the scheduler for too long");
        break;
    case CRASH_INTERRUPT:
        text_str(t, "interrupt without a driver, number ");
        text_u64(t, c->exception - 16);
        break;
    default:
        text_str(t, "fault, exception ");
        text_u64(t, c->exception);
        break;
    }
}

/* Three lines, so that each fits in one of the console. */
void crash_put_line(unsigned line, struct text *t)
{
    static const char *const names[8] = {"r0", "r1", "r2", "r3", "r12", "lr", "pc", "xpsr"};
    const struct crash *c = crash_last();
    if (c == NULL || line > 2) {
        return;
    }
    text_str(t, "crash");
    if (line == 0) {
        text_char(t, ' ');
        text_u64(t, c->count);
        text_str(t, " since power on, after ");
        text_u64(t, c->uptime_s);
        text_str(t, " s: ");
        put_kind(t, c);
    } else if (line == 1) {
        for (unsigned i = 0; i < 8; i++) {
            put_register(t, names[i], c->frame[i]);
        }
    } else {
        put_register(t, "sp", c->sp);
        put_register(t, "cfsr", c->cfsr);
        put_register(t, "hfsr", c->hfsr);
        put_register(t, "mmfar", c->mmfar);
        put_register(t, "bfar", c->bfar);
    }
}

void crash_print(void)
{
    char buffer[160];
    struct text t;
    for (unsigned line = 0; line < 3; line++) {
        text_init(&t, buffer, sizeof buffer);
        crash_put_line(line, &t);
        if (t.bytes > 0) {
            uart_write_now(buffer, t.bytes);
            uart_write_now("\r\n", 2);
        }
    }
}

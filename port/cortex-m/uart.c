/* The board's UART as the others use it: two rings over its driver (cortexm.h). */
#include "cortexm.h"
#include "regs.h"
#include "uart_ring.h"

static struct uart_ring output; /* a task writes; read with interrupts off, or by the ISR */
static struct uart_ring input;  /* the ISR writes, or a task with interrupts off; a task reads */
static uint32_t overruns; /* bytes that the chip had no room for, at the least; for a debugger */

/* --- For the driver ---------------------------------------------------------------------------- */

bool uart_next(char *byte)
{
    return uart_ring_get(&output, byte, 1) == 1;
}

bool uart_has_next(void)
{
    return !uart_ring_is_empty(&output);
}

bool uart_has_room(void)
{
    return !uart_ring_is_full(&input);
}

void uart_received(char byte)
{
    overruns += uart_ring_put(&input, &byte, 1) == 0;
    cortexm_wake();
}

void uart_overrun(void)
{
    overruns++;
}

/* --- For the others ---------------------------------------------------------------------------- */

static void feed(void)
{
    uint32_t masked = irq_save();
    uart_feed();
    irq_restore(masked);
}

size_t uart_write(const char *data, size_t bytes)
{
    size_t taken = uart_ring_put(&output, data, bytes);
    feed();
    return taken;
}

void uart_write_now(const char *data, size_t bytes)
{
    while (uart_has_next()) { /* what was written before comes first */
        feed();
    }
    uart_send_now(data, bytes);
}

size_t uart_read(char *data, size_t bytes)
{
    size_t given = uart_ring_get(&input, data, bytes);
    if (given > 0) { /* the chip may hold more, and not say so again */
        uint32_t masked = irq_save();
        uart_collect();
        irq_restore(masked);
    }
    return given;
}

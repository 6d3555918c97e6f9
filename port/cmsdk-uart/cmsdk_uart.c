#include "cmsdk_uart.h"

#include "board.h"
#include "cortexm.h"
#include "regs.h"

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

/* Sent by the ISR, one byte per interrupt. At 115,200 baud it lasts 11 ms; the log asks every 20. */
#define RING_BYTES 128u

static char ring[RING_BYTES];
static volatile uint32_t written, sent; /* bytes ever; their difference is in the ring */

void uart_start(void)
{
    REG(CMSDK_UART_BAUDDIV) = BOARD_UART_CLOCK_HZ / BOARD_UART_BAUD;
    REG(CMSDK_UART_CTRL) = CMSDK_UART_CTRL_TX | CMSDK_UART_CTRL_TX_IRQ;
    nvic_enable(BOARD_UART_TX_IRQ);
}

/* Interrupts are off, or this is the ISR. */
static void feed(void)
{
    while (written != sent && (REG(CMSDK_UART_STATE) & CMSDK_UART_STATE_TX_FULL) == 0) {
        REG(CMSDK_UART_DATA) = (uint8_t)ring[sent % RING_BYTES];
        sent = sent + 1;
    }
}

void BOARD_UART_TX_ISR(void);
void BOARD_UART_TX_ISR(void)
{
    REG(CMSDK_UART_INTSTATUS) = CMSDK_UART_INT_TX;
    feed();
}

size_t uart_write(const char *data, size_t bytes)
{
    size_t taken = 0;
    while (taken < bytes && written - sent < RING_BYTES) {
        ring[written % RING_BYTES] = data[taken++];
        written = written + 1;
    }
    irq_off();
    feed();
    irq_on();
    return taken;
}

void uart_write_now(const char *data, size_t bytes)
{
    while (written != sent) { /* what was written before comes first */
        irq_off();
        feed();
        irq_on();
    }
    for (; bytes > 0; bytes--) {
        while ((REG(CMSDK_UART_STATE) & CMSDK_UART_STATE_TX_FULL) != 0) {
        }
        REG(CMSDK_UART_DATA) = (uint8_t)*data++;
    }
}

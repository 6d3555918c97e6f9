/* UART 0 (12): Arm's PL011 with FIFOs of 16 bytes, on PA0 and PA1. A driver of cortexm.h's uart_*
 * functions; board.h says BOARD_UART_BAUD and BOARD_UART_ISR. */
#include "board.h"
#include "cortexm.h"
#include "stellaris.h"

#define UART_DR         REG32(0x4000C000)
#define UART_FR         REG32(0x4000C018)
#define UART_FR_TX_FULL (UINT32_C(1) << 5)
#define UART_FR_BUSY    (UINT32_C(1) << 3)
#define UART_IBRD       REG32(0x4000C024)
#define UART_FBRD       REG32(0x4000C028)
#define UART_LCRH       REG32(0x4000C02C)
#define UART_LCRH_8N1   UINT32_C(0x70) /* FIFOs on */
#define UART_CTL        REG32(0x4000C030)
#define UART_CTL_ON     UINT32_C(0x301) /* both directions */
#define UART_IM         REG32(0x4000C038)
#define UART_ICR        REG32(0x4000C044)
#define UART_INT_TX     (UINT32_C(1) << 5)

#define UART_IRQ 5
#define PINS     UINT32_C(0x03)

/* The divisor in 64ths of the clock over 16 times the rate, rounded (12.2.2). */
#define DIVISOR ((BOARD_CPU_HZ * 8u / BOARD_UART_BAUD + 1u) / 2u)

/* Bytes that the FIFO has no room for yet: with the FIFO, what the log's 20 ms bring. */
#define RING_BYTES 128u

static char ring[RING_BYTES];
static volatile uint32_t written, sent; /* bytes ever; their difference is in the ring */

void uart_start(void)
{
    stellaris_pins_peripheral(GPIO_PORT_A, PINS, 0);
    UART_CTL = 0;
    UART_IBRD = DIVISOR / 64u;
    UART_FBRD = DIVISOR % 64u;
    UART_LCRH = UART_LCRH_8N1;
    UART_CTL = UART_CTL_ON;
    UART_IM = UART_INT_TX; /* the FIFO has become half empty */
    nvic_enable(UART_IRQ);
}

/* Interrupts are off, or this is the ISR. */
static void feed(void)
{
    while (written != sent && (UART_FR & UART_FR_TX_FULL) == 0) {
        UART_DR = (uint8_t)ring[sent % RING_BYTES];
        sent = sent + 1;
    }
}

void BOARD_UART_ISR(void);
void BOARD_UART_ISR(void)
{
    UART_ICR = UART_INT_TX;
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
        while ((UART_FR & UART_FR_TX_FULL) != 0) {
        }
        UART_DR = (uint8_t)*data++;
    }
    while ((UART_FR & UART_FR_BUSY) != 0) {
    }
}

/* UART 0 (12): Arm's PL011 with FIFOs of 16 bytes, on PA0 and PA1. A driver of cortexm.h's uart_*
 * functions; board.h says BOARD_UART_BAUD and BOARD_UART_ISR. */
#include "board.h"
#include "cortexm.h"
#include "stellaris.h"

#define UART_DR          REG32(0x4000C000)
#define UART_DR_OVERRUN  (UINT32_C(1) << 11) /* bytes behind this one were lost */
#define UART_FR          REG32(0x4000C018)
#define UART_FR_TX_FULL  (UINT32_C(1) << 5)
#define UART_FR_BUSY     (UINT32_C(1) << 3)
#define UART_IBRD        REG32(0x4000C024)
#define UART_FBRD        REG32(0x4000C028)
#define UART_LCRH        REG32(0x4000C02C)
#define UART_LCRH_8N1    UINT32_C(0x70) /* FIFOs on */
#define UART_CTL         REG32(0x4000C030)
#define UART_CTL_ON      UINT32_C(0x301) /* both directions */
#define UART_IM          REG32(0x4000C038)
#define UART_ICR         REG32(0x4000C044)
#define UART_INT_TX      (UINT32_C(1) << 5)
#define UART_INT_RX      (UINT32_C(1) << 4)
#define UART_INT_RX_LATE (UINT32_C(1) << 6) /* bytes wait in the FIFO, and no more come */
#define UART_FR_RX_EMPTY (UINT32_C(1) << 4)

#define UART_IRQ 5
#define PINS     UINT32_C(0x03)

/* The divisor in 64ths of the clock over 16 times the rate, rounded (12.2.2). */
#define DIVISOR ((BOARD_CPU_HZ * 8u / BOARD_UART_BAUD + 1u) / 2u)

void uart_start(void)
{
    stellaris_pins_peripheral(GPIO_PORT_A, PINS, 0);
    UART_CTL = 0;
    UART_IBRD = DIVISOR / 64u;
    UART_FBRD = DIVISOR % 64u;
    UART_LCRH = UART_LCRH_8N1;
    UART_CTL = UART_CTL_ON;
    UART_IM = UART_INT_TX | UART_INT_RX | UART_INT_RX_LATE; /* a FIFO is half empty, half full */
    nvic_enable(UART_IRQ);
}

void uart_feed(void)
{
    char byte;
    while ((UART_FR & UART_FR_TX_FULL) == 0 && uart_next(&byte)) {
        UART_DR = (uint8_t)byte;
    }
}

void uart_collect(void)
{
    while (uart_has_room() && (UART_FR & UART_FR_RX_EMPTY) == 0) {
        uint32_t found = UART_DR;
        if ((found & UART_DR_OVERRUN) != 0) {
            uart_overrun();
        }
        uart_received((char)found);
    }
}

void BOARD_UART_ISR(void);
void BOARD_UART_ISR(void)
{
    UART_ICR = UART_INT_TX | UART_INT_RX | UART_INT_RX_LATE;
    uart_collect();
    uart_feed();
}

void uart_send_now(const char *data, size_t bytes)
{
    for (; bytes > 0; bytes--) {
        while ((UART_FR & UART_FR_TX_FULL) != 0) {
        }
        UART_DR = (uint8_t)*data++;
    }
    while ((UART_FR & UART_FR_BUSY) != 0) {
    }
}

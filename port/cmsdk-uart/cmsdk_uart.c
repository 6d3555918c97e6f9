#include "cmsdk_uart.h"

#include "board.h"
#include "cortexm.h"
#include "regs.h"

#define REG(offset) REG32(BOARD_UART_BASE + (offset))

void uart_start(void)
{
    REG(CMSDK_UART_BAUDDIV) = BOARD_UART_CLOCK_HZ / BOARD_UART_BAUD;
    REG(CMSDK_UART_CTRL) =
        CMSDK_UART_CTRL_TX | CMSDK_UART_CTRL_TX_IRQ | CMSDK_UART_CTRL_RX | CMSDK_UART_CTRL_RX_IRQ;
    nvic_enable(BOARD_UART_TX_IRQ);
    nvic_enable(BOARD_UART_RX_IRQ);
}

/* One byte per interrupt. */
void uart_feed(void)
{
    char byte;
    while ((REG(CMSDK_UART_STATE) & CMSDK_UART_STATE_TX_FULL) == 0 && uart_next(&byte)) {
        REG(CMSDK_UART_DATA) = (uint8_t)byte;
    }
}

void uart_collect(void)
{
    if ((REG(CMSDK_UART_STATE) & CMSDK_UART_STATE_RX_LOST) != 0) {
        REG(CMSDK_UART_STATE) = CMSDK_UART_STATE_RX_LOST;
        uart_overrun();
    }
    while (uart_has_room() && (REG(CMSDK_UART_STATE) & CMSDK_UART_STATE_RX_FULL) != 0) {
        uart_received((char)REG(CMSDK_UART_DATA));
    }
}

void BOARD_UART_TX_ISR(void);
void BOARD_UART_TX_ISR(void)
{
    REG(CMSDK_UART_INTSTATUS) = CMSDK_UART_INT_TX;
    uart_feed();
}

void BOARD_UART_RX_ISR(void);
void BOARD_UART_RX_ISR(void)
{
    REG(CMSDK_UART_INTSTATUS) = CMSDK_UART_INT_RX;
    uart_collect();
}

void uart_send_now(const char *data, size_t bytes)
{
    for (; bytes > 0; bytes--) {
        while ((REG(CMSDK_UART_STATE) & CMSDK_UART_STATE_TX_FULL) != 0) {
        }
        REG(CMSDK_UART_DATA) = (uint8_t)*data++;
    }
}

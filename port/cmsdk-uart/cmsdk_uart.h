/* Arm CMSDK APB UART (Cortex-M System Design Kit Technical Reference Manual, DDI 0479, 4.3): one byte
 * of buffer in each direction. A driver of cortexm.h's uart_* functions; boards/NAME/board.h says
 * BOARD_UART_BASE, BOARD_UART_CLOCK_HZ, BOARD_UART_BAUD, BOARD_UART_TX_IRQ, BOARD_UART_TX_ISR and the same of RX. */
#ifndef CMSDK_UART_H
#define CMSDK_UART_H

#define CMSDK_UART_DATA      0x00
#define CMSDK_UART_STATE     0x04
#define CMSDK_UART_CTRL      0x08
#define CMSDK_UART_INTSTATUS 0x0C /* write 1 to clear */
#define CMSDK_UART_BAUDDIV   0x10 /* at least 16 */

#define CMSDK_UART_STATE_TX_FULL UINT32_C(0x1)
#define CMSDK_UART_STATE_RX_FULL UINT32_C(0x2)
#define CMSDK_UART_STATE_RX_LOST UINT32_C(0x8) /* write 1 to clear */
#define CMSDK_UART_CTRL_TX       UINT32_C(0x1)
#define CMSDK_UART_CTRL_TX_IRQ   UINT32_C(0x4)
#define CMSDK_UART_CTRL_RX       UINT32_C(0x2)
#define CMSDK_UART_CTRL_RX_IRQ   UINT32_C(0x8)
#define CMSDK_UART_INT_TX        UINT32_C(0x1)
#define CMSDK_UART_INT_RX        UINT32_C(0x2)

#endif

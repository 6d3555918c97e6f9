/* NXP FRDM-K64F: MK64FN1M0VLL12, Cortex-M4 at 120 MHz, ENET with a KSZ8081RNA PHY. Options:
 * firmware/cfg.h. Only #define lines here: the linker script reads this file too. */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME "frdm-k64f"

/* Profile full */
#define CFG_DEVICES               256
#define CFG_SESSIONS              8
#define CFG_LINKS                 4
#define CFG_REPORT_BYTES          128
#define CFG_NODES                 16
#define CFG_SERVER_NAMES          24
#define CFG_LINE_BYTES            256
#define CFG_CONN_RX_BYTES         1072
#define CFG_CONN_TX_BYTES         1360
#define CFG_STEP_MS_MAX           300 /* mps2-an385's at 120 MHz */
#define CFG_CONN_LINK_SLOTS       (CFG_LINKS + 3)
#define CFG_LINK_CALLERS          2
#define CFG_LINK_OUT_BYTES        224
#define CFG_CONN_BACKLOG          8
#define CFG_PLACES_QUERIES        1
#define CFG_PLACES_ANSWER_BYTES   8192
#define CFG_TLS_ARENA_BYTES       40960
#define CFG_LOG_RING_BYTES        2048
#define CFG_LOG_LINE_BYTES        256
#define CFG_NV_CONFIG_BYTES       1024
#define CFG_CONSOLE_HISTORY_BYTES 128

/* lwIP (port/lwip/lwipopts.h). A send ring of two segments and more: with less, every answer waits
 * for the peer's delayed acknowledgement. */
#define BOARD_TCP_MSS      536
#define BOARD_TCP_WND      1072
#define BOARD_TCP_QUEUELEN 6

/* Memory. The program lies in block 0 of the flash, what is kept in block 1. */
#define BOARD_FLASH_BYTES         524288
#define BOARD_FACTORY_BYTES       16384
#define BOARD_KEPT_FIRST          0x000F0000
#define BOARD_KEPT_BYTES          65536
#define BOARD_FLASH_CONFIG        0x400
#define BOARD_SRAM_L_BYTES        65536
#define BOARD_RAM_BYTES           262144
#define BOARD_STACK_BYTES         8192
#define BOARD_RAM_FIRST           0x1FFF0000
#define BOARD_RESERVE_STORE_BYTES 6144

#define BOARD_RESET    kinetis_reset
#define BOARD_HAS_TRNG 1

/* Clocks: 50 MHz from the PHY at EXTAL / 20 * 48 = 120 MHz; bus 60, FlexBus 40, flash 24 MHz. */
#define BOARD_EXTAL_HZ       50000000
#define BOARD_PLL_DIVIDE     20
#define BOARD_PLL_MULTIPLY   48
#define BOARD_CPU_HZ         120000000
#define BOARD_BUS_DIVIDE     2
#define BOARD_FLEXBUS_DIVIDE 3
#define BOARD_FLASH_DIVIDE   5

/* UART0 on PTB16 (RX) and PTB17 (TX), ALT3: the serial port of the debugger's USB connector. */
#define BOARD_UART_BAUD   115200
#define BOARD_UART_PORT   1
#define BOARD_UART_RX_PIN 16
#define BOARD_UART_TX_PIN 17
#define BOARD_UART_MUX    3
#define BOARD_UART_ISR    irq31_handler

/* Longer than the longest computation. */
#define BOARD_WATCHDOG_MS 15000

/* ENET in RMII mode, all pins ALT4: PTA5 RXER, PTA12 RXD1, PTA13 RXD0, PTA14 CRS_DV, PTA15 TXEN,
 * PTA16 TXD0, PTA17 TXD1; PTB0 MDIO, PTB1 MDC. Its clock is EXTAL, PTA18. */
#define BOARD_ENET_PHY 0
#define BOARD_ENET_MUX 4
#define BOARD_ENET_RMII_PINS                                                                       \
    {0, 5}, {0, 12}, {0, 13}, {0, 14}, {0, 15}, {0, 16},                                           \
    {                                                                                              \
        0, 17                                                                                      \
    }
#define BOARD_ENET_MDIO_PORT 1
#define BOARD_ENET_MDIO_PIN  0
#define BOARD_ENET_MDC_PIN   1
#define BOARD_ENET_RX_ISR    irq84_handler
#define BOARD_ENET_ERROR_ISR irq85_handler
#define BOARD_ENET_RX_FRAMES 6
#define BOARD_ENET_TX_FRAMES 4

#endif

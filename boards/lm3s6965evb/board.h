/* TI Stellaris LM3S6965 evaluation board (EKK-LM3S6965): Cortex-M3 at 50 MHz, Ethernet, microSD.
 * Options: firmware/cfg.h.
 *
 * 64 KB of RAM and 256 KB of flash are all there is. Only #define lines here: the linker script reads
 * this file too. */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME          "lm3s6965evb"
#define BOARD_RAM_BYTES     65536
#define BOARD_FLASH_BYTES   262144
#define BOARD_FACTORY_BYTES 16384
#define BOARD_STACK_BYTES   3328
/* Of 6 KB planned: the contexts of authenticated links took the rest. */
#define BOARD_RESERVE_STORE_BYTES 4752

#define CFG_UPSTREAM              0 /* TLS with real certificates wants 40 KB more */
#define CFG_DEVICES               64
#define CFG_SESSIONS              4
#define CFG_LINKS                 2
#define CFG_REPORT_BYTES          128
#define CFG_OPEN_LINKS            1
#define CFG_NODES                 16
#define CFG_SERVER_NAMES          24
#define CFG_LINE_BYTES            256
#define CFG_CONN_RX_BYTES         512
#define CFG_CONN_TX_BYTES         512
#define CFG_PLACES_ANSWER_BYTES   2560 /* of a neighbour: a failure, or some entries */
#define CFG_CONN_LINK_SLOTS       (CFG_LINKS + 2)
#define CFG_LINK_CALLERS          1
#define CFG_LINK_OUT_BYTES        224
#define CFG_CONN_BACKLOG          2
#define CFG_LOG_RING_BYTES        1024
#define CFG_LOG_LINE_BYTES        256
#define CFG_LINK_INFLIGHT         16
#define CFG_CONFIG_PATH_BYTES     63
#define CFG_NV_CONFIG_BYTES       1024
#define CFG_CONSOLE_HISTORY_BYTES 128

/* lwIP (port/lwip/lwipopts.h). The controller's receive FIFO holds 2 KB. */
#define BOARD_TCP_MSS        256
#define BOARD_TCP_WND        512
#define BOARD_TCP_QUEUELEN   4
#define BOARD_PBUF_POOL_SIZE 5

/* Clocks: a crystal of 8 MHz, the PLL's 200 MHz / 4 */
#define BOARD_RESET        stellaris_reset
#define BOARD_CRYSTAL_CODE 14
#define BOARD_CPU_HZ       50000000

/* UART 0: the virtual COM port of the board's USB connector */
#define BOARD_UART_BAUD 115200
#define BOARD_UART_ISR  irq5_handler

/* Watchdog 0: an interrupt, and a reset when that does not help */
#define BOARD_WATCHDOG_BASE     0x40000000
#define BOARD_WATCHDOG_CLOCK_HZ 50000000
#define BOARD_WATCHDOG_IRQ      18
#define BOARD_WATCHDOG_MS       15000

/* Ethernet: LED0 and LED1 of the connector on PF3 and PF2 */
#define BOARD_EMAC_ISR        irq42_handler
#define BOARD_EMAC_FIFO_BYTES 2048
#define BOARD_EMAC_LEDS       0x0C

/* microSD: chip select PD0; the display on the same wires is deselected by PA3 */
#define BOARD_SD_CS_PORT   GPIO_PORT_D
#define BOARD_SD_CS_PIN    0x01
#define BOARD_SD_IDLE_PORT GPIO_PORT_A
#define BOARD_SD_IDLE_PINS 0x08

/* Unit tests on this board (tests/target/target.ld) */
#define BOARD_TEST_FLASH 256K
#define BOARD_TEST_RAM   64K
#define BOARD_TEST_STACK 12K

#endif

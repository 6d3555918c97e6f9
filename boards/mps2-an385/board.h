/* Arm MPS2 with the AN385 image: Cortex-M3 at 25 MHz, LAN9118 Ethernet. Options: firmware/cfg.h.
 *
 * The board has 4 MB of each kind of memory; herd takes what a microcontroller would have, and the
 * linker holds it to that. Two profiles: full (192 KB RAM), and BOARD_PROFILE_SMALL (128 KB). Only
 * #define lines here: the linker script reads this file too. */
#ifndef BOARD_H
#define BOARD_H

#ifdef BOARD_PROFILE_SMALL
#define BOARD_NAME              "mps2-an385-small"
#define BOARD_RAM_BYTES         131072
#define CFG_DEVICES             128
#define CFG_SESSIONS            4
#define CFG_LINKS               2
#define CFG_PLACES_ANSWER_BYTES 4096
#define CFG_JSON_TEXT_BYTES     2048
#define CFG_JSON_ARENA_BYTES    4352
#define CFG_TLS_ARENA_BYTES     37376
#define CFG_LOG_RING_BYTES      768
#define CFG_LINK_CALLERS        1
#define BOARD_PBUF_POOL_SIZE    4
#define BOARD_STACK_BYTES       3520
/* Of 6 KB planned: what TLS takes, on links and upstream, is 3 KB more than was. */
#define BOARD_RESERVE_STORE_BYTES 3008
#else
#define BOARD_NAME                "mps2-an385"
#define BOARD_RAM_BYTES           196608
#define CFG_DEVICES               256
#define CFG_SESSIONS              8
#define CFG_LINKS                 4
#define CFG_PLACES_ANSWER_BYTES   8192
#define CFG_JSON_TEXT_BYTES       2560
#define CFG_JSON_ARENA_BYTES      4352
#define CFG_TLS_ARENA_BYTES       40448
#define CFG_LOG_RING_BYTES        1024
#define CFG_LINK_CALLERS          2
#define BOARD_PBUF_POOL_SIZE      6
#define BOARD_STACK_BYTES         3968
#define BOARD_RESERVE_STORE_BYTES 6144
#endif

#define BOARD_FLASH_BYTES   262144
#define BOARD_FACTORY_BYTES 16384

#define CFG_REPORT_BYTES          128
#define CFG_NODES                 16
#define CFG_SERVER_NAMES          24
#define CFG_LINE_BYTES            256
#define CFG_CONN_RX_BYTES         768
#define CFG_CONN_TX_BYTES         512
#define CFG_STEP_MS_MAX           1300 /* 23 million instructions at 25 MHz */
#define CFG_CONN_LINK_SLOTS       (CFG_LINKS + CFG_LINK_CALLERS + 1)
#define CFG_LINK_OUT_BYTES        224
#define CFG_OPEN_LINKS            1
#define CFG_CONN_BACKLOG          2
#define CFG_PLACES_QUERIES        1
#define CFG_LOG_LINE_BYTES        256
#define CFG_LINK_INFLIGHT         16
#define CFG_CONFIG_PATH_BYTES     63
#define CFG_TLS_OUT_BYTES         1536
#define CFG_HTTPS_REQUEST_BYTES   1024
#define CFG_NV_CONFIG_BYTES       1024
#define CFG_CONSOLE_HISTORY_BYTES 128

/* lwIP (port/lwip/lwipopts.h). The chip's receive FIFO holds 10.5 KB and drops silently. */
#define BOARD_TCP_MSS      384
#define BOARD_TCP_WND      768
#define BOARD_TCP_QUEUELEN 4

/* The core (Arm Application Note 385) */
#define BOARD_CPU_HZ 25000000

/* UART 0, on the board's serial connector */
#define BOARD_UART_BASE     0x40004000
#define BOARD_UART_CLOCK_HZ 25000000
#define BOARD_UART_BAUD     115200
#define BOARD_UART_RX_IRQ   0
#define BOARD_UART_RX_ISR   irq0_handler
#define BOARD_UART_TX_IRQ   1
#define BOARD_UART_TX_ISR   irq1_handler

/* I2C of shield connector 1: SCL on EXP31 (GPIO 1, pin 15), SDA on EXP41 (GPIO 2, pin 9) */
#define BOARD_I2C_BASE       0x4002A000
#define BOARD_I2C_HZ         100000
#define BOARD_I2C_CLOCK_GPIO 0x40011000
#define BOARD_I2C_CLOCK_PIN  15
#define BOARD_I2C_DATA_GPIO  0x40012000
#define BOARD_I2C_DATA_PIN   9

/* Watchdog: longer than the longest computation (an RSA-4096 signature, some 3 s) */
#define BOARD_WATCHDOG_BASE     0x40008000
#define BOARD_WATCHDOG_CLOCK_HZ 25000000
#define BOARD_WATCHDOG_MS       15000

/* LAN9118 */
#define BOARD_LAN9118_BASE 0x40200000
#define BOARD_LAN9118_IRQ  13
#define BOARD_LAN9118_ISR  irq13_handler

#endif

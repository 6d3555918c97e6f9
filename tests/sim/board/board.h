/* The nodes of the simulator: what a board without an upstream has, with tables that hold the simulator's
 * herds. BOARD_SMALL: tables that overflow. Options: firmware/cfg.h. */
#ifndef BOARD_H
#define BOARD_H

#define CFG_UPSTREAM   0 /* no HTTPS: places come from elsewhere */
#define CFG_LINK_ECDHE 1

#ifdef BOARD_SMALL
#define BOARD_NAME   "sim-small"
#define CFG_DEVICES  48
#define CFG_SESSIONS 8
#else
#define BOARD_NAME   "sim"
#define CFG_DEVICES  1280
#define CFG_SESSIONS 32
#endif

#define CFG_LINKS               8
#define CFG_REPORT_BYTES        128
#define CFG_OPEN_LINKS          1
#define CFG_NODES               32
#define CFG_SERVER_NAMES        40
#define CFG_LINE_BYTES          256
#define CFG_CONN_RX_BYTES       8760
#define CFG_CONN_TX_BYTES       8192
#define CFG_CONN_BACKLOG        4
#define CFG_PLACES_ANSWER_BYTES 2560
#define CFG_LOG_RING_BYTES      8192
#define CFG_NV_CONFIG_BYTES     4096

/* lwIP (port/lwip/lwipopts.h): an Ethernet MTU, six segments of window. */
#define BOARD_TCP_MSS      1460
#define BOARD_TCP_WND      8760
#define BOARD_TCP_QUEUELEN 24

#define BOARD_POOLS_POISONED 1 /* tests/sim/node/pools.c */

#endif

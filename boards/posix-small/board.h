/* The POSIX port with the limits of a small board: 64 devices, 4 clients, 2 links, 8 KB answers.
 * What a board of 128 KB would meet, a laptop meets in every test run. */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME "posix-small"

#define CFG_DEVICES             64
#define CFG_REPORT_BYTES        128
#define CFG_SESSIONS            4
#define CFG_LINKS               2
#define CFG_OPEN_LINKS          1
#define CFG_NODES               16
#define CFG_SERVER_NAMES        24
#define CFG_LINE_BYTES          256
#define CFG_CONN_RX_BYTES       2920
#define CFG_CONN_TX_BYTES       2048
#define CFG_CONN_BACKLOG        2
#define CFG_PLACES_QUERIES      1
#define CFG_PLACES_ANSWER_BYTES 8192
#define CFG_LOG_RING_BYTES      4096

/* A section that core dumps leave out (port/posix/secrets.h). */
#define CFG_SECRET __attribute__((section("herd_secret")))

/* lwIP (port/lwip/lwipopts.h): an Ethernet MTU, two segments of window. */
#define BOARD_TCP_MSS 1460
#define BOARD_TCP_WND 2920

#endif

/* A laptop: a POSIX program with generous tables. Options and their meaning: firmware/cfg.h. */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME "posix"

#define CFG_DEVICES             4096
#define CFG_REPORT_BYTES        512
#define CFG_SESSIONS            256
#define CFG_LINKS               8
#define CFG_OPEN_LINKS          4
#define CFG_NODES               32
#define CFG_SERVER_NAMES        64
#define CFG_LINE_BYTES          1024
#define CFG_CONN_RX_BYTES       32768
#define CFG_CONN_TX_BYTES       32768
#define CFG_CONN_BACKLOG        64
#define CFG_ASK_SERVED          4
#define CFG_PLACES_QUERIES      8
#define CFG_PLACES_ANSWER_BYTES 65536
#define CFG_JSON_TEXT_BYTES     8192
#define CFG_TLS_ARENA_BYTES     65536
#define CFG_LOG_RING_BYTES      262144
#define CFG_LOG_LINE_BYTES      1024

/* A section that core dumps leave out (port/posix/secrets.h). */
#define CFG_SECRET __attribute__((section("herd_secret")))

/* lwIP (port/lwip/lwipopts.h) */
#define BOARD_TCP_MSS 8960
#define BOARD_TCP_WND 32768

#endif

/* SMSC LAN9118 and LAN9220, 10/100 Ethernet on a 32-bit bus: registers.
 *
 * Section numbers are those of the LAN9118 data sheet. A driver of cortexm.h's eth_* functions;
 * boards/NAME/board.h says BOARD_LAN9118_BASE, BOARD_LAN9118_IRQ and BOARD_LAN9118_ISR.
 */
#ifndef LAN9118_H
#define LAN9118_H

/* FIFOs (5.1, 3.12, 3.13): words; each data FIFO is decoded over 32 bytes. */
#define LAN9118_RX_DATA   0x00
#define LAN9118_TX_DATA   0x20
#define LAN9118_RX_STATUS 0x40
#define LAN9118_TX_STATUS 0x48

/* Control and status (5.3) */
#define LAN9118_ID_REV      0x50
#define LAN9118_IRQ_CFG     0x54
#define LAN9118_INT_STS     0x58 /* write 1 to clear */
#define LAN9118_INT_EN      0x5C
#define LAN9118_BYTE_TEST   0x64
#define LAN9118_FIFO_INT    0x68
#define LAN9118_RX_CFG      0x6C
#define LAN9118_TX_CFG      0x70
#define LAN9118_HW_CFG      0x74
#define LAN9118_RX_FIFO_INF 0x7C
#define LAN9118_TX_FIFO_INF 0x80
#define LAN9118_RX_DROP     0xA0 /* frames lost in front of the FIFO; cleared by reading */
#define LAN9118_MAC_CMD     0xA4
#define LAN9118_MAC_DATA    0xA8
#define LAN9118_AFC_CFG     0xAC
#define LAN9118_E2P_CMD     0xB0

#define LAN9118_BYTE_TEST_VALUE UINT32_C(0x87654321)

/* IRQ_CFG: enabled, active high, push-pull. With any other polarity the line of QEMU's model, and of
 * boards that wire it so, is inverted. */
#define LAN9118_IRQ_CFG_ON UINT32_C(0x00000111)

#define LAN9118_INT_RSFL UINT32_C(0x00000008) /* received frames above FIFO_INT's level: any */

#define LAN9118_HW_CFG_RESET UINT32_C(0x00000001)
#define LAN9118_HW_CFG_DEFAULT                                                                     \
    UINT32_C(0x00150000) /* store and forward (must be one), TX FIFO 5 KB */

/* RX_CFG: two bytes in front of each frame, so that the IP header is aligned. */
#define LAN9118_RX_CFG_PAD_2 UINT32_C(0x00000200)
#define LAN9118_TX_CFG_ON    UINT32_C(0x00000002)
/* Flow control by back-pressure off, levels of the data sheet's example. */
#define LAN9118_AFC_CFG_DEFAULT UINT32_C(0x006E3740)

#define LAN9118_E2P_MAC_LOADED UINT32_C(0x00000100)

/* RX_FIFO_INF, TX_FIFO_INF (5.3.14, 5.3.15) */
#define LAN9118_STATUS_USED(inf) ((inf) >> 16 & 0xFFu)
#define LAN9118_TX_FREE(inf)     ((inf)&0xFFFFu)

/* Receive status (3.13.3): length with the frame's check sequence; errors. */
#define LAN9118_RX_LENGTH(status) ((status) >> 16 & 0x3FFFu)
#define LAN9118_RX_ERROR          UINT32_C(0x00008000)

/* Transmit commands (3.12.2): a frame in one buffer. */
#define LAN9118_TX_A_WHOLE     UINT32_C(0x00003000) /* first and last segment */
#define LAN9118_TX_A_OFFSET(n) ((uint32_t)(n) << 16)

/* Registers of the MAC, behind MAC_CMD and MAC_DATA (5.4) */
#define LAN9118_CMD_BUSY     UINT32_C(0x80000000)
#define LAN9118_CMD_READ     UINT32_C(0x40000000)
#define LAN9118_MAC_CR       1
#define LAN9118_MAC_ADDRH    2
#define LAN9118_MAC_ADDRL    3
#define LAN9118_MAC_MII      6
#define LAN9118_MAC_MII_DATA 7
#define LAN9118_MAC_CR_ON    UINT32_C(0x0010000C) /* full duplex, transmit, receive */

/* The PHY inside (5.5), at address 1, behind the MAC's MII registers */
#define LAN9118_MII_READ(reg)  (UINT32_C(1) << 11 | (uint32_t)(reg) << 6 | 1u)
#define LAN9118_MII_WRITE(reg) (LAN9118_MII_READ(reg) | 2u)
#define LAN9118_MII_BUSY       UINT32_C(1)
#define LAN9118_PHY_CONTROL    0
#define LAN9118_PHY_STATUS     1
#define LAN9118_PHY_AUTONEG    UINT32_C(0x1200) /* enabled, and once more */
#define LAN9118_PHY_LINK       UINT32_C(0x0004)

#endif

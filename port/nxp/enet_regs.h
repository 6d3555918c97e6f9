/* The Ethernet controller of Kinetis K6x/K7x and i.MX 6/7/RT: registers and enhanced descriptors.
 *
 * Names are those of the K64 Sub-Family Reference Manual, chapter "10/100-Mbps Ethernet MAC (ENET)",
 * section "Memory map/register definition"; descriptors: "Enhanced buffer descriptors" of its
 * "Functional description". Offsets in bytes from the module's base (K64: 0x400C0000).
 */
#ifndef ENET_REGS_H
#define ENET_REGS_H

#include <stdint.h>

#define ENET_EIR  0x004u /* Interrupt Event: write 1 to clear */
#define ENET_EIMR 0x008u /* Interrupt Mask: 1 lets an event through */
#define ENET_RDAR 0x010u /* Receive Descriptor Active */
#define ENET_TDAR 0x014u /* Transmit Descriptor Active */
#define ENET_ECR  0x024u /* Ethernet Control */
#define ENET_MMFR 0x040u /* MII Management Frame */
#define ENET_MSCR 0x044u /* MII Speed Control */
#define ENET_MIBC 0x064u /* MIB Control */
#define ENET_RCR  0x084u /* Receive Control */
#define ENET_TCR  0x0C4u /* Transmit Control */
#define ENET_PALR 0x0E4u /* Physical Address Lower: bytes 0 to 3, byte 0 in bits 31-24 */
#define ENET_PAUR 0x0E8u /* Physical Address Upper: bytes 4 and 5, in bits 31-16 */
#define ENET_IAUR 0x118u /* hash tables of individual and group addresses */
#define ENET_IALR 0x11Cu
#define ENET_GAUR 0x120u
#define ENET_GALR 0x124u
#define ENET_TFWR 0x144u /* Transmit FIFO Watermark */
#define ENET_RDSR 0x180u /* Receive Descriptor Ring Start */
#define ENET_TDSR 0x184u /* Transmit Descriptor Ring Start */
#define ENET_MRBR 0x188u /* Maximum Receive Buffer Size: a multiple of 16 */
#define ENET_FTRL 0x1B0u /* Frame Truncation Length */
#define ENET_TACC 0x1C0u /* Transmit Accelerator Function Configuration */
#define ENET_RACC 0x1C4u /* Receive Accelerator Function Configuration */

/* Counters of the MIB block (IEEE 802.3 ones) */
#define ENET_IEEE_R_DROP   0x2C8u /* frames without a start-of-frame delimiter */
#define ENET_IEEE_R_MACERR 0x2D8u /* frames lost because the receive FIFO was full */

/* EIR, EIMR */
#define ENET_INT_RXF   (UINT32_C(1) << 25) /* a frame was received, its descriptor is written back */
#define ENET_INT_MII   (UINT32_C(1) << 23) /* an MII management transfer is complete */
#define ENET_INT_EBERR (UINT32_C(1) << 22) /* bus error of the DMA: the MAC has disabled itself */
#define ENET_INT_LC    (UINT32_C(1) << 21) /* late collision */
#define ENET_INT_RL    (UINT32_C(1) << 20) /* collision retry limit */
#define ENET_INT_UN    (UINT32_C(1) << 19) /* transmit FIFO underrun */

#define ENET_RDAR_RDAR (UINT32_C(1) << 24)
#define ENET_TDAR_TDAR (UINT32_C(1) << 24)

#define ENET_ECR_RESET   (UINT32_C(1) << 0)
#define ENET_ECR_ETHEREN (UINT32_C(1) << 1)
#define ENET_ECR_EN1588  (UINT32_C(1) << 4) /* enhanced descriptors, 32 bytes each */
#define ENET_ECR_DBSWP   (UINT32_C(1) << 8) /* descriptors are little-endian */

/* MMFR: a management frame of IEEE 802.3 clause 22 */
#define ENET_MMFR_ST       (UINT32_C(1) << 30)
#define ENET_MMFR_OP_WRITE (UINT32_C(1) << 28)
#define ENET_MMFR_OP_READ  (UINT32_C(2) << 28)
#define ENET_MMFR_PA(phy)  ((uint32_t)(phy) << 23)
#define ENET_MMFR_RA(reg)  ((uint32_t)(reg) << 18)
#define ENET_MMFR_TA       (UINT32_C(2) << 16)
#define ENET_MMFR_DATA     UINT32_C(0xFFFF)

#define ENET_MSCR_SPEED(n)  ((uint32_t)(n) << 1) /* MDC = module clock / (2 * (n + 1)); 6 bits */
#define ENET_MSCR_SPEED_MAX 63u

#define ENET_MIBC_DIS UINT32_C(0x80000000)

#define ENET_RCR_MAX_FL(bytes) ((uint32_t)(bytes) << 16)
#define ENET_RCR_RMII_10T      (UINT32_C(1) << 9)
#define ENET_RCR_RMII_MODE     (UINT32_C(1) << 8)
#define ENET_RCR_MII_MODE      (UINT32_C(1) << 2) /* always 1 */
#define ENET_RCR_DRT           (UINT32_C(1) << 1) /* half duplex: do not receive what we send */

#define ENET_TCR_FDEN    (UINT32_C(1) << 2) /* full duplex; changed only while ETHEREN is 0 */
#define ENET_TFWR_STRFWD (UINT32_C(1) << 8) /* store and forward */

/* Two bytes before the frame in the receive buffer, so that the IP header is aligned; the length in
 * the descriptor includes them. */
#define ENET_RACC_SHIFT16 (UINT32_C(1) << 7)

/* A descriptor as words, little-endian (ECR[DBSWP]). Word 0: status and control in the upper half,
 * length in the lower; word 1: address of the buffer, a multiple of 16; word 2: extended control;
 * word 4: written by the controller (BDU). */
#define ENET_BD_LENGTH(word0) ((word0)&0xFFFFu)

#define ENET_RX_E  (UINT32_C(1) << 31) /* empty: the controller's */
#define ENET_RX_W  (UINT32_C(1) << 29) /* the last of the ring */
#define ENET_RX_L  (UINT32_C(1) << 27) /* the last of the frame */
#define ENET_RX_LG (UINT32_C(1) << 21) /* longer than MAX_FL */
#define ENET_RX_NO (UINT32_C(1) << 20) /* not a multiple of 8 bits */
#define ENET_RX_CR (UINT32_C(1) << 18) /* check sequence or symbol error */
#define ENET_RX_OV (UINT32_C(1) << 17) /* FIFO overrun */
#define ENET_RX_TR (UINT32_C(1) << 16) /* truncated */

#define ENET_RX2_INT (UINT32_C(1) << 23) /* this descriptor raises RXF */
#define ENET_RX2_ME  (UINT32_C(1) << 31) /* MAC error */
#define ENET_RX2_PE  (UINT32_C(1) << 26) /* PHY error: RXER was asserted */

#define ENET_TX_R  (UINT32_C(1) << 31) /* ready: the controller's */
#define ENET_TX_W  (UINT32_C(1) << 29)
#define ENET_TX_L  (UINT32_C(1) << 27)
#define ENET_TX_TC (UINT32_C(1) << 26) /* append the check sequence (and pad to 64 bytes) */

#define ENET_TX2_TXE (UINT32_C(1) << 15) /* any transmit error */

#endif

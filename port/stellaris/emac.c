/* Ethernet controller with its PHY inside (15). A driver of cortexm.h's eth_* functions; board.h says
 * BOARD_EMAC_ISR and BOARD_EMAC_LEDS (pins of port F). */
#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/stats.h"

#include "board.h"
#include "cortexm.h"
#include "eth_fifo.h"
#include "stellaris.h"

#define MAC_RIS          REG32(0x40048000) /* write 1 to acknowledge */
#define MAC_INT_RX       (UINT32_C(1) << 0)
#define MAC_INT_TXER     (UINT32_C(1) << 1)
#define MAC_INT_FOV      (UINT32_C(1) << 3) /* the receive FIFO ran over */
#define MAC_INT_RXER     (UINT32_C(1) << 4)
#define MAC_INT_ALL      UINT32_C(0x7F)
#define MAC_IM           REG32(0x40048004)
#define MAC_RCTL         REG32(0x40048008)
#define MAC_RCTL_ON      UINT32_C(0x09) /* receive, frames with a bad check sequence are dropped */
#define MAC_RCTL_RSTFIFO (UINT32_C(1) << 4)
#define MAC_TCTL         REG32(0x4004800C)
#define MAC_TCTL_ON      UINT32_C(0x07) /* transmit, pad, append the check sequence */
#define MAC_TCTL_DUPLEX  (UINT32_C(1) << 4)
#define MAC_DATA         REG32(0x40048010)
#define MAC_IA0          REG32(0x40048014)
#define MAC_IA1          REG32(0x40048018)
#define MAC_MCTL         REG32(0x40048020)
#define MAC_MCTL_START   UINT32_C(1)
#define MAC_MCTL_REG(n)  ((uint32_t)(n) << 3)
#define MAC_MDV          REG32(0x40048024)
#define MAC_MRXD         REG32(0x40048030)
#define MAC_NP           REG32(0x40048034)
#define MAC_NP_FRAMES    UINT32_C(0x3F)
#define MAC_TR           REG32(0x40048038)
#define MAC_TR_NEW       UINT32_C(1)

/* PHY management registers */
#define PHY_STATUS            1
#define PHY_STATUS_LINK       0x0004u
#define PHY_ID                2
#define PHY_DIAGNOSTIC        18
#define PHY_DIAGNOSTIC_DUPLEX 0x0800u /* what was negotiated */

#define EMAC_IRQ     42
#define MDC_HZ       2500000u /* IEEE 802.3, 22.2.2.11 */
#define HEADER_BYTES 14u
#define EXTRA_BYTES  6u /* the FIFO's own length, and the check sequence */
/* Rounds of polling a bit, some 0.2 us each: a frame takes 1.3 ms at 10 Mbit/s, the MDIO 26 us. */
#define TX_ROUNDS   10000u
#define MDIO_ROUNDS 1000u

_Static_assert(ETH_PAD_SIZE == 2, "the FIFO's length lies where the padding does");
_Static_assert(PBUF_POOL_BUFSIZE % 4 == 0, "the FIFO gives words");

static bool has_phy; /* an emulator may have none */

/* --- PHY --------------------------------------------------------------------------------------- */

static uint32_t phy_read(uint32_t reg)
{
    MAC_MCTL = MAC_MCTL_REG(reg) | MAC_MCTL_START;
    for (unsigned i = 0; i < MDIO_ROUNDS && (MAC_MCTL & MAC_MCTL_START) != 0; i++) {
    }
    return MAC_MRXD & 0xFFFFu;
}

bool eth_link_up(void)
{
    if (!has_phy) {
        return true;
    }
    (void)phy_read(PHY_STATUS); /* "down" is latched until it is read (IEEE 802.3, 22.2.4.2) */
    if ((phy_read(PHY_STATUS) & PHY_STATUS_LINK) == 0) {
        return false;
    }
    bool duplex = (phy_read(PHY_DIAGNOSTIC) & PHY_DIAGNOSTIC_DUPLEX) != 0;
    MAC_TCTL = MAC_TCTL_ON | (duplex ? MAC_TCTL_DUPLEX : 0);
    return true;
}

/* --- Start ------------------------------------------------------------------------------------- */

/* The address in the flash's user registers wins: the evaluation boards come with one (on a sticker,
 * too). */
static void settle_mac_address(uint8_t mac[6])
{
    uint32_t low = FLASH_USER_REG0;
    uint32_t high = FLASH_USER_REG1;
    bool written = low != UINT32_MAX && high != UINT32_MAX && (low & 1u) == 0 && (low | high) != 0;
    for (unsigned i = 0; written && i < 3; i++) {
        mac[i] = (uint8_t)(low >> (8 * i));
        mac[3 + i] = (uint8_t)(high >> (8 * i));
    }
    MAC_IA0 =
        (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    MAC_IA1 = (uint32_t)mac[4] | (uint32_t)mac[5] << 8;
}

static void empty_fifo(void)
{
    MAC_RCTL = 0;
    MAC_RCTL = MAC_RCTL_RSTFIFO;
    MAC_RCTL = MAC_RCTL_ON;
}

bool eth_start(uint8_t mac[6])
{
    stellaris_pins_peripheral(GPIO_PORT_F, BOARD_EMAC_LEDS, 0);
    MAC_IM = 0;
    MAC_MDV = BOARD_CPU_HZ / 2u / MDC_HZ - 1u;
    settle_mac_address(mac);
    has_phy = phy_read(PHY_ID) != 0;
    MAC_TCTL = MAC_TCTL_ON | MAC_TCTL_DUPLEX; /* eth_link_up knows better */
    empty_fifo();
    MAC_RIS = MAC_INT_ALL;
    MAC_IM = MAC_INT_RX | MAC_INT_FOV;
    nvic_enable(EMAC_IRQ);
    return true;
}

/* --- Receive ----------------------------------------------------------------------------------- */

/* Silent until eth_receive has emptied the FIFO. */
void BOARD_EMAC_ISR(void);
void BOARD_EMAC_ISR(void)
{
    MAC_IM = 0;
    cortexm_wake();
}

static bool fifo_is_empty(void)
{
    return (MAC_NP & MAC_NP_FRAMES) == 0;
}

/* Reads what follows the first word into the chain p, whose first word is there already, or drops it.
 * The last word is read whole, wherever the frame ends. */
static void read_frame(struct pbuf *p, uint32_t first, unsigned words)
{
    bool begun = false;
    for (; p != NULL; p = p->next) {
        uint32_t *to = p->payload;
        unsigned n = p->len / 4u;
        if (!begun) {
            *to++ = first;
            n--;
            begun = true;
        }
        to = eth_fifo_read(&MAC_DATA, to, n);
        words -= n;
        if (p->len % 4u > 0) { /* only at the end: a pool's pbufs are whole words long */
            uint32_t last = MAC_DATA;
            memcpy(to, &last, p->len % 4u);
            words--;
        }
    }
    for (; words > 0; words--) {
        (void)MAC_DATA;
    }
}

struct pbuf *eth_receive(bool *more)
{
    uint32_t causes = MAC_RIS;
    if ((causes & MAC_INT_FOV) != 0) {
        MAC_RIS = MAC_INT_FOV;
        LINK_STATS_INC(link.drop);
        empty_fifo(); /* what it holds may begin in the middle of a frame (15.3.1) */
    }
    if (fifo_is_empty()) {
        /* RXINT is not raised again while frames are waiting: acknowledge first, look again then. */
        MAC_RIS = MAC_INT_RX | MAC_INT_RXER;
        MAC_IM = MAC_INT_RX | MAC_INT_FOV;
        if (fifo_is_empty()) {
            *more = false;
            return NULL;
        }
    }
    *more = true;
    /* The length of all that the FIFO gives, and the frame's first two bytes, where lwIP has its
     * padding and they belong. */
    uint32_t first = MAC_DATA;
    uint32_t fifo_bytes = first & 0xFFFFu;
    unsigned words = fifo_bytes > 4 ? (fifo_bytes + 3u) / 4u - 1u : 0;
    struct pbuf *p = NULL;
    if (fifo_bytes >= HEADER_BYTES + EXTRA_BYTES && fifo_bytes <= BOARD_EMAC_FIFO_BYTES) {
        p = pbuf_alloc(PBUF_RAW, (u16_t)(fifo_bytes - EXTRA_BYTES + ETH_PAD_SIZE), PBUF_POOL);
        if (p == NULL) {
            LINK_STATS_INC(link.memerr);
        }
    } else {
        words = 0; /* no frame begins here */
        empty_fifo();
    }
    if (p == NULL) {
        LINK_STATS_INC(link.drop);
    }
    read_frame(p, first, words);
    return p;
}

/* --- Transmit ---------------------------------------------------------------------------------- */

static bool wait_until_sent(void)
{
    for (unsigned i = 0; i < TX_ROUNDS; i++) {
        if ((MAC_TR & MAC_TR_NEW) == 0) {
            return true;
        }
    }
    return false;
}

/* The FIFO holds one frame. Two bytes of length come first, where lwIP has its padding. */
bool eth_send(const struct pbuf *p)
{
    if (!wait_until_sent()) {
        MAC_RIS = MAC_INT_TXER; /* empties the FIFO (15.5.1) */
        return false;
    }
    uint32_t length = p->tot_len - ETH_PAD_SIZE - HEADER_BYTES;
    eth_fifo_write(&MAC_DATA, p, ETH_PAD_SIZE, length, ETH_PAD_SIZE);
    MAC_TR = MAC_TR_NEW;
    return true;
}

#include "lan9118.h"

#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/stats.h"

#include "board.h"
#include "cortexm.h"
#include "eth_fifo.h"
#include "regs.h"

#define REG(offset) REG32(BOARD_LAN9118_BASE + (offset))

#define FCS_BYTES       4
#define WAIT_ROUNDS     100000u /* of polling a busy bit: some 10 ms */
#define FRAME_BYTES_MIN 14

_Static_assert(ETH_PAD_SIZE == 2, "RX_CFG and the transmit offset are made for it");
_Static_assert(PBUF_POOL_BUFSIZE % 4 == 0, "the FIFO gives words");

/* --- MAC and PHY ------------------------------------------------------------------------------- */

static bool wait_clear(uint32_t offset, uint32_t bits)
{
    for (unsigned i = 0; i < WAIT_ROUNDS; i++) {
        if ((REG(offset) & bits) == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t mac_read(uint32_t reg)
{
    REG(LAN9118_MAC_CMD) = LAN9118_CMD_BUSY | LAN9118_CMD_READ | reg;
    (void)wait_clear(LAN9118_MAC_CMD, LAN9118_CMD_BUSY);
    return REG(LAN9118_MAC_DATA);
}

static void mac_write(uint32_t reg, uint32_t value)
{
    REG(LAN9118_MAC_DATA) = value;
    REG(LAN9118_MAC_CMD) = LAN9118_CMD_BUSY | reg;
    (void)wait_clear(LAN9118_MAC_CMD, LAN9118_CMD_BUSY);
}

static void phy_wait(void)
{
    for (unsigned i = 0; i < WAIT_ROUNDS / 100; i++) {
        if ((mac_read(LAN9118_MAC_MII) & LAN9118_MII_BUSY) == 0) {
            return;
        }
    }
}

static uint32_t phy_read(uint32_t reg)
{
    mac_write(LAN9118_MAC_MII, LAN9118_MII_READ(reg));
    phy_wait();
    return mac_read(LAN9118_MAC_MII_DATA);
}

static void phy_write(uint32_t reg, uint32_t value)
{
    mac_write(LAN9118_MAC_MII_DATA, value);
    mac_write(LAN9118_MAC_MII, LAN9118_MII_WRITE(reg));
    phy_wait();
}

bool eth_link_up(void)
{
    (void)phy_read(
        LAN9118_PHY_STATUS); /* "down" is latched until it is read (IEEE 802.3, 22.2.4.2) */
    return (phy_read(LAN9118_PHY_STATUS) & LAN9118_PHY_LINK) != 0;
}

/* --- Start ------------------------------------------------------------------------------------- */

/* The address that the chip found in its EEPROM wins; without one it is given ours. */
static void settle_mac_address(uint8_t mac[6])
{
    uint32_t low = mac_read(LAN9118_MAC_ADDRL);
    uint32_t high = mac_read(LAN9118_MAC_ADDRH) & 0xFFFFu;
    bool plausible = (low & 1u) == 0 && (low != 0 || high != 0);
    if (plausible) {
        for (unsigned i = 0; i < 4; i++) {
            mac[i] = (uint8_t)(low >> (8 * i));
        }
        mac[4] = (uint8_t)high;
        mac[5] = (uint8_t)(high >> 8);
        return;
    }
    mac_write(LAN9118_MAC_ADDRL, (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
                                     (uint32_t)mac[3] << 24);
    mac_write(LAN9118_MAC_ADDRH, (uint32_t)mac[4] | (uint32_t)mac[5] << 8);
}

bool eth_start(uint8_t mac[6])
{
    (void)REG(LAN9118_BYTE_TEST); /* the first access wakes it (3.10.2.3) */
    if (REG(LAN9118_BYTE_TEST) != LAN9118_BYTE_TEST_VALUE) {
        return false;
    }
    REG(LAN9118_HW_CFG) = LAN9118_HW_CFG_RESET;
    if (!wait_clear(LAN9118_HW_CFG, LAN9118_HW_CFG_RESET)) {
        return false;
    }
    REG(LAN9118_HW_CFG) = LAN9118_HW_CFG_DEFAULT;
    REG(LAN9118_AFC_CFG) = LAN9118_AFC_CFG_DEFAULT;
    REG(LAN9118_INT_EN) = 0;
    REG(LAN9118_INT_STS) = UINT32_MAX;
    REG(LAN9118_IRQ_CFG) = LAN9118_IRQ_CFG_ON;
    REG(LAN9118_FIFO_INT) = 0; /* one frame is enough */
    REG(LAN9118_RX_CFG) = LAN9118_RX_CFG_PAD_2;
    REG(LAN9118_TX_CFG) = LAN9118_TX_CFG_ON;
    settle_mac_address(mac);
    phy_write(LAN9118_PHY_CONTROL, LAN9118_PHY_AUTONEG);
    mac_write(LAN9118_MAC_CR, LAN9118_MAC_CR_ON);
    REG(LAN9118_INT_EN) = LAN9118_INT_RSFL;
    nvic_enable(BOARD_LAN9118_IRQ);
    return true;
}

/* --- Receive ----------------------------------------------------------------------------------- */

/* Silent until eth_receive has emptied the FIFO: the line is a level. */
void BOARD_LAN9118_ISR(void);
void BOARD_LAN9118_ISR(void)
{
    REG(LAN9118_INT_EN) = 0;
    cortexm_wake();
}

/* Reads the next frame into the chain p, or drops it. Words: pad, frame, check sequence. */
static void read_frame(struct pbuf *p, unsigned words)
{
    for (; p != NULL; p = p->next) {
        uint32_t *to = eth_fifo_read(&REG(LAN9118_RX_DATA), p->payload, p->len / 4u);
        words -= p->len / 4u;
        if (p->len % 4u > 0) { /* only at the end: a pool's pbufs are whole words long */
            uint32_t last = REG(LAN9118_RX_DATA);
            memcpy(to, &last, p->len % 4u);
            words--;
        }
    }
    for (; words > 0; words--) {
        (void)REG(LAN9118_RX_DATA);
    }
}

struct pbuf *eth_receive(bool *more)
{
    if (LAN9118_STATUS_USED(REG(LAN9118_RX_FIFO_INF)) == 0) {
        REG(LAN9118_INT_STS) = LAN9118_INT_RSFL;
        REG(LAN9118_INT_EN) = LAN9118_INT_RSFL;
        /* A frame that came before the old cause was cleared raises nothing. */
        if (LAN9118_STATUS_USED(REG(LAN9118_RX_FIFO_INF)) == 0) {
            *more = false;
            return NULL;
        }
    }
    *more = true;
    uint32_t status = REG(LAN9118_RX_STATUS);
    unsigned length = LAN9118_RX_LENGTH(status);
    struct pbuf *p = NULL;
    if ((status & LAN9118_RX_ERROR) == 0 && length >= FRAME_BYTES_MIN + FCS_BYTES) {
        p = pbuf_alloc(PBUF_RAW, (u16_t)(length - FCS_BYTES + ETH_PAD_SIZE), PBUF_POOL);
        if (p == NULL) {
            LINK_STATS_INC(link.memerr);
        }
    }
    if (p == NULL) {
        LINK_STATS_INC(link.drop);
    }
    read_frame(p, (length + ETH_PAD_SIZE + 3u) / 4u);
    return p;
}

/* --- Transmit ---------------------------------------------------------------------------------- */

bool eth_send(const struct pbuf *p)
{
    uint32_t inf = REG(LAN9118_TX_FIFO_INF);
    for (unsigned n = LAN9118_STATUS_USED(inf); n > 0; n--) {
        (void)REG(LAN9118_TX_STATUS); /* a full status FIFO would stop transmission */
    }
    uint32_t bytes = (uint32_t)p->tot_len - ETH_PAD_SIZE;
    if (LAN9118_TX_FREE(inf) < bytes + 16) { /* commands and padding */
        return false;
    }
    /* The chain's two bytes of padding are skipped by the chip: words stay as they lie in memory. */
    REG(LAN9118_TX_DATA) = LAN9118_TX_A_WHOLE | LAN9118_TX_A_OFFSET(ETH_PAD_SIZE) | bytes;
    REG(LAN9118_TX_DATA) = bytes;
    eth_fifo_write(&REG(LAN9118_TX_DATA), p, 0, 0, 0);
    return true;
}

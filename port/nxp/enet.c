#include "enet.h"

#include <string.h>

#include "lwip/pbuf.h"

#include "enet_port.h"
#include "enet_regs.h"
#include "mmio.h"

#define FCS_BYTES       4
#define HEADER_BYTES    14
#define FRAME_BYTES_MAX 1518  /* with one VLAN tag, without the check sequence */
#define MAX_FL          1522  /* RCR: longer frames are marked; with the check sequence */
#define RESET_POLLS     10000 /* the reset takes 8 cycles of the module's clock */
/* Looks at a full ring before a frame is refused. A look is some 10 cycles, so 20,000 are 1.7 ms at
 * 120 MHz: a full frame at 10 Mbit/s takes 1.2 ms, at 100 Mbit/s 0.12 ms. */
#define ENET_TX_WAIT_POLLS 20000u

#define RX_ERRORS  (ENET_RX_LG | ENET_RX_NO | ENET_RX_CR | ENET_RX_TR)
#define RX2_ERRORS (ENET_RX2_ME | ENET_RX2_PE)
#define INT_WORK   (ENET_INT_RXF | ENET_INT_EBERR)
#define INT_TX_BAD (ENET_INT_LC | ENET_INT_RL | ENET_INT_UN)

_Static_assert(ETH_PAD_SIZE == 2, "RACC[SHIFT16] puts two bytes in front of a frame");
_Static_assert(ENET_BUFFER_BYTES % 16 == 0 && ENET_BUFFER_BYTES >= MAX_FL + ETH_PAD_SIZE,
               "MRBR is a multiple of 16, and a frame is never in two buffers");
_Static_assert(sizeof(struct enet_descriptor) == 32, "an enhanced descriptor");
_Static_assert(BOARD_ENET_RX_FRAMES >= 2 && BOARD_ENET_TX_FRAMES >= 2,
               "with one descriptor a ring is always full or always empty");

static uint32_t read_reg(const struct enet *e, uint32_t offset)
{
    return mmio_read32(e->config.base + offset);
}

static void write_reg(const struct enet *e, uint32_t offset, uint32_t value)
{
    mmio_write32(e->config.base + offset, value);
}

/* --- Rings ------------------------------------------------------------------------------------- */

/* Gives a receive descriptor to the controller. Word 0 last: it is what changes the owner. */
static void give_rx(struct enet *e, unsigned i)
{
    struct enet_descriptor *d = &e->rings->rx[i];
    d->word[1] = mmio_dma_address(e->rings->rx_buffer[i]);
    d->word[2] = ENET_RX2_INT;
    d->word[4] = 0;
    enet_port_barrier();
    d->word[0] = ENET_RX_E | (i == BOARD_ENET_RX_FRAMES - 1 ? ENET_RX_W : 0);
    enet_port_barrier();
}

static void init_rings(struct enet *e)
{
    memset(e->rings->rx_buffer, 0, sizeof e->rings->rx_buffer);
    enet_port_clean(e->rings->rx_buffer, sizeof e->rings->rx_buffer);
    for (unsigned i = 0; i < BOARD_ENET_RX_FRAMES; i++) {
        for (unsigned w = 0; w < 8; w++) {
            e->rings->rx[i].word[w] = 0;
        }
        give_rx(e, i);
    }
    for (unsigned i = 0; i < BOARD_ENET_TX_FRAMES; i++) {
        struct enet_descriptor *d = &e->rings->tx[i];
        for (unsigned w = 0; w < 8; w++) {
            d->word[w] = 0;
        }
        d->word[0] = i == BOARD_ENET_TX_FRAMES - 1 ? ENET_TX_W : 0;
        d->word[1] = mmio_dma_address(e->rings->tx_buffer[i]);
    }
    e->rx_next = 0;
    e->tx_next = 0;
    e->tx_oldest = 0;
    e->tx_used = 0;
    enet_port_barrier();
}

/* --- MAC --------------------------------------------------------------------------------------- */

/* Stops DMA at once; the controller goes back to the start of its rings (ECR[ETHEREN]). */
static void mac_off(struct enet *e)
{
    write_reg(e, ENET_EIMR, 0);
    write_reg(e, ENET_ECR, ENET_ECR_EN1588 | ENET_ECR_DBSWP);
    e->counters.tx_errors += e->tx_used;
    e->tx_used = 0;
    e->on = false;
}

static void mac_on(struct enet *e)
{
    uint32_t rcr = ENET_RCR_MAX_FL(MAX_FL) | ENET_RCR_RMII_MODE | ENET_RCR_MII_MODE;
    rcr |= e->speed == ENET_10 ? ENET_RCR_RMII_10T : 0;
    rcr |= e->full_duplex ? 0 : ENET_RCR_DRT;
    init_rings(e);
    write_reg(e, ENET_EIR, ~ENET_INT_MII);
    write_reg(e, ENET_RCR, rcr);
    write_reg(e, ENET_TCR, e->full_duplex ? ENET_TCR_FDEN : 0);
    write_reg(e, ENET_RDSR, mmio_dma_address(e->rings->rx));
    write_reg(e, ENET_TDSR, mmio_dma_address(e->rings->tx));
    write_reg(e, ENET_MRBR, ENET_BUFFER_BYTES);
    /* DBSWP: without it a chip takes our descriptors for big-endian ones. QEMU does not care. */
    write_reg(e, ENET_ECR, ENET_ECR_ETHEREN | ENET_ECR_EN1588 | ENET_ECR_DBSWP);
    write_reg(e, ENET_RDAR, ENET_RDAR_RDAR); /* has an effect only now */
    e->on = true;
    write_reg(e, ENET_EIMR, INT_WORK);
}

static void set_address(struct enet *e)
{
    const uint8_t *m = e->config.mac;
    write_reg(e, ENET_PALR,
              (uint32_t)m[0] << 24 | (uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 | m[3]);
    write_reg(e, ENET_PAUR, (uint32_t)m[4] << 24 | (uint32_t)m[5] << 16);
    /* Broadcasts pass without a hash; nobody sends us multicasts. */
    write_reg(e, ENET_IAUR, 0);
    write_reg(e, ENET_IALR, 0);
    write_reg(e, ENET_GAUR, 0);
    write_reg(e, ENET_GALR, 0);
}

bool enet_start(struct enet *e, const struct enet_config *config, struct enet_rings *rings)
{
    memset(e, 0, sizeof *e);
    e->config = *config;
    e->rings = rings;
    write_reg(e, ENET_ECR, ENET_ECR_RESET);
    for (unsigned i = 0; (read_reg(e, ENET_ECR) & ENET_ECR_RESET) != 0; i++) {
        if (i == RESET_POLLS) {
            return false;
        }
    }
    write_reg(e, ENET_EIMR, 0);
    write_reg(e, ENET_EIR, UINT32_MAX);
    /* MDC at most 2.5 MHz (IEEE 802.3, 22.2.2.13): module clock / (2 * (n + 1)), rounded up. */
    uint32_t divisor = (config->clock_hz + 4999999u) / 5000000u;
    uint32_t speed = divisor > 1 ? divisor - 1 : 1; /* 0 turns MDC off */
    if (speed > ENET_MSCR_SPEED_MAX) {
        return false;
    }
    write_reg(e, ENET_MSCR, ENET_MSCR_SPEED(speed));
    write_reg(e, ENET_MIBC, 0); /* count */
    set_address(e);
    write_reg(e, ENET_TFWR, ENET_TFWR_STRFWD);
    write_reg(e, ENET_FTRL, ENET_BUFFER_BYTES - 8); /* above MAX_FL; a frame stays in its buffer */
    write_reg(e, ENET_TACC, 0);
    write_reg(e, ENET_RACC, ENET_RACC_SHIFT16);
    mac_off(e);
    return enet_phy_start(e);
}

bool enet_poll_link(struct enet *e)
{
    enum enet_speed speed = e->speed;
    bool full_duplex = e->full_duplex;
    bool up = enet_phy_link(e, &speed, &full_duplex);
    uint32_t lost = read_reg(e, ENET_IEEE_R_MACERR);
    e->counters.rx_overruns = lost;
    if (e->on && (!up || speed != e->speed || full_duplex != e->full_duplex)) {
        mac_off(e);
    }
    if (up && !e->on) {
        e->speed = speed;
        e->full_duplex = full_duplex;
        e->counters.link_ups++;
        mac_on(e);
    }
    return up;
}

bool enet_irq(struct enet *e)
{
    uint32_t events = read_reg(e, ENET_EIR) & read_reg(e, ENET_EIMR);
    if (events == 0) {
        return false;
    }
    write_reg(e, ENET_EIMR, 0);
    e->counters.interrupts++;
    return true;
}

/* --- Transmit ---------------------------------------------------------------------------------- */

/* Takes back what was sent. */
static void reap(struct enet *e)
{
    while (e->tx_used > 0) {
        struct enet_descriptor *d = &e->rings->tx[e->tx_oldest];
        if ((d->word[0] & ENET_TX_R) != 0) {
            /* A write to TDAR is lost when it meets the moment in which the controller clears it
             * (errata 6358 of K6x and i.MX6): the ring has work, and nobody is at it. */
            if (read_reg(e, ENET_TDAR) == 0 && (d->word[0] & ENET_TX_R) != 0) {
                e->counters.tx_kicks++;
                write_reg(e, ENET_TDAR, ENET_TDAR_TDAR);
            }
            return;
        }
        if ((d->word[2] & ENET_TX2_TXE) != 0) {
            e->counters.tx_errors++;
        } else {
            e->counters.tx_frames++;
        }
        e->tx_oldest = (e->tx_oldest + 1) % BOARD_ENET_TX_FRAMES;
        e->tx_used--;
    }
}

/* Waits, within its bound, for room in the ring. */
static bool has_room(struct enet *e)
{
    reap(e);
    for (unsigned i = 0; e->tx_used == BOARD_ENET_TX_FRAMES; i++) {
        if (i == ENET_TX_WAIT_POLLS) {
            e->counters.tx_full++;
            return false;
        }
        reap(e);
    }
    return true;
}

bool enet_send(struct enet *e, const struct pbuf *p)
{
    size_t bytes = p->tot_len > ETH_PAD_SIZE ? (size_t)p->tot_len - ETH_PAD_SIZE : 0;
    if (!e->on) {
        return false;
    }
    if (bytes < HEADER_BYTES || bytes > FRAME_BYTES_MAX) {
        e->counters.tx_errors++;
        return false;
    }
    if (!has_room(e)) {
        return false;
    }
    unsigned i = e->tx_next;
    struct enet_descriptor *d = &e->rings->tx[i];
    (void)pbuf_copy_partial(p, e->rings->tx_buffer[i], (u16_t)bytes, ETH_PAD_SIZE);
    enet_port_clean(e->rings->tx_buffer[i], bytes);
    d->word[2] = 0;
    d->word[4] = 0;
    enet_port_barrier();
    d->word[0] = ENET_TX_R | (i == BOARD_ENET_TX_FRAMES - 1 ? ENET_TX_W : 0) | ENET_TX_L |
                 ENET_TX_TC | (uint32_t)bytes;
    enet_port_barrier();
    write_reg(e, ENET_TDAR, ENET_TDAR_TDAR);
    e->tx_next = (i + 1) % BOARD_ENET_TX_FRAMES;
    e->tx_used++;
    return true;
}

/* --- Receive ----------------------------------------------------------------------------------- */

static struct pbuf *drop(uint32_t *counter)
{
    *counter += 1;
    return NULL;
}

static struct pbuf *take_frame(struct enet *e, unsigned i, uint32_t word0)
{
    size_t bytes = ENET_BD_LENGTH(word0); /* padding, frame, check sequence */
    if ((word0 & ENET_RX_OV) != 0) {
        return drop(&e->counters.rx_errors); /* the other bits mean nothing then */
    }
    if ((word0 & ENET_RX_L) == 0 || (word0 & RX_ERRORS) != 0 ||
        (e->rings->rx[i].word[2] & RX2_ERRORS) != 0 ||
        bytes < ETH_PAD_SIZE + HEADER_BYTES + FCS_BYTES || bytes > ENET_BUFFER_BYTES) {
        return drop(&e->counters.rx_errors);
    }
    bytes -= FCS_BYTES;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_POOL);
    if (p == NULL) {
        return drop(&e->counters.rx_no_pbuf);
    }
    if (p->next != NULL) { /* longer than our MTU: nobody was told to send that */
        pbuf_free(p);
        return drop(&e->counters.rx_no_pbuf);
    }
    enet_port_invalidate(e->rings->rx_buffer[i], bytes);
    memcpy(p->payload, e->rings->rx_buffer[i], bytes);
    e->counters.rx_frames++;
    return p;
}

static bool is_filled(const struct enet *e)
{
    return e->on && (e->rings->rx[e->rx_next].word[0] & ENET_RX_E) == 0;
}

static void recover(struct enet *e)
{
    uint32_t events = read_reg(e, ENET_EIR);
    write_reg(e, ENET_EIR, events & (INT_TX_BAD | ENET_INT_EBERR));
    if (e->on && (events & ENET_INT_EBERR) != 0) {
        e->counters.bus_errors++;
        mac_off(e);
        mac_on(e);
    }
}

struct pbuf *enet_receive(struct enet *e, bool *more)
{
    *more = false;
    if (!is_filled(e)) {
        reap(e);
        if (!e->on) {
            return NULL;
        }
        recover(e);
        /* A frame that came before the event was cleared raises nothing more: look again. */
        write_reg(e, ENET_EIR, ENET_INT_RXF);
        write_reg(e, ENET_EIMR, INT_WORK);
        if (!is_filled(e)) {
            return NULL;
        }
    }
    *more = true;
    unsigned i = e->rx_next;
    uint32_t word0 = e->rings->rx[i].word[0];
    enet_port_barrier(); /* what follows was written before E was cleared */
    struct pbuf *p = take_frame(e, i, word0);
    give_rx(e, i);
    write_reg(e, ENET_RDAR, ENET_RDAR_RDAR); /* the controller stopped if the ring was full */
    e->rx_next = (i + 1) % BOARD_ENET_RX_FRAMES;
    return p;
}

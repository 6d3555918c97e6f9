/* The Ethernet of cortexm.h: the ENET core (port/nxp) with this chip's interrupts, clock and pins. */
#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/stats.h"

#include "board.h"
#include "cortexm.h"
#include "enet.h"
#include "enet_port.h"
#include "kinetis.h"
#include "regs.h"

#define ENET_BASE      0x400C0000u
#define ENET_IRQ_TX    83u
#define ENET_IRQ_RX    84u
#define ENET_IRQ_ERROR 85u

/* In SRAM_L, which has the room; not initialised, enet_start does that. */
__attribute__((section(".noinit_low"))) static struct enet_rings rings;
static struct enet enet;

/* --- enet_port.h ------------------------------------------------------------------------------- */

void enet_port_barrier(void)
{
    __asm volatile("dsb" ::: "memory");
}

/* The K64 has no data cache. */
void enet_port_clean(const void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

void enet_port_invalidate(const void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

/* --- cortexm.h --------------------------------------------------------------------------------- */

void BOARD_ENET_RX_ISR(void);
void BOARD_ENET_ERROR_ISR(void);

void BOARD_ENET_RX_ISR(void)
{
    if (enet_irq(&enet)) {
        cortexm_wake();
    }
}

void BOARD_ENET_ERROR_ISR(void)
{
    BOARD_ENET_RX_ISR();
}

static void start_pins(void)
{
    static const struct {
        uint8_t port, pin;
    } rmii[] = {BOARD_ENET_RMII_PINS};
    for (unsigned i = 0; i < sizeof rmii / sizeof rmii[0]; i++) {
        kinetis_pin(rmii[i].port, rmii[i].pin, BOARD_ENET_MUX, 0);
    }
    /* MDIO is driven by both ends, and its pull-up may be weak on the board. */
    kinetis_pin(BOARD_ENET_MDIO_PORT, BOARD_ENET_MDIO_PIN, BOARD_ENET_MUX,
                PORT_PCR_ODE | PORT_PCR_PE | PORT_PCR_PS);
    kinetis_pin(BOARD_ENET_MDIO_PORT, BOARD_ENET_MDC_PIN, BOARD_ENET_MUX, 0);
}

bool eth_start(uint8_t mac[6])
{
    struct enet_config config = {
        .base = ENET_BASE, .clock_hz = kinetis_core_hz(), .phy = BOARD_ENET_PHY};
    memcpy(config.mac, mac, sizeof config.mac);
    SIM_SOPT2 &= ~SIM_SOPT2_RMIISRC;
    SIM_SCGC2 |= SIM_SCGC2_ENET;
    start_pins();
    if (!enet_start(&enet, &config, &rings)) {
        return false;
    }
    nvic_enable(ENET_IRQ_RX);
    nvic_enable(ENET_IRQ_ERROR);
    return true;
}

bool eth_send(const struct pbuf *p)
{
    return enet_send(&enet, p);
}

struct pbuf *eth_receive(bool *more)
{
    struct pbuf *p = enet_receive(&enet, more);
    if (p == NULL && *more) {
        LINK_STATS_INC(link.drop);
    }
    return p;
}

bool eth_link_up(void)
{
    return enet_poll_link(&enet);
}

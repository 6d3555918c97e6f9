/* ENET: the Ethernet controller of NXP's Kinetis and i.MX chips, as a core that knows neither chip nor
 * board.
 *
 * It owns the descriptor rings, the MAC, the management interface to the PHY and the state of the
 * link. It knows nothing of clocks, pins and interrupt controllers: those are the port's
 * (port/kinetis/eth.c), which also gives the two functions of enet_port.h. The object files name no
 * register of the core, so the same ones run on any Arm core that executes Thumb-2: how they are
 * tested, see tests/rigs/sabrelite/README.md.
 *
 * Frames are copied, both ways. A receive buffer goes back to the controller at once, whatever lwIP
 * does with the frame, and TCP may change a segment's header while an earlier copy is still being
 * sent. At 120 MHz a copy of a full frame takes some 6 us; on the wire it takes 120.
 *
 * Registers: enet_regs.h. Context: task, except enet_irq.
 */
#ifndef ENET_H
#define ENET_H

#include <stdbool.h>
#include <stdint.h>

struct pbuf;

/* Frames that the controller can hold without us, per direction. Cost: 1568 bytes each. A board
 * overrides them in board.h. */
#ifndef BOARD_ENET_RX_FRAMES
#define BOARD_ENET_RX_FRAMES 8
#endif
#ifndef BOARD_ENET_TX_FRAMES
#define BOARD_ENET_TX_FRAMES 8
#endif

/* A multiple of 16 that holds the longest frame (1522), its two bytes of padding, and no more. */
#define ENET_BUFFER_BYTES 1536

/* What the controller reads and writes: in memory that its DMA reaches and that no cache covers. Not
 * initialised by the program: enet_start does. A ring starts at a multiple of 64. */
struct enet_descriptor {
    volatile uint32_t word[8];
};
struct enet_rings {
    _Alignas(64) struct enet_descriptor rx[BOARD_ENET_RX_FRAMES];
    _Alignas(64) struct enet_descriptor tx[BOARD_ENET_TX_FRAMES];
    _Alignas(16) uint8_t rx_buffer[BOARD_ENET_RX_FRAMES][ENET_BUFFER_BYTES];
    _Alignas(16) uint8_t tx_buffer[BOARD_ENET_TX_FRAMES][ENET_BUFFER_BYTES];
};

struct enet_config {
    uintptr_t base;    /* of the registers */
    uint32_t clock_hz; /* the module's clock, for MDC; 5 to 320 MHz */
    uint8_t phy;       /* address of the PHY, 0 to 31 */
    uint8_t mac[6];    /* ours; not a group address */
};

enum enet_speed { ENET_10, ENET_100 };

struct enet_counters {
    uint32_t rx_frames, tx_frames;
    uint32_t rx_errors;   /* check sequence, alignment, PHY error, too long, too short */
    uint32_t rx_overruns; /* frames that found the controller's FIFO full */
    uint32_t rx_no_pbuf;  /* lwIP had no room, or the frame is longer than our MTU */
    uint32_t tx_errors;   /* collisions, underruns */
    uint32_t tx_full;     /* frames refused: the ring was full */
    uint32_t tx_kicks;    /* transmission had stalled and was started again (erratum 6358) */
    uint32_t bus_errors;  /* the DMA met a bus error and the MAC was started again */
    uint32_t link_ups;
    uint32_t mdio_errors; /* management transfers that did not end */
    uint32_t interrupts;
};

struct enet {
    struct enet_config config;
    struct enet_rings *rings;
    unsigned rx_next;   /* the next descriptor to look at */
    unsigned tx_next;   /* the next to fill */
    unsigned tx_oldest; /* the oldest that may be the controller's; tx_used are */
    unsigned tx_used;
    bool on; /* the link is up, and the MAC runs */
    enum enet_speed speed;
    bool full_duplex;
    struct enet_counters counters;
};

/* Resets the controller and looks for the PHY, which begins to negotiate. The link is down; RXF and
 * bus errors may interrupt from now on. False: the controller stays in reset, or no PHY answers at
 * that address: wrong clock, wrong pins, or wrong address. `rings` belong to the controller for as
 * long as the program runs. Blocks for some 100 us. */
bool enet_start(struct enet *e, const struct enet_config *config, struct enet_rings *rings);

/* Asks the PHY; starts the MAC when the link came up, with the speed and duplex that were negotiated,
 * stops it when it went down (frames that wait are dropped and counted as tx_errors), and collects the
 * controller's counters. Returns whether the link is up. Call it a few times per second. Blocks for
 * two to four management transfers of 26 us each. */
bool enet_poll_link(struct enet *e);

/* Sends a copy of a chain that starts with ETH_PAD_SIZE bytes that are not sent. False when the link
 * is down, the frame is too long, or the ring stays full for ENET_TX_WAIT_POLLS looks at it. Cost:
 * linear in the bytes. */
bool enet_send(struct enet *e, const struct pbuf *p);

/* The next frame, ETH_PAD_SIZE bytes in front, in one pbuf that is the caller's. NULL with *more false:
 * there is none, and the interrupt is armed again. NULL with *more true: one was dropped, and counted.
 * Cost: linear in the bytes. The caller bounds how many it takes in one go. */
struct pbuf *enet_receive(struct enet *e, bool *more);

/* The interrupt service routine, for whichever lines the chip has: notes, and masks itself until
 * enet_receive has found nothing more. True when there is work for a task. ISR context. */
bool enet_irq(struct enet *e);

/* One register of the PHY (IEEE 802.3, 22.2.4). False when the transfer does not end; *value is then
 * unchanged. Blocks for 26 us. */
bool enet_phy_read(struct enet *e, unsigned reg, uint16_t *value);
bool enet_phy_write(struct enet *e, unsigned reg, uint16_t value);

/* Enables auto-negotiation with what the PHY can do. Never resets the PHY nor powers it down: on some
 * boards, the FRDM-K64F among them, it makes the clock that the core runs on. False: no PHY there. */
bool enet_phy_start(struct enet *e);

/* What the PHY says of the link, speed and duplex; the latter two written only when it is up. */
bool enet_phy_link(struct enet *e, enum enet_speed *speed, bool *full_duplex);

#endif

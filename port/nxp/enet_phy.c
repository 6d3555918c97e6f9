/* The PHY behind ENET's management interface: IEEE 802.3 clause 22, nothing of a maker's own. */
#include "enet.h"
#include "enet_regs.h"
#include "mmio.h"

#define MDIO_POLLS 20000 /* a transfer is 64 cycles of MDC: 26 us at 2.5 MHz */

/* IEEE 802.3, 22.2.4 and 28.2.4: registers and their bits */
#define PHY_CONTROL   0u
#define PHY_STATUS    1u
#define PHY_ID1       2u
#define PHY_ADVERTISE 4u
#define PHY_PARTNER   5u

#define CONTROL_AUTONEG   0x1000u
#define CONTROL_RESTART   0x0200u
#define CONTROL_ISOLATE   0x0400u
#define CONTROL_POWERDOWN 0x0800u
#define STATUS_DONE       0x0020u /* negotiation is complete */
#define STATUS_LINK       0x0004u /* latches "down" until it is read */
#define ABILITY_SELECTOR  0x0001u /* IEEE 802.3 */
#define ABILITY_10_HALF   0x0020u
#define ABILITY_10_FULL   0x0040u
#define ABILITY_100_HALF  0x0080u
#define ABILITY_100_FULL  0x0100u

static bool transfer(struct enet *e, uint32_t frame, uint16_t *value)
{
    uintptr_t base = e->config.base;
    mmio_write32(base + ENET_EIR, ENET_INT_MII);
    mmio_write32(base + ENET_MMFR, frame);
    for (unsigned i = 0; i < MDIO_POLLS; i++) {
        if ((mmio_read32(base + ENET_EIR) & ENET_INT_MII) != 0) {
            *value = (uint16_t)(mmio_read32(base + ENET_MMFR) & ENET_MMFR_DATA);
            mmio_write32(base + ENET_EIR, ENET_INT_MII);
            return true;
        }
    }
    e->counters.mdio_errors++;
    return false;
}

bool enet_phy_read(struct enet *e, unsigned reg, uint16_t *value)
{
    return transfer(e,
                    ENET_MMFR_ST | ENET_MMFR_OP_READ | ENET_MMFR_PA(e->config.phy) |
                        ENET_MMFR_RA(reg) | ENET_MMFR_TA,
                    value);
}

bool enet_phy_write(struct enet *e, unsigned reg, uint16_t value)
{
    uint16_t ignored;
    return transfer(e,
                    ENET_MMFR_ST | ENET_MMFR_OP_WRITE | ENET_MMFR_PA(e->config.phy) |
                        ENET_MMFR_RA(reg) | ENET_MMFR_TA | value,
                    &ignored);
}

bool enet_phy_start(struct enet *e)
{
    uint16_t id;
    uint16_t control;
    /* Nobody there: the line's pull-up reads as ones, a short as zeros. */
    if (!enet_phy_read(e, PHY_ID1, &id) || id == 0xFFFF || id == 0 ||
        !enet_phy_read(e, PHY_CONTROL, &control)) {
        return false;
    }
    control &= (uint16_t) ~(CONTROL_ISOLATE | CONTROL_POWERDOWN);
    return enet_phy_write(e, PHY_ADVERTISE,
                          ABILITY_SELECTOR | ABILITY_10_HALF | ABILITY_10_FULL | ABILITY_100_HALF |
                              ABILITY_100_FULL) &&
           enet_phy_write(e, PHY_CONTROL, control | CONTROL_AUTONEG | CONTROL_RESTART);
}

bool enet_phy_link(struct enet *e, enum enet_speed *speed, bool *full_duplex)
{
    uint16_t status;
    uint16_t ours;
    uint16_t theirs;
    if (!enet_phy_read(e, PHY_STATUS, &status)) {
        return false;
    }
    /* A link that went down and came back between two looks reads as down once: the MAC is then
     * started again, with what was negotiated anew. */
    if ((status & STATUS_LINK) == 0 || (status & STATUS_DONE) == 0) {
        return false;
    }
    if (!enet_phy_read(e, PHY_ADVERTISE, &ours) || !enet_phy_read(e, PHY_PARTNER, &theirs)) {
        return false;
    }
    /* The best that both can do (IEEE 802.3, annex 28B.3). A partner that does not negotiate is found
     * by its signal, and its register shows the one speed, half duplex. */
    uint16_t both = ours & theirs;
    *speed = (both & (ABILITY_100_FULL | ABILITY_100_HALF)) != 0 ? ENET_100 : ENET_10;
    *full_duplex =
        *speed == ENET_100 ? (both & ABILITY_100_FULL) != 0 : (both & ABILITY_10_FULL) != 0;
    return true;
}

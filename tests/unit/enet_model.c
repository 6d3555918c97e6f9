#include "enet_model.h"

#include <string.h>

#include "../../port/nxp/enet_port.h"
#include "../../port/nxp/enet_regs.h"
#include "../../port/nxp/mmio.h"

#define MEMORY 0x20000000u /* where the DMA sees the rings */

struct enet_model enet_model;
struct enet_rings enet_model_rings;

static uint32_t regs[0x600 / 4];
static bool rx_active;
static bool broken; /* a bus error has disabled the MAC, and the driver does not know yet */
static unsigned rx_at, tx_at;
static uint16_t phy_control, phy_advertise;

/* A descriptor as it was at the last barrier. */
struct seen {
    uint32_t word[8];
    uint32_t sum; /* of its buffer */
};
static struct seen seen_rx[BOARD_ENET_RX_FRAMES], seen_tx[BOARD_ENET_TX_FRAMES];

#define REG(offset) regs[(offset) / 4]

static void violate(const char *why)
{
    enet_model.violations++;
    enet_model.why = why;
}

static void check(bool right, const char *why)
{
    if (!right) {
        violate(why);
    }
}

void enet_model_reset(void)
{
    memset(&enet_model, 0, sizeof enet_model);
    memset(&enet_model_rings, 0xA5, sizeof enet_model_rings);
    memset(regs, 0, sizeof regs);
    memset(seen_rx, 0, sizeof seen_rx);
    memset(seen_tx, 0, sizeof seen_tx);
    REG(ENET_ECR) = 0xF0000000;
    REG(ENET_RCR) = 0x05EE0001;
    rx_active = false;
    broken = false;
    enet_model.clock_hz = 120000000;
    enet_model.link = true;
    enet_model.partner = 0x01E1;
    enet_model.able = 0x01E1;
    phy_control = 0x3100;
    phy_advertise = 0x01E1;
}

uint32_t enet_model_register(uint32_t offset)
{
    return REG(offset);
}

bool enet_model_interrupts(void)
{
    return (REG(ENET_EIR) & REG(ENET_EIMR)) != 0;
}

uint32_t mmio_dma_address(const void *memory)
{
    return MEMORY + (uint32_t)((const uint8_t *)memory - (const uint8_t *)&enet_model_rings);
}

static uint8_t *at_address(uint32_t address)
{
    size_t offset = address - MEMORY;
    if (offset + ENET_BUFFER_BYTES > sizeof enet_model_rings || address % 16 != 0) {
        violate("a descriptor points to no buffer");
        offset = offsetof(struct enet_rings, rx_buffer);
    }
    return (uint8_t *)&enet_model_rings + offset;
}

static bool is_on(void)
{
    return (REG(ENET_ECR) & ENET_ECR_ETHEREN) != 0;
}

/* --- Order of writes ----------------------------------------------------------------------------- */

static uint32_t sum_of(const uint8_t *at)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < ENET_BUFFER_BYTES; i++) {
        sum = sum * 31 + at[i];
    }
    return sum;
}

static void look(struct seen *before, const struct enet_descriptor *d, const uint8_t *buffer,
                 bool has_data)
{
    struct seen now;
    for (unsigned i = 0; i < 8; i++) {
        now.word[i] = d->word[i];
    }
    now.sum = sum_of(buffer);
    bool given = (now.word[0] >> 31) != 0 && (before->word[0] >> 31) == 0;
    if (given && is_on()) { /* before that nobody looks */
        check(now.word[1] == before->word[1] && now.word[2] == before->word[2] &&
                  (!has_data || now.sum == before->sum),
              "a descriptor was given away before the rest of it was visible");
    }
    *before = now;
}

void enet_port_barrier(void)
{
    for (unsigned i = 0; i < BOARD_ENET_RX_FRAMES; i++) {
        look(&seen_rx[i], &enet_model_rings.rx[i], enet_model_rings.rx_buffer[i], false);
    }
    for (unsigned i = 0; i < BOARD_ENET_TX_FRAMES; i++) {
        look(&seen_tx[i], &enet_model_rings.tx[i], enet_model_rings.tx_buffer[i], true);
    }
}

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

/* --- PHY ----------------------------------------------------------------------------------------- */

static uint16_t phy_read(unsigned reg)
{
    switch (reg) {
    case 0:
        return phy_control;
    case 1: {
        bool up = enet_model.link && !enet_model.link_fell;
        enet_model.link_fell = false;
        return (uint16_t)(0x7809 | (up ? 0x0024 : 0));
    }
    case 2:
        return 0x0022;
    case 4:
        return phy_advertise;
    case 5:
        return enet_model.partner;
    default:
        violate("a PHY register of one maker");
        return 0xFFFF;
    }
}

static void phy_write(unsigned reg, uint16_t value)
{
    if (reg == 0) {
        enet_model.phy_was_reset = enet_model.phy_was_reset || (value & 0x8800) != 0;
        phy_control = value & 0xFDFF;
    } else if (reg == 4) {
        phy_advertise = value & enet_model.able;
    } else {
        violate("a PHY register that is not ours to write");
    }
}

static void manage(uint32_t frame)
{
    unsigned phy = frame >> 23 & 31;
    unsigned reg = frame >> 18 & 31;
    uint32_t mdc = enet_model.clock_hz / (2 * ((REG(ENET_MSCR) >> 1 & 63) + 1));
    check((REG(ENET_MSCR) & 0x7E) != 0 && mdc <= 2500000, "MDC is off or above 2.5 MHz");
    check((frame >> 30) == 1 && (frame >> 16 & 3) == 2, "no management frame of clause 22");
    if (enet_model.mdio_hangs) {
        return;
    }
    if ((frame >> 28 & 3) == 2) {
        uint32_t value = phy == ENET_MODEL_PHY ? phy_read(reg) : 0xFFFF;
        REG(ENET_MMFR) = (frame & 0xFFFF0000) | value;
    } else if (phy == ENET_MODEL_PHY) {
        phy_write(reg, (uint16_t)frame);
    }
    REG(ENET_EIR) |= ENET_INT_MII;
}

/* --- MAC ----------------------------------------------------------------------------------------- */

static void enable(void)
{
    check((REG(ENET_ECR) & ENET_ECR_DBSWP) != 0, "descriptors would be taken for big-endian");
    check((REG(ENET_ECR) & ENET_ECR_EN1588) != 0, "descriptors would be taken for short ones");
    check((REG(ENET_RCR) & 0x104) == 0x104, "RMII and MII mode");
    check((REG(ENET_RCR) >> 16) == 1522, "MAX_FL");
    check((REG(ENET_TFWR) & ENET_TFWR_STRFWD) != 0, "no store and forward");
    check(REG(ENET_MRBR) % 16 == 0 && REG(ENET_MRBR) == ENET_BUFFER_BYTES, "MRBR");
    check(REG(ENET_FTRL) > 1522 && REG(ENET_FTRL) <= REG(ENET_MRBR), "a frame in two buffers");
    check(REG(ENET_RDSR) == mmio_dma_address(enet_model_rings.rx), "RDSR");
    check(REG(ENET_TDSR) == mmio_dma_address(enet_model_rings.tx), "TDSR");
    check(REG(ENET_RDSR) % 64 == 0 && REG(ENET_TDSR) % 64 == 0, "rings are not aligned");
    rx_at = 0;
    tx_at = 0;
    rx_active = false;
}

static void send_one(const struct enet_descriptor *d)
{
    uint32_t bytes = d->word[0] & 0xFFFF;
    check((d->word[0] & (ENET_TX_L | ENET_TX_TC)) == (ENET_TX_L | ENET_TX_TC),
          "a frame without its end or its check sequence");
    check(bytes >= 14 && bytes <= 1518, "a frame's length");
    memcpy(enet_model.last, at_address(d->word[1]), bytes <= 1518 ? bytes : 0);
    enet_model.last_bytes = bytes;
    enet_model.sent++;
}

static void transmit(void)
{
    while (!enet_model.tx_holds) {
        struct enet_descriptor *d = &enet_model_rings.tx[tx_at];
        if ((d->word[0] & ENET_TX_R) == 0) {
            return;
        }
        check(tx_at < BOARD_ENET_TX_FRAMES, "the ring has no end");
        if (tx_at >= BOARD_ENET_TX_FRAMES) {
            return;
        }
        if (enet_model.tx_error > 0) {
            enet_model.tx_error--;
            d->word[2] |= ENET_TX2_TXE;
        } else {
            send_one(d);
        }
        d->word[0] &= ~ENET_TX_R;
        tx_at = (d->word[0] & ENET_TX_W) != 0 ? 0 : tx_at + 1;
    }
}

bool enet_model_receive(const void *frame, size_t bytes, uint32_t status, uint32_t word2)
{
    struct enet_descriptor *d = &enet_model_rings.rx[rx_at];
    if (!is_on() || !rx_active || (d->word[0] & ENET_RX_E) == 0) {
        rx_active = false;
        enet_model.lost++;
        return false;
    }
    check((d->word[2] & ENET_RX2_INT) != 0, "a descriptor that raises nothing");
    size_t pad = (REG(ENET_RACC) & ENET_RACC_SHIFT16) != 0 ? 2 : 0;
    uint8_t *to = at_address(d->word[1]);
    memset(to, 0, pad);
    memcpy(to + pad, frame, bytes);
    memset(to + pad + bytes, 0xCC, 4); /* the check sequence */
    bool last = d->word[0] & ENET_RX_W;
    d->word[2] = word2;
    d->word[4] = UINT32_C(1) << 31;
    d->word[0] = (last ? ENET_RX_W : 0) | (status ^ ENET_RX_L) | (uint32_t)(bytes + pad + 4);
    rx_at = last ? 0 : rx_at + 1;
    REG(ENET_EIR) |= ENET_INT_RXF;
    return true;
}

void enet_model_bus_error(void)
{
    REG(ENET_ECR) &= ~ENET_ECR_ETHEREN;
    REG(ENET_EIR) |= ENET_INT_EBERR;
    rx_active = false;
    broken = true;
}

/* --- Registers ----------------------------------------------------------------------------------- */

uint32_t mmio_read32(uintptr_t address)
{
    uint32_t offset = (uint32_t)(address - ENET_MODEL_BASE);
    check(offset < sizeof regs, "no such register");
    return offset < sizeof regs ? REG(offset) : 0;
}

static void write_ecr(uint32_t value)
{
    if ((value & ENET_ECR_RESET) != 0) {
        memset(regs, 0, sizeof regs);
        REG(ENET_ECR) = enet_model.stuck_in_reset ? ENET_ECR_RESET : 0;
        return;
    }
    bool was_on = is_on();
    broken = false;
    REG(ENET_ECR) = value;
    if (!was_on && is_on()) {
        enable();
    } else if (!is_on()) {
        rx_active = false;
    }
}

static void write_event(uint32_t value)
{
    REG(ENET_EIR) &= ~value;
    if ((value & ENET_INT_RXF) != 0 && enet_model.on_rxf_cleared != NULL) {
        enet_model.on_rxf_cleared();
    }
}

void mmio_write32(uintptr_t address, uint32_t value)
{
    uint32_t offset = (uint32_t)(address - ENET_MODEL_BASE);
    switch (offset) {
    case ENET_EIR:
        write_event(value);
        return;
    case ENET_ECR:
        write_ecr(value);
        return;
    case ENET_MMFR:
        manage(value);
        return;
    case ENET_RDAR:
        check(is_on() || broken, "RDAR has no effect before ETHEREN");
        rx_active = is_on();
        return;
    case ENET_TDAR:
        check(is_on(), "TDAR has no effect before ETHEREN");
        if (!enet_model.lose_tdar) {
            transmit();
        }
        enet_model.lose_tdar = false;
        return;
    case ENET_RCR:
    case ENET_TCR:
    case ENET_RDSR:
    case ENET_TDSR:
    case ENET_MRBR:
    case ENET_PALR:
    case ENET_PAUR:
    case ENET_TFWR:
    case ENET_RACC:
    case ENET_TACC:
    case ENET_FTRL:
        check(!is_on(), "configuration was changed while the MAC runs");
        break;
    case ENET_EIMR:
    case ENET_MSCR:
    case ENET_MIBC:
    case ENET_IAUR:
    case ENET_IALR:
    case ENET_GAUR:
    case ENET_GALR:
        break;
    default:
        violate("a register that the driver has no business with");
        return;
    }
    REG(offset) = value;
}

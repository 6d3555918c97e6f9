/* A register model of ENET and a PHY for tests of port/nxp/enet*.c. It moves frames through the rings as the
 * controller does, fails on demand, and objects to what the manual forbids; above all to what QEMU's model
 * lets pass (DBSWP, RMII, the order of configuration, the order of writes to a descriptor). */
#ifndef ENET_MODEL_H
#define ENET_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../port/nxp/enet.h"

#define ENET_MODEL_BASE 0x400C0000u
#define ENET_MODEL_PHY  3u

struct enet_model {
    uint32_t violations;
    const char *why; /* the last one */
    uint32_t clock_hz;
    /* What the PHY says */
    bool link;
    bool link_fell;   /* "down" is latched until it is read */
    uint16_t able;    /* abilities that the PHY has, whatever it is told to advertise */
    uint16_t partner; /* abilities */
    bool phy_was_reset;
    /* Faults to make */
    bool stuck_in_reset;
    bool mdio_hangs;
    bool tx_holds;                /* nothing is sent */
    bool lose_tdar;               /* the next write to TDAR is lost (erratum) */
    uint32_t tx_error;            /* so many frames end with TXE */
    void (*on_rxf_cleared)(void); /* called when RXF is cleared */
    /* What happened */
    uint32_t sent;      /* frames */
    uint8_t last[1600]; /* the last of them */
    size_t last_bytes;
    uint32_t lost; /* frames that found no descriptor */
};
extern struct enet_model enet_model;
extern struct enet_rings enet_model_rings;

void enet_model_reset(void);
/* A frame comes in. status: bits of descriptor word 0 to set; word2: of word 2. False: lost. */
bool enet_model_receive(const void *frame, size_t bytes, uint32_t status, uint32_t word2);
void enet_model_bus_error(void);
/* The interrupt line. */
bool enet_model_interrupts(void);
uint32_t enet_model_register(uint32_t offset);

#endif

/* cortexm.h's Ethernet for the rig: the ENET core with this machine's interrupt. port/kinetis/eth.c is
 * the same for the K64. */
#include <string.h>

#include "boot.h"
#include "cortexm.h"
#include "enet_port.h"
#include "rig.h"

#define ENET_BASE 0x02188000u
#define CLOCK_HZ  66000000u
#define PHY       6u

static struct enet_rings rings;
static struct enet enet;

void enet_port_barrier(void)
{
    __asm volatile("dsb" ::: "memory");
}

/* Nothing is cached. */
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

void rig_enet_interrupt(void)
{
    if (enet_irq(&enet)) {
        cortexm_wake();
    }
}

const struct enet *rig_enet(void)
{
    return &enet;
}

bool eth_start(uint8_t mac[6])
{
    struct enet_config config = {.base = ENET_BASE, .clock_hz = CLOCK_HZ, .phy = PHY};
    memcpy(config.mac, mac, sizeof config.mac);
    if (!enet_start(&enet, &config, &rings)) {
        return false;
    }
    rig_enable_interrupt(RIG_ENET_INTERRUPT);
    return true;
}

bool eth_send(const struct pbuf *p)
{
    return enet_send(&enet, p);
}

struct pbuf *eth_receive(bool *more)
{
    return enet_receive(&enet, more);
}

bool eth_link_up(void)
{
    return enet_poll_link(&enet);
}

/* The address that QEMU's user network has for a guest. */
bool boot_net(struct boot_net *net)
{
    *net = (struct boot_net){
        .address = 0x0A00020F, .netmask = 0xFFFFFF00, .gateway = 0x0A000202, .dns = 0};
    return true;
}

bool boot_user_net(void)
{
    return true;
}

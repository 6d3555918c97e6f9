/* The network interface of a simulated node: lwIP's netif over the engine's wire. */
#include "hal_net.h"

#include <string.h>

#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"

#include "err.h"
#include "sim_node.h"

#define POLL_FRAMES 64

_Static_assert(TCP_MSS + 40 == ABI_MTU, "the switch carries frames of Ethernet's size");

static struct netif netif;

static err_t transmit(struct netif *n, struct pbuf *p)
{
    uint8_t frame[ABI_FRAME_BYTES];
    (void)n;
    size_t bytes = (size_t)p->tot_len - ETH_PAD_SIZE;
    if (bytes > sizeof frame) {
        LINK_STATS_INC(link.drop);
        return ERR_BUF;
    }
    (void)pbuf_copy_partial(p, frame, (u16_t)bytes, ETH_PAD_SIZE);
    LINK_STATS_INC(link.xmit);
    sim_host.wire.send(sim_host.wire.context, frame, bytes);
    return ERR_OK;
}

static err_t init_netif(struct netif *n)
{
    memcpy(n->name, "vs", sizeof n->name);
    n->output = etharp_output;
    n->linkoutput = transmit;
    n->mtu = ABI_MTU;
    n->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(n->hwaddr, sim_host.wire.mac, ETH_HWADDR_LEN);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

int hal_net_start(const struct hal_net_config *config)
{
    const ip4_addr_t address = {.addr = lwip_htonl(config->address)};
    const ip4_addr_t mask = {.addr = lwip_htonl(config->mask)};
    const ip4_addr_t gateway = {.addr = lwip_htonl(config->gateway)};
    HERD_ASSERT(config->address == sim_host.wire.address); /* the switch delivers there only */
    if (netif_add(&netif, &address, &mask, &gateway, NULL, init_netif, ethernet_input) == NULL) {
        return -1;
    }
    netif_set_default(&netif);
    netif_set_up(&netif);
    return 0;
}

/* As a controller does it: a frame that there is no pbuf for is lost, and the next is taken. */
static bool receive(void)
{
    uint8_t frame[ABI_FRAME_BYTES];
    size_t bytes = sim_host.wire.receive(sim_host.wire.context, frame);
    if (bytes == 0) {
        return false;
    }
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)(bytes + ETH_PAD_SIZE), PBUF_POOL);
    if (p == NULL) {
        LINK_STATS_INC(link.memerr);
        LINK_STATS_INC(link.drop);
        return true;
    }
    HERD_ASSERT(p->next == NULL); /* lwip_limits.c: one frame is one pbuf */
    memcpy((uint8_t *)p->payload + ETH_PAD_SIZE, frame, bytes);
    LINK_STATS_INC(link.recv);
    if (netif.input(p, &netif) != ERR_OK) {
        pbuf_free(p);
    }
    return true;
}

bool hal_net_poll(void)
{
    unsigned budget = POLL_FRAMES;
    while (budget > 0 && receive()) {
        budget--;
    }
    return budget == 0;
}

uint32_t hal_net_dial_address(uint32_t address)
{
    return address;
}

bool hal_net_addresses_are_real(void)
{
    return true;
}

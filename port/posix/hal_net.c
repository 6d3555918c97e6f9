/* The network interface: lwIP's netif over the frames of net_slirp. Another way to send and receive
 * frames (a TAP device) takes net_slirp's place here and in hal_idle.c, nowhere else. */
#include "hal_net.h"

#include <stdio.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"

#include "net_slirp.h"

#define MTU         (TCP_MSS + 40) /* IPv4 and TCP headers without options */
#define FRAME_BYTES (MTU + 14)
#define LOOPBACK    0x7F000001u
#define POLL_FRAMES 64 /* handed to lwIP in one call */

static struct netif netif;

/* lwIP's linkoutput: one frame, in as many pieces as it has. */
static err_t transmit(struct netif *n, struct pbuf *p)
{
    static uint8_t copy[FRAME_BYTES];
    size_t bytes = (size_t)p->tot_len - ETH_PAD_SIZE;
    (void)n;
    if (bytes > sizeof copy) {
        LINK_STATS_INC(link.drop);
        return ERR_BUF;
    }
    LINK_STATS_INC(link.xmit);
    if (p->next == NULL) {
        net_slirp_send((const uint8_t *)p->payload + ETH_PAD_SIZE, bytes);
        return ERR_OK;
    }
    (void)pbuf_copy_partial(p, copy, (u16_t)bytes, ETH_PAD_SIZE);
    net_slirp_send(copy, bytes);
    return ERR_OK;
}

static err_t init_netif(struct netif *n)
{
    static const uint8_t mac[ETH_HWADDR_LEN] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    n->name[0] = 's';
    n->name[1] = 'l';
    n->output = etharp_output;
    n->linkoutput = transmit;
    n->mtu = MTU;
    n->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(n->hwaddr, mac, sizeof mac); /* alone on its wire, so it may be any */
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static ip4_addr_t to_ip4(uint32_t address)
{
    return (ip4_addr_t){.addr = lwip_htonl(address)};
}

int hal_net_start(const struct hal_net_config *config)
{
    const ip4_addr_t address = to_ip4(NET_SLIRP_GUEST);
    const ip4_addr_t netmask = to_ip4(NET_SLIRP_NETMASK);
    const ip4_addr_t gateway = to_ip4(NET_SLIRP_HOST);
    const ip_addr_t dns = to_ip4(NET_SLIRP_DNS);

    if (config->address >> 24 == 127 && config->address != LOOPBACK) {
        fprintf(stderr, "herd: on the loopback libslirp reaches 127.0.0.1 only: give the node that "
                        "address and ports of its own\n");
        return -1;
    }
    if (net_slirp_start(MTU) != 0 || net_slirp_forward(config->address, config->port) != 0 ||
        (config->link_port != 0 && net_slirp_forward(config->address, config->link_port) != 0)) {
        return -1;
    }
    if (netif_add(&netif, &address, &netmask, &gateway, NULL, init_netif, ethernet_input) == NULL) {
        fprintf(stderr, "herd: lwIP takes no network interface\n");
        return -1;
    }
    netif_set_default(&netif);
    netif_set_up(&netif);
    dns_setserver(0, &dns);
    return 0;
}

/* Hands the first frame to lwIP; false when there is none. */
static bool receive(void)
{
    const uint8_t *frame;
    size_t bytes;
    if (!net_slirp_peek(&frame, &bytes)) {
        return false;
    }
    struct pbuf *p = NULL;
    if (bytes <= FRAME_BYTES) {
        p = pbuf_alloc(PBUF_RAW, (u16_t)(bytes + ETH_PAD_SIZE), PBUF_POOL);
    }
    if (p == NULL) {
        LINK_STATS_INC(link.memerr);
        LINK_STATS_INC(link.drop);
        net_slirp_drop();
        return true;
    }
    (void)pbuf_take_at(p, frame, (u16_t)bytes, ETH_PAD_SIZE);
    net_slirp_drop(); /* before lwIP answers: that may queue more */
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
    /* libslirp passes on to the host's 127.0.0.1 what goes to its own address. */
    return address >> 24 == 127 ? NET_SLIRP_HOST : address;
}

bool hal_net_addresses_are_real(void)
{
    return false;
}

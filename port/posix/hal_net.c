/* The network interface: lwIP's netif over the frames of the network that --net names. */
#include "hal_net.h"

#include <stdio.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"

#include "net_ops.h"

#define MTU         (TCP_MSS + 40) /* IPv4 and TCP headers without options */
#define FRAME_BYTES (MTU + 14)
#define POLL_FRAMES 64 /* handed to lwIP in one call */
#define PIECES_MAX  64 /* of a frame: headers, and one for each piece of a send ring */

_Static_assert(PIECES_MAX > TCP_SND_QUEUELEN, "a segment has fewer pieces than its connection");

static struct netif netif;
static struct net_interface interface;
static bool is_gone;

/* lwIP's linkoutput: one frame, in as many pieces as it has, none of them copied. */
static err_t transmit(struct netif *n, struct pbuf *p)
{
    struct iovec pieces[PIECES_MAX];
    unsigned count = 0;
    size_t skip = ETH_PAD_SIZE;
    (void)n;
    for (const struct pbuf *q = p; q != NULL && count < PIECES_MAX; q = q->next) {
        pieces[count++] = (struct iovec){(uint8_t *)q->payload + skip, (size_t)q->len - skip};
        skip = 0;
        if (q->len == q->tot_len) {
            LINK_STATS_INC(link.xmit);
            net_ops->send(pieces, count);
            return ERR_OK;
        }
    }
    LINK_STATS_INC(link.drop);
    return ERR_BUF;
}

static err_t init_netif(struct netif *n)
{
    memcpy(n->name, interface.tag, sizeof n->name);
    n->output = etharp_output;
    n->linkoutput = transmit;
    n->mtu = (u16_t)interface.mtu;
    n->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(n->hwaddr, interface.mac, ETH_HWADDR_LEN);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static ip4_addr_t to_ip4(uint32_t address)
{
    return (ip4_addr_t){.addr = lwip_htonl(address)};
}

int hal_net_start(const struct hal_net_config *config)
{
    if (net_ops->start(config, net_ops_device(), MTU, &interface) != 0) {
        return -1;
    }
    const ip4_addr_t address = to_ip4(interface.address);
    const ip4_addr_t mask = to_ip4(interface.mask);
    const ip4_addr_t gateway = to_ip4(interface.gateway);
    if (netif_add(&netif, &address, &mask, &gateway, NULL, init_netif, ethernet_input) == NULL) {
        fprintf(stderr, "herd: lwIP takes no network interface\n");
        return -1;
    }
    netif_set_default(&netif);
    netif_set_up(&netif);
    if (interface.dns != 0) {
        const ip_addr_t dns = to_ip4(interface.dns);
        dns_setserver(0, &dns);
    }
    return 0;
}

/* A frame that there is no pbuf for is taken all the same, and dropped: the next may be the
 * acknowledgement that frees one. */
static bool receive_nowhere(void)
{
    static uint8_t nowhere[FRAME_BYTES];
    ssize_t bytes = net_ops->receive(nowhere, sizeof nowhere);
    if (bytes > 0) {
        LINK_STATS_INC(link.memerr);
        LINK_STATS_INC(link.drop);
    }
    return bytes > 0;
}

/* Hands the next frame to lwIP; false when there is none. */
static bool receive(void)
{
    if (!net_ops->has_frame()) {
        return false;
    }
    struct pbuf *p = pbuf_alloc(PBUF_RAW, FRAME_BYTES + ETH_PAD_SIZE, PBUF_POOL);
    if (p == NULL) {
        return receive_nowhere();
    }
    HERD_ASSERT(p->next == NULL); /* lwip_limits.c: one frame is one pbuf */
    ssize_t bytes = net_ops->receive((uint8_t *)p->payload + ETH_PAD_SIZE, FRAME_BYTES);
    if (bytes <= 0) {
        is_gone = bytes < 0;
        pbuf_free(p);
        return false;
    }
    LINK_STATS_INC(link.recv);
    if (bytes > FRAME_BYTES) {
        LINK_STATS_INC(link.lenerr);
        LINK_STATS_INC(link.drop);
        pbuf_free(p);
        return true;
    }
    pbuf_realloc(p, (u16_t)(bytes + ETH_PAD_SIZE));
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
    if (is_gone && netif_is_link_up(&netif)) {
        netif_set_link_down(&netif);
    }
    return budget == 0;
}

uint32_t hal_net_dial_address(uint32_t address)
{
    return net_ops->dial_address(address);
}

bool hal_net_addresses_are_real(void)
{
    return !net_ops->hides_addresses;
}

/* lwIP's netif over the board's Ethernet MAC. Its address is the herd file's, the boot block's (QEMU's own
 * network), or none yet: the firmware asks a DHCP server then. */
#include "hal_net.h"

#include <string.h>

#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"

#include "boot.h"
#include "cortexm.h"
#include "hal_clock.h"

#define POLL_FRAMES 16  /* handed to lwIP in one call */
#define LINK_MS     500 /* between looks at the PHY */

static struct netif netif;
static uint8_t mac[ETH_HWADDR_LEN];
static uint64_t link_due_ms;

static err_t transmit(struct netif *n, struct pbuf *p)
{
    (void)n;
    if (!eth_send(p)) {
        LINK_STATS_INC(link.drop);
        return ERR_MEM; /* TCP sends it again */
    }
    LINK_STATS_INC(link.xmit);
    return ERR_OK;
}

static err_t init_netif(struct netif *n)
{
    n->name[0] = 'e';
    n->name[1] = 'n';
    n->output = etharp_output;
    n->linkoutput = transmit;
    n->mtu = HERD_MTU;
    n->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(n->hwaddr, mac, sizeof mac);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return ERR_OK;
}

/* Locally administered, and different for each node of a herd: its address is. */
static void make_mac(uint32_t address, uint16_t port)
{
    mac[0] = 0x02;
    mac[1] = (uint8_t)(port & 0xFF);
    for (unsigned i = 0; i < 4; i++) {
        mac[2 + i] = (uint8_t)(address >> (24 - 8 * i));
    }
}

static void look_at_link(void)
{
    uint64_t now_ms = hal_clock_ms();
    if (now_ms < link_due_ms) {
        return;
    }
    link_due_ms = now_ms + LINK_MS;
    if (eth_link_up()) {
        netif_set_link_up(&netif);
    } else {
        netif_set_link_down(&netif);
    }
}

static ip4_addr_t to_ip4(uint32_t address)
{
    return (ip4_addr_t){.addr = lwip_htonl(address)};
}

int hal_net_start(const struct hal_net_config *config)
{
    struct boot_net net = {config->address, config->mask, config->gateway, 0};
    (void)boot_net(&net);
    if (config->dhcp) {
        net = (struct boot_net){0, 0, 0, 0};
    }
    make_mac(config->address, config->port);
    if (!eth_start(mac)) {
        static const char words[] = "network: the Ethernet controller does not answer\r\n";
        uart_write_now(words, sizeof words - 1);
        return -1;
    }
    const ip4_addr_t address = to_ip4(net.address);
    const ip4_addr_t netmask = to_ip4(net.netmask);
    const ip4_addr_t gateway = to_ip4(net.gateway);
    if (netif_add(&netif, &address, &netmask, &gateway, NULL, init_netif, ethernet_input) == NULL) {
        return -1;
    }
    netif_set_default(&netif);
    netif_set_up(&netif);
    link_due_ms = 0;
    look_at_link();
#if LWIP_DNS
    if (net.dns != 0) {
        const ip_addr_t dns = to_ip4(net.dns);
        dns_setserver(0, &dns);
    }
#endif
    return 0;
}

bool hal_net_poll(void)
{
    look_at_link();
    for (unsigned i = 0; i < POLL_FRAMES; i++) {
        bool more = false;
        struct pbuf *p = eth_receive(&more);
        if (p == NULL) {
            if (!more) {
                return false;
            }
            continue;
        }
        LINK_STATS_INC(link.recv);
        if (netif.input(p, &netif) != ERR_OK) {
            pbuf_free(p);
        }
    }
    return true;
}

uint32_t hal_net_dial_address(uint32_t address)
{
    struct boot_net net;
    bool loopback = address >> 24 == 127;
    return loopback && boot_user_net() && boot_net(&net) ? net.gateway : address;
}

bool hal_net_addresses_are_real(void)
{
    return !boot_user_net();
}

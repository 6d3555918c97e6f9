/* The network interface, as a port gives it. */
#ifndef HAL_NET_H
#define HAL_NET_H

#include <stdbool.h>
#include <stdint.h>

/* What the herd file says of this node; addresses in host byte order. */
struct hal_net_config {
    uint32_t address;   /* where others reach the node */
    uint16_t port;      /* client listener */
    uint16_t link_port; /* link listener; 0: none, the node has no neighbours */
};

/* You must: add a netif to lwIP, make it the default, bring it up with an address (and a DNS server
 * if there is one), so that the two ports are reachable at `address`. Return 0, or a negative value
 * after having said why where a person sees it. You must not: keep `config`. Called once, after
 * lwip_init and rng_init. */
int hal_net_start(const struct hal_net_config *config);

/* You must: hand received frames to lwIP (netif->input), at most a bounded number per call, and
 * return true when more are waiting; drop and count (lwip_stats.link) what lwIP has no pbuf for.
 * Task context; lwIP's callbacks, and linkoutput for what they send, run inside it. */
bool hal_net_poll(void);

/* The address at which this node dials an address of the herd file: the same, except where the
 * port's network is not that of the herd file (slirp: the host's loopback is 10.0.2.2). */
uint32_t hal_net_dial_address(uint32_t address);

/* False when all peers seem to have the same address (slirp): caps per address make no sense, and
 * nobody is known by an address. May be asked before hal_net_start. */
bool hal_net_addresses_are_real(void);

#endif

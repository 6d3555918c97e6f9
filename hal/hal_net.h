/* The network interface, as a port gives it. */
#ifndef HAL_NET_H
#define HAL_NET_H

#include <stdbool.h>
#include <stdint.h>

/* What the herd file says of this node; addresses in host byte order. */
struct hal_net_config {
    const char *name;   /* of the node; lives as long as it runs */
    uint32_t address;   /* where others reach the node */
    uint32_t mask;      /* of its network */
    uint32_t gateway;   /* 0: none */
    bool dhcp;          /* the interface gets address, mask and gateway from a server */
    uint16_t port;      /* client listener */
    uint16_t link_port; /* link listener; 0: none, the node has no neighbours */
};

/* You must: add a netif to lwIP, make it the default, and bring it up with address, mask and gateway;
 * with `dhcp` all three 0.0.0.0: the firmware asks for them when it finds the netif without an address.
 * A MAC address that no other interface on the wire has; one that stays the same lets a DHCP server
 * reserve the address. Where the port's own network is not that of the herd file (slirp), bring it up
 * with an address of that network, and a DNS server if it has one, and make the two ports reachable
 * at `address`. A DNS server of the herd file is the firmware's to set. Return 0, or a negative value
 * after having said why where a person sees it. You must not: keep `config` (its `name` may be kept).
 * Called once, after lwip_init and rng_init. */
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

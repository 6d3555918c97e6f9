/* Hooks that lwIP calls, and the functions that it wants from its platform. lwIP includes this. */
#ifndef LWIP_HOOKS_H
#define LWIP_HOOKS_H

#include "lwip/arch.h"
#include "lwip/ip_addr.h"

/* The initial sequence number of a connection (RFC 6528, 3): a clock of 4 us plus a keyed hash of
 * both ends, so that somebody who does not see the traffic cannot guess it. Addresses as lwIP holds
 * them, ports in host byte order. Cost: one block of SHA-256. */
u32_t lwip_hooks_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                         u16_t remote_port);

#endif

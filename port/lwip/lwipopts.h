/* lwIP for herd: IPv4, TCP by the raw API, UDP for DNS, no operating system, every byte static.
 *
 * All sizes follow from the board's limits (firmware/cfg.h) and from
 *     BOARD_TCP_MSS        largest TCP segment, bytes; the MTU is 40 more
 *     BOARD_TCP_WND        receive window of a connection, bytes; at most CFG_CONN_RX_BYTES
 *     BOARD_TCP_QUEUELEN   pbufs that one connection may have queued for sending (default below)
 *     BOARD_PBUF_POOL_SIZE received frames that lwIP can hold at once (default below)
 * port/lwip/lwip_limits.c asserts the relations and says why they must hold.
 */
#ifndef LWIP_LWIPOPTS_H
#define LWIP_LWIPOPTS_H

#include "cfg.h"

/* --- System ------------------------------------------------------------------------------------ */

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0 /* one context: frames enter in hal_net_poll, never in an ISR */
#define LWIP_TIMERS          1 /* sys_check_timeouts in the main loop; sys_now: lwip_hooks.c */
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_SINGLE_NETIF    1

/* --- Memory ------------------------------------------------------------------------------------ */

/* No heap at all: what lwIP would take from one comes from three pools (lwippools.h), in constant
 * time. Under AddressSanitizer everything comes from malloc instead: a pool hides a use after free,
 * since its memory stays valid. The simulator keeps them, and poisons what is free (BOARD_POOLS_POISONED):
 * when a pool is empty is part of a run that must repeat. */
#if (defined(HERD_SAN_POOLS) || defined(__SANITIZE_ADDRESS__)) && !defined(BOARD_POOLS_POISONED)
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#else
#define MEM_LIBC_MALLOC               0
#define MEMP_MEM_MALLOC               0
#define MEM_USE_POOLS                 1
#define MEMP_USE_CUSTOM_POOLS         1
/* A burst of small blocks may borrow bigger ones. */
#define MEM_USE_POOLS_TRY_BIGGER_POOL 1
#endif
/* DNS queries and ICMP errors. */
#define LWIPPOOLS_MEDIUM_COUNT (CFG_SESSIONS >= 64 ? 4 : 1 + CFG_UPSTREAM)
/* A segment that is split when the peer's window shrinks: one at a time, others wait for a timer. */
#define LWIPPOOLS_LARGE_COUNT (CFG_SESSIONS >= 64 ? 2 : 1)
/* Headers of every segment that can be queued (those that came out of order have none of ours), and
 * some that come and go. */
#define LWIPPOOLS_SMALL_COUNT                                                                      \
    (MEMP_NUM_TCP_SEG - PBUF_POOL_SIZE + MEMP_NUM_ARP_QUEUE + (CFG_SESSIONS >= 64 ? 8 : 4))
#define MEM_ALIGNMENT __SIZEOF_POINTER__

/* --- TCP connections --------------------------------------------------------------------------- */

/* Connections that conn may have open: these hold data. */
#define HERD_TCP_SLOTS CFG_CONN_SLOTS
/* Closed by us, waiting for the peer's FIN: nothing but a PCB. lwIP reuses those in TIME_WAIT by
 * itself when it runs out. */
#define HERD_TCP_LINGER (2 + CFG_SESSIONS / 8)

#define MEMP_NUM_TCP_PCB           (HERD_TCP_SLOTS + 2 * CFG_CONN_BACKLOG + HERD_TCP_LINGER)
#define MEMP_NUM_TCP_PCB_LISTEN    2 /* clients, links */
#define TCP_LISTEN_BACKLOG         1 /* off by default, and then a flood of SYNs takes every PCB */
#define TCP_DEFAULT_LISTEN_BACKLOG CFG_CONN_BACKLOG
#define LWIP_TCP_PCB_NUM_EXT_ARGS  1      /* conn: passive_open sees the peer's MSS */
#define TCP_MSL                    5000UL /* ms; TIME_WAIT is twice that */
#define LWIP_TCP_RTO_TIME          1000   /* ms; RFC 6298, 2.1 */
/* Retransmissions are due at multiples of twice this. With lwIP's 250 ms a link on a wire that loses 30 % of
 * its frames needs minutes for 1,000 records. ms */
#define TCP_TMR_INTERVAL    50
#define LWIP_TCP_TIMESTAMPS 0
#define LWIP_WND_SCALE      0

#define TCP_MSS BOARD_TCP_MSS
#define TCP_WND BOARD_TCP_WND

/* What a connection has queued lies in conn's ring, which is the real bound; lwIP's own bound only
 * has to let it pass, and wants room for two segments. */
#define TCP_SND_BUF  (CFG_CONN_TX_BYTES > 2 * TCP_MSS ? CFG_CONN_TX_BYTES : 2 * TCP_MSS)
#define TCP_OVERSIZE 0 /* sent by reference: there is nothing to append to */

/* Counted in pbufs: a segment is one with headers (from a pool of lwippools.h), and one that refers
 * to the ring for each contiguous piece. */
#ifndef BOARD_TCP_QUEUELEN
#define BOARD_TCP_QUEUELEN (TCP_MSS > 4096 ? 32 : 8)
#endif
#define TCP_SND_QUEUELEN  BOARD_TCP_QUEUELEN
#define TCP_SNDQUEUELOWAT (TCP_SND_QUEUELEN / 2)

/* Segments that arrive out of order are kept, each in a received frame. */
#define TCP_QUEUE_OOSEQ      1
#define TCP_OOSEQ_MAX_PBUFS  (PBUF_POOL_SIZE / 4)
#define PBUF_POOL_FREE_OOSEQ 1 /* and given up when no frame can be received any more */

/* Each connection can fill its queue at the same time, and whatever else holds a segment: the FIN of a
 * client's connection, behind its queue and until the client acknowledges it; the FIN or SYN of a
 * connection without data; frames out of order. The FIN of another connection waits for a segment when
 * its queue is full: lwIP tries again. */
#define HERD_TCP_SEGS_PER_SLOT (TCP_SND_QUEUELEN / 2)
#define MEMP_NUM_TCP_SEG                                                                           \
    (HERD_TCP_SLOTS * HERD_TCP_SEGS_PER_SLOT + CFG_SESSIONS +                                      \
     (MEMP_NUM_TCP_PCB - HERD_TCP_SLOTS) + PBUF_POOL_SIZE)
#define MEMP_NUM_PBUF (HERD_TCP_SLOTS * (TCP_SND_QUEUELEN - 1))

/* --- Frames ------------------------------------------------------------------------------------ */

#define ETH_PAD_SIZE 2 /* the IP header is aligned; and what several MACs deliver */
#ifndef BOARD_PBUF_POOL_SIZE
#define BOARD_PBUF_POOL_SIZE (CFG_SESSIONS >= 64 ? 64 : 8)
#endif
#define PBUF_POOL_SIZE BOARD_PBUF_POOL_SIZE
/* The datagram that every host must take has 576 bytes (RFC 1122, 3.3.2; DHCP, DNS). The frame of a full
 * segment is one pbuf; longer ones are chains: such a datagram where segments are small, and what a peer
 * sends that does not keep to our MSS (QEMU's user network, when we dial). */
#define HERD_MTU          (TCP_MSS + 40 > 576 ? TCP_MSS + 40 : 576)
#define PBUF_POOL_BUFSIZE LWIP_MEM_ALIGN_SIZE(TCP_MSS + 40 + 14 + ETH_PAD_SIZE)

#define LWIP_ARP           1
#define ARP_QUEUEING       1 /* a dial must not lose its SYN to address resolution */
#define ARP_QUEUE_LEN      3
#define MEMP_NUM_ARP_QUEUE (CFG_SESSIONS >= 64 ? 8 : 4)

#define LWIP_IPV4     1
#define LWIP_IPV6     0
#define IP_REASSEMBLY 0 /* TCP fits its segments to the path, DNS answers are at most 512 bytes */
#define IP_FRAG       0
#define IP_FORWARD    0
#define LWIP_ICMP     1
#define LWIP_RAW      0

/* --- DHCP -------------------------------------------------------------------------------------- */

#define LWIP_DHCP 1
/* Off, or each start waits seconds for the wire's silence (RFC 5227). */
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_ACD                 0
/* Leases to the second, where lwIP's default counts them in minutes. */
#define DHCP_COARSE_TIMER_SECS 1
#define DHCP_TIMEOUT_SIZE_T    u32_t
#define LWIP_NETIF_HOSTNAME    1 /* the node's name, for the server's list */

/* Of headers and data of every segment: ours, in words (lwip_checksum.c). */
#include <stdint.h>
uint16_t lwip_checksum(const void *data, int bytes);
#define LWIP_CHKSUM lwip_checksum

/* --- UDP, DNS ---------------------------------------------------------------------------------- */

#define LWIP_UDP            1
#define LWIP_DNS            CFG_UPSTREAM /* for the provider's name, and nothing else */
#define DNS_TABLE_SIZE      2            /* one upstream, and the name before */
#define DNS_MAX_NAME_LENGTH 64
#define DNS_MAX_SERVERS     2
#define DNS_MAX_RETRIES     4
/* A source port of its own for each query; DHCP; SNTP. */
#define MEMP_NUM_UDP_PCB ((LWIP_DNS ? DNS_TABLE_SIZE : 0) + 2)
/* LWIP_DNS_SECURE stays at its default: random ids, random ports, one query per name. */

/* --- SNTP: firmware/wall.c --------------------------------------------------------------------- */

void wall_sntp_set(uint32_t seconds, uint32_t us);
void wall_sntp_get(uint32_t *seconds, uint32_t *us);
#define SNTP_SET_SYSTEM_TIME_US(seconds, us) wall_sntp_set(seconds, us)
#define SNTP_GET_SYSTEM_TIME(seconds, us)    wall_sntp_get(&(seconds), &(us))
#define SNTP_CHECK_RESPONSE                  2 /* the server's address, and our time stamp in it */
#define SNTP_COMP_ROUNDTRIP                  1
#define SNTP_STARTUP_DELAY                   0
#define SNTP_RECV_TIMEOUT                    5000 /* ms; doubled up to ten times that */
#define SNTP_UPDATE_DELAY                    3600000
#define LWIP_DHCP_MAX_NTP_SERVERS            3 /* also those of the herd file */
#define LWIP_DHCP_GET_NTP_SRV                LWIP_DHCP

/* TCP, ARP, DHCP, DNS: lwIP's own. Firmware has its deadlines in the scheduler. */
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 1) /* SNTP */

/* --- Hooks, statistics ------------------------------------------------------------------------- */

#define LWIP_HOOK_FILENAME "lwip_hooks.h"
#define LWIP_HOOK_TCP_ISN  lwip_hooks_tcp_isn

/* Counters, and the high-water mark of every pool (not under AddressSanitizer: no pools there). */
#define LWIP_STATS         1
#define LWIP_STATS_LARGE   1
#define LWIP_STATS_DISPLAY 0
#define ETHARP_STATS       0
#define IPFRAG_STATS       0
#define ICMP_STATS         0

#endif

/* lwIP for a simulated host of clients: a peer with much memory, on the nodes' wire. Deliberately not the
 * nodes' own configuration: other sizes, and lwIP's heap. */
#ifndef SIM_PEER_LWIPOPTS_H
#define SIM_PEER_LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS          1
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_SINGLE_NETIF    1

#define MEM_ALIGNMENT 8
#define MEM_SIZE      (1024 * 1024)

#define MEMP_NUM_TCP_PCB        1024
#define MEMP_NUM_TCP_PCB_LISTEN 2
#define MEMP_NUM_TCP_SEG        4096
#define MEMP_NUM_PBUF           2048
#define MEMP_NUM_ARP_QUEUE      64
#define PBUF_POOL_SIZE          256
#define PBUF_POOL_BUFSIZE       1536

#define LWIP_TCP            1
#define TCP_MSS             1460
#define TCP_WND             (8 * TCP_MSS)
#define TCP_SND_BUF         (8 * TCP_MSS)
#define TCP_SND_QUEUELEN    2048 /* one byte a segment is a workload, too */
#define TCP_QUEUE_OOSEQ     1
#define TCP_MSL             1000UL
#define LWIP_TCP_RTO_TIME   1500
#define TCP_SYNMAXRTX       12 /* lwIP does not double the pauses: 20 s */
#define TCP_MAXRTX          6
#define LWIP_TCP_TIMESTAMPS 0
#define LWIP_WND_SCALE      0

#define ETH_PAD_SIZE  2
#define LWIP_ARP      1
#define ARP_QUEUEING  1
#define ARP_QUEUE_LEN 64
#define LWIP_IPV4     1
#define LWIP_IPV6     0
#define IP_REASSEMBLY 0
#define IP_FRAG       0
#define LWIP_ICMP     1
#define LWIP_RAW      0
#define LWIP_UDP      0
#define LWIP_DHCP     0
#define LWIP_DNS      0

#define LWIP_CHKSUM_ALGORITHM 3
#define LWIP_STATS            0

#endif

/* The relations between lwIP's sizes and herd's limits, asserted with their reasons. No code. */
#include "lwip/memp.h"
#include "lwip/prot/dhcp.h"
#include "lwip/opt.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"

#include "cfg.h"

_Static_assert(TCP_WND <= CFG_CONN_RX_BYTES, "whatever the window admits fits in the receive ring");
_Static_assert(TCP_WND >= 2 * TCP_MSS, "with one segment of window each waits for a delayed ACK");
_Static_assert(TCP_SND_BUF >= CFG_CONN_TX_BYTES, "a full send ring can be handed to lwIP");
_Static_assert(CFG_CONN_TX_BYTES <= 0xffff && TCP_WND <= 0xffff, "no window scaling: 16 bits");
_Static_assert(TCP_MSS + 40 + 14 + ETH_PAD_SIZE < 0xffff, "the length of a pbuf has 16 bits");

_Static_assert(CFG_CONN_BACKLOG >= 1 && CFG_CONN_BACKLOG <= 255,
               "lwIP counts the backlog in 8 bits");
_Static_assert(MEMP_NUM_TCP_PCB >= HERD_TCP_SLOTS + 2 * CFG_CONN_BACKLOG + 1,
               "neither half-open nor closing connections take a PCB from a slot of conn");
_Static_assert(HERD_TCP_SLOTS >= CFG_SESSIONS + CFG_CONN_LINK_SLOTS + CFG_OPEN_LINKS + CFG_UPSTREAM,
               "clients, links both ways, neighbours of the older kind and the upstream");
_Static_assert(MEMP_NUM_TCP_PCB_LISTEN >= 2, "clients and links each have a listener");

_Static_assert(TCP_SND_QUEUELEN >= 4, "a segment before the end of the ring, and one behind it");
_Static_assert(HERD_TCP_SEGS_PER_SLOT * 2 >= TCP_SND_QUEUELEN,
               "a segment with data is two pbufs at least, its headers and a piece of the ring");
_Static_assert(
    MEMP_NUM_TCP_SEG >= HERD_TCP_SLOTS * HERD_TCP_SEGS_PER_SLOT + CFG_SESSIONS,
    "the pool is shared: clients that fill their queues, and do not acknowledge their end "
    "either, must not stop another connection");
_Static_assert(MEMP_NUM_PBUF >= HERD_TCP_SLOTS * (TCP_SND_QUEUELEN - 1),
               "the pool is shared: every piece of every queue that refers to a ring");
_Static_assert(MEMP_NUM_TCP_SEG <= 0xffff && MEMP_NUM_PBUF <= 0xffff,
               "lwIP counts pools in 16 bits");

_Static_assert(PBUF_POOL_BUFSIZE >= TCP_MSS + 40 + 14 + ETH_PAD_SIZE, "a full segment is one pbuf");
_Static_assert((PBUF_POOL_SIZE - 1) * PBUF_POOL_BUFSIZE >= HERD_MTU + 14 + ETH_PAD_SIZE,
               "the longest datagram finds its chain, beside a frame that is being served");
_Static_assert(PBUF_POOL_SIZE *TCP_MSS >= TCP_WND, "a full window can be on its way in");
_Static_assert(TCP_OOSEQ_MAX_PBUFS >= 1 && TCP_OOSEQ_MAX_PBUFS < PBUF_POOL_SIZE,
               "one connection's segments out of order do not stop reception");

#if MEM_USE_POOLS
/* A segment's headers with the options of a SYN (MSS, 4 bytes), or a window probe's one byte. */
_Static_assert(LWIPPOOLS_SMALL >=
                   LWIP_MEM_ALIGN_SIZE(LWIP_MEM_ALIGN_SIZE(sizeof(struct pbuf)) + PBUF_TRANSPORT) +
                       LWIP_MEM_ALIGN_SIZE(4),
               "the headers of a segment come from the small pool");
_Static_assert(LWIPPOOLS_SMALL_COUNT >= MEMP_NUM_TCP_SEG - PBUF_POOL_SIZE + MEMP_NUM_ARP_QUEUE + 4,
               "each queued segment has headers; some more answer ARP and acknowledge");
_Static_assert(LWIPPOOLS_MEDIUM >=
                   sizeof(struct pbuf) + PBUF_TRANSPORT + 12 + DNS_MAX_NAME_LENGTH + 2 + 4 + 16,
               "a DNS query comes from the medium pool");
_Static_assert(LWIPPOOLS_MEDIUM >= sizeof(struct pbuf) + PBUF_TRANSPORT + sizeof(struct dhcp_msg),
               "a DHCP message comes from the medium pool");
_Static_assert(LWIPPOOLS_LARGE >= TCP_MSS + PBUF_TRANSPORT + 64,
               "what is left of a split segment comes from the large pool");
#endif

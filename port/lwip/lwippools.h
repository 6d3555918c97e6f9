/* What lwIP would allocate from a heap, as pools. Included by lwIP several times, in ascending order
 * of size: no include guard.
 *
 * Small: the headers of a segment, a pure acknowledgement, an ARP frame (lwip_limits.c asserts that
 * they fit). Medium: a DNS query, a DHCP message, an ICMP error. Large: the rest of a segment that is
 * split because the peer's window shrank below it; one or two at a time, others wait for their persist
 * timer. Where a segment is small, that is medium, too.
 */
#if __SIZEOF_POINTER__ == 8
#define LWIPPOOLS_SMALL 96
#else
#define LWIPPOOLS_SMALL 80
#endif

LWIP_MALLOC_MEMPOOL_START
#if __SIZEOF_POINTER__ == 8
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_SMALL_COUNT, 96)
#else
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_SMALL_COUNT, 80)
#endif
#if TCP_MSS <= 384
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_MEDIUM_COUNT + LWIPPOOLS_LARGE_COUNT, 512)
#else
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_MEDIUM_COUNT, 512)
#if TCP_MSS <= 536
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_LARGE_COUNT, 672)
#elif TCP_MSS <= 1460
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_LARGE_COUNT, 1600)
#else
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_LARGE_COUNT, 9216)
#endif
#endif
LWIP_MALLOC_MEMPOOL_END

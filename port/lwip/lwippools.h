/* What lwIP would allocate from a heap, as pools. Included by lwIP several times, in ascending order
 * of size: no include guard.
 *
 * Small: the headers of a segment, a pure acknowledgement, an ARP frame (lwip_limits.c asserts that
 * they fit). Medium: a DNS query, a DHCP message, an ICMP error. Large: the rest of a segment that is
 * split because the peer's window shrank below it; one or two at a time, others wait for their persist
 * timer. Where a segment is small, that is medium, too.
 */
#if __SIZEOF_POINTER__ == 8
#define LWIPPOOLS_SMALL  96
#define LWIPPOOLS_MEDIUM 512
#else
#define LWIPPOOLS_SMALL  76
#define LWIPPOOLS_MEDIUM 384
#endif
#if TCP_MSS <= 256 && LWIPPOOLS_MEDIUM == 384
#define LWIPPOOLS_LARGE 384
#elif TCP_MSS <= 384
#define LWIPPOOLS_LARGE 512
#elif TCP_MSS <= 536
#define LWIPPOOLS_LARGE 672
#elif TCP_MSS <= 1460
#define LWIPPOOLS_LARGE 1600
#else
#define LWIPPOOLS_LARGE 9216
#endif

/* A pool's name has its size as a number. */
LWIP_MALLOC_MEMPOOL_START
#if LWIPPOOLS_SMALL == 96
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_SMALL_COUNT, 96)
#else
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_SMALL_COUNT, 76)
#endif
#if LWIPPOOLS_LARGE == 384
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_MEDIUM_COUNT + LWIPPOOLS_LARGE_COUNT, 384)
#elif LWIPPOOLS_LARGE == 512 && LWIPPOOLS_MEDIUM == 512
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_MEDIUM_COUNT + LWIPPOOLS_LARGE_COUNT, 512)
#else
#if LWIPPOOLS_MEDIUM == 384
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_MEDIUM_COUNT, 384)
#else
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_MEDIUM_COUNT, 512)
#endif
#if LWIPPOOLS_LARGE == 512
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_LARGE_COUNT, 512)
#elif LWIPPOOLS_LARGE == 672
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_LARGE_COUNT, 672)
#elif LWIPPOOLS_LARGE == 1600
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_LARGE_COUNT, 1600)
#else
LWIP_MALLOC_MEMPOOL(LWIPPOOLS_LARGE_COUNT, 9216)
#endif
#endif
LWIP_MALLOC_MEMPOOL_END

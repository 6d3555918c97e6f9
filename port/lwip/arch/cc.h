/* Compiler and platform, as lwIP wants to know them. The same for every port: gcc or clang, C11. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <limits.h>
#include <sys/types.h>

#include "err.h"
#include "rng.h"

#ifndef BYTE_ORDER
#define BYTE_ORDER __BYTE_ORDER__
#endif
#ifndef LITTLE_ENDIAN
#define LITTLE_ENDIAN __ORDER_LITTLE_ENDIAN__
#endif
#ifndef BIG_ENDIAN
#define BIG_ENDIAN __ORDER_BIG_ENDIAN__
#endif

/* One instruction, where lwIP would call a function of its own. */
#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)

#define PACK_STRUCT_STRUCT __attribute__((packed))

/* ssize_t is the C library's, in every file: lwIP would make it an int where SSIZE_MAX is hidden. */
#define LWIP_NO_UNISTD_H 1
#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif

/* Source ports, DNS query ids: a DRBG, or they can be guessed. */
#define LWIP_RAND() rng_u32()

/* A failed assertion of lwIP is a bug of ours (a pcb used after it was freed, a pbuf freed twice). File and
 * line say which; its words would take 6 KB of flash. */
#define LWIP_PLATFORM_ASSERT(message) hal_panic(__FILE__, __LINE__, "lwIP")
/* No text from lwIP: what matters is in its counters and in our log. */
#define LWIP_PLATFORM_DIAG(arguments)                                                              \
    do {                                                                                           \
    } while (0)

#endif

/* Compiler and platform, as lwIP wants to know them on a simulated host. */
#ifndef SIM_PEER_ARCH_CC_H
#define SIM_PEER_ARCH_CC_H

#include <stdint.h>

uint32_t sim_peer_random(void);
void sim_peer_panic(const char *file, unsigned line, const char *what) __attribute__((noreturn));

#ifndef BYTE_ORDER
#define BYTE_ORDER __BYTE_ORDER__
#endif
#ifndef LITTLE_ENDIAN
#define LITTLE_ENDIAN __ORDER_LITTLE_ENDIAN__
#endif
#ifndef BIG_ENDIAN
#define BIG_ENDIAN __ORDER_BIG_ENDIAN__
#endif
#define PACK_STRUCT_STRUCT __attribute__((packed))

#define LWIP_RAND()                   sim_peer_random()
#define LWIP_PLATFORM_ASSERT(message) sim_peer_panic(__FILE__, __LINE__, message)
#define LWIP_PLATFORM_DIAG(arguments)                                                              \
    do {                                                                                           \
    } while (0)

#endif

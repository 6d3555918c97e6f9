/* The boot block: what somebody outside may tell a node at each start, in RAM at a fixed place.
 *
 * A stand-in until the node has storage, SNTP and DHCP of its own: the QEMU launcher (tools/qemu-run)
 * or a debugger writes it before the core starts. It lies in the last BOOT_BYTES of the board's RAM
 * (section .boot_block), little-endian. A block without the right magic, version and checksum is as
 * good as none; one that was used before the last reset gives no time and no entropy again.
 */
#ifndef CORTEXM_BOOT_H
#define CORTEXM_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#define BOOT_BYTES   256
#define BOOT_MAGIC   UINT32_C(0x44524548) /* "HERD" */
#define BOOT_VERSION 1u

#define BOOT_HAS_SEED UINT32_C(0x01)
#define BOOT_HAS_WALL UINT32_C(0x02)
#define BOOT_HAS_NET  UINT32_C(0x04)
/* The node sits behind QEMU's user network: the host's loopback is at `gateway`, and every remote
 * address looks like it. */
#define BOOT_USER_NET UINT32_C(0x08)

struct boot_block {
    uint32_t magic;
    uint32_t crc; /* CRC-32 of all that follows */
    uint32_t version;
    uint32_t flags;   /* BOOT_* */
    int64_t wall_ns;  /* ns since 1970 UTC when the node starts */
    uint32_t address; /* IPv4, as numbers: 0x0A00020F is 10.0.2.15; 0: unknown */
    uint32_t netmask;
    uint32_t gateway;
    uint32_t dns;
    uint8_t seed[64]; /* from a good generator, a new one for each start */
    uint8_t reserved[BOOT_BYTES - 104];
};
_Static_assert(sizeof(struct boot_block) == BOOT_BYTES, "the launcher writes these very bytes");

/* Reads the block. Call once, after retained_start. Sets the wall clock and feeds the entropy pool if
 * the block can, and wipes the seed. */
void boot_read(void);

/* The block's network part; false: none. Addresses in host byte order. */
struct boot_net {
    uint32_t address, netmask, gateway, dns;
};
bool boot_net(struct boot_net *net);
bool boot_user_net(void);

#endif

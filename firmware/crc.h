/* CRC-32 as in IEEE 802.3, zlib and gzip (polynomial 0x04C11DB7, reflected). Pure. Against noise and
 * torn writes; not against an attacker.
 */
#ifndef HERD_CRC_H
#define HERD_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Of the pieces so far and this one: `crc` is 0 for the first. Cost: 2 steps per byte, a table of 64
 * bytes. */
uint32_t crc_32(uint32_t crc, const void *data, size_t bytes);

#endif

#ifndef CORTEXM_CHECKSUM_H
#define CORTEXM_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as in IEEE 802.3 and zlib; `crc` is 0 for the first piece. No table: for a few hundred bytes. */
uint32_t checksum_crc32(uint32_t crc, const void *data, size_t bytes);

#endif

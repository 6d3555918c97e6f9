/* None of the libraries that are linked has a CRC-32 to call, so here is one: the algorithm of zlib's
 * documentation and RFC 1952, section 8, with a table for half a byte, because a few kilobytes per
 * start do not deserve 1 KB of flash. tests/unit/test_crc.c has the published check values. */
#include "crc.h"

/* Row i: the remainder of i over the reflected polynomial 0xEDB88320, four steps. */
static const uint32_t table[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t crc_32(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    crc = ~crc;
    for (; bytes > 0; bytes--, at++) {
        crc = table[(crc ^ *at) & 15u] ^ crc >> 4;
        crc = table[(crc ^ *at >> 4) & 15u] ^ crc >> 4;
    }
    return ~crc;
}

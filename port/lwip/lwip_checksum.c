/* The Internet checksum's sum (RFC 1071), with 32 bits at a time into a sum of 64: three instructions a
 * word on a Cortex-M3, and no carry to look after. Words are read wherever they lie: the byte order of
 * the sum is that of memory (RFC 1071, 2(B)), so an odd address needs no care. */
#include <string.h>

#include "lwip/opt.h"

static uint32_t word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word); /* becomes one load */
    return word;
}

uint16_t lwip_checksum(const void *data, int bytes)
{
    const uint8_t *at = data;
    const uint8_t *end = at + bytes;
    uint64_t sum = 0;

    for (; end - at >= 16; at += 16) {
        sum += word_at(at);
        sum += word_at(at + 4);
        sum += word_at(at + 8);
        sum += word_at(at + 12);
    }
    for (; end - at >= 4; at += 4) {
        sum += word_at(at);
    }
    if (end - at >= 2) {
        uint16_t half;
        memcpy(&half, at, sizeof half);
        sum += half;
        at += 2;
    }
    if (at < end) { /* as if a zero followed */
        uint16_t half = 0;
        memcpy(&half, at, 1);
        sum += half;
    }
    uint32_t high = (uint32_t)(sum >> 32);
    uint32_t low = (uint32_t)sum + high;
    low += low < high; /* the carry */
    low = (low & 0xFFFFu) + (low >> 16);
    low = (low & 0xFFFFu) + (low >> 16);
    return (uint16_t)low;
}

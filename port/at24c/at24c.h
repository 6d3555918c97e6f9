/* A 24x512 EEPROM (AT24C512C, 24LC512, M24512 ...): 64 KB, two-byte addresses, pages of 128 bytes, a
 * write cycle of at most 5 ms in which it answers to nothing. On the bus of i2c.h, at address 0x50:
 * its pins A0, A1 and A2 are low.
 *
 * A write returns when the chip has the bytes; the cycle then goes on by itself, and whatever is asked
 * next waits for its end.
 *
 * Context: task; not reentrant. Everything blocks: 90 us a byte at 100 kHz, and the write cycle.
 */
#ifndef AT24C_H
#define AT24C_H

#include <stddef.h>
#include <stdint.h>

#define AT24C_BYTES      65536u
#define AT24C_PAGE_BYTES 128u
#define AT24C_WRITE_MS   10u /* a cycle is given up after: twice what the data sheets say */

enum at24c_result {
    AT24C_OK = 0,
    AT24C_ABSENT = -1, /* nothing answers, or the bus does not work: start again */
    AT24C_FAILED = -2  /* the chip refused the data: write-protected */
};

/* Frees the bus and finds the chip. AT24C_ABSENT. Writes nothing. */
int at24c_start(void) __attribute__((warn_unused_result));

/* Reads bytes at .. at + bytes - 1 (within the chip, asserted). AT24C_ABSENT: out is anything. */
int at24c_read(uint32_t at, void *out, size_t bytes) __attribute__((warn_unused_result));

/* Begins to write the page at `at` (a multiple of 128, asserted): 128 bytes of `data`, or of 0xFF when it
 * is NULL. AT24C_ABSENT, AT24C_FAILED: the page may hold anything. A chip whose pin WP is high may take
 * it and keep what it had. */
int at24c_write_page(uint32_t at, const uint8_t *data) __attribute__((warn_unused_result));

/* Returns when no write cycle runs. AT24C_ABSENT: the chip is gone, or its cycle did not end. */
int at24c_wait(void) __attribute__((warn_unused_result));

#endif

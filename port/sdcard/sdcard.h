/* An SD card in SPI mode: SDSC, SDHC and SDXC, one block at a time.
 *
 * SD Specifications, Part 1, Physical Layer Simplified Specification; sections are those of version
 * 6.00. Commands and data carry checksums in both directions when the card knows how (CMD59). No state
 * but what the card is; no buffer: blocks go from and to the caller's memory.
 *
 * Context: task; not reentrant. Everything blocks, with the specification's bounds on the card's time.
 */
#ifndef SDCARD_H
#define SDCARD_H

#include <stddef.h>
#include <stdint.h>

#define SDCARD_BLOCK_BYTES 512u

/* Bounds of the card's time (4.6.2), ms */
#define SDCARD_START_MS 1000u
#define SDCARD_READ_MS  100u
#define SDCARD_WRITE_MS 500u

enum sdcard_result {
    SDCARD_OK = 0,
    SDCARD_ABSENT = -1, /* nothing answers, or what answers does not get ready: start again */
    SDCARD_FAILED = -2  /* the card reports an error, or a checksum was wrong three times */
};

enum sdcard_kind { SDCARD_NONE, SDCARD_SDSC, SDCARD_SDHC };

/* Powers nothing (the slot does), but brings the card from whatever state to reading and writing.
 * SDCARD_ABSENT. Blocks for up to SDCARD_START_MS and some ms. */
int sdcard_start(void) __attribute__((warn_unused_result));

/* SDCARD_NONE until sdcard_start has succeeded, and since the card stopped answering. */
enum sdcard_kind sdcard_kind(void);

/* Blocks on the card, from its CSD (5.3). SDCARD_ABSENT, SDCARD_FAILED. */
int sdcard_blocks(uint32_t *blocks) __attribute__((warn_unused_result));

/* Reads bytes `first` to `first + bytes - 1` of a block (<= 512, asserted) into out; the rest of the
 * block is read, checked and dropped. On failure `out` is anything. Up to three tries. */
int sdcard_read(uint32_t block, size_t first, void *out, size_t bytes)
    __attribute__((warn_unused_result));

/* Writes a block and waits until the card has programmed it: 512 bytes of `data`, or of 0xFF when it is
 * NULL. On failure the block may hold anything. */
int sdcard_write(uint32_t block, const void *data) __attribute__((warn_unused_result));

#endif

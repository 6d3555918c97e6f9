/* FTFE: the flash memory module of Kinetis parts that program 8 bytes at a time (K64: two blocks of
 * 512 KB, sectors of 4 KB). K64 Sub-Family Reference Manual, chapter "Flash Memory Module (FTFE)".
 *
 * For data that is kept, not for the program: the driver is given one region and touches nothing else.
 * The region must be in another block than the code that runs meanwhile, interrupt handlers included;
 * then the core goes on reading the one block while the module works on the other (the manual's
 * "Allowed simultaneous flash operations"). No code in RAM, no interrupt held back.
 *
 * What a power cut leaves. Every 8 bytes carry check bits. 8 bytes whose programming was cut short, or
 * which were programmed twice without an erase between, can be beyond repair: reading them is a bus
 * error, and since the array is read 16 bytes at a time, so is reading their neighbour. So: the unit to
 * write is 16 bytes, nothing is written that is not blank (the module is asked, not the memory bus),
 * and reading goes through ftfe_port_read, which survives it. A region that reads as
 * FTFE_UNREADABLE is mended by erasing its sector.
 *
 * Context: task; nothing here is reentrant. All calls block: programming 16 bytes some 0.2 ms, erasing
 * a sector 14 ms, at worst 0.12 s on an old part. Addresses are those of the memory map.
 */
#ifndef FTFE_H
#define FTFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FTFE_SECTOR_BYTES 4096u
#define FTFE_UNIT_BYTES   16u

struct ftfe {
    uintptr_t base; /* of the registers */
    uint32_t first; /* the region; multiples of FTFE_SECTOR_BYTES */
    uint32_t bytes;
};

enum ftfe_result {
    FTFE_OK = 0,
    FTFE_RANGE = -1, /* outside the region, or not a multiple of the unit; nothing was done */
    FTFE_NOT_BLANK =
        -2, /* what is to be written was not erased; nothing was done. Erase the sector */
    FTFE_PROTECTED = -3, /* the region is write-protected (FPROT); nothing was done */
    FTFE_REFUSED =
        -4, /* the module did not take the command: a bug, or no run mode that allows it */
    FTFE_FAILED = -5, /* the module, or reading it back, found something else: erase, or worn out */
    FTFE_UNREADABLE = -6, /* beyond repair by check bits: a power cut while it was written. Erase */
    FTFE_TIMEOUT = -7     /* the module does not end; nothing more may be asked of it */
};

/* Erases the sector that starts at `address` and verifies, at a margin, that it is erased. After a
 * power cut during it the sector may read as anything: erase it again. */
int ftfe_erase(const struct ftfe *f, uint32_t address) __attribute__((warn_unused_result));

/* Writes `bytes` (a multiple of FTFE_UNIT_BYTES) and reads them back. After a power cut during it the
 * units before the one at work are written, the one at work is anything or unreadable, those behind it
 * are blank. The same holds after an error. `data` may be anywhere but in the region. */
int ftfe_write(const struct ftfe *f, uint32_t address, const void *data, size_t bytes)
    __attribute__((warn_unused_result));

/* FTFE_OK when all of it is erased, with a margin for a later read; FTFE_NOT_BLANK when not. Units. */
int ftfe_is_blank(const struct ftfe *f, uint32_t address, size_t bytes)
    __attribute__((warn_unused_result));

/* Reads bytes; `to` is anything after an error. */
int ftfe_read(const struct ftfe *f, uint32_t address, void *to, size_t bytes)
    __attribute__((warn_unused_result));

/* --- The port's ---------------------------------------------------------------------------------- */

/* You must: copy from flash and return true, or return false when the bus reports an error, with no
 * fault taken. You must not: answer from a cache that a write does not invalidate. Any alignment. */
bool ftfe_port_read(uint32_t address, void *to, size_t bytes);

#endif

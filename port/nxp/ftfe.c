#include "ftfe.h"

#include <string.h>

#include "mmio.h"

/* Registers ("Memory map and registers"): bytes, and FCCOB in groups of four, the last one first. */
#define FSTAT          0x00u
#define FSTAT_CCIF     0x80u /* no command is running; write 1: run the one in FCCOB */
#define FSTAT_RDCOLERR 0x40u
#define FSTAT_ACCERR   0x20u
#define FSTAT_FPVIOL   0x10u
#define FSTAT_MGSTAT0  0x01u /* the command ended with a verify error */
#define FSTAT_ERRORS   (FSTAT_RDCOLERR | FSTAT_ACCERR | FSTAT_FPVIOL)
#define FCCOB(n)       (0x04u + ((n) & ~3u) + (3u - ((n)&3u)))

/* Commands ("Flash command descriptions") */
#define CMD_READ_1S_SECTION 0x01u
#define CMD_PROGRAM_PHRASE  0x07u
#define CMD_ERASE_SECTOR    0x09u
#define MARGIN_USER         0x01u /* erased with something to spare */

#define PHRASE_BYTES 8u

/* Looks at FSTAT before the module is given up: 0.7 s at 120 MHz; an erase takes at most 0.12 s. */
#define POLLS 8000000u

static bool wait_done(const struct ftfe *f)
{
    for (uint32_t i = 0; i < POLLS; i++) {
        if ((mmio_read8(f->base + FSTAT) & FSTAT_CCIF) != 0) {
            return true;
        }
    }
    return false;
}

static void set_fccob(const struct ftfe *f, unsigned n, uint8_t value)
{
    mmio_write8(f->base + FCCOB(n), value);
}

/* "Command execution" of the manual: wait, clear what an earlier command left, fill FCCOB. */
static int prepare(const struct ftfe *f, uint8_t command, uint32_t address)
{
    if (!wait_done(f)) {
        return FTFE_TIMEOUT;
    }
    mmio_write8(f->base + FSTAT, FSTAT_ERRORS);
    set_fccob(f, 0, command);
    set_fccob(f, 1, (uint8_t)(address >> 16));
    set_fccob(f, 2, (uint8_t)(address >> 8));
    set_fccob(f, 3, (uint8_t)address);
    return FTFE_OK;
}

static int run_command(const struct ftfe *f)
{
    mmio_write8(f->base + FSTAT, FSTAT_CCIF);
    if (!wait_done(f)) {
        return FTFE_TIMEOUT;
    }
    uint8_t status = mmio_read8(f->base + FSTAT);
    if ((status & FSTAT_FPVIOL) != 0) {
        return FTFE_PROTECTED;
    }
    if ((status & (FSTAT_ACCERR | FSTAT_RDCOLERR)) != 0) {
        return FTFE_REFUSED;
    }
    return (status & FSTAT_MGSTAT0) != 0 ? FTFE_FAILED : FTFE_OK;
}

static bool is_inside(const struct ftfe *f, uint32_t address, size_t bytes, uint32_t unit)
{
    return address >= f->first && address - f->first <= f->bytes &&
           bytes <= f->bytes - (address - f->first) && address % unit == 0 && bytes % unit == 0;
}

int ftfe_is_blank(const struct ftfe *f, uint32_t address, size_t bytes)
{
    if (!is_inside(f, address, bytes, FTFE_UNIT_BYTES)) {
        return FTFE_RANGE;
    }
    while (bytes > 0) {
        /* A section lies in one block, and its length has 16 bits: sector by sector is simplest. */
        uint32_t part = FTFE_SECTOR_BYTES - address % FTFE_SECTOR_BYTES;
        part = bytes < part ? (uint32_t)bytes : part;
        int result = prepare(f, CMD_READ_1S_SECTION, address);
        if (result != FTFE_OK) {
            return result;
        }
        set_fccob(f, 4, (uint8_t)(part / FTFE_UNIT_BYTES >> 8));
        set_fccob(f, 5, (uint8_t)(part / FTFE_UNIT_BYTES));
        set_fccob(f, 6, MARGIN_USER);
        result = run_command(f);
        if (result != FTFE_OK) {
            return result == FTFE_FAILED ? FTFE_NOT_BLANK : result;
        }
        address += part;
        bytes -= part;
    }
    return FTFE_OK;
}

int ftfe_erase(const struct ftfe *f, uint32_t address)
{
    if (!is_inside(f, address, FTFE_SECTOR_BYTES, FTFE_SECTOR_BYTES)) {
        return FTFE_RANGE;
    }
    int result = prepare(f, CMD_ERASE_SECTOR, address);
    if (result == FTFE_OK) {
        result = run_command(f);
    }
    if (result != FTFE_OK) {
        return result;
    }
    result = ftfe_is_blank(f, address, FTFE_SECTOR_BYTES);
    return result == FTFE_NOT_BLANK ? FTFE_FAILED : result;
}

/* FCCOB4 is the byte at the highest address of the lower word, FCCOB8 that of the upper: written as
 * little-endian words to the registers' addresses they are in order. */
static int program_phrase(const struct ftfe *f, uint32_t address, const uint8_t *data)
{
    int result = prepare(f, CMD_PROGRAM_PHRASE, address);
    if (result != FTFE_OK) {
        return result;
    }
    for (unsigned i = 0; i < 4; i++) {
        set_fccob(f, 7 - i, data[i]);
        set_fccob(f, 11 - i, data[4 + i]);
    }
    return run_command(f);
}

int ftfe_write(const struct ftfe *f, uint32_t address, const void *data, size_t bytes)
{
    uint8_t unit[FTFE_UNIT_BYTES];
    const uint8_t *from = data;
    int result = ftfe_is_blank(f, address, bytes);
    for (; result == FTFE_OK && bytes > 0; bytes -= FTFE_UNIT_BYTES) {
        result = program_phrase(f, address, from);
        if (result == FTFE_OK) {
            result = program_phrase(f, address + PHRASE_BYTES, from + PHRASE_BYTES);
        }
        if (result != FTFE_OK) {
            return result;
        }
        if (!ftfe_port_read(address, unit, sizeof unit) || memcmp(unit, from, sizeof unit) != 0) {
            return FTFE_FAILED;
        }
        address += FTFE_UNIT_BYTES;
        from += FTFE_UNIT_BYTES;
    }
    return result;
}

int ftfe_read(const struct ftfe *f, uint32_t address, void *to, size_t bytes)
{
    if (!is_inside(f, address, bytes, 1)) {
        return FTFE_RANGE;
    }
    return ftfe_port_read(address, to, bytes) ? FTFE_OK : FTFE_UNREADABLE;
}

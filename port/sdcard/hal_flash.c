/* hal_flash.h on an SD card, in a partition that a person made for it.
 *
 * A card may hold somebody's photographs, so nothing is written outside a partition of type 0x7F
 * ("individual or local use") of a master boot record, and nothing inside one unless it begins with
 * herd's header, or everything that herd would use is blank: then a person has just made it, and the
 * header is written. A card without partitions is never taken, blank or not: its first block says
 * nothing about the others (file systems exist that leave it zero).
 *
 *     block of the partition   what
 *     0                        header
 *     8192 + 0..255            first half of the area
 *     16384 + 0..255           second half: 4 MB away, in another allocation unit of most cards
 *
 * An erase unit is a block, and so is a program unit. A card keeps what it has programmed, and is asked
 * after each block: nothing is left for sync.
 */
#include "hal_flash.h"

#include <stdbool.h>
#include <string.h>

#include "err.h"
#include "sdcard.h"

#define MBR_TABLE       446u
#define MBR_ENTRY_BYTES 16u
#define MBR_ENTRIES     4u
#define MBR_BYTES       66u /* table and signature */
#define PARTITION_TYPE  0x7Fu

#define HALF_BLOCKS      256u
#define HALF_DISTANCE    8192u
#define PARTITION_BLOCKS (2u * HALF_DISTANCE + HALF_BLOCKS)
#define AREA_BYTES       (2u * HALF_BLOCKS * SDCARD_BLOCK_BYTES)

_Static_assert(SDCARD_BLOCK_BYTES <= HAL_FLASH_PROGRAM_BYTES_MAX &&
                   AREA_BYTES >= HAL_FLASH_BYTES_MIN,
               "the geometry is within the contract's bounds");
_Static_assert(SDCARD_START_MS < HAL_FLASH_START_MS_MAX && SDCARD_READ_MS < HAL_FLASH_READ_MS_MAX &&
                   SDCARD_WRITE_MS < HAL_FLASH_PROGRAM_MS_MAX,
               "so are the times");

/* The rest of its block is 0xFF. */
static const char header[32] = "herd storage, version 1\r\n\x1a";

static uint32_t partition; /* its first block; 0: not started */

static int read_result(int result)
{
    return result == SDCARD_OK       ? HAL_FLASH_OK
           : result == SDCARD_ABSENT ? HAL_FLASH_E_ABSENT
                                     : HAL_FLASH_E_UNREADABLE;
}

static int write_result(int result)
{
    return result == SDCARD_OK       ? HAL_FLASH_OK
           : result == SDCARD_ABSENT ? HAL_FLASH_E_ABSENT
                                     : HAL_FLASH_E_FAILED;
}

/* --- Finding the area -------------------------------------------------------------------------- */

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The first partition of the type that is large enough and on the card; false: none. */
static bool find_partition(const uint8_t *mbr, uint32_t card_blocks, uint32_t *first)
{
    if (mbr[MBR_BYTES - 2] != 0x55 || mbr[MBR_BYTES - 1] != 0xAA) {
        return false;
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *entry = mbr + i * MBR_ENTRY_BYTES;
        uint32_t start = get_u32(entry + 8);
        uint32_t blocks = get_u32(entry + 12);
        if (entry[4] == PARTITION_TYPE && start > 0 && blocks >= PARTITION_BLOCKS &&
            start < card_blocks && blocks <= card_blocks - start) {
            *first = start;
            return true;
        }
    }
    return false;
}

/* HAL_FLASH_OK when the block is 0x00 or 0xFF throughout; HAL_FLASH_E_FOREIGN when it is not. */
static int check_blank(uint32_t block)
{
    uint8_t bytes[SDCARD_BLOCK_BYTES]; /* at start, when the stack is shallow */
    int err = read_result(sdcard_read(block, 0, bytes, sizeof bytes));
    if (err != HAL_FLASH_OK) {
        return err;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (bytes[i] != bytes[0] || (bytes[0] != 0x00 && bytes[0] != 0xFF)) {
            return HAL_FLASH_E_FOREIGN;
        }
    }
    return HAL_FLASH_OK;
}

static uint32_t block_of(uint32_t at)
{
    uint32_t unit = at / SDCARD_BLOCK_BYTES;
    return partition + HALF_DISTANCE * (1 + unit / HALF_BLOCKS) + unit % HALF_BLOCKS;
}

/* The header goes where nothing is, in all that will be used. */
static int prepare(void)
{
    int err = check_blank(partition);
    for (uint32_t at = 0; at < AREA_BYTES && err == HAL_FLASH_OK; at += SDCARD_BLOCK_BYTES) {
        err = check_blank(block_of(at));
    }
    if (err != HAL_FLASH_OK) {
        return err;
    }
    uint8_t block[SDCARD_BLOCK_BYTES];
    memset(block, 0xFF, sizeof block);
    memcpy(block, header, sizeof header);
    return write_result(sdcard_write(partition, block));
}

static int open_area(void)
{
    uint8_t mbr[MBR_BYTES];
    uint8_t found[sizeof header];
    uint32_t card_blocks = 0;
    int err = read_result(sdcard_read(0, MBR_TABLE, mbr, sizeof mbr));
    if (err == HAL_FLASH_OK) {
        err = read_result(sdcard_blocks(&card_blocks));
    }
    if (err != HAL_FLASH_OK) {
        return err;
    }
    if (!find_partition(mbr, card_blocks, &partition)) {
        return HAL_FLASH_E_FOREIGN;
    }
    err = read_result(sdcard_read(partition, 0, found, sizeof found));
    if (err == HAL_FLASH_OK && memcmp(found, header, sizeof header) != 0) {
        err = prepare();
    }
    return err;
}

int hal_flash_start(void)
{
    partition = 0;
    if (sdcard_start() != SDCARD_OK) {
        return HAL_FLASH_E_ABSENT;
    }
    int err = open_area();
    if (err != HAL_FLASH_OK) {
        partition = 0;
        /* A card that cannot be read or written where it matters is one that herd cannot use. */
        return err == HAL_FLASH_E_ABSENT ? err : HAL_FLASH_E_FOREIGN;
    }
    return HAL_FLASH_OK;
}

struct hal_flash_geometry hal_flash_geometry(void)
{
    struct hal_flash_geometry g = {0};
    if (partition != 0) {
        g.bytes = AREA_BYTES;
        g.erase_bytes = SDCARD_BLOCK_BYTES;
        g.program_bytes = SDCARD_BLOCK_BYTES;
    }
    return g;
}

/* --- Use --------------------------------------------------------------------------------------- */

int hal_flash_read(uint32_t at, void *out, size_t bytes)
{
    uint8_t *to = out;
    HERD_ASSERT(at <= AREA_BYTES && bytes <= AREA_BYTES - at);
    if (partition == 0) {
        return HAL_FLASH_E_ABSENT;
    }
    while (bytes > 0) {
        size_t first = at % SDCARD_BLOCK_BYTES;
        size_t part = bytes < SDCARD_BLOCK_BYTES - first ? bytes : SDCARD_BLOCK_BYTES - first;
        int err = read_result(sdcard_read(block_of(at), first, to, part));
        if (err != HAL_FLASH_OK) {
            return err;
        }
        to += part;
        at += (uint32_t)part;
        bytes -= part;
    }
    return HAL_FLASH_OK;
}

static int write_block(uint32_t at, const void *data)
{
    HERD_ASSERT(at % SDCARD_BLOCK_BYTES == 0 && at < AREA_BYTES);
    return partition == 0 ? HAL_FLASH_E_ABSENT : write_result(sdcard_write(block_of(at), data));
}

int hal_flash_erase(uint32_t at)
{
    return write_block(at, NULL);
}

int hal_flash_program(uint32_t at, const void *data, size_t bytes)
{
    HERD_ASSERT(bytes == 0 || bytes == SDCARD_BLOCK_BYTES); /* within one erase unit */
    return bytes == 0 ? HAL_FLASH_OK : write_block(at, data);
}

int hal_flash_sync(void)
{
    return partition == 0 || sdcard_kind() == SDCARD_NONE ? HAL_FLASH_E_ABSENT : HAL_FLASH_OK;
}

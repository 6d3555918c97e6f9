/* hal_flash.h on a 24x512 EEPROM: all of it, a page an erase unit and a program unit.
 *
 * A chip has no partitions and no label, and is sold with anything in it; a person wires one to this
 * board for herd, and the board's README says that all of it is herd's. So none is foreign for what it
 * holds. A chip that is too small is: it shows its first bytes again where a 24x512 has others, and
 * writing would go round.
 *
 * Writes end by themselves, up to 5 ms later: what is in flight until hal_flash_sync is the last page.
 */
#include "hal_flash.h"

#include <stdbool.h>
#include <string.h>

#include "at24c.h"
#include "err.h"

#define PIECE_BYTES 16u

_Static_assert(AT24C_BYTES >= HAL_FLASH_BYTES_MIN &&
                   AT24C_PAGE_BYTES <= HAL_FLASH_PROGRAM_BYTES_MAX,
               "the geometry is within the contract's bounds");
/* At 100 kHz a byte is 0.1 ms with its share of the address. */
_Static_assert(AT24C_WRITE_MS + 512 / 10 < HAL_FLASH_READ_MS_MAX &&
                   AT24C_WRITE_MS + AT24C_PAGE_BYTES / 10 < HAL_FLASH_PROGRAM_MS_MAX,
               "so are the times");

static bool started;

/* True when the first page, unless it is blank, is there again in the middle. */
static int check_repeats(bool *repeats)
{
    uint8_t first[PIECE_BYTES], middle[PIECE_BYTES];
    bool is_blank = true;
    *repeats = false;
    for (uint32_t at = 0; at < AT24C_PAGE_BYTES; at += PIECE_BYTES) {
        int err = at24c_read(at, first, sizeof first);
        if (err == AT24C_OK) {
            err = at24c_read(AT24C_BYTES / 2 + at, middle, sizeof middle);
        }
        if (err != AT24C_OK) {
            return err;
        }
        if (memcmp(first, middle, sizeof first) != 0) {
            return AT24C_OK;
        }
        for (size_t i = 0; i < sizeof first; i++) {
            is_blank = is_blank && first[i] == first[0] && (first[i] == 0xFF || first[i] == 0);
        }
    }
    *repeats = !is_blank;
    return AT24C_OK;
}

int hal_flash_start(void)
{
    bool repeats = false;
    started = at24c_start() == AT24C_OK && check_repeats(&repeats) == AT24C_OK && !repeats;
    return started ? HAL_FLASH_OK : repeats ? HAL_FLASH_E_FOREIGN : HAL_FLASH_E_ABSENT;
}

struct hal_flash_geometry hal_flash_geometry(void)
{
    return started ? (struct hal_flash_geometry){AT24C_BYTES, AT24C_PAGE_BYTES, AT24C_PAGE_BYTES}
                   : (struct hal_flash_geometry){0, 0, 0};
}

static int result(int err)
{
    return err == AT24C_OK       ? HAL_FLASH_OK
           : err == AT24C_ABSENT ? HAL_FLASH_E_ABSENT
                                 : HAL_FLASH_E_FAILED;
}

int hal_flash_read(uint32_t at, void *out, size_t bytes)
{
    HERD_ASSERT(at <= AT24C_BYTES && bytes <= AT24C_BYTES - at);
    return started ? result(at24c_read(at, out, bytes)) : HAL_FLASH_E_ABSENT;
}

static int write_page(uint32_t at, const uint8_t *data)
{
    HERD_ASSERT(at % AT24C_PAGE_BYTES == 0 && at < AT24C_BYTES);
    return started ? result(at24c_write_page(at, data)) : HAL_FLASH_E_ABSENT;
}

int hal_flash_erase(uint32_t at)
{
    return write_page(at, NULL);
}

int hal_flash_program(uint32_t at, const void *data, size_t bytes)
{
    HERD_ASSERT(bytes == 0 || bytes == AT24C_PAGE_BYTES); /* within one erase unit */
    return bytes == 0 ? HAL_FLASH_OK : write_page(at, data);
}

int hal_flash_sync(void)
{
    return started ? result(at24c_wait()) : HAL_FLASH_E_ABSENT;
}

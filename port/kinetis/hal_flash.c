/* What the node keeps lies in the upper block of the chip's flash, by the FTFE driver. */
#include "hal_flash.h"

#include "err.h"
#include "kinetis_flash.h"

_Static_assert(FTFE_SECTOR_BYTES <= HAL_FLASH_ERASE_BYTES_MAX &&
                   FTFE_UNIT_BYTES <= HAL_FLASH_PROGRAM_BYTES_MAX,
               "the units are ones that the firmware has buffers for");

static bool started;

int hal_flash_start(void)
{
    if (!started) {
        kinetis_flash_start();
        started = true;
    }
    return HAL_FLASH_OK;
}

struct hal_flash_geometry hal_flash_geometry(void)
{
    return started ? (struct hal_flash_geometry){kinetis_flash.bytes, FTFE_SECTOR_BYTES,
                                                 FTFE_UNIT_BYTES}
                   : (struct hal_flash_geometry){0, 0, 0};
}

int hal_flash_read(uint32_t at, void *out, size_t bytes)
{
    HERD_ASSERT(at <= kinetis_flash.bytes && bytes <= kinetis_flash.bytes - at);
    return ftfe_read(&kinetis_flash, kinetis_flash.first + at, out, bytes) == FTFE_OK
               ? HAL_FLASH_OK
               : HAL_FLASH_E_UNREADABLE;
}

int hal_flash_erase(uint32_t at)
{
    HERD_ASSERT(at % FTFE_SECTOR_BYTES == 0 && at < kinetis_flash.bytes);
    return ftfe_erase(&kinetis_flash, kinetis_flash.first + at) == FTFE_OK ? HAL_FLASH_OK
                                                                           : HAL_FLASH_E_FAILED;
}

int hal_flash_program(uint32_t at, const void *data, size_t bytes)
{
    HERD_ASSERT(at % FTFE_UNIT_BYTES == 0 && bytes % FTFE_UNIT_BYTES == 0 && bytes > 0);
    HERD_ASSERT(at < kinetis_flash.bytes && bytes <= kinetis_flash.bytes - at);
    return ftfe_write(&kinetis_flash, kinetis_flash.first + at, data, bytes) == FTFE_OK
               ? HAL_FLASH_OK
               : HAL_FLASH_E_FAILED;
}

/* The module has ended each command before its call returned. */
int hal_flash_sync(void)
{
    return HAL_FLASH_OK;
}

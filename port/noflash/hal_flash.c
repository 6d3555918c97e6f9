/* A board, or a test rig, without non-volatile memory for its node: it keeps nothing over a restart. */
#include "hal_flash.h"

#include "err.h"

int hal_flash_start(void)
{
    return HAL_FLASH_E_ABSENT;
}

struct hal_flash_geometry hal_flash_geometry(void)
{
    return (struct hal_flash_geometry){0, 0, 0};
}

int hal_flash_read(uint32_t at, void *out, size_t bytes)
{
    (void)at;
    (void)out;
    (void)bytes;
    return HAL_FLASH_E_ABSENT;
}

int hal_flash_erase(uint32_t at)
{
    (void)at;
    return HAL_FLASH_E_ABSENT;
}

int hal_flash_program(uint32_t at, const void *data, size_t bytes)
{
    (void)at;
    (void)data;
    (void)bytes;
    return HAL_FLASH_E_ABSENT;
}

int hal_flash_sync(void)
{
    return HAL_FLASH_E_ABSENT;
}

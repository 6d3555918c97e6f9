#include "at24c.h"

#include <stdbool.h>

#include "err.h"
#include "hal_clock.h"
#include "i2c.h"

#define ADDRESS 0x50u

static bool present;

static int lose(void)
{
    (void)!i2c_end();
    present = false;
    return AT24C_ABSENT;
}

/* Addresses the chip for writing. A write cycle that still runs is waited for: the chip does not
 * acknowledge before its end. */
static int select_chip(void)
{
    if (!present) {
        return AT24C_ABSENT;
    }
    uint64_t until_ms = hal_clock_ms() + AT24C_WRITE_MS + 1;
    while (i2c_begin(ADDRESS, false) != I2C_OK) {
        if (i2c_end() != I2C_OK || hal_clock_ms() > until_ms) {
            return lose();
        }
    }
    return AT24C_OK;
}

/* Selects the chip and says where. */
static int select_at(uint32_t at)
{
    int err = select_chip();
    if (err != AT24C_OK) {
        return err;
    }
    return i2c_put((uint8_t)(at >> 8)) == I2C_OK && i2c_put((uint8_t)at) == I2C_OK ? AT24C_OK
                                                                                   : lose();
}

int at24c_start(void)
{
    present = i2c_start() == I2C_OK;
    return at24c_wait();
}

int at24c_wait(void)
{
    int err = select_chip();
    if (err == AT24C_OK && i2c_end() != I2C_OK) {
        return lose();
    }
    return err;
}

int at24c_read(uint32_t at, void *out, size_t bytes)
{
    uint8_t *to = out;
    HERD_ASSERT(at <= AT24C_BYTES && bytes <= AT24C_BYTES - at);
    if (bytes == 0) {
        return present ? AT24C_OK : AT24C_ABSENT;
    }
    int err = select_at(at);
    if (err != AT24C_OK) {
        return err;
    }
    if (i2c_begin(ADDRESS, true) != I2C_OK) {
        return lose();
    }
    while (bytes > 0) {
        bytes--;
        *to++ = i2c_get(bytes > 0);
    }
    return i2c_end() == I2C_OK ? AT24C_OK : lose();
}

int at24c_write_page(uint32_t at, const uint8_t *data)
{
    HERD_ASSERT(at % AT24C_PAGE_BYTES == 0 && at < AT24C_BYTES);
    int err = select_at(at);
    if (err != AT24C_OK) {
        return err;
    }
    bool taken = true;
    for (size_t i = 0; i < AT24C_PAGE_BYTES && taken; i++) {
        taken = i2c_put(data == NULL ? 0xFF : data[i]) == I2C_OK;
    }
    if (i2c_end() != I2C_OK) {
        return lose();
    }
    return taken ? AT24C_OK : AT24C_FAILED;
}

#include "i2c.h"

#include "i2c_wires.h"

/* Between calls of this file that begin or continue a transfer the clock is low; the data wire changes
 * while it is (UM10204, 3.1.3), but for START and STOP. */

/* Half a bit low, half a bit high; the clock is low again. Returns what the data wire was. */
static bool move_bit(bool high)
{
    i2c_wires_data(high);
    i2c_wires_wait();
    i2c_wires_clock(true);
    i2c_wires_wait();
    bool found = i2c_wires_read();
    i2c_wires_clock(false);
    return found;
}

/* From whatever the wires are (3.1.4, 3.1.10). */
static void send_start(void)
{
    i2c_wires_data(true);
    i2c_wires_wait();
    i2c_wires_clock(true);
    i2c_wires_wait();
    i2c_wires_data(false);
    i2c_wires_wait();
    i2c_wires_clock(false);
}

static bool send_stop(void)
{
    i2c_wires_data(false);
    i2c_wires_wait();
    i2c_wires_clock(true);
    i2c_wires_wait();
    i2c_wires_data(true);
    i2c_wires_wait();
    return i2c_wires_read();
}

/* The way of the EEPROMs' data sheets: a START, which makes a chip that listens forget what it heard;
 * nine clocks, in which one that speaks meets its missing acknowledge; START, STOP. */
int i2c_start(void)
{
    i2c_wires_start();
    send_start();
    for (unsigned i = 0; i < 9; i++) {
        (void)move_bit(true);
    }
    send_start();
    return send_stop() ? I2C_OK : I2C_STUCK;
}

int i2c_begin(uint8_t address, bool read)
{
    send_start();
    return i2c_put((uint8_t)((unsigned)address << 1 | (read ? 1u : 0u)));
}

int i2c_put(uint8_t byte)
{
    for (unsigned mask = 0x80; mask != 0; mask >>= 1) {
        (void)move_bit((byte & mask) != 0);
    }
    return move_bit(true) ? I2C_NACK : I2C_OK;
}

uint8_t i2c_get(bool more)
{
    unsigned byte = 0;
    for (unsigned i = 0; i < 8; i++) {
        byte = byte << 1 | (move_bit(true) ? 1u : 0u);
    }
    (void)move_bit(!more);
    return (uint8_t)byte;
}

int i2c_end(void)
{
    return send_stop() ? I2C_OK : I2C_STUCK;
}

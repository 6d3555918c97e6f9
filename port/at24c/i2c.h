/* An I2C bus (UM10204) with one master, made of two wires that software moves (i2c_wires.h), for chips
 * that never hold the clock. Task context; each call blocks for the bits that it moves. */
#ifndef I2C_H
#define I2C_H

#include <stdbool.h>
#include <stdint.h>

enum i2c_result {
    I2C_OK = 0,
    I2C_NACK = -1, /* nobody acknowledged */
    I2C_STUCK = -2 /* the data wire stays low although nobody should hold it */
};

/* Sets the wires up, and frees the bus from a chip that a reset of ours left in the middle of a byte;
 * what such a chip had received but not begun to write is dropped. I2C_STUCK. Some 25 bits. */
int i2c_start(void) __attribute__((warn_unused_result));

/* A START, also within a transfer, and the chip's 7-bit address. After I2C_NACK, too, the transfer has
 * begun: end it with i2c_end, which tells an acknowledge from a wire that is low. 9 bits. */
int i2c_begin(uint8_t address, bool read) __attribute__((warn_unused_result));

/* A byte to the chip. I2C_NACK. 9 bits. */
int i2c_put(uint8_t byte) __attribute__((warn_unused_result));

/* A byte from the chip; `more`: another one will be asked for. 9 bits. */
uint8_t i2c_get(bool more);

/* A STOP. I2C_STUCK: the bus is not free; what was read since its begin, or acknowledged, is nothing. */
int i2c_end(void) __attribute__((warn_unused_result));

#endif

/* The two wires of an I2C bus, as the board's chip gives them to i2c.c. Both have pull-ups: high means
 * let go. Task context. */
#ifndef I2C_WIRES_H
#define I2C_WIRES_H

#include <stdbool.h>

/* You must: connect the pins, and let go of both wires. May be called again. */
void i2c_wires_start(void);
void i2c_wires_clock(bool high);
void i2c_wires_data(bool high);
/* What the data wire is, whoever holds it. */
bool i2c_wires_read(void);
/* You must: return after half a bit at the earliest: 5 us at 100 kHz. */
void i2c_wires_wait(void);

#endif

/* The I2C of an MPS2 shield connector: Arm's SBCon (Application Note 385, 3.7), two open-drain wires that
 * software moves, on pins that GPIO has otherwise. Fulfils port/at24c/i2c_wires.h; board.h says
 * BOARD_I2C_BASE, BOARD_I2C_HZ, and which pins' alternate function it is: BOARD_I2C_CLOCK_GPIO and _PIN,
 * BOARD_I2C_DATA_GPIO and _PIN. */
#include "board.h"
#include "i2c_wires.h"
#include "regs.h"

#define SBCON_READ  REG32(BOARD_I2C_BASE + 0x0)
#define SBCON_SET   REG32(BOARD_I2C_BASE + 0x0)
#define SBCON_CLEAR REG32(BOARD_I2C_BASE + 0x4)
#define SBCON_CLOCK UINT32_C(1)
#define SBCON_DATA  UINT32_C(2)

#define GPIO_ALTFUNCSET(base) REG32((base) + 0x18)

/* A round of the loop below is a subtraction and a branch that is taken: 3 cycles of a Cortex-M3 at the
 * least. */
#define ROUNDS ((BOARD_CPU_HZ / (2 * BOARD_I2C_HZ) + 2) / 3)

void i2c_wires_start(void)
{
    SBCON_SET = SBCON_CLOCK | SBCON_DATA;
    GPIO_ALTFUNCSET(BOARD_I2C_CLOCK_GPIO) = UINT32_C(1) << BOARD_I2C_CLOCK_PIN;
    GPIO_ALTFUNCSET(BOARD_I2C_DATA_GPIO) = UINT32_C(1) << BOARD_I2C_DATA_PIN;
}

static void move(uint32_t wire, bool high)
{
    if (high) {
        SBCON_SET = wire;
    } else {
        SBCON_CLEAR = wire;
    }
}

void i2c_wires_clock(bool high)
{
    move(SBCON_CLOCK, high);
}

void i2c_wires_data(bool high)
{
    move(SBCON_DATA, high);
}

bool i2c_wires_read(void)
{
    return (SBCON_READ & SBCON_DATA) != 0;
}

void i2c_wires_wait(void)
{
    uint32_t rounds = ROUNDS;
    __asm volatile("1: subs %0, %0, #1\n"
                   "bne 1b\n"
                   : "+r"(rounds)::"cc");
}

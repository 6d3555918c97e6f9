/* SSI 0 (13): Arm's PL022, as the SPI of the card slot. Fulfils port/sdcard/sdspi.h; board.h says
 * BOARD_SD_CS_PORT and _PIN, and BOARD_SD_IDLE_PORT and _PINS: pins that must be high meanwhile,
 * chip selects of others on the same wires. */
#include "board.h"
#include "sdspi.h"
#include "stellaris.h"

#define SSI_CR0      REG32(0x40008000)
#define SSI_CR0_8BIT UINT32_C(0x07) /* Freescale format, SPI mode 0 */
#define SSI_CR1      REG32(0x40008004)
#define SSI_CR1_ON   UINT32_C(0x02) /* master */
#define SSI_DR       REG32(0x40008008)
#define SSI_SR       REG32(0x4000800C)
#define SSI_SR_RX    (UINT32_C(1) << 2) /* something was received */
#define SSI_CPSR     REG32(0x40008010)

#define PIN_CLOCK 0x04u /* PA2 */
#define PIN_RX    0x10u /* PA4 */
#define PIN_TX    0x20u /* PA5 */

#define FAST_DIVISOR 4u /* 12.5 MHz: what the board's wires carry */
#define SLOW_DIVISOR ((BOARD_CPU_HZ / 400000u + 2u) & ~1u) /* even, and at most 400 kHz */
_Static_assert(SLOW_DIVISOR <= 254u, "the prescaler has 8 bits");
_Static_assert(BOARD_CPU_HZ / FAST_DIVISOR <= 25000000u, "what every card takes");

void sdspi_start(void)
{
    stellaris_pins_output(BOARD_SD_IDLE_PORT, BOARD_SD_IDLE_PINS);
    GPIO_DATA(BOARD_SD_IDLE_PORT, BOARD_SD_IDLE_PINS) = BOARD_SD_IDLE_PINS;
    stellaris_pins_output(BOARD_SD_CS_PORT, BOARD_SD_CS_PIN);
    sdspi_select(false);
    stellaris_pins_peripheral(GPIO_PORT_A, PIN_CLOCK | PIN_RX | PIN_TX, PIN_RX | PIN_TX);
    SSI_CR1 = 0;
    SSI_CPSR = SLOW_DIVISOR;
    SSI_CR0 = SSI_CR0_8BIT;
    SSI_CR1 = SSI_CR1_ON;
    while ((SSI_SR & SSI_SR_RX) != 0) {
        (void)SSI_DR;
    }
}

void sdspi_fast(void)
{
    SSI_CR1 = 0; /* nothing is on its way: each exchange waits for its answer */
    SSI_CPSR = FAST_DIVISOR;
    SSI_CR1 = SSI_CR1_ON;
}

void sdspi_select(bool selected)
{
    GPIO_DATA(BOARD_SD_CS_PORT, BOARD_SD_CS_PIN) = selected ? 0 : BOARD_SD_CS_PIN;
}

uint8_t sdspi_exchange(uint8_t out)
{
    SSI_DR = out;
    while ((SSI_SR & SSI_SR_RX) == 0) { /* it clocks itself: 8 bits, then it is there */
    }
    return (uint8_t)SSI_DR;
}

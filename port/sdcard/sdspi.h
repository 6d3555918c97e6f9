/* The SPI that an SD card hangs on, as the board's chip gives it to sdcard.c. Task context. */
#ifndef SDSPI_H
#define SDSPI_H

#include <stdbool.h>
#include <stdint.h>

/* You must: set up the pins with the card not selected, SPI mode 0, most significant bit first, at most
 * 400 kHz. May be called again. */
void sdspi_start(void);
/* You must: go on at the board's full speed, at most 25 MHz. */
void sdspi_fast(void);
/* The card's chip select. */
void sdspi_select(bool selected);
/* Sends a byte and returns the one that came meanwhile. Returns in bounded time, whatever the card
 * does: the SPI gives the clock. */
uint8_t sdspi_exchange(uint8_t out);

#endif

/* The flash configuration field: 16 bytes at 0x400 that the chip reads at reset, before any code (K64
 * Sub-Family Reference Manual, "Flash Memory Module (FTFE)", "Flash Configuration Field Description").
 *
 * A wrong byte here can lock the chip for good: FSEC 0xFE means that it is not secured and that mass
 * erase is allowed. FOPT 0xFF: normal power, EzPort and NMI as after leaving the factory; it is what
 * OpenOCD writes of its own accord, too. */
#include <stdint.h>

__attribute__((section(".flash_config"), used)) static const uint8_t field[16] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, /* back-door key: none */
    0xFF, 0xFF, 0xFF, 0xFF,                         /* FPROT: nothing is write-protected */
    0xFE,                                           /* FSEC */
    0xFF,                                           /* FOPT */
    0xFF, 0xFF,                                     /* FEPROT, FDPROT: not in this part */
};

/* The flash that a Kinetis board keeps data in: the upper block, by the FTFE driver (port/nxp/ftfe.h).
 * board.h says BOARD_KEPT_FIRST and BOARD_KEPT_BYTES. What a store will be given. */
#ifndef KINETIS_FLASH_H
#define KINETIS_FLASH_H

#include "ftfe.h"

extern const struct ftfe kinetis_flash;

/* Call once before anything is asked of kinetis_flash. Task context. */
void kinetis_flash_start(void);

#endif

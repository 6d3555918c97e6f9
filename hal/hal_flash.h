/* Non-volatile memory, as a port gives it: pages that are erased, and programmed in units. What stays
 * over resets and power cuts: configuration, seed, boot epoch (firmware/nv.h).
 *
 * Made for internal flash, EEPROM and SD cards alike. A medium that needs no erase still has pages,
 * as many bytes each as suit it, and hal_flash_erase fills one with 0xFF or forgets it otherwise. A page
 * is numbered from 0; the region belongs to the firmware alone.
 *
 * What a power cut may do. It may come at any moment of hal_flash_program or hal_flash_erase, and then
 *   - units that were programmed before are as they were programmed,
 *   - the unit, or page, at work is anything: old, new, a mixture, or not the same from one read to the
 *     next. Reading it may fail;
 *   - everything else is untouched, other pages above all. Where a part's erase or program disturbs a
 *     neighbour, the port's pages are large enough to hold both.
 * The firmware erases a page whose reading failed before it programs it. It programs a unit at most once
 * between two erases, so check bits per unit do no harm.
 *
 * Order: what hal_flash_sync has returned 0 for is on the medium whatever comes later; between two
 * syncs the port may not reorder either (a card's cache is flushed before the call returns).
 *
 * All calls: task context, before or between rounds of the scheduler; blocking, each bounded as its
 * contract says; 0, or a negative value after an error of the medium, after which the page at work
 * counts as one where the power was cut. Arguments outside the geometry are a bug of the firmware:
 * return a negative value and touch nothing.
 */
#ifndef HAL_FLASH_H
#define HAL_FLASH_H

#include <stddef.h>
#include <stdint.h>

struct hal_flash_geometry {
    uint32_t pages;      /* erased as one; at least 4, or 0: this node keeps nothing over a restart */
    uint32_t page_bytes; /* 128 to 65536, a multiple of unit_bytes */
    uint32_t unit_bytes; /* programmed as one: a power of two, 1 to 512 */
};

/* You must: tell the geometry, always the same from the first call on. May start the medium, within
 * 1 s. pages 0 when there is none: no card in its slot, no file was named. */
void hal_flash_geometry(struct hal_flash_geometry *geometry);

/* You must: copy `bytes` bytes from `offset` of a page, any alignment, not beyond its end; negative when
 * they cannot be read (check bits, a bus error: without a fault). At most 1 ms and 50 us per byte. */
int hal_flash_read(uint32_t page, uint32_t offset, void *to, size_t bytes);

/* You must: make every byte of a page read 0xFF. At most 500 ms. */
int hal_flash_erase(uint32_t page);

/* You must: program whole units of an erased page; `offset` and `bytes` are multiples of unit_bytes,
 * within one page. Verify what you wrote where the medium does not do it. In ascending order of units.
 * `from` has any alignment and is not kept. At most 10 ms per unit, or 500 ms for a card's block. */
int hal_flash_program(uint32_t page, uint32_t offset, const void *from, size_t bytes);

/* You must: return when all that was erased and programmed before will survive a power cut. 500 ms. */
int hal_flash_sync(void);

#endif

/* Non-volatile storage, as a port gives it: one area, a few erase units or many, that keeps its bytes
 * without power. Blocks of a microSD card, an EEPROM, the microcontroller's own flash, or an emulation.
 *
 * The model is that of NOR flash, so that one user fits all: an erased unit reads 0xFF throughout; a
 * program unit is programmed once, then its erase unit is erased before it is programmed again.
 * Media that could do more (EEPROM, SD) are used as if they could not. A new area holds anything. No
 * retries and no copies in
 * here but those of the medium's own protocol: pages, checksums and wear are the user's.
 *
 * What a power cut, a reset or a pulled card leaves. Operations between two hal_flash_sync that
 * returned HAL_FLASH_OK are in flight: after a cut each of them is done, not done or torn, in any
 * order. What was synced stays. A torn erase may leave anything in its erase unit, a torn program
 * anything in the program units it covered, and nothing elsewhere. Torn bytes may read as anything, as
 * something else the next time, or not at all (HAL_FLASH_E_UNREADABLE); they may even look erased. So:
 * believe only what a checksum covers, erase before you program what you did not sync erased, and keep
 * two copies of what must survive, of which one is whole and synced while the other is written. Put the
 * copies into different erase units, and as far apart as the area allows: an SD card has larger units
 * of its own inside, and distance is all that can be done about them.
 *
 * Context: task, one call at a time; never from an ISR, a callback of lwIP or hal_panic. All calls but
 * hal_flash_geometry block: the bounds below are for a medium that fails or is worn out; typical times
 * are a fiftieth. They stay well below the time after which neighbours take a node for dead
 * (CFG_LINK_DEAD_MS) and the watchdog bites. One operation per turn of a task is the rule.
 */
#ifndef HAL_FLASH_H
#define HAL_FLASH_H

#include <stddef.h>
#include <stdint.h>

#define HAL_FLASH_MUST_CHECK __attribute__((warn_unused_result))

enum hal_flash_err {
    HAL_FLASH_OK = 0,
    /* start: no medium answers (no card, no EEPROM). Others: hal_flash_start has not succeeded, or the
     * medium went away; nothing more will work until it does. Do: go on without, say so, try
     * hal_flash_start again when a person asks for it. */
    HAL_FLASH_E_ABSENT = -1,
    /* start: a medium answers that was not prepared for herd, or one that herd cannot use; nothing was
     * written, nothing will be. Do: say so; the board's README tells how to prepare one. */
    HAL_FLASH_E_FOREIGN = -2,
    /* read: the bytes are beyond repair (torn, or worn out). Do: as with a wrong checksum. */
    HAL_FLASH_E_UNREADABLE = -3,
    /* erase, program, sync: the medium refused, found an error, or did not end in time; the unit may
     * hold anything. Do: use the other copy; try once more after an erase, then give the unit up. */
    HAL_FLASH_E_FAILED = -4
};

/* Bounds of a geometry: static buffers of the user follow from them. */
#define HAL_FLASH_BYTES_MIN         16384u
#define HAL_FLASH_UNITS_MIN         4u /* erase units */
#define HAL_FLASH_ERASE_BYTES_MAX   4096u
#define HAL_FLASH_PROGRAM_BYTES_MAX 512u

/* Bounds of time. ms */
#define HAL_FLASH_START_MS_MAX   2000u /* at boot, or when a person asks */
#define HAL_FLASH_READ_MS_MAX    300u  /* per 512 bytes or part of them */
#define HAL_FLASH_ERASE_MS_MAX   600u
#define HAL_FLASH_PROGRAM_MS_MAX 600u /* per program unit */
#define HAL_FLASH_SYNC_MS_MAX    600u

struct hal_flash_geometry {
    uint32_t bytes;         /* of the area, a multiple of erase_bytes; 0: there is none */
    uint32_t erase_bytes;   /* a power of two, 64 to HAL_FLASH_ERASE_BYTES_MAX */
    uint32_t program_bytes; /* a power of two, 1 to HAL_FLASH_PROGRAM_BYTES_MAX, <= erase_bytes */
};

/* You must: find the medium, make sure that it is one that herd may write to, and return HAL_FLASH_OK
 * with the geometry known; or HAL_FLASH_E_ABSENT, HAL_FLASH_E_FOREIGN. You must not: write, except to
 * complete a preparation that a person began and that cannot be mistaken for anything else. May be
 * called again at any time: what was programmed and synced is still there, and a medium that went away
 * and came back works again. Nothing but hal_flash_geometry works before it. */
int hal_flash_start(void) HAL_FLASH_MUST_CHECK;

/* All zero until hal_flash_start has succeeded, and when the last one failed; otherwise the same at
 * every start with the same medium. At once. */
struct hal_flash_geometry hal_flash_geometry(void);

/* Reads out[0..bytes-1] from the area's byte `at` on: any alignment, any length, at + bytes <= the
 * area's bytes (asserted). What was programmed or erased is read back at once, synced or not.
 * HAL_FLASH_E_ABSENT, HAL_FLASH_E_UNREADABLE: `out` is anything. */
int hal_flash_read(uint32_t at, void *out, size_t bytes) HAL_FLASH_MUST_CHECK;

/* Erases the unit that starts at `at` (a multiple of erase_bytes within the area, asserted).
 * HAL_FLASH_E_ABSENT, HAL_FLASH_E_FAILED: it may hold anything. */
int hal_flash_erase(uint32_t at) HAL_FLASH_MUST_CHECK;

/* Programs whole program units that are erased: `at` and `bytes` are multiples of program_bytes, within
 * one erase unit (asserted). `data` needs no alignment and is the caller's again on return. Whether
 * the units are erased is the caller's business; a port may refuse what is not (HAL_FLASH_E_FAILED).
 * OK says that the medium took it, not that somebody read it back. HAL_FLASH_E_ABSENT,
 * HAL_FLASH_E_FAILED: all these units may hold anything. */
int hal_flash_program(uint32_t at, const void *data, size_t bytes) HAL_FLASH_MUST_CHECK;

/* Returns when everything that was erased and programmed is safe from a power cut. A port whose medium
 * has that property by itself returns at once. HAL_FLASH_E_ABSENT, HAL_FLASH_E_FAILED: what was in
 * flight is lost, as after a cut. */
int hal_flash_sync(void) HAL_FLASH_MUST_CHECK;

#endif

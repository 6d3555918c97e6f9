/* Non-volatile memory for tests: hal_flash.h in RAM, with a power cut at any step.
 *
 * A step is the erase of a unit, the program of a unit, or a sync. What was not synced when the power
 * goes is done, not done or torn, chosen by the seed; torn bytes are old, new, half of each, noise,
 * noise that differs from read to read, or unreadable. After the cut every call fails (HAL_FLASH_E_ABSENT)
 * until flash_double_restart. It also checks the caller: a unit that is programmed twice without an erase
 * between, or with the wrong alignment, fails the test.
 */
#ifndef FLASH_DOUBLE_H
#define FLASH_DOUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "hal_flash.h"

/* A blank medium. bytes 0: none. */
void flash_double_make(uint32_t bytes, uint32_t erase_bytes, uint32_t program_bytes, uint32_t seed);
/* The power goes instead of step number `steps` from now (0: the next one); UINT32_MAX: never. */
void flash_double_cut_after(uint32_t steps);
bool flash_double_is_cut(void);
uint32_t flash_double_steps(void); /* since flash_double_make */
/* Power is back; what was torn stays as it is. `seed` chooses the noise of unstable bytes. */
void flash_double_restart(uint32_t seed);
/* Writes are taken and have no effect: a card that is write-protected, and does not say so. */
void flash_double_ignore_writes(bool ignore);
void flash_double_fail_writes(bool fail);
void flash_double_set_foreign(bool foreign);
/* The bytes as they are, for a test to look at or to spoil. */
uint8_t *flash_double_bytes(void);
/* A copy of the whole medium, and back. */
void flash_double_save(void);
void flash_double_load(void);
unsigned flash_double_torn(void); /* units torn so far: the test shows that cuts bite */

#endif

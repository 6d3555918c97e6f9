/* RNGA: the random number generator of K6x and K7x. K64 Sub-Family Reference Manual, chapter "Random
 * Number Generator Accelerator (RNGA)".
 *
 * Two ring oscillators of free phase clock a shift register. The manual makes no promise about the
 * entropy in a word and says that it is a source for a generator, not one itself: take more than is
 * needed and hash it. What comes from here goes through SHA-256 into the pool of port/cortex-m/entropy.c.
 *
 * Context: task. Not reentrant.
 */
#ifndef RNGA_H
#define RNGA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wakes the generator and lets it fill. `base`: of its registers; its clock gate is the caller's. */
void rnga_start(uintptr_t base);

/* Fills out[0..count-1]. False, and out is wiped, when a word does not come in time (256 cycles each are
 * usual), the module reports a security violation or an underrun, or what comes is stuck: the same word
 * RNGA_REPEATS_MAX times in a row, or each word the complement of the one before. Cost: some 2 us per
 * word at 60 MHz. */
#define RNGA_REPEATS_MAX 3
bool rnga_read(uintptr_t base, uint32_t *out, size_t count) __attribute__((warn_unused_result));

/* Puts it to sleep: its oscillators stop. */
void rnga_stop(uintptr_t base);

#endif

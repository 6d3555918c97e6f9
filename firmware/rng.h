/* The node's one source of randomness: CTR_DRBG (NIST SP 800-90A) over the port's entropy and the seed
 * that the last start left in non-volatile memory.
 *
 * It fails closed. With neither hardware nor a seed that is fresh there are still numbers for jitter, ports
 * and sequence numbers, made of clock and boot epoch, but nothing is secret: rng_is_secret says no and
 * rng_mbedtls fails, so that no TLS can come up whoever forgets to ask. A seed counts only when its
 * successor has been written and read back.
 */
#ifndef HERD_RNG_H
#define HERD_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "text.h"

#define RNG_SEED_TEXT_MIN 32 /* characters of a seed that a person gives */

/* After nv_start: counts the boot epoch up and replaces the seed. HERD_E_ENTROPY: nothing is secret;
 * the node may go on without TLS. Blocks as long as hal_entropy and nv_begin_boot do. */
int rng_init(void) HERD_MUST_CHECK;

bool rng_is_secret(void);
/* What it is made of, or why it is not secret; for a person. */
const char *rng_source(void);

/* Secret bytes from a person, at least RNG_SEED_TEXT_MIN and not all alike (HERD_E_RANGE), are stirred
 * in; from then on rng_is_secret. A successor is kept for the next start: HERD_E_REFUSED or
 * HERD_E_CLOSED when it could not be, and then this start is served all the same. */
int rng_add_seed(struct span secret) HERD_MUST_CHECK;

/* Reseeds after 10,000 requests; panics when there is no entropy any more. Once in each round of the
 * scheduler, outside of tasks. Blocks as long as hal_entropy does. */
void rng_tend(void);

/* Fills `bytes` bytes; panics when the generator fails (it cannot, once rng_init was called). Any
 * context but ISR. */
void rng_bytes(void *out, size_t bytes);

uint32_t rng_u32(void);

/* Signature that mbedTLS wants; context unused. An error of mbedTLS while not rng_is_secret. */
int rng_mbedtls(void *context, unsigned char *out, size_t bytes);

#endif

/* The node's one source of randomness: CTR_DRBG (NIST SP 800-90A) over hal_entropy. Without entropy
 * nothing is random here: rng_init fails, and the node has no TLS.
 */
#ifndef HERD_RNG_H
#define HERD_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* HERD_E_ENTROPY: hal_entropy failed. Blocks as long as hal_entropy does. */
int rng_init(void) HERD_MUST_CHECK;

/* Reseeds after 10,000 requests; panics when there is no entropy any more. Once in each round of the
 * scheduler, outside of tasks. Blocks as long as hal_entropy does. */
void rng_tend(void);

/* Fills `bytes` bytes; panics when the generator fails (it cannot, once rng_init succeeded). Any
 * context but ISR. */
void rng_bytes(void *out, size_t bytes);

uint32_t rng_u32(void);

/* Signature that mbedTLS wants; context unused. */
int rng_mbedtls(void *context, unsigned char *out, size_t bytes);

#endif

#ifndef CORTEXM_ENTROPY_H
#define CORTEXM_ENTROPY_H

#include <stddef.h>

/* Stirs secret bytes into the pool: from the boot block, later from the store or a TRNG. Bytes that
 * are all alike (blank memory) are refused. From then on hal_entropy works. */
void entropy_seed(const void *secret, size_t bytes);

#endif

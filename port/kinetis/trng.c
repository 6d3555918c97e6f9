/* The board's generator (RNGA) as a source of the entropy pool. */
#include "cortexm.h"

#include <mbedtls/platform_util.h>

#include "entropy.h"
#include "kinetis.h"
#include "rnga.h"

#define RNGA_BASE 0x40029000u

/* The manual vouches for no entropy per bit. 2048 raw bits for a pool of 256: enough if one bit in eight
 * is one. */
#define WORDS 64

bool trng_seed(void)
{
    uint32_t words[WORDS];
    SIM_SCGC3 |= SIM_SCGC3_RNGA;
    SIM_SCGC6 |= SIM_SCGC6_RNGA;
    rnga_start(RNGA_BASE);
    bool whole = rnga_read(RNGA_BASE, words, WORDS);
    rnga_stop(RNGA_BASE);
    if (whole) {
        entropy_seed(words, sizeof words);
    }
    mbedtls_platform_zeroize(words, sizeof words);
    return whole;
}

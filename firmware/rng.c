#include "rng.h"

#include <limits.h>

#include <mbedtls/ctr_drbg.h>

#include "hal_entropy.h"

#define RESEED_REQUESTS 10000

static mbedtls_ctr_drbg_context drbg;
static unsigned requests; /* since it was last seeded */

static int entropy(void *context, unsigned char *out, size_t bytes)
{
    (void)context;
    return hal_entropy(out, bytes) == 0 ? 0 : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

int rng_init(void)
{
    static const unsigned char personalization[] = "herd";

    mbedtls_ctr_drbg_init(&drbg);
    if (mbedtls_ctr_drbg_seed(&drbg, entropy, NULL, personalization, sizeof personalization - 1) !=
        0) {
        return HERD_E_ENTROPY;
    }
    requests = 0;
    /* By itself it would reseed in the middle of a handshake, where the stack is deepest. */
    mbedtls_ctr_drbg_set_reseed_interval(&drbg, INT_MAX);
    return HERD_OK;
}

void rng_tend(void)
{
    if (requests < RESEED_REQUESTS) {
        return;
    }
    requests = 0;
    if (mbedtls_ctr_drbg_reseed(&drbg, NULL, 0) != 0) {
        hal_panic(__FILE__, __LINE__, "no entropy for reseeding");
    }
}

int rng_mbedtls(void *context, unsigned char *out, size_t bytes)
{
    (void)context;
    while (bytes > 0) {
        size_t part = bytes < MBEDTLS_CTR_DRBG_MAX_REQUEST ? bytes : MBEDTLS_CTR_DRBG_MAX_REQUEST;
        int err = mbedtls_ctr_drbg_random(&drbg, out, part);
        if (err != 0) {
            return err;
        }
        requests++;
        out += part;
        bytes -= part;
    }
    return 0;
}

void rng_bytes(void *out, size_t bytes)
{
    if (rng_mbedtls(NULL, out, bytes) != 0) {
        hal_panic(__FILE__, __LINE__, "no random bytes");
    }
}

uint32_t rng_u32(void)
{
    uint32_t value;

    rng_bytes(&value, sizeof value);
    return value;
}

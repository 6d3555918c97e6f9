/* Entropy for boards without a generator in hardware: a pool of 256 bits, filled by a secret seed and
 * kept over resets, from which each request takes a one-way derivation (SHA-256) and steps on, so that
 * neither what was given out nor a later state of the pool tells anything about the rest. Without a
 * seed there is nothing: it fails closed. */
#include "entropy.h"

#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include "cortexm.h"
#include "err.h"
#include "hal_entropy.h"

#define HASH_BYTES sizeof retained_pool

/* out = SHA-256(pool, purpose, cycles, data). The cycles are no secret, but they differ. */
static void derive(uint8_t *out, uint8_t purpose, const void *data, size_t bytes)
{
    mbedtls_sha256_context hash;
    uint64_t cycles = clock_cycles();
    mbedtls_sha256_init(&hash);
    int err = mbedtls_sha256_starts(&hash, 0);
    err = err != 0 ? err : mbedtls_sha256_update(&hash, retained_pool, HASH_BYTES);
    err = err != 0 ? err : mbedtls_sha256_update(&hash, &purpose, sizeof purpose);
    err = err != 0 ? err : mbedtls_sha256_update(&hash, (const uint8_t *)&cycles, sizeof cycles);
    err = err != 0 ? err : mbedtls_sha256_update(&hash, data, bytes);
    err = err != 0 ? err : mbedtls_sha256_finish(&hash, out);
    HERD_ASSERT(err == 0);
    mbedtls_sha256_free(&hash);
}

static bool is_blank(const uint8_t *data, size_t bytes)
{
    size_t i = 1;
    while (i < bytes && data[i] == data[0]) {
        i++;
    }
    return i >= bytes;
}

static void step(const void *data, size_t bytes)
{
    uint8_t next[HASH_BYTES];
    derive(next, 'n', data, bytes);
    memcpy(retained_pool, next, sizeof next);
    retained_pool_seal();
    mbedtls_platform_zeroize(next, sizeof next);
}

void entropy_seed(const void *secret, size_t bytes)
{
    if (!is_blank(secret, bytes)) {
        step(secret, bytes);
    }
}

int hal_entropy(void *out, size_t bytes)
{
    static const uint8_t zeros[HASH_BYTES];
    uint8_t block[HASH_BYTES];
    uint8_t *at = out;
    if (memcmp(retained_pool, zeros, HASH_BYTES) == 0) {
        return -1;
    }
    while (bytes > 0) {
        size_t part = bytes < sizeof block ? bytes : sizeof block;
        derive(block, 'o', NULL, 0);
        memcpy(at, block, part);
        step(NULL, 0);
        at += part;
        bytes -= part;
    }
    mbedtls_platform_zeroize(block, sizeof block);
    return 0;
}

#include "rng.h"

#include <limits.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include "cfg.h"
#include "hal_clock.h"
#include "hal_entropy.h"
#include "nv.h"

#define HASH_BYTES     32
#define HARDWARE_BYTES 48

#define RESEED_REQUESTS 10000

CFG_SECRET static mbedtls_ctr_drbg_context drbg;
static unsigned requests; /* since it was last seeded */
static bool has_hardware;
static bool secret;
static const char *source = "none";

/* A state of 256 bits that only goes forward: what was derived from it before cannot be computed from
 * what it is now. With hardware it is stirred into what that gives; without it is all there is. */
CFG_SECRET static uint8_t pool[HASH_BYTES];

/* SHA-256(pool, purpose, data) */
static void derive(uint8_t out[HASH_BYTES], char purpose, const void *data, size_t bytes)
{
    mbedtls_sha256_context hash;
    mbedtls_sha256_init(&hash);
    int err = mbedtls_sha256_starts(&hash, 0);
    err = err != 0 ? err : mbedtls_sha256_update(&hash, pool, sizeof pool);
    err = err != 0 ? err : mbedtls_sha256_update(&hash, (const unsigned char *)&purpose, 1);
    err = err != 0 || bytes == 0 ? err : mbedtls_sha256_update(&hash, data, bytes);
    err = err != 0 ? err : mbedtls_sha256_finish(&hash, out);
    mbedtls_sha256_free(&hash);
    HERD_ASSERT(err == 0);
}

static void stir(const void *data, size_t bytes)
{
    uint8_t next[HASH_BYTES];
    derive(next, 's', data, bytes);
    memcpy(pool, next, sizeof pool);
    mbedtls_platform_zeroize(next, sizeof next);
}

/* The DRBG's entropy input. */
static int entropy(void *context, unsigned char *out, size_t bytes)
{
    uint8_t block[HASH_BYTES];
    (void)context;
    if (has_hardware && hal_entropy(out, bytes) != 0) {
        return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
    }
    for (size_t done = 0; done < bytes; done++) {
        if (done % sizeof block == 0) {
            derive(block, 'o', NULL, 0);
            stir(NULL, 0);
        }
        out[done] =
            has_hardware ? out[done] ^ block[done % sizeof block] : block[done % sizeof block];
    }
    mbedtls_platform_zeroize(block, sizeof block);
    return 0;
}

static bool take_hardware(void)
{
    uint8_t bytes[HARDWARE_BYTES];
    bool found = hal_entropy(bytes, sizeof bytes) == 0;
    if (found) {
        stir(bytes, sizeof bytes);
    }
    mbedtls_platform_zeroize(bytes, sizeof bytes);
    return found;
}

/* True when the seed of the last start is in the pool. It counts only once its successor is kept. */
static bool take_seed(void)
{
    uint8_t seed[NV_SEED_BYTES];
    bool found = nv_take_seed(seed) == NV_SEED_FRESH;
    if (found) {
        stir(seed, sizeof seed);
    }
    mbedtls_platform_zeroize(seed, sizeof seed);
    return found;
}

static const char *name_source(bool has_seed, bool kept)
{
    if (has_hardware) {
        return has_seed && kept ? "port and seed" : "port";
    }
    if (has_seed && kept) {
        return "seed";
    }
    if (has_seed) {
        return "no: the seed could not be replaced, so it may not be used";
    }
    switch (nv_info().seed) {
    case NV_SEED_BLANK:
        return "no: the seed is blank";
    case NV_SEED_USED:
        return "no: the seed was used by an earlier start";
    default:
        return "no: neither the port nor a seed gives any";
    }
}

static int start_drbg(void)
{
    static const unsigned char personalization[] = "herd";
    mbedtls_ctr_drbg_free(&drbg);
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

int rng_init(void)
{
    uint8_t next[HASH_BYTES];
    uint32_t epoch = nv_info().epoch;
    uint64_t now_ms = hal_clock_ms();
    int64_t wall_ns = 0;
    (void)hal_clock_wall_ns(&wall_ns);

    memset(pool, 0, sizeof pool);
    stir(&epoch, sizeof epoch); /* no secrets, but they differ */
    stir(&now_ms, sizeof now_ms);
    stir(&wall_ns, sizeof wall_ns);
    has_hardware = take_hardware();
    bool has_seed = take_seed();
    derive(next, 'n', NULL, 0);
    stir(NULL, 0);
    bool kept = nv_begin_boot(has_hardware || has_seed ? next : NULL) == HERD_OK;
    mbedtls_platform_zeroize(next, sizeof next);
    secret = has_hardware || (has_seed && kept);
    source = name_source(has_seed, kept);
    if (start_drbg() != HERD_OK) {
        secret = false;
        has_hardware = false;
        source = "no: the port failed";
        HERD_ASSERT(start_drbg() == HERD_OK);
    }
    return secret ? HERD_OK : HERD_E_ENTROPY;
}

bool rng_is_secret(void)
{
    return secret;
}

const char *rng_source(void)
{
    return source;
}

int rng_add_seed(struct span given)
{
    uint8_t next[HASH_BYTES];
    size_t same = 0;
    while (same < given.bytes && given.at[same] == given.at[0]) {
        same++;
    }
    if (given.bytes < RNG_SEED_TEXT_MIN || same == given.bytes) {
        return HERD_E_RANGE;
    }
    stir(given.at, given.bytes);
    derive(next, 'n', NULL, 0);
    stir(NULL, 0);
    int err = nv_put_seed(next);
    mbedtls_platform_zeroize(next, sizeof next);
    if (start_drbg() != HERD_OK) {
        return HERD_E_ENTROPY;
    }
    source = has_hardware ? "port and seed" : "seed";
    secret = true;
    return err;
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

static int generate(unsigned char *out, size_t bytes)
{
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

int rng_mbedtls(void *context, unsigned char *out, size_t bytes)
{
    (void)context;
    return secret ? generate(out, bytes) : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

void rng_bytes(void *out, size_t bytes)
{
    if (generate(out, bytes) != 0) {
        hal_panic(__FILE__, __LINE__, "no random bytes");
    }
}

uint32_t rng_u32(void)
{
    uint32_t value;

    rng_bytes(&value, sizeof value);
    return value;
}

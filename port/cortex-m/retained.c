/* What a reset keeps: RAM that start-up does not touch (.noinit), each part under its checksum, so
 * that what power-on left there by chance counts for nothing. */
#include <string.h>

#include "cortexm.h"
#include "crc.h"
#include "hal_clock.h"
#include "retained.h"

#define NOINIT __attribute__((section(".noinit")))

NOINIT static struct {
    uint8_t pool[32];
    uint32_t crc;
} pool;

NOINIT static struct {
    int64_t wall_ns; /* at the last orderly reset; 0: unknown */
    uint32_t block_crc;
    uint32_t crc;
} state;

uint8_t retained_pool[32];

static uint32_t pool_crc(void)
{
    return crc_32(1, pool.pool, sizeof pool.pool);
}

static uint32_t state_crc(void)
{
    return crc_32(2, &state, offsetof(__typeof__(state), crc));
}

void retained_start(void)
{
    if (pool.crc != pool_crc()) {
        memset(&pool, 0, sizeof pool);
    }
    memcpy(retained_pool, pool.pool, sizeof retained_pool);
    if (state.crc != state_crc()) {
        memset(&state, 0, sizeof state);
        state.crc = state_crc();
    }
}

void retained_pool_seal(void)
{
    memcpy(pool.pool, retained_pool, sizeof pool.pool);
    pool.crc = pool_crc();
}

void retained_keep_wall(void)
{
    int64_t now_ns = 0;
    state.wall_ns = hal_clock_wall_ns(&now_ns) ? now_ns : 0;
    state.crc = state_crc();
}

bool retained_take_wall(int64_t *ns)
{
    bool known = state.wall_ns > 0;
    if (known) {
        *ns = state.wall_ns;
    }
    state.wall_ns = 0; /* a reset that nobody announced must not find a time of long ago */
    state.crc = state_crc();
    return known;
}

bool retained_saw_block(uint32_t crc)
{
    bool seen = state.block_crc == crc;
    state.block_crc = crc;
    state.crc = state_crc();
    return seen;
}

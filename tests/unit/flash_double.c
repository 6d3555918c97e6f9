#include "flash_double.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BYTES_MAX 65536u
#define UNITS_MAX BYTES_MAX

enum condition { STABLE, UNSTABLE, UNREADABLE };

struct medium {
    uint8_t now[BYTES_MAX];  /* what a read gives */
    uint8_t safe[BYTES_MAX]; /* what the last sync left */
    uint8_t condition[UNITS_MAX];
    bool in_flight[UNITS_MAX]; /* changed since the last sync */
    bool programmed[UNITS_MAX];
};

static struct medium m;
static struct medium saved;
static struct hal_flash_geometry geometry;
static bool started, foreign, ignoring, failing, cut;
static uint32_t steps, cut_at, random_state;
static unsigned torn;

static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

void flash_double_make(uint32_t bytes, uint32_t erase_bytes, uint32_t program_bytes, uint32_t seed)
{
    assert_true(bytes <= BYTES_MAX);
    memset(&m, 0, sizeof m);
    memset(m.now, 0xFF, sizeof m.now);
    memset(m.safe, 0xFF, sizeof m.safe);
    geometry = (struct hal_flash_geometry){bytes, erase_bytes, program_bytes};
    started = foreign = ignoring = failing = cut = false;
    steps = 0;
    cut_at = UINT32_MAX;
    random_state = seed * 2654435761u | 1u;
    torn = 0;
}

void flash_double_cut_after(uint32_t count)
{
    cut_at = count == UINT32_MAX ? UINT32_MAX : steps + count;
}

bool flash_double_is_cut(void)
{
    return cut;
}

uint32_t flash_double_steps(void)
{
    return steps;
}

void flash_double_restart(uint32_t seed)
{
    cut = false;
    started = false;
    cut_at = UINT32_MAX;
    random_state = (seed * 2654435761u + 12345u) | 1u;
}

void flash_double_ignore_writes(bool ignore)
{
    ignoring = ignore;
}

void flash_double_fail_writes(bool fail)
{
    failing = fail;
}

void flash_double_set_foreign(bool is)
{
    foreign = is;
}

uint8_t *flash_double_bytes(void)
{
    return m.now;
}

void flash_double_save(void)
{
    saved = m;
}

void flash_double_load(void)
{
    m = saved;
}

unsigned flash_double_torn(void)
{
    return torn;
}

/* One program unit that was at work. */
static void tear(uint32_t unit)
{
    uint8_t *now = m.now + unit * geometry.program_bytes;
    const uint8_t *old = m.safe + unit * geometry.program_bytes;
    uint32_t bytes = geometry.program_bytes;
    uint32_t how = next_random() % 7;
    torn += how >= 2;
    m.condition[unit] = STABLE;
    m.programmed[unit] = true; /* it must be erased before anything else */
    switch (how) {
    case 0: /* done */
        break;
    case 1: /* not done */
        memcpy(now, old, bytes);
        break;
    case 2: /* the first part of it */
    {
        uint32_t part = next_random() % (bytes + 1);
        memcpy(now + part, old + part, bytes - part);
        break;
    }
    case 3: /* bit by bit, old or new */
        for (uint32_t i = 0; i < bytes; i++) {
            uint8_t mask = (uint8_t)next_random();
            now[i] = (uint8_t)((now[i] & mask) | (old[i] & ~mask));
        }
        break;
    case 4: /* noise */
        for (uint32_t i = 0; i < bytes; i++) {
            now[i] = (uint8_t)next_random();
        }
        break;
    case 5:
        m.condition[unit] = UNSTABLE;
        break;
    default:
        m.condition[unit] = UNREADABLE;
        break;
    }
}

static void lose_power(void)
{
    cut = true;
    for (uint32_t unit = 0; unit < geometry.bytes / geometry.program_bytes; unit++) {
        if (m.in_flight[unit]) {
            tear(unit);
            m.in_flight[unit] = false;
        }
    }
    memcpy(m.safe, m.now, sizeof m.safe);
}

/* True when the step may be done. With the step that the cut hits, its units are in flight as well. */
static bool step(uint32_t at, uint32_t bytes, const uint8_t *data)
{
    if (cut || !started) {
        return false;
    }
    bool now = steps++ == cut_at;
    for (uint32_t i = 0; i < bytes && !ignoring && !failing; i++) {
        uint32_t unit = (at + i) / geometry.program_bytes;
        m.now[at + i] = data == NULL ? 0xFF : data[i];
        m.in_flight[unit] = true;
        m.condition[unit] = STABLE;
        m.programmed[unit] = data != NULL;
    }
    if (now) {
        lose_power();
    }
    return !now;
}

int hal_flash_start(void)
{
    if (cut || geometry.bytes == 0) {
        return HAL_FLASH_E_ABSENT;
    }
    started = !foreign;
    return foreign ? HAL_FLASH_E_FOREIGN : HAL_FLASH_OK;
}

struct hal_flash_geometry hal_flash_geometry(void)
{
    return started ? geometry : (struct hal_flash_geometry){0, 0, 0};
}

int hal_flash_read(uint32_t at, void *out, size_t bytes)
{
    uint8_t *to = out;
    assert_true(started && at + bytes <= geometry.bytes);
    if (cut) {
        return HAL_FLASH_E_ABSENT;
    }
    for (size_t i = 0; i < bytes; i++) {
        uint32_t unit = (uint32_t)(at + i) / geometry.program_bytes;
        if (m.condition[unit] == UNREADABLE) {
            return HAL_FLASH_E_UNREADABLE;
        }
        to[i] = m.now[at + i];
        if (m.condition[unit] == UNSTABLE && next_random() % 16 == 0) {
            to[i] = (uint8_t)(to[i] ^ 1u << next_random() % 8);
        }
    }
    return HAL_FLASH_OK;
}

int hal_flash_erase(uint32_t at)
{
    assert_true(at % geometry.erase_bytes == 0 && at + geometry.erase_bytes <= geometry.bytes);
    bool done = step(at, geometry.erase_bytes, NULL);
    return cut ? HAL_FLASH_E_ABSENT : done && !failing ? HAL_FLASH_OK : HAL_FLASH_E_FAILED;
}

int hal_flash_program(uint32_t at, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    assert_true(at % geometry.program_bytes == 0 && bytes % geometry.program_bytes == 0);
    assert_true(bytes > 0 && at + bytes <= geometry.bytes);
    assert_int_equal(at / geometry.erase_bytes, (at + bytes - 1) / geometry.erase_bytes);
    for (size_t done = 0; done < bytes; done += geometry.program_bytes) {
        uint32_t unit = (uint32_t)(at + done) / geometry.program_bytes;
        assert_true(ignoring || failing || cut || !m.programmed[unit]);
        if (!step((uint32_t)(at + done), geometry.program_bytes, from + done) || failing) {
            return cut ? HAL_FLASH_E_ABSENT : HAL_FLASH_E_FAILED;
        }
    }
    return HAL_FLASH_OK;
}

int hal_flash_sync(void)
{
    if (cut || !started) {
        return HAL_FLASH_E_ABSENT;
    }
    if (steps++ == cut_at) {
        lose_power();
        return HAL_FLASH_E_ABSENT;
    }
    memcpy(m.safe, m.now, sizeof m.safe);
    memset(m.in_flight, 0, sizeof m.in_flight);
    return HAL_FLASH_OK;
}

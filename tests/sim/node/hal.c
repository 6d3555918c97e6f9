/* The contracts of hal/ but the network's, fulfilled by the engine. */
#include <string.h>

#include "err.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "hal_entropy.h"
#include "hal_flash.h"
#include "hal_idle.h"
#include "hal_system.h"

#include "sim_node.h"

#define ERASE_BYTES   4096u
#define PROGRAM_BYTES 16u

struct abi_node_host sim_host;
struct abi_time sim_now;
uint64_t sim_idle_ms;

/* --- Time ------------------------------------------------------------------------------------------ */

uint64_t hal_clock_ms(void)
{
    return sim_now.ms;
}

bool hal_clock_wall_ns(int64_t *ns)
{
    if (sim_now.knows_wall) {
        *ns = sim_now.wall_ns;
    }
    return sim_now.knows_wall;
}

void hal_clock_set_wall_ns(int64_t now_ns)
{
    sim_now.wall_ns = now_ns;
    sim_now.knows_wall = true;
    sim_host.set_wall(sim_host.wire.context, now_ns);
}

/* The engine calls again then, or when there is something. */
void hal_idle(uint32_t max_ms)
{
    sim_idle_ms = max_ms == UINT32_MAX ? ABI_NEVER : max_ms;
}

/* --- Entropy, console, system ---------------------------------------------------------------------- */

int hal_entropy(void *out, size_t bytes)
{
    sim_host.wire.entropy(sim_host.wire.context, out, bytes);
    return 0;
}

size_t hal_console_write(const char *data, size_t bytes)
{
    sim_host.log(sim_host.wire.context, data, bytes);
    return bytes;
}

size_t hal_console_answer(const char *data, size_t bytes)
{
    sim_host.answer(sim_host.wire.context, data, bytes);
    return bytes;
}

size_t hal_console_read(char *data, size_t bytes)
{
    return sim_host.typed(sim_host.wire.context, data, bytes);
}

bool hal_console_is_terminal(void)
{
    return false;
}

void hal_system_restart(void)
{
    sim_host.restart(sim_host.wire.context);
    for (;;) { /* it does not return */
    }
}

size_t hal_system_crash(unsigned line, char *out, size_t bytes)
{
    (void)line;
    (void)out;
    (void)bytes;
    return 0;
}

bool hal_system_stack(size_t *reserved, size_t *high_water)
{
    (void)reserved;
    (void)high_water;
    return false;
}

void hal_panic(const char *file, unsigned line, const char *what)
{
    sim_host.wire.panic(sim_host.wire.context, file, line, what);
    for (;;) { /* it does not return */
    }
}

/* --- Flash: the engine's memory, which survives crashes ---------------------------------------------- */

static bool flash_started;

int hal_flash_start(void)
{
    flash_started = true;
    return HAL_FLASH_OK;
}

struct hal_flash_geometry hal_flash_geometry(void)
{
    return flash_started ? (struct hal_flash_geometry){ABI_FLASH_BYTES, ERASE_BYTES, PROGRAM_BYTES}
                         : (struct hal_flash_geometry){0, 0, 0};
}

int hal_flash_read(uint32_t at, void *out, size_t bytes)
{
    HERD_ASSERT(at <= ABI_FLASH_BYTES && bytes <= ABI_FLASH_BYTES - at);
    memcpy(out, sim_host.flash + at, bytes);
    return HAL_FLASH_OK;
}

int hal_flash_erase(uint32_t at)
{
    HERD_ASSERT(at % ERASE_BYTES == 0 && at < ABI_FLASH_BYTES);
    memset(sim_host.flash + at, 0xFF, ERASE_BYTES);
    return HAL_FLASH_OK;
}

/* As NOR does it: bits only go from 1 to 0, so that a program without an erase shows. */
int hal_flash_program(uint32_t at, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    HERD_ASSERT(at % PROGRAM_BYTES == 0 && bytes % PROGRAM_BYTES == 0 && bytes > 0);
    HERD_ASSERT(at / ERASE_BYTES == (at + bytes - 1) / ERASE_BYTES &&
                at + bytes <= ABI_FLASH_BYTES);
    for (size_t i = 0; i < bytes; i++) {
        sim_host.flash[at + i] &= from[i];
    }
    return HAL_FLASH_OK;
}

int hal_flash_sync(void)
{
    return HAL_FLASH_OK;
}

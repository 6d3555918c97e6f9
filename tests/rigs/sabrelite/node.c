/* The node itself on the rig: main.o and all of firmware/ as a frdm-k64f has them, over these few functions
 * in place of what touches a Cortex-M's core (clock, crash, boot block) and of the K64's watchdog. */
#include "boot.h"
#include "cortexm.h"
#include "entropy.h"
#include "err.h"
#include "hal_clock.h"
#include "main.h"
#include "rig.h"

#define WALL_AT_START_NS INT64_C(1790000000000000000)

void clock_start(void)
{
}

uint64_t clock_cycles(void)
{
    return hal_clock_ms() * 120000u;
}

bool hal_clock_wall_ns(int64_t *ns)
{
    *ns = WALL_AT_START_NS + (int64_t)hal_clock_ms() * 1000000;
    return true;
}

/* The rig has a clock. */
void hal_clock_set_wall_ns(int64_t now_ns)
{
    (void)now_ns;
}

uint64_t idle_cycles(void)
{
    return 0;
}

void watchdog_start(void)
{
}

void watchdog_feed(void)
{
}

void crash_print(void)
{
}

void crash_put_line(unsigned line, struct text *t)
{
    (void)line; /* there was none */
    (void)t;
}

/* No test restarts the rig; a reset would be one of the machine. */
void cortexm_reset(void)
{
    hal_panic(__FILE__, __LINE__, "reset");
}

size_t stack_bytes(void)
{
    return 0;
}

size_t stack_high_water(void)
{
    return 0;
}

void boot_read(void)
{
}

/* No secret, and the same in every run. */
bool trng_seed(void)
{
    static const uint8_t seed[64] = "the rig has no random numbers, and needs none";
    entropy_seed(seed, sizeof seed);
    return true;
}

void rig_main(void)
{
    main_run();
}

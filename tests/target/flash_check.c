/* Checks a board's hal_flash on the board's own memory map: reads what the run before has left, erases,
 * programs and reads back something new. Twice on the same medium, with the power cut in between, shows
 * that it keeps what it was given.
 *
 * The console says what was found; a semihosting exit (QEMU, or a debugger) gives the verdict.
 */
#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "cortexm.h"
#include "hal_clock.h"
#include "hal_flash.h"
#include "main.h"
#include "text.h"

#define UNITS 6

/* Semihosting: the operation, and its reasons "application exit" and "internal error" */
#define SYS_EXIT  0x18
#define EXIT_GOOD 0x20026
#define EXIT_BAD  0x20024

static struct hal_flash_geometry geometry;
static uint8_t unit[HAL_FLASH_ERASE_BYTES_MAX];

static void say(const char *what, uint32_t value)
{
    char buffer[64];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    text_str(&t, what);
    text_char(&t, ' ');
    text_u64(&t, value);
    text_str(&t, "\r\n");
    uart_write_now(buffer, t.bytes);
}

static void leave(bool good) __attribute__((noreturn));
static void leave(bool good)
{
    uart_write_now(good ? "good\r\n" : "bad\r\n", good ? 6 : 5);
    for (;;) {
        __asm volatile("mov r0, %0\n mov r1, %1\n bkpt 0xAB" ::"i"(SYS_EXIT),
                       "r"(good ? EXIT_GOOD : EXIT_BAD)
                       : "r0", "r1", "memory");
    }
}

static void check(int err, const char *what)
{
    if (err != HAL_FLASH_OK) {
        say(what, (uint32_t)-err);
        leave(false);
    }
}

/* Both ends of the area, both sides of its middle, and two between. */
static uint32_t place(unsigned i)
{
    uint32_t units = geometry.bytes / geometry.erase_bytes;
    const uint32_t at[UNITS] = {0, 1, units / 2 - 1, units / 2, units * 3 / 4, units - 1};
    return at[i] * geometry.erase_bytes;
}

/* Different for each place and generation, and never blank. */
static uint8_t pattern(unsigned i, uint32_t generation, uint32_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) * 13 + i * 31 + generation);
}

static void read_unit(unsigned i)
{
    check(hal_flash_read(place(i), unit, geometry.erase_bytes), "read fails");
}

static bool holds(unsigned i, uint32_t generation)
{
    for (uint32_t at = 0; at < geometry.erase_bytes; at++) {
        if (unit[at] != pattern(i, generation, at)) {
            return false;
        }
    }
    return true;
}

/* 1 to 200; 0: the medium is new to us. */
static uint32_t find_generation(void)
{
    read_unit(0);
    for (uint32_t generation = 1; generation <= 200; generation++) {
        if (holds(0, generation)) {
            return generation;
        }
    }
    return 0;
}

static void write_unit(unsigned i, uint32_t generation)
{
    check(hal_flash_erase(place(i)), "erase fails");
    read_unit(i);
    for (uint32_t at = 0; at < geometry.erase_bytes; at++) {
        if (unit[at] != 0xFF) {
            say("not erased, at", place(i) + at);
            leave(false);
        }
    }
    for (uint32_t at = 0; at < geometry.erase_bytes; at++) {
        unit[at] = pattern(i, generation, at);
    }
    check(hal_flash_program(place(i), unit, geometry.erase_bytes), "program fails");
}

static uint32_t elapsed_us(uint64_t since_cycles)
{
    return (uint32_t)((clock_cycles() - since_cycles) * 1000000u / BOARD_CPU_HZ);
}

static void find_medium(void)
{
    uint64_t since = clock_cycles();
    int err = hal_flash_start();
    say("start", (uint32_t)-err);
    say("start us", elapsed_us(since));
    geometry = hal_flash_geometry();
    say("bytes", geometry.bytes);
    if (err != HAL_FLASH_OK) {
        leave(false);
    }
}

void main_run(void)
{
    clock_start();
    uart_start();
    find_medium();
    uint32_t generation = find_generation();
    say("generation", generation);
    for (unsigned i = 0; i < UNITS && generation > 0; i++) {
        read_unit(i);
        if (!holds(i, generation)) {
            say("lost, at", place(i));
            leave(false);
        }
    }
    uint64_t since = clock_cycles();
    for (unsigned i = 0; i < UNITS; i++) {
        write_unit(i, generation + 1);
    }
    check(hal_flash_sync(), "sync fails");
    say("us per unit", elapsed_us(since) / UNITS);
    for (unsigned i = 0; i < UNITS; i++) {
        read_unit(i);
        if (!holds(i, generation + 1)) {
            say("not kept, at", place(i));
            leave(false);
        }
    }
    leave(true);
}

/* A node of the herd on a board: boot block, factory configuration, and rounds for ever. */
#include "main.h"

#include <string.h>

#include "boot.h"
#include "config.h"
#include "cortexm.h"
#include "factory.h"
#include "hal_clock.h"
#include "hal_idle.h"
#include "herd.h"
#include "log.h"
#include "version.h"

#define LAST_WORDS_MS 500

static struct config config;
static struct factory factory;

static void say(const char *words)
{
    uart_write_now(words, strlen(words));
}

/* Nothing can be done until somebody mends it: the watchdog is fed, and the words stay readable. */
static void halt(void) __attribute__((noreturn));
static void halt(void)
{
    uint64_t until_ms = hal_clock_ms() + LAST_WORDS_MS;
    while (hal_clock_ms() < until_ms) {
        log_flush();
        hal_idle(1);
    }
    say("herd: stopped\r\n");
    for (;;) {
        hal_idle(1000);
    }
}

static bool set_all(struct span lines)
{
    while (lines.bytes > 0) {
        const char *end = memchr(lines.at, '\n', lines.bytes);
        size_t bytes = end == NULL ? lines.bytes : (size_t)(end - lines.at);
        if (bytes > 0 && config_set(&config, (struct span){lines.at, bytes}) != HERD_OK) {
            return false;
        }
        bytes += end == NULL ? 0 : 1;
        lines.at += bytes;
        lines.bytes -= bytes;
    }
    return true;
}

static void configure(void)
{
    char buffer[256];
    struct text error;
    if (!factory_read(&factory)) {
        say("herd: the flash holds no configuration: make firmware BOARD=" BOARD_NAME
            " HERD=FILE NODE=NAME, and flash the image\r\n");
        halt();
    }
    text_init(&error, buffer, sizeof buffer);
    config_begin(&config, factory.herd_file, &error);
    if (config_read(&config, factory.herd_text) != HERD_OK || !set_all(factory.settings) ||
        config_finish(&config, factory.node) != HERD_OK) {
        say("herd: ");
        say(text_cstr(&error));
        say("\r\n");
        halt();
    }
}

static void explain(int err)
{
    if (err == HERD_E_ENTROPY) {
        say("herd: no seed, so nothing here can be secret: give the node one at its start "
            "(boot block, boards/" BOARD_NAME "/README.md)\r\n");
    }
    halt();
}

void main_run(void)
{
    clock_start();
    uart_start();
    watchdog_start();
    say("\r\nherd " HERD_VERSION " on " BOARD_NAME "\r\n");
    retained_start();
    crash_print();
    boot_read();
#ifdef BOARD_HAS_TRNG
    if (!trng_seed()) {
        say("herd: the random number generator does not work\r\n");
    }
#endif
    configure();
    const struct herd_boot boot = {
        .config = &config, .places_key = factory.places_key, .trust_pem = factory.trust_pem};
    int err = herd_start(&boot);
    if (err != HERD_OK) {
        explain(err);
    }
    for (;;) {
        herd_step();
    }
}

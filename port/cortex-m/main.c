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
#include "nv.h"
#include "setup.h"
#include "version.h"

#define RETRY_MS 10000

static struct config config;
static struct factory factory;

static void say(const char *words)
{
    uart_write_now(words, strlen(words));
}

/* The configuration that counts; NULL, after it said why, when there is none: then the node has a
 * console, where somebody can load one. */
static const struct config *configure(void)
{
    static struct setup_factory given; /* setup refers to it as long as the node runs */
    char buffer[SETUP_ERROR_BYTES];
    struct text error;
    if (!factory_read(&factory)) {
        say("herd: no factory configuration in the flash\r\n");
        factory.herd_file = SPAN_LIT("factory configuration");
    }
    given = (struct setup_factory){.herd_file = factory.herd_file,
                                   .herd_text = factory.herd_text,
                                   .node = factory.node,
                                   .settings = factory.settings,
                                   .places_key = factory.places_key,
                                   .link_keys = factory.link_keys};
    text_init(&error, buffer, sizeof buffer);
    nv_start();
    if (setup_start(&given, &config, &error) == HERD_OK) {
        return &config;
    }
    say("herd: ");
    say(text_cstr(&error));
    say("\r\n");
    return NULL;
}

/* The network does not start: the log says why. Again, in case that it was the chip. */
static void fail(void) __attribute__((noreturn));
static void fail(void)
{
    uint64_t until_ms = hal_clock_ms() + RETRY_MS;
    while (hal_clock_ms() < until_ms) {
        log_flush();
        hal_idle(10);
    }
    cortexm_reset();
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
    const struct config *found = configure();
    const struct herd_boot boot = {.config = found,
                                   .places_key = setup_places_key(),
                                   .link_keys = setup_link_keys(),
                                   .trust_pem = factory.trust_pem};
    if (herd_start(&boot) != HERD_OK) {
        fail();
    }
    for (;;) {
        herd_step();
    }
}

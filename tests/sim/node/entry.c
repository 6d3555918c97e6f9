/* The one symbol of node.so: how the engine starts and runs the node, as a port's main does. */
#include <string.h>

#include "herd.h"
#include "log.h"
#include "nv.h"
#include "setup.h"

#include "sim_node.h"

struct config sim_config;

static bool start(const struct abi_node_host *host, const struct abi_node_boot *boot,
                  const struct abi_time *now, char *error, size_t error_bytes)
{
    static struct setup_factory factory;
    struct herd_boot herd = {.config = &sim_config};
    struct text words;

    sim_host = *host;
    sim_now = *now;
    sim_idle_ms = 0;
    text_init(&words, error, error_bytes);
    factory = (struct setup_factory){.herd_file = SPAN_LIT("herd file"),
                                     .herd_text = span_of(boot->herd),
                                     .node = span_of(boot->name),
                                     .link_keys = span_of(boot->keys)};
    nv_start();
    bool ok = setup_start(&factory, &sim_config, &words) == HERD_OK;
    herd.link_keys = setup_link_keys();
    if (ok && herd_start(&herd) != HERD_OK) {
        log_flush();
        text_str(&words, "it did not start; see its log");
        ok = false;
    }
    (void)text_cstr(&words);
    return ok;
}

static uint64_t step(const struct abi_time *now)
{
    sim_now = *now;
    sim_crypto_ns = 0;
    herd_step();
    return sim_idle_ms;
}

static void stop(const struct abi_time *now)
{
    sim_now = *now;
    herd_stop();
}

static bool has_stopped(const struct abi_time *now)
{
    sim_now = *now;
    bool stopped = herd_stopped();
    if (stopped) {
        log_flush();
    }
    return stopped;
}

static int64_t crypto_ns(void)
{
    return sim_crypto_ns;
}

ABI_EXPORT abi_node_entry sim_node;

const struct abi_node *sim_node(void)
{
    static const struct abi_node node = {.start = start,
                                         .step = step,
                                         .stop = stop,
                                         .has_stopped = has_stopped,
                                         .probe = sim_probe,
                                         .crypto_ns = crypto_ns};
    return &node;
}

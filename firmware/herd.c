#include "herd.h"

#include "answer.h"
#include "ask.h"
#include "clients.h"
#include "conn.h"
#include "console.h"
#include "hal_clock.h"
#include "hal_idle.h"
#include "hal_system.h"
#include "keys.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "net.h"
#include "nv.h"
#include "older.h"
#include "places_backend.h"
#include "rng.h"
#include "sched.h"
#include "session.h"
#include "setup.h"
#include "tls_upstream.h"
#include "wall.h"

#define STOP_MS 200 /* for BYE to be delivered, at the most */

static uint64_t stopped_at_ms = SCHED_NEVER;
static const struct config_node *self;
static bool told_ready;
static bool has_network;
static bool restarting;

/* The interface has got an address: commands can come in, neighbours can be dialled. */
static void on_net_up(void)
{
    links_wake();
    older_wake();
    if (told_ready) {
        return;
    }
    told_ready = true;
    struct log_line *l = log_begin(EV_NODE_READY);
    log_str(l, "name", self->name);
    log_u64(l, "port", self->port);
    log_u64(l, "link_port", self->link_port);
    log_end(l);
}

static int fail(const char *what, int err)
{
    struct log_line *l = log_begin(EV_NODE_FAILED);
    log_str(l, "what", what);
    log_i64(l, "error", err);
    log_end(l);
    return err;
}

static int start_network(const struct config *config)
{
    const struct conn_limits limits = {.idle_ms = config->idle_s * 1000u,
                                       .sessions_per_address = config->sessions_per_address};
    int err = net_start(config, on_net_up);
    if (err != HERD_OK) {
        return fail("network interface", err);
    }
    conn_init(&limits);
    return HERD_OK;
}

/* The herd's own names have their places before anything that is heard can take them. */
static int intern_names(const struct config *config)
{
    int err = HERD_OK;
    for (unsigned i = 0; i < config->node_count && err == HERD_OK; i++) {
        uint8_t index = 0;
        err = names_intern(span_of(config->nodes[i].name), &index);
    }
    return err;
}

/* Asks the provider itself, unless the herd file or the board says that it cannot: then neighbours. */
static int start_places(const struct herd_boot *boot)
{
    const struct config *config = boot->config;
    struct places_setup setup = {.config = &config->places,
                                 .key = boot->places_key,
                                 .waiters = {session_task(), links_task()}};
    if (config->places.provider != CONFIG_PLACES_NONE) {
        setup.backend = &ask_backend;
    }
#if CFG_UPSTREAM
    if (setup.backend != NULL && config->nodes[config->self].upstream) {
        setup.backend = &places_upstream;
        int err = tls_upstream_init(boot->trust_pem);
        if (err != HERD_OK) {
            return fail("trust anchors", err);
        }
    }
#endif
    int err = places_init(&setup);
    return err == HERD_OK ? HERD_OK : fail("places", err);
}

/* The port has checked them (setup_start): what fails here fails for want of a check there. */
static int start_keys(const struct herd_boot *boot)
{
    char buffer[SETUP_ERROR_BYTES];
    struct text error;
    text_init(&error, buffer, sizeof buffer);
    int err = keys_init(boot->config, boot->link_keys, &error);
    return err == HERD_OK ? HERD_OK : fail(text_cstr(&error), err);
}

/* The rooms in the order in which their tasks run within a round. */
static int start_rooms(const struct herd_boot *boot)
{
    const struct config *config = boot->config;
    names_init();
    clients_init(CFG_DEVICES);
    int err = intern_names(config);
    if (err != HERD_OK) {
        return fail("server names", err);
    }
    err = start_network(config);
    if (err != HERD_OK) {
        return err;
    }
    wall_init(config);
    ask_init(config);
    answer_init(config);
    err = start_keys(boot);
    if (err != HERD_OK) {
        return err;
    }
    err = links_init(config);
    if (err != HERD_OK) {
        return fail("link listener", err);
    }
    err = session_init(config);
    if (err != HERD_OK) {
        return fail("client listener", err);
    }
    err = older_init(config);
    if (err != HERD_OK) {
        return fail("open neighbours need open_anyone on this network", err);
    }
    err = start_places(boot);
    if (err != HERD_OK) {
        return err;
    }
    return HERD_OK;
}

static void log_memory(void)
{
    struct nv_info nv = nv_info();
    if (nv.status == NV_OFF) {
        return;
    }
    struct log_line *l = log_begin(nv.status == NV_READY ? EV_NV_READY : EV_NV_FAILED);
    log_span(l, "status", span_of(nv_status_text()));
    log_u64(l, "epoch", nv.epoch);
    log_u64(l, "config", nv.config_sequence);
    log_end(l);
}

/* Entropy and what is kept: before anything that needs random numbers. */
static void start_secrets(void)
{
    int err = rng_init();
    log_memory();
    if (err != HERD_OK) {
        struct log_line *l = log_begin(EV_ENTROPY_MISSING);
        log_span(l, "source", span_of(rng_source()));
        log_span(
            l, "meaning",
            SPAN_LIT("no TLS, and ports and sequence numbers that can be guessed: give the node "
                     "a seed at its console (seed)"));
        log_end(l);
    }
    if (setup_refused().bytes > 0) {
        struct log_line *l = log_begin(EV_SETUP_REFUSED);
        log_span(l, "why", setup_refused());
        log_str(l, "instead", "the factory's configuration");
        log_end(l);
    }
}

/* A console and nothing else, so that somebody can give the node a configuration. */
static void start_without_network(void)
{
    struct log_line *l = log_begin(EV_SETUP_NEEDED);
    log_span(
        l, "meaning",
        setup_lacks_keys()
            ? SPAN_LIT("no keys for its links: keys load at the console takes the key file that "
                       "herdctl keys has made for this node, config save keeps it")
            : SPAN_LIT("no configuration: config load at the console takes a herd file, keys "
                       "load the keys of its links, config save keeps them"));
    log_end(l);
}

int herd_start(const struct herd_boot *boot)
{
    const struct config *config = boot->config;
    const struct console_means means = {
        .config = config, .restart = herd_restart, .started_ms = hal_clock_ms()};
    self = config == NULL ? NULL : &config->nodes[config->self];
    told_ready = false;
    stopped_at_ms = SCHED_NEVER;
    restarting = false;
    has_network = config != NULL;
    sched_init();
    sched_measure(hal_clock_ms);
    log_init(has_network ? config->log_level : LOG_INFO);
    struct log_line *l = log_begin(EV_NODE_START);
    log_str(l, "name", has_network ? config->nodes[config->self].name : "");
    log_str(l, "board", BOARD_NAME);
    log_u64(l, "devices", CFG_DEVICES);
    log_end(l);
    start_secrets();
    if (!has_network) {
        start_without_network();
        console_init(&means);
        return HERD_OK;
    }
    int err = start_rooms(boot);
    if (err != HERD_OK) {
        return err;
    }
    console_init(&means);
    conn_start();
    return HERD_OK;
}

/* A slot is taken until its peer has acknowledged everything, BYE and FIN included. */
static bool all_told(void)
{
    struct conn_stats stats = conn_stats();
    return stats.open[CONN_LINK] == 0 && stats.open[CONN_OLDER] == 0;
}

/* No longer than until the node has stopped: without a network nothing else may be due. */
static uint32_t idle_while_stopping(uint32_t idle_ms)
{
    uint64_t now = hal_clock_ms();
    if (stopped_at_ms == SCHED_NEVER || now + idle_ms < stopped_at_ms) {
        return idle_ms;
    }
    return all_told() || now >= stopped_at_ms ? 0 : (uint32_t)(stopped_at_ms - now);
}

void herd_step(void)
{
    uint32_t idle_ms = sched_round(hal_clock_ms());
    rng_tend();
    hal_idle(idle_while_stopping(idle_ms));
    if (has_network) {
        net_wake();
    }
    console_wake();
    if (restarting && herd_stopped()) {
        log_flush();
        hal_system_restart();
    }
}

void herd_restart(void)
{
    restarting = true;
    herd_stop();
}

void herd_stop(void)
{
    if (stopped_at_ms != SCHED_NEVER) {
        return;
    }
    if (has_network) {
        links_stop();
        older_stop();
        session_stop();
    }
    stopped_at_ms = hal_clock_ms() + STOP_MS;
}

bool herd_stopped(void)
{
    if (stopped_at_ms == SCHED_NEVER || (hal_clock_ms() < stopped_at_ms && !all_told())) {
        return false;
    }
    if (has_network) {
        conn_stop();
        net_log_counters();
    }
    log_end(log_begin(EV_NODE_STOPPED));
    return true;
}

/* The table of commands, and those that show something. Each is called once per line of its answer. */
#include "console.h"

#include "lwip/memp.h"
#include "lwip/stats.h"

#include "clients.h"
#include "conn.h"
#include "hal_clock.h"
#include "hal_system.h"
#include "json.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "nv.h"
#include "places.h"
#include "replica.h"
#include "rng.h"
#include "session.h"
#include "setup.h"
#include "tls_upstream.h"
#include "version.h"
#include "wall.h"
#include "when.h"

/* --- Words ------------------------------------------------------------------------------------- */

static void put_duration(struct text *t, uint64_t ms)
{
    uint64_t s = ms / 1000;
    if (s >= 86400) {
        text_u64(t, s / 86400);
        text_str(t, " d ");
    }
    if (s >= 3600) {
        text_u64(t, s / 3600 % 24);
        text_str(t, " h ");
    }
    if (s >= 60) {
        text_u64(t, s / 60 % 60);
        text_str(t, " min ");
    }
    text_u64(t, s % 60);
    text_str(t, " s");
}

/* "name", used, most ever, size, and what was refused. */
static void put_pool(struct text *t, const char *name, uint64_t used, uint64_t high, uint64_t size,
                     uint64_t refused)
{
    text_str(t, "pool ");
    text_str(t, name);
    text_str(t, " used=");
    text_u64(t, used);
    text_str(t, " high=");
    text_u64(t, high);
    text_str(t, " of=");
    text_u64(t, size);
    text_str(t, " refused=");
    text_u64(t, refused);
}

void console_put_count(struct text *t, const char *name, uint64_t value)
{
    text_char(t, ' ');
    text_str(t, name);
    text_char(t, '=');
    text_u64(t, value);
}

/* --- help -------------------------------------------------------------------------------------- */

static bool run_help(struct console_call *call, struct text *out)
{
    unsigned count = 0;
    const struct console_command *c = console_commands(&count);
    size_t start = out->bytes;
    c += call->step++;
    text_str(out, c->name);
    text_str(out, c->arguments);
    while (out->bytes - start < 30) {
        text_char(out, ' ');
    }
    text_str(out, c->help);
    return call->step < count;
}

/* --- status ------------------------------------------------------------------------------------ */

static const char *origin_text(void)
{
    switch (setup_origin()) {
    case SETUP_FROM_NODE:
        return "this node's own";
    case SETUP_FROM_FACTORY:
        return setup_refused().bytes > 0 ? "the factory's, because this node's own is refused"
                                         : "the factory's";
    default:
        return setup_lacks_keys() ? "none: there are no keys for its links; keys load takes them"
                                  : "none: config load takes a herd file";
    }
}

static void put_node(struct text *out, const struct console_means *means)
{
    const struct config *c = means->config;
    text_str(out, "node ");
    text_str(out, c == NULL ? "without a configuration" : c->nodes[c->self].name);
    text_str(out, ", herd " HERD_VERSION " on " BOARD_NAME ", up ");
    put_duration(out, hal_clock_ms() - means->started_ms);
}

static void put_config(struct text *out)
{
    text_str(out, "config ");
    text_str(out, origin_text());
    if (setup_refused().bytes > 0) {
        text_str(out, ": ");
        text_put(out, setup_refused());
    }
    if (setup_is_changed()) {
        text_str(out, "; changes that are not saved");
    }
}

static void put_nv(struct text *out)
{
    struct nv_info nv = nv_info();
    text_str(out, "memory ");
    text_str(out, nv_status_text());
    if (nv.status == NV_READY || nv.status == NV_FAILED) {
        console_put_count(out, "epoch", nv.epoch);
        console_put_count(out, "config", nv.config_sequence);
        console_put_count(out, "before", nv.other_sequence);
    }
}

static void put_entropy(struct text *out)
{
    text_str(out, "entropy ");
    text_str(out, rng_source());
    if (!rng_is_secret()) {
        text_str(out, "; no TLS until `seed` gives some");
    }
}

static void put_clock(struct text *out)
{
    static const char *const names[] = {
        [WALL_NONE] = "unknown", [WALL_PORT] = "port", [WALL_SNTP] = "sntp"};
    struct wall_state w = wall_state();
    int64_t now_ns = 0;
    text_str(out, "clock ");
    if (wall_now_ns(&now_ns)) {
        when_format_utc(out, now_ns);
        text_str(out, " by ");
        text_str(out, names[w.source]);
        text_str(out, links_clock_trusted() ? ", trusted" : ", not trusted");
        return;
    }
    text_str(out, "unknown: no TLS to the places provider; ");
    if (w.servers == 0) {
        text_str(out, "config set herd.ntp=ADDRESS names an NTP server");
    } else {
        text_str(out, "waiting for NTP server ");
        text_ip4(out, w.server);
    }
}

static void put_stack(struct text *out)
{
    size_t reserved = 0, high = 0;
    if (hal_system_stack(&reserved, &high)) {
        put_pool(out, "stack", high, high, reserved, 0);
    }
}

static void put_log(struct text *out)
{
    text_str(out, "log");
    console_put_count(out, "dropped", log_dropped());
}

/* What is there without a network as well. */
static bool put_basic(unsigned row, const struct console_call *call, struct text *out)
{
    switch (row) {
    case 0:
        put_node(out, call->means);
        return true;
    case 1:
        put_config(out);
        return true;
    case 2:
        put_nv(out);
        return true;
    case 3:
        put_entropy(out);
        return true;
    case 4:
        put_log(out);
        return true;
    case 5:
        put_stack(out);
        return true;
    default:
        return false;
    }
}

static void put_sessions(struct text *out)
{
    struct session_stats s = session_stats();
    text_str(out, "sessions");
    console_put_count(out, "iamat", s.iamat);
    console_put_count(out, "whatsat", s.whatsat);
    console_put_count(out, "invalid", s.invalid);
    console_put_count(out, "long_lines", s.long_lines);
    console_put_count(out, "too_slow", s.too_slow);
}

static void put_replica(struct text *out)
{
    struct replica_stats r = replica_stats();
    text_str(out, "replica");
    console_put_count(out, "taken", r.taken);
    console_put_count(out, "merged", r.merged);
    console_put_count(out, "duplicate", r.duplicate);
    console_put_count(out, "sent", r.sent);
    console_put_count(out, "resent", r.resent);
    console_put_count(out, "evicted_unsent", r.evicted_unsent);
}

static void put_lost(struct text *out)
{
    struct conn_stats c = conn_stats();
    text_str(out, "connections lost");
    for (unsigned i = CONN_RESET; i < CONN_REASON_COUNT; i++) {
        console_put_count(out, conn_reason_name((enum conn_reason)i), c.lost[i]);
    }
}

static void put_class(struct text *out, enum conn_class class, const char *name, unsigned size)
{
    struct conn_stats c = conn_stats();
    put_pool(out, name, c.open[class], c.high_water[class], size, c.refused_full[class]);
}

static void put_devices(struct text *out)
{
    struct clients_stats c = clients_stats();
    put_pool(out, "devices", c.count, c.high_water, CFG_DEVICES, c.refused);
    console_put_count(out, "evicted", c.evicted);
}

#if CFG_UPSTREAM
static void put_tls(struct text *out)
{
    struct tls_upstream_stats t = tls_upstream_stats();
    put_pool(out, "tls-arena", t.arena_used, t.arena_peak, CFG_TLS_ARENA_BYTES, 0);
    console_put_count(out, "handshakes", t.handshakes);
    console_put_count(out, "failed", t.failed);
}

static void put_json(struct text *out)
{
    struct json_stats j = json_stats();
    put_pool(out, "json-arena", 0, j.arena_peak, CFG_JSON_ARENA_BYTES, j.too_large);
}

static void put_upstream(struct text *out)
{
    put_class(out, CONN_UPSTREAM, "upstream", 1);
}
#else /* this board asks no provider */
static void put_tls(struct text *out)
{
    (void)out;
}

static void put_json(struct text *out)
{
    (void)out;
}

static void put_upstream(struct text *out)
{
    (void)out;
}
#endif

static void put_frames(struct text *out)
{
    text_str(out, "frames");
    console_put_count(out, "in", lwip_stats.link.recv);
    console_put_count(out, "out", lwip_stats.link.xmit);
    console_put_count(out, "dropped", lwip_stats.link.drop);
    console_put_count(out, "no_memory", lwip_stats.link.memerr);
}

static void put_names(struct text *out)
{
    put_pool(out, "server-names", names_count(), names_count(), CFG_SERVER_NAMES, names_refused());
}

static bool put_counters(unsigned row, struct text *out)
{
    switch (row) {
    case 0:
        put_clock(out);
        return true;
    case 1:
        put_devices(out);
        return true;
    case 2:
        put_class(out, CONN_SESSION, "clients", CFG_SESSIONS);
        return true;
    case 3:
        put_class(out, CONN_LINK, "links", CFG_CONN_LINK_SLOTS);
        return true;
    case 4:
        put_upstream(out);
        return true;
    case 5:
        put_names(out);
        return true;
    case 6:
        put_tls(out);
        return true;
    case 7:
        put_json(out);
        return true;
    case 8:
        put_sessions(out);
        return true;
    case 9:
        put_replica(out);
        return true;
    case 10:
        put_lost(out);
        return true;
    case 11:
        put_frames(out);
        return true;
    default:
        return false;
    }
}

#if MEMP_STATS
static const char *const pool_names[MEMP_MAX] = {
#define LWIP_MEMPOOL(name, num, size, desc) #name,
#include "lwip/priv/memp_std.h"
};
#endif

/* lwIP's pools; under a sanitizer there are none. */
static bool put_lwip(unsigned row, struct text *out)
{
#if MEMP_STATS
    if (row < MEMP_MAX && lwip_stats.memp[row] != NULL) {
        const struct stats_mem *m = lwip_stats.memp[row];
        text_str(out, "lwip-");
        put_pool(out, pool_names[row], m->used, m->max, m->avail, m->err);
        return true;
    }
#endif
    (void)row;
    (void)out;
    return false;
}

#define BASIC_ROWS   6
#define COUNTER_ROWS 12

static bool run_status(struct console_call *call, struct text *out)
{
    unsigned row = call->step++;
    if (put_basic(row, call, out)) {
        return true;
    }
    row -= BASIC_ROWS;
    if (call->means->config == NULL) {
        return false;
    }
    return put_counters(row, out) || (row >= COUNTER_ROWS && put_lwip(row - COUNTER_ROWS, out));
}

/* --- clients ----------------------------------------------------------------------------------- */

static bool begins_with(struct span s, struct span prefix)
{
    return s.bytes >= prefix.bytes && span_equal((struct span){s.at, prefix.bytes}, prefix);
}

/* Index of the first device that is not below `prefix`. */
static unsigned first_from(struct span prefix)
{
    unsigned low = 0, high = clients_stats().count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        struct client_record r;
        clients_get(clients_sorted(middle), &r);
        if (span_compare(r.report.client, prefix) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A device that comes or goes meanwhile may shift one line; the answer still ends. */
static bool run_clients(struct console_call *call, struct text *out)
{
    struct span prefix = call->count > 1 ? call->words[1] : (struct span){"", 0};
    struct client_record r;
    if (call->means->config == NULL) {
        return false;
    }
    if (call->step++ == 0) {
        call->at = first_from(prefix);
    }
    if (call->at < clients_stats().count) {
        clients_get(clients_sorted(call->at++), &r);
        if (begins_with(r.report.client, prefix)) {
            struct span server = names_get(r.server);
            text_escaped(out, r.report.client, CFG_REPORT_BYTES);
            text_char(out, ' ');
            text_put(out, r.report.location);
            text_char(out, ' ');
            text_put(out, r.report.stamp);
            text_str(out, " at ");
            text_put(out, server);
            call->shown++;
            return true;
        }
    }
    text_u64(out, call->shown);
    text_str(out, " of ");
    text_u64(out, clients_stats().count);
    text_str(out, " devices");
    return false;
}

/* --- log, time, places ------------------------------------------------------------------------- */

static bool run_log(struct console_call *call, struct text *out)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    enum log_level level = LOG_INFO;
    if (call->count > 1) {
        if (call->count > 2 || log_parse_level(call->words[1], &level) != HERD_OK) {
            text_str(out, "log LEVEL: error, warn, info or debug");
            return false;
        }
        log_set_level(level);
    }
    text_str(out, "log level ");
    text_str(out, names[log_get_level()]);
    text_str(out,
             call->count > 1 ? " until the next start; config set log.level=... keeps it" : "");
    return false;
}

static bool run_time(struct console_call *call, struct text *out)
{
    struct wall_state w = wall_state();
    if (call->means->config == NULL) {
        text_str(out, "no configuration, no network, no time");
        return false;
    }
    switch (call->step++) {
    case 0:
        put_clock(out);
        return true;
    case 1:
        text_str(out, "ntp ");
        text_str(out, w.asking ? "on"
                               : "off: the port knows the time, and the herd file names no server");
        if (w.asking) {
            console_put_count(out, "servers", w.servers);
            console_put_count(out, "answers", w.answers);
            console_put_count(out, "refused", w.refused);
        }
        if (w.source == WALL_SNTP) {
            text_str(out, " last=");
            put_duration(out, hal_clock_ms() - w.set_ms);
            text_str(out, " ago, step_us=");
            text_i64(out, w.step_ns / 1000);
        }
        return true;
    default:
        text_str(out, "not before ");
        when_format_utc(out, w.floor_ns);
        text_str(out, " (this image's build)");
        return false;
    }
}

static bool run_places(struct console_call *call, struct text *out)
{
    static const char *const names[] = {[CONFIG_PLACES_GOOGLE] = "google",
                                        [CONFIG_PLACES_GOOGLE_LEGACY] = "google-legacy",
                                        [CONFIG_PLACES_NONE] = "none"};
    const struct config *c = call->means->config;
    struct places_stats p = places_stats();
    if (c == NULL) {
        return false;
    }
    switch (call->step++) {
    case 0:
        text_str(out, "provider ");
        text_str(out, names[c->places.provider]);
        if (c->places.provider != CONFIG_PLACES_NONE) {
            text_str(out, " at ");
            text_str(out, c->places.host);
            text_char(out, ':');
            text_u64(out, c->places.port);
        }
        text_str(out,
                 setup_places_key().bytes > 0 ? ", key present" : ", no key: config key takes one");
        return true;
    case 1:
        text_str(out, "queries");
        console_put_count(out, "asked", p.asked);
        console_put_count(out, "answered", p.answered);
        console_put_count(out, "failed", p.failed);
        console_put_count(out, "shared", p.shared);
        console_put_count(out, "cached", p.cached);
        console_put_count(out, "over_limit", p.over_limit);
        console_put_count(out, "refused_full", p.refused_full);
        return true;
    default:
        text_str(out, "limits");
        console_put_count(out, "per_minute", c->places.queries_per_minute);
        console_put_count(out, "per_day", c->places.queries_per_day);
        console_put_count(out, "entries_left_out", p.left_out);
        return false;
    }
}

/* --- seed, reboot, factory-reset, crash -------------------------------------------------------- */

static bool run_seed(struct console_call *call, struct text *out)
{
    (void)out;
    call->then = CONSOLE_THEN_SEED;
    return false;
}

static bool run_reboot(struct console_call *call, struct text *out)
{
    bool anyway = call->count == 2 && span_equal(call->words[1], SPAN_LIT("anyway"));
    if (setup_is_changed() && !anyway) {
        text_str(out, "there are changes that are not saved: config save, or reboot anyway");
        return false;
    }
    text_str(out, "starting again");
    call->then = CONSOLE_THEN_RESTART;
    return false;
}

static bool run_factory_reset(struct console_call *call, struct text *out)
{
    if (call->count != 2 || !span_equal(call->words[1], SPAN_LIT("yes"))) {
        text_str(
            out,
            "this forgets the node's own configuration and key, also the one before; to do it: "
            "factory-reset yes");
        return false;
    }
    if (setup_factory_reset(out) == HERD_OK) {
        text_str(out,
                 "forgotten; seed and boot epoch stay. reboot puts the factory's configuration "
                 "into effect");
    }
    return false;
}

static bool run_crash(struct console_call *call, struct text *out)
{
    char line[CFG_CONSOLE_LINE_BYTES];
    unsigned step = call->step++;
    size_t bytes = hal_system_crash(step, line, sizeof line);
    HERD_ASSERT(bytes <= sizeof line);
    text_put(out, (struct span){line, bytes});
    if (bytes == 0 && step == 0) {
        text_str(out, "no crash since power on");
    }
    return bytes > 0;
}

static const struct console_command commands[] = {
    {"help", "", "this list", run_help},
    {"status", "", "node, memory, entropy, clock; every pool: used, most ever, size, refused",
     run_status},
    {"clients", " [PREFIX]", "the devices that are known, in order of their names", run_clients},
    {"links", "", "the neighbours, and what they still have to hear", console_links_run},
    {"log", " [LEVEL]", "how much is logged: error, warn, info or debug", run_log},
    {"time", "", "the clock, and the NTP servers", run_time},
    {"places", "", "the provider of places, and what was asked", run_places},
    {"config", " ...", "show, set, load, save, rollback: config alone tells more",
     console_config_run},
    {"keys", " [load]", "keys of the links, by number; load takes this node's key file, unseen",
     console_keys_run},
    {"seed", "", "takes secret bytes, for a node without a generator of its own", run_seed},
    {"crash", "", "the crash before this start", run_crash},
    {"reboot", "", "start again", run_reboot},
    {"factory-reset", " yes", "forget this node's own configuration and keys", run_factory_reset},
};

const struct console_command *console_commands(unsigned *count)
{
    *count = sizeof commands / sizeof commands[0];
    return commands;
}

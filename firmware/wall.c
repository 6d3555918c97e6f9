#include "wall.h"

#include "lwip/apps/sntp.h"
#include "lwip/ip_addr.h"

#include "hal_clock.h"
#include "hal_net.h"
#include "log.h"
#include "rng.h"
#include "version.h"
#include "when.h"

#define SLACK_NS      (INT64_C(86400) * WHEN_NS_PER_S)
#define FLOOR_NS      (HERD_BUILD_TIME * WHEN_NS_PER_S - SLACK_NS)
#define SMALL_STEP_NS (WHEN_NS_PER_S / 2) /* below: drift, not news */
/* 2^31 s before or after the floor: 32 bits of seconds name one moment. */
#define ERA_S INT64_C(0x100000000)

static struct wall_state state;
static uint32_t unknown_s; /* what the clock seems to have begun at, before it is known */

static bool port_time(int64_t *ns)
{
    return hal_clock_wall_ns(ns) && *ns >= FLOOR_NS;
}

static void ask(const struct config *config)
{
    state.asking = true;
    sntp_setoperatingmode(SNTP_OPMODE_POLL);
#if SNTP_GET_SERVERS_FROM_DHCP
    sntp_servermode_dhcp(config->ntp.count == 0); /* the herd file's win */
#endif
    for (unsigned i = 0; i < config->ntp.count; i++) {
        const ip_addr_t server = IPADDR4_INIT(lwip_htonl(hal_net_dial_address(config->ntp.at[i])));
        sntp_setserver((u8_t)i, &server);
    }
    sntp_init();
}

void wall_init(const struct config *config)
{
    int64_t now_ns = 0;
    state = (struct wall_state){.floor_ns = FLOOR_NS};
    unknown_s = rng_u32();
    if (port_time(&now_ns)) {
        state.source = WALL_PORT;
    }
    if (state.source == WALL_NONE || config->ntp.count > 0) {
        ask(config);
    }
    if (state.source == WALL_NONE) {
        struct log_line *l = log_begin(EV_CLOCK_UNKNOWN);
        log_u64(l, "ntp_servers", config->ntp.count);
        log_span(l, "meaning",
                 SPAN_LIT("no TLS to the places provider until an NTP server has answered: "
                          "[herd] ntp in the herd file, or the DHCP server, names them"));
        log_end(l);
    }
}

bool wall_now_ns(int64_t *ns)
{
    int64_t now_ns = 0;
    if (!port_time(&now_ns)) {
        return false;
    }
    *ns = now_ns;
    return true;
}

struct wall_state wall_state(void)
{
    int64_t now_ns = 0;
    struct wall_state s = state;
    s.known = port_time(&now_ns);
    if (s.known && s.source == WALL_NONE) { /* somebody told the port meanwhile */
        s.source = WALL_PORT;
    }
    for (u8_t i = 0; i < SNTP_MAX_SERVERS && s.asking; i++) {
        const ip_addr_t *server = sntp_getserver(i);
        if (!ip_addr_isany(server)) {
            s.server = s.servers == 0 ? lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(server))) : s.server;
            s.servers++;
        }
    }
    return s;
}

/* The moment within 2^31 s of the floor that has these 32 bits. */
static int64_t unfold(uint32_t seconds)
{
    int64_t floor_s = FLOOR_NS / WHEN_NS_PER_S;
    int64_t s = floor_s / ERA_S * ERA_S + (int64_t)seconds;
    if (s < floor_s - ERA_S / 2) {
        s += ERA_S;
    } else if (s > floor_s + ERA_S / 2) {
        s -= ERA_S;
    }
    return s;
}

static void log_set(int64_t now_ns, bool is_first)
{
    bool is_news = is_first || state.step_ns > SMALL_STEP_NS || state.step_ns < -SMALL_STEP_NS;
    struct log_line *l = log_begin(is_news ? EV_CLOCK_SET : EV_CLOCK_ADJUSTED);
    log_str(l, "by", "sntp");
    log_i64(l, "unix", now_ns / WHEN_NS_PER_S);
    if (!is_first) {
        log_i64(l, "step_us", state.step_ns / 1000);
    }
    log_end(l);
}

void wall_sntp_set(uint32_t seconds, uint32_t us)
{
    int64_t before_ns = 0;
    int64_t now_ns = unfold(seconds) * WHEN_NS_PER_S + (int64_t)us * 1000;
    bool is_first = !wall_now_ns(&before_ns);
    state.answers++;
    if (now_ns < FLOOR_NS) {
        state.refused++;
        struct log_line *l = log_begin(EV_CLOCK_REFUSED);
        log_i64(l, "unix", now_ns / WHEN_NS_PER_S);
        log_str(l, "reason", "before this image was built");
        log_end(l);
        return;
    }
    hal_clock_set_wall_ns(now_ns);
    state.source = WALL_SNTP;
    state.step_ns = is_first ? 0 : now_ns - before_ns;
    state.set_ms = hal_clock_ms();
    log_set(now_ns, is_first);
}

void wall_sntp_get(uint32_t *seconds, uint32_t *us)
{
    int64_t now_ns = 0;
    if (wall_now_ns(&now_ns)) {
        *seconds = (uint32_t)(now_ns / WHEN_NS_PER_S);
        *us = (uint32_t)(now_ns % WHEN_NS_PER_S / 1000);
        return;
    }
    uint64_t now_ms = hal_clock_ms();
    *seconds = unknown_s + (uint32_t)(now_ms / 1000);
    *us = (uint32_t)(now_ms % 1000) * 1000;
}

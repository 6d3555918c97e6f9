/* What the rig serves: TCP 7 and UDP 7 echo, UDP 9 answers each datagram with a line of counters. Over
 * conn, sched and lwIP as a node has them. */
#include <string.h>

#include "lwip/init.h"
#include "lwip/memp.h"
#include "lwip/netif.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

#include "conn.h"
#include "cortexm.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "hal_entropy.h"
#include "hal_idle.h"
#include "hal_net.h"
#include "log.h"
#include "rig.h"
#include "rng.h"
#include "sched.h"
#include "text.h"

#define ECHO_PORT  7
#define STATS_PORT 9

static uint32_t poll_frames_max; /* most frames that one hal_net_poll took */
static struct udp_pcb *echo_pcb, *stats_pcb;

/* --- hal/ ---------------------------------------------------------------------------------------- */

bool hal_clock_wall_ns(int64_t *ns)
{
    (void)ns;
    return false;
}

size_t hal_console_write(const char *data, size_t bytes)
{
    return uart_write(data, bytes);
}

/* No secret, and the same in every run. */
int hal_entropy(void *out, size_t bytes)
{
    static uint32_t state = 1;
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        state = state * 1664525u + 1013904223u;
        at[i] = (uint8_t)(state >> 24);
    }
    return 0;
}

/* --- Network ------------------------------------------------------------------------------------- */

static void run_net(void);
static struct sched_task net_task = {.name = "net", .run = run_net};

static void say_link(void)
{
    static bool was_up;
    bool up = netif_is_link_up(netif_default);
    if (up != was_up) {
        was_up = up;
        rig_say(up ? "rig.link up" : "rig.link down");
    }
}

static void run_net(void)
{
    const struct enet_counters *c = &rig_enet()->counters;
    uint32_t before = c->rx_frames + c->rx_no_pbuf + c->rx_errors;
    if (hal_net_poll()) {
        sched_wake(&net_task);
    }
    uint32_t taken = c->rx_frames + c->rx_no_pbuf + c->rx_errors - before;
    poll_frames_max = taken > poll_frames_max ? taken : poll_frames_max;
    say_link();
    sys_check_timeouts();
    uint32_t sleep_ms = sys_timeouts_sleeptime();
    sched_at(&net_task, sched_now_ms() + (sleep_ms < 100 ? sleep_ms : 100));
}

/* --- TCP echo ------------------------------------------------------------------------------------ */

static void run_echo(void);
static struct sched_task echo_task = {.name = "echo", .run = run_echo};

static void echo(conn_handle h)
{
    for (;;) {
        struct span in = conn_peek(h);
        size_t taken = in.bytes > 0 ? conn_write(h, in.at, in.bytes) : 0;
        if (taken == 0) {
            break;
        }
        conn_consume(h, taken);
    }
    enum conn_state state = conn_state(h);
    if (state == CONN_LOST) {
        conn_release(h);
    } else if (state == CONN_PEER_ENDED && conn_readable(h) == 0) {
        conn_finish(h);
    }
}

static void run_echo(void)
{
    conn_handle h;
    while (conn_next_ready(CONN_SESSION, &h)) {
        echo(h);
    }
}

/* --- UDP ----------------------------------------------------------------------------------------- */

static void udp_echo(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                     u16_t port)
{
    (void)context;
    (void)udp_sendto(pcb, p, from, port); /* refused when the ring is full: datagrams may be lost */
    pbuf_free(p);
}

static void put(struct text *t, const char *name, uint64_t value)
{
    text_str(t, name);
    text_char(t, '=');
    text_u64(t, value);
    text_char(t, ' ');
}

static void put_pool(struct text *t, const char *name, unsigned pool)
{
    put(t, name, lwip_stats.memp[pool]->used);
}

static void write_counters(struct text *t)
{
    const struct enet_counters *c = &rig_enet()->counters;
    struct conn_stats conns = conn_stats();
    put(t, "ms", hal_clock_ms());
    put(t, "interrupts", c->interrupts);
    put(t, "rx_frames", c->rx_frames);
    put(t, "tx_frames", c->tx_frames);
    put(t, "rx_errors", c->rx_errors);
    put(t, "rx_no_pbuf", c->rx_no_pbuf);
    put(t, "tx_errors", c->tx_errors);
    put(t, "tx_full", c->tx_full);
    put(t, "tx_kicks", c->tx_kicks);
    put(t, "bus_errors", c->bus_errors);
    put(t, "mdio_errors", c->mdio_errors);
    put(t, "link_ups", c->link_ups);
    put(t, "speed", rig_enet()->speed == ENET_100 ? 100 : 10);
    put(t, "full_duplex", rig_enet()->full_duplex);
    put(t, "poll_frames_max", poll_frames_max);
    put(t, "sessions", conns.open[CONN_SESSION]);
    put(t, "taken", conns.taken[CONN_SESSION]);
    put_pool(t, "pbuf_pool", MEMP_PBUF_POOL);
    put_pool(t, "tcp_pcb", MEMP_TCP_PCB);
    put_pool(t, "tcp_seg", MEMP_TCP_SEG);
    put_pool(t, "pbuf_ref", MEMP_PBUF);
    put(t, "ip_chkerr", lwip_stats.ip.chkerr);
    put(t, "tcp_chkerr", lwip_stats.tcp.chkerr);
    put(t, "udp_lenerr", lwip_stats.udp.lenerr);
}

static void udp_stats(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                      u16_t port)
{
    static char buffer[1024];
    struct text t;
    (void)context;
    pbuf_free(p);
    text_init(&t, buffer, sizeof buffer);
    write_counters(&t);
    struct pbuf *answer = pbuf_alloc_reference(buffer, (u16_t)t.bytes, PBUF_ROM);
    if (answer != NULL) {
        (void)udp_sendto(pcb, answer, from, port);
        pbuf_free(answer);
    }
}

static struct udp_pcb *serve_udp(u16_t port, udp_recv_fn received)
{
    struct udp_pcb *pcb = udp_new();
    if (pcb == NULL || udp_bind(pcb, IP_ANY_TYPE, port) != ERR_OK) {
        hal_panic(__FILE__, __LINE__, "no UDP");
    }
    udp_recv(pcb, received, NULL);
    return pcb;
}

void rig_main(void)
{
    const struct conn_limits limits = {.idle_ms = 3600000, .sessions_per_address = 0};
    const struct hal_net_config net = {.address = 0x7F000001, .port = ECHO_PORT, .link_port = 0};
    sched_init();
    log_init(LOG_ERROR);
    if (rng_init() != HERD_OK) { /* lwip_init wants random numbers */
        hal_panic(__FILE__, __LINE__, "no random numbers");
    }
    lwip_init();
    if (hal_net_start(&net) != 0) {
        hal_panic(__FILE__, __LINE__, "no network");
    }
    conn_init(&limits);
    sched_add(&net_task);
    sched_add(&echo_task);
    conn_set_owner(CONN_SESSION, &echo_task);
    if (conn_listen(CONN_SESSION, ECHO_PORT) != HERD_OK) {
        hal_panic(__FILE__, __LINE__, "no listener");
    }
    echo_pcb = serve_udp(ECHO_PORT, udp_echo);
    stats_pcb = serve_udp(STATS_PORT, udp_stats);
    conn_start();
    rig_say("rig.ready");
    for (;;) {
        hal_idle(sched_round(hal_clock_ms()));
        sched_wake(&net_task);
    }
}

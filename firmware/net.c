#include "net.h"

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"

#include "hal_net.h"
#include "log.h"
#include "sched.h"

static const struct config_node *self;
static void (*tell_up)(void);
static struct dhcp dhcp; /* lwIP's; here, so that it takes none of lwIP's pools */
static uint32_t address; /* that we know of; 0: none. Host byte order */
static bool asks_dhcp;
static bool started;
static uint64_t asked_ms;    /* since when there has been no address */
static uint64_t patience_ms; /* until we say that nobody answers, and ask again */

/* Packets in, and lwIP's own timers. The first task of a round: what it brings is served in the same
 * round. */
static void run(void);
static struct sched_task task = {.name = "net", .run = run};

static uint32_t to_host(const ip4_addr_t *a)
{
    return lwip_ntohl(ip4_addr_get_u32(a));
}

/* --- DNS --------------------------------------------------------------------------------------- */

#if LWIP_DNS

/* The herd file's server goes before what DHCP says, again with every renewal. */
static void keep_dns(void)
{
    if (self->dns == 0) {
        return;
    }
    ip_addr_t server;
    ip_addr_set_ip4_u32_val(server, lwip_htonl(hal_net_dial_address(self->dns)));
    if (!ip_addr_eq(&server, dns_getserver(0))) {
        dns_setserver(0, &server);
    }
}

static uint32_t dns_address(void)
{
    return to_host(ip_2_ip4(dns_getserver(0)));
}

#else /* nobody here asks for a name */

static void keep_dns(void)
{
}

static uint32_t dns_address(void)
{
    return 0;
}

#endif

/* --- Address ----------------------------------------------------------------------------------- */

static void ask_dhcp(uint64_t now_ms)
{
    asks_dhcp = true;
    patience_ms = now_ms + CFG_NET_DHCP_MS;
    /* Also when it runs already: by itself it would ask less and less often, at last every minute. */
    err_t err = dhcp_start(netif_default);
    if (err != ERR_OK) {
        struct log_line *l = log_begin(EV_NET_WAITING);
        log_str(l, "for", "memory");
        log_i64(l, "error", err);
        log_end(l);
    }
}

static void log_up(void)
{
    struct log_line *l = log_begin(EV_NET_UP);
    log_address(l, "address", address);
    log_address(l, "mask", to_host(netif_ip4_netmask(netif_default)));
    log_address(l, "gateway", to_host(netif_ip4_gw(netif_default)));
    log_address(l, "dns", dns_address());
    log_u64(l, "mtu", netif_default->mtu);
    log_str(l, "by",
            asks_dhcp                                     ? "dhcp"
            : self->dhcp || !hal_net_addresses_are_real() ? "port"
                                                          : "herd-file");
    if (asks_dhcp) {
        log_u64(l, "lease_s", dhcp.offered_t0_lease);
    }
    log_end(l);
    if (asks_dhcp && hal_net_addresses_are_real() && address != self->address) {
        l = log_begin(EV_NET_WRONG_ADDRESS);
        log_address(l, "got", address);
        log_address(l, "herd_file", self->address);
        log_span(l, "meaning",
                 SPAN_LIT("others dial the address of the herd file and do not find this node: "
                          "reserve it at the DHCP server, or change the herd file"));
        log_end(l);
    }
}

/* What lwIP's callbacks have changed since the last round. */
static void follow_address(uint64_t now_ms)
{
    uint32_t now = to_host(netif_ip4_addr(netif_default));
    if (now == address) {
        return;
    }
    if (address != 0) {
        struct log_line *l = log_begin(EV_NET_DOWN);
        log_address(l, "address", address);
        log_str(l, "reason", now == 0 ? "lease-lost" : "changed");
        log_end(l);
        asked_ms = now_ms;
        patience_ms = now_ms + CFG_NET_DHCP_MS;
    }
    address = now;
    if (address != 0) {
        log_up();
        tell_up();
    }
}

static void wait_for_address(uint64_t now_ms)
{
    if (!asks_dhcp || address != 0 || now_ms < patience_ms) {
        return;
    }
    struct log_line *l = log_begin(EV_NET_WAITING);
    log_str(l, "for", netif_is_link_up(netif_default) ? "dhcp-server" : "link");
    log_u64(l, "seconds", (now_ms - asked_ms) / 1000);
    log_end(l);
    ask_dhcp(now_ms);
}

/* --- Task -------------------------------------------------------------------------------------- */

static void run(void)
{
    uint64_t now_ms = sched_now_ms();
    if (!started) {
        started = true;
        if (ip4_addr_isany(netif_ip4_addr(netif_default))) {
            asked_ms = now_ms;
            ask_dhcp(now_ms);
        }
    }
    if (hal_net_poll()) {
        sched_wake(&task);
    }
    sys_check_timeouts();
    keep_dns();
    follow_address(now_ms);
    wait_for_address(now_ms);

    uint32_t sleep_ms = sys_timeouts_sleeptime();
    uint64_t at_ms = sleep_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? SCHED_NEVER : now_ms + sleep_ms;
    if (asks_dhcp && address == 0 && patience_ms < at_ms) {
        at_ms = patience_ms;
    }
    sched_at(&task, at_ms);
}

/* --- Interface --------------------------------------------------------------------------------- */

int net_start(const struct config *config, void (*on_up)(void))
{
    self = &config->nodes[config->self];
    tell_up = on_up;
    address = 0;
    asks_dhcp = false;
    started = false;
    const struct hal_net_config net = {.name = self->name,
                                       .address = self->address,
                                       .mask = self->mask,
                                       .gateway = self->gateway,
                                       .dhcp = self->dhcp,
                                       .port = self->port,
                                       .link_port =
                                           config->neighbour_count > 0 ? self->link_port : 0};
    lwip_init();
    if (hal_net_start(&net) != 0) {
        return HERD_E_NETWORK;
    }
    HERD_ASSERT(netif_default != NULL && netif_is_up(netif_default));
    netif_set_hostname(netif_default, self->name);
    dhcp_set_struct(netif_default, &dhcp);
    sched_add(&task);
    return HERD_OK;
}

bool net_is_up(void)
{
    return address != 0;
}

void net_wake(void)
{
    sched_wake(&task);
}

void net_log_counters(void)
{
    struct log_line *l = log_begin(EV_NET_COUNTERS);
    log_u64(l, "frames_in", lwip_stats.link.recv);
    log_u64(l, "frames_out", lwip_stats.link.xmit);
    log_u64(l, "dropped", lwip_stats.link.drop);
    log_u64(l, "no_memory", lwip_stats.link.memerr);
    log_u64(l, "wrong_length", lwip_stats.link.lenerr);
    log_end(l);
}

/* A host of clients: lwIP's raw TCP behind the calls of abi.h. It never calls the scenario, only tells the
 * engine what happened; so nothing here is entered from within a callback of lwIP but lwIP. */
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#include "abi.h"

#define NETWORK_MASK 0xFFFF0000u

struct slot {
    struct tcp_pcb *pcb; /* NULL: free */
    bool connected;
    bool finished; /* FIN was asked for */
    size_t unacked;
};

static struct abi_peer_host host;
static struct abi_time now;
static struct netif netif;
static struct slot slots[WORLD_CONNECTIONS_MAX];

/* --- What lwIP asks for ------------------------------------------------------------------------------ */

u32_t sys_now(void)
{
    return (u32_t)now.ms;
}

uint32_t sim_peer_random(void)
{
    uint32_t value;
    host.wire.entropy(host.wire.context, &value, sizeof value);
    return value;
}

void sim_peer_panic(const char *file, unsigned line, const char *what)
{
    host.wire.panic(host.wire.context, file, line, what);
    for (;;) { /* it does not return */
    }
}

/* --- Interface --------------------------------------------------------------------------------------- */

static err_t transmit(struct netif *n, struct pbuf *p)
{
    uint8_t frame[ABI_FRAME_BYTES];
    size_t bytes = (size_t)p->tot_len - ETH_PAD_SIZE;
    (void)n;
    if (bytes > sizeof frame) {
        return ERR_BUF;
    }
    (void)pbuf_copy_partial(p, frame, (u16_t)bytes, ETH_PAD_SIZE);
    host.wire.send(host.wire.context, frame, bytes);
    return ERR_OK;
}

static err_t init_netif(struct netif *n)
{
    memcpy(n->name, "vs", sizeof n->name);
    n->output = etharp_output;
    n->linkoutput = transmit;
    n->mtu = ABI_MTU;
    n->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(n->hwaddr, host.wire.mac, ETH_HWADDR_LEN);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static void receive_all(void)
{
    uint8_t frame[ABI_FRAME_BYTES];
    size_t bytes;
    while ((bytes = host.wire.receive(host.wire.context, frame)) > 0) {
        struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)(bytes + ETH_PAD_SIZE), PBUF_POOL);
        if (p == NULL) {
            continue;
        }
        (void)pbuf_take_at(p, frame, (u16_t)bytes, ETH_PAD_SIZE);
        if (netif.input(p, &netif) != ERR_OK) {
            pbuf_free(p);
        }
    }
}

static void start(const struct abi_peer_host *h, const struct abi_time *t)
{
    host = *h;
    now = *t;
    memset(slots, 0, sizeof slots);
    lwip_init();
    const ip4_addr_t address = {.addr = lwip_htonl(host.wire.address)};
    const ip4_addr_t mask = {.addr = lwip_htonl(NETWORK_MASK)};
    const ip4_addr_t gateway = {.addr = 0};
    if (netif_add(&netif, &address, &mask, &gateway, NULL, init_netif, ethernet_input) == NULL) {
        sim_peer_panic(__FILE__, __LINE__, "no netif");
    }
    netif_set_default(&netif);
    netif_set_up(&netif);
}

static uint64_t step(const struct abi_time *t)
{
    now = *t;
    receive_all();
    sys_check_timeouts();
    u32_t sleep_ms = sys_timeouts_sleeptime();
    return sleep_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? ABI_NEVER : sleep_ms;
}

/* --- Connections ------------------------------------------------------------------------------------- */

static unsigned index_of(const struct slot *s)
{
    return (unsigned)(s - slots);
}

static void forget(struct slot *s)
{
    if (s->pcb != NULL) {
        tcp_arg(s->pcb, NULL);
        tcp_recv(s->pcb, NULL);
        tcp_sent(s->pcb, NULL);
        tcp_err(s->pcb, NULL);
    }
    memset(s, 0, sizeof *s);
}

static err_t on_receive(void *argument, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct slot *s = argument;
    (void)err;
    if (p != NULL) {
        for (const struct pbuf *q = p; q != NULL; q = q->next) {
            host.data(host.wire.context, index_of(s), q->payload, q->len);
        }
        (void)pbuf_free(p);
        return ERR_OK;
    }
    /* The node ended it; what lwIP has taken from us is still sent, then our FIN. */
    unsigned i = index_of(s);
    forget(s);
    if (tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb);
        host.closed(host.wire.context, i, WORLD_CLOSED_FIN);
        return ERR_ABRT;
    }
    host.closed(host.wire.context, i, WORLD_CLOSED_FIN);
    return ERR_OK;
}

static err_t on_sent(void *argument, struct tcp_pcb *pcb, u16_t bytes)
{
    struct slot *s = argument;
    (void)pcb;
    s->unacked -= bytes;
    host.room(host.wire.context, index_of(s));
    return ERR_OK;
}

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t err)
{
    struct slot *s = argument;
    (void)pcb;
    (void)err;
    s->connected = true;
    host.connected(host.wire.context, index_of(s));
    return ERR_OK;
}

/* The PCB is gone already. */
static void on_error(void *argument, err_t err)
{
    struct slot *s = argument;
    unsigned i = index_of(s);
    int reason = err != ERR_RST ? WORLD_CLOSED_TIMEOUT
                 : s->connected ? WORLD_CLOSED_RESET
                                : WORLD_CLOSED_REFUSED;
    s->pcb = NULL;
    forget(s);
    host.closed(host.wire.context, i, reason);
}

static bool connect_to(const struct abi_time *t, unsigned slot, uint32_t address, uint16_t port)
{
    struct slot *s = &slots[slot];
    const ip_addr_t to = {.addr = lwip_htonl(address)};
    now = *t;
    struct tcp_pcb *pcb = tcp_new();
    if (pcb == NULL) {
        return false;
    }
    *s = (struct slot){.pcb = pcb};
    tcp_nagle_disable(pcb);
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_receive);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    if (tcp_connect(pcb, &to, port, on_connected) != ERR_OK) {
        forget(s);
        tcp_abort(pcb);
        return false;
    }
    return true;
}

static size_t write_some(const struct abi_time *t, unsigned slot, const uint8_t *data, size_t bytes,
                         size_t piece)
{
    struct slot *s = &slots[slot];
    size_t done = 0;
    now = *t;
    if (s->pcb == NULL || !s->connected || s->finished) {
        return 0;
    }
    while (done < bytes) {
        size_t part = bytes - done;
        size_t room = tcp_sndbuf(s->pcb);
        if (piece > 0 && part > piece) {
            part = piece;
        }
        if (part > room && piece > 0) {
            break;
        }
        part = part > room ? room : part;
        if (part == 0 ||
            tcp_write(s->pcb, data + done, (u16_t)part, TCP_WRITE_FLAG_COPY) != ERR_OK) {
            break;
        }
        done += part;
        if (piece > 0) {
            (void)tcp_output(s->pcb);
        }
    }
    s->unacked += done;
    (void)tcp_output(s->pcb);
    return done;
}

static size_t unacked(unsigned slot)
{
    return slots[slot].unacked;
}

static void finish(const struct abi_time *t, unsigned slot)
{
    struct slot *s = &slots[slot];
    now = *t;
    if (s->pcb != NULL && !s->finished) {
        s->finished = true;
        (void)tcp_shutdown(s->pcb, 0, 1);
    }
}

static void reset(const struct abi_time *t, unsigned slot)
{
    struct slot *s = &slots[slot];
    struct tcp_pcb *pcb = s->pcb;
    now = *t;
    forget(s);
    if (pcb != NULL) {
        tcp_abort(pcb);
    }
}

static void taken(const struct abi_time *t, unsigned slot, size_t bytes)
{
    now = *t;
    if (slots[slot].pcb != NULL) {
        tcp_recved(slots[slot].pcb, (u16_t)bytes);
    }
}

ABI_EXPORT abi_peer_entry sim_peer;

const struct abi_peer *sim_peer(void)
{
    static const struct abi_peer peer = {.start = start,
                                         .step = step,
                                         .connect = connect_to,
                                         .write = write_some,
                                         .unacked = unacked,
                                         .finish = finish,
                                         .reset = reset,
                                         .taken = taken};
    return &peer;
}

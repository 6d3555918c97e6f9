#include "conn.h"

#include <string.h>

#include "lwip/opt.h"
#include "lwip/tcp.h"

#include "cfg.h"
#include "hal_net.h"
#include "log.h"

#define TICK_MS 250 /* how late a deadline may be noticed */

/* Retransmissions on a link are never further apart: lwIP doubles the pause each time, and a link is dead
 * after CFG_LINK_DEAD_MS of silence, which would be four tries. One segment a second crowds no wire. */
#define LINK_RTO_TICKS_MAX ((s16_t)(1000 / (2 * TCP_TMR_INTERVAL)))

_Static_assert(CFG_CONN_RX_BYTES >= TCP_WND, "whatever the window admits fits in the ring");
_Static_assert(MEMP_NUM_TCP_PCB >= CFG_CONN_SLOTS + 2 * CFG_CONN_BACKLOG,
               "a crowd of embryonic connections leaves every slot its PCB");
_Static_assert(CFG_CONN_SLOTS == CFG_SESSIONS + CFG_CONN_LINK_SLOTS + CFG_OPEN_LINKS + CFG_UPSTREAM,
               "the ranges of the classes fill the slots");
_Static_assert(CFG_CONN_SLOTS < 0xFFFF, "a handle holds slot + 1 in 16 bits");

struct conn {
    struct tcp_pcb *pcb; /* NULL: lwIP has none, or no longer */
    uint16_t generation;
    bool used;
    bool finishing; /* the owner is gone; what is in the send ring is still delivered */
    bool fin_sent;
    bool dialled;
    uint8_t class;
    uint8_t state;  /* enum conn_state */
    uint8_t reason; /* enum conn_reason */
    uint16_t peer_port;
    uint32_t peer;
    uint32_t rx_taken;    /* bytes that the owner took, and lwIP does not know it yet */
    uint64_t heard_ms;    /* bytes last came from the peer, or it was opened */
    uint64_t active_ms;   /* bytes last went either way: idle deadline */
    uint64_t progress_ms; /* an acknowledgement last came, or sending began */
    size_t rx_first, rx_used;
    size_t tx_first; /* oldest byte that is not acknowledged */
    size_t tx_used;  /* bytes in the ring */
    size_t tx_given; /* of these, handed to lwIP */
    size_t tx_lost;  /* bytes in the ring when it was lost */
};

/* Slots of a class are contiguous, so that a class's bitmap of ready slots is a few words. */
struct class_range {
    uint16_t first, count;
};

static const struct class_range ranges[CONN_CLASS_COUNT] = {
    [CONN_SESSION] = {0, CFG_SESSIONS},
    [CONN_LINK] = {CFG_SESSIONS, CFG_CONN_LINK_SLOTS},
    [CONN_OLDER] = {CFG_SESSIONS + CFG_CONN_LINK_SLOTS, CFG_OPEN_LINKS},
    [CONN_UPSTREAM] = {CFG_SESSIONS + CFG_CONN_LINK_SLOTS + CFG_OPEN_LINKS, CFG_UPSTREAM},
};

#define WORDS(bits) (((bits) + 31) / 32)

static struct conn conns[CFG_CONN_SLOTS];
static uint8_t rx_rings[CFG_CONN_SLOTS][CFG_CONN_RX_BYTES];
static uint8_t tx_rings[CFG_CONN_SLOTS][CFG_CONN_TX_BYTES];
static uint32_t ready[WORDS(CFG_CONN_SLOTS)];
static uint32_t unsent[WORDS(CFG_CONN_SLOTS)]; /* something for the flush to do */
static uint16_t
    cursor[CONN_CLASS_COUNT]; /* where conn_next_ready goes on, from the class's first */
static struct sched_task *owners[CONN_CLASS_COUNT];
static struct conn_limits limits;
static struct conn_stats stats;
static uint8_t ext_arg_id;

static void run(void);
static struct sched_task task = {.name = "conn", .run = run};

static const char *const reason_names[CONN_REASON_COUNT] = {
    [CONN_FINE] = "closed",
    [CONN_RESET] = "reset",
    [CONN_UNREACHABLE] = "unreachable",
    [CONN_CONNECT_LATE] = "connect-timeout",
    [CONN_IDLE] = "idle",
    [CONN_STALLED] = "stalled",
    [CONN_NO_MEMORY] = "no-memory",
};

const char *conn_reason_name(enum conn_reason reason)
{
    return reason < CONN_REASON_COUNT ? reason_names[reason] : "unknown";
}

/* Slots and handles */

static unsigned index_of(const struct conn *c)
{
    return (unsigned)(c - conns);
}

static void bit_set(uint32_t *map, unsigned i)
{
    map[i / 32] |= UINT32_C(1) << (i % 32);
}

static void bit_clear(uint32_t *map, unsigned i)
{
    map[i / 32] &= ~(UINT32_C(1) << (i % 32));
}

/* The first bit of from..to-1 that is set; `to`: none. */
static unsigned bit_find(const uint32_t *map, unsigned from, unsigned to)
{
    while (from < to) {
        uint32_t bits = map[from / 32] >> (from % 32);
        if (bits != 0) {
            unsigned found = from + (unsigned)__builtin_ctz(bits);
            return found < to ? found : to;
        }
        from += 32 - from % 32;
    }
    return to;
}

static conn_handle handle_of(const struct conn *c)
{
    return (conn_handle)c->generation << 16 | (index_of(c) + 1u);
}

/* The connection of a handle, or NULL when the handle is stale. */
static struct conn *lookup(conn_handle h)
{
    unsigned index = (h & 0xFFFFu) - 1u;
    if (index >= CFG_CONN_SLOTS) {
        return NULL;
    }
    struct conn *c = &conns[index];
    if (!c->used || c->finishing || c->generation != h >> 16) {
        return NULL;
    }
    return c;
}

static void tell_owner(struct conn *c)
{
    if (c->finishing) {
        return;
    }
    bit_set(ready, index_of(c));
    if (owners[c->class] != NULL) {
        sched_wake(owners[c->class]);
    }
}

static struct conn *slot_take(enum conn_class class)
{
    struct class_range r = ranges[class];
    for (unsigned i = r.first; i < (unsigned)r.first + r.count; i++) {
        struct conn *c = &conns[i];
        if (c->used) {
            continue;
        }
        uint16_t generation = (uint16_t)(c->generation + 1u);
        *c = (struct conn){.generation = generation == 0 ? 1 : generation,
                           .used = true,
                           .class = (uint8_t) class,
                           .heard_ms = sched_now_ms(),
                           .active_ms = sched_now_ms(),
                           .progress_ms = sched_now_ms()};
        bit_clear(ready, i);
        bit_clear(unsent, i);
        stats.open[class]++;
        if (stats.open[class] > stats.high_water[class]) {
            stats.high_water[class] = stats.open[class];
        }
        return c;
    }
    stats.refused_full[class]++;
    return NULL;
}

static void slot_free(struct conn *c)
{
    HERD_ASSERT(c->used && c->pcb == NULL);
    c->used = false;
    bit_clear(ready, index_of(c));
    bit_clear(unsent, index_of(c));
    stats.open[c->class]--;
}

/* lwIP no longer calls us about this PCB. */
static struct tcp_pcb *detach(struct conn *c)
{
    struct tcp_pcb *pcb = c->pcb;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    c->pcb = NULL;
    return pcb;
}

/* The connection is no more: the owner is told, or the slot is free if there is no owner. */
static void lose(struct conn *c, enum conn_reason reason)
{
    if (c->pcb != NULL) {
        tcp_abort(detach(c));
    }
    stats.lost[reason]++;
    if (c->finishing) {
        slot_free(c);
        return;
    }
    c->state = CONN_LOST;
    c->reason = (uint8_t)reason;
    c->tx_lost = c->tx_used;
    c->tx_used = 0;
    c->tx_given = 0;
    c->rx_taken = 0;
    tell_owner(c);
}

/* Callbacks of lwIP: they copy or note, and return. */

static enum conn_reason reason_of(const struct conn *c, err_t err)
{
    if (c->state == CONN_OPENING) {
        return CONN_UNREACHABLE;
    }
    return err == ERR_RST ? CONN_RESET : err == ERR_CLSD ? CONN_FINE : CONN_STALLED;
}

/* The PCB is already freed when lwIP calls this. */
static void on_error(void *arg, err_t err)
{
    struct conn *c = arg;
    if (c != NULL) {
        c->pcb = NULL;
        lose(c, reason_of(c, err));
    }
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct conn *c = arg;
    (void)err;
    if (c == NULL) { /* lwIP may still deliver what it held when we closed */
        if (p != NULL) {
            tcp_recved(pcb, p->tot_len);
            pbuf_free(p);
        }
        return ERR_OK;
    }
    if (p == NULL) {
        if (c->state == CONN_OPEN) {
            c->state = CONN_PEER_ENDED;
        }
        tell_owner(c);
        return ERR_OK;
    }
    c->heard_ms = sched_now_ms();
    c->active_ms = c->heard_ms;
    if (c->finishing) {
        /* Unread data would turn our FIN into a RST and lose the last answer. */
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    HERD_ASSERT(p->tot_len <= CFG_CONN_RX_BYTES - c->rx_used); /* the window never exceeds it */
    uint8_t *ring = rx_rings[index_of(c)];
    size_t at = (c->rx_first + c->rx_used) % CFG_CONN_RX_BYTES;
    for (u16_t copied = 0; copied < p->tot_len;) {
        size_t chunk = CFG_CONN_RX_BYTES - at;
        size_t left = (size_t)(p->tot_len - copied);
        u16_t n = pbuf_copy_partial(p, ring + at, (u16_t)(chunk < left ? chunk : left), copied);
        copied = (u16_t)(copied + n);
        at = (at + n) % CFG_CONN_RX_BYTES;
    }
    c->rx_used += p->tot_len;
    pbuf_free(p);
    tell_owner(c);
    return ERR_OK;
}

/* FIN is on its way and everything is acknowledged: lwIP may have the rest. */
static void let_go(struct conn *c)
{
    struct tcp_pcb *pcb = detach(c);
    if (c->class == CONN_OLDER) {
        /* A neighbour with a connection for each message that does not end its side would hold every
         * spare PCB for 20 s each: any other connection may have them, even one at its SYN. */
        tcp_setprio(pcb, TCP_PRIO_MIN - 1);
    }
    if (tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb); /* cannot happen once FIN is queued */
    }
    slot_free(c);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t bytes)
{
    struct conn *c = arg;
    (void)pcb;
    if (c == NULL) {
        return ERR_OK;
    }
    HERD_ASSERT(bytes <= c->tx_given);
    c->tx_first = (c->tx_first + bytes) % CFG_CONN_TX_BYTES;
    c->tx_used -= bytes;
    c->tx_given -= bytes;
    c->progress_ms = sched_now_ms();
    c->active_ms = c->progress_ms;
    if (c->finishing && c->fin_sent && c->tx_used == 0) {
        /* Here, not in a task: in TIME-WAIT lwIP may free the PCB without telling anybody. */
        let_go(c);
        return ERR_OK;
    }
    if (c->tx_used > c->tx_given || c->finishing) {
        bit_set(unsent, index_of(c));
        sched_wake(&task);
    }
    tell_owner(c);
    return ERR_OK;
}

static void attach(struct conn *c, struct tcp_pcb *pcb)
{
    c->pcb = pcb;
    tcp_arg(pcb, c);
    tcp_recv(pcb, on_received);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_nagle_disable(pcb);
    tcp_setprio(pcb, c->class == CONN_SESSION ? TCP_PRIO_NORMAL : TCP_PRIO_MAX);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct conn *c = arg;
    (void)pcb;
    if (c == NULL || err != ERR_OK) {
        return ERR_OK; /* lwIP passes no error here today; on_error tells */
    }
    c->state = CONN_OPEN;
    c->heard_ms = sched_now_ms();
    c->active_ms = c->heard_ms;
    c->progress_ms = c->heard_ms;
    stats.dialled[c->class]++;
    tell_owner(c);
    return ERR_OK;
}

static unsigned sessions_from(uint32_t address)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CFG_SESSIONS; i++) {
        count += conns[i].used && conns[i].peer == address;
    }
    return count;
}

static void log_refused(enum conn_class class, const char *why, uint32_t peer, uint16_t port)
{
    struct log_line *l = log_begin(EV_CONN_REFUSED);
    log_str(l, "class", class == CONN_SESSION ? "session" : "link");
    log_str(l, "reason", why);
    log_ip4(l, "peer", peer, port);
    log_end(l);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    const struct class_range *range = arg;
    enum conn_class class = (enum conn_class)(range - ranges);
    if (pcb == NULL || err != ERR_OK) {
        stats.refused_memory++;
        return ERR_VAL;
    }
    uint32_t peer = lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(&pcb->remote_ip)));
    if (class == CONN_SESSION && limits.sessions_per_address != 0 && hal_net_addresses_are_real() &&
        sessions_from(peer) >= limits.sessions_per_address) {
        stats.refused_address++;
        log_refused(class, "sessions_per_address", peer, pcb->remote_port);
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    struct conn *c = slot_take(class);
    if (c == NULL) {
        log_refused(class, "full", peer, pcb->remote_port);
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    c->peer = peer;
    c->peer_port = pcb->remote_port;
    c->state = CONN_OPEN;
    attach(c, pcb);
    stats.taken[class]++;
    tell_owner(c);
    return ERR_OK;
}

/* Called at SYN, before anything is answered. */
static err_t on_passive_open(u8_t id, struct tcp_pcb_listen *listener, struct tcp_pcb *pcb)
{
    (void)id;
    (void)listener;
    if (pcb->mss < CFG_CONN_MSS_MIN) {
        stats.refused_mss++;
        return ERR_VAL;
    }
    return ERR_OK;
}

static const struct tcp_ext_arg_callbacks listener_callbacks = {.passive_open = on_passive_open};

/* Sending: the ring's bytes are given to lwIP by reference and stay in place until acknowledged. */

/* Opens the window for what the owner has taken. Behind tcp_write, or lwIP would often send a segment
 * for the window alone, and the answer in a second one. */
static void open_window(struct conn *c)
{
    tcp_recved(c->pcb, (u16_t)c->rx_taken); /* at most the ring, which has 16 bits */
    c->rx_taken = 0;
}

static void flush(struct conn *c)
{
    const uint8_t *ring = tx_rings[index_of(c)];
    bool given = false;
    while (c->tx_given < c->tx_used) {
        size_t at = (c->tx_first + c->tx_given) % CFG_CONN_TX_BYTES;
        size_t chunk = c->tx_used - c->tx_given;
        if (chunk > CFG_CONN_TX_BYTES - at) {
            chunk = CFG_CONN_TX_BYTES - at;
        }
        if (chunk > tcp_sndbuf(c->pcb)) {
            chunk = tcp_sndbuf(c->pcb);
        }
        if (chunk > UINT16_MAX) {
            chunk = UINT16_MAX;
        }
        if (chunk == 0 || tcp_write(c->pcb, ring + at, (u16_t)chunk, 0) != ERR_OK) {
            break; /* no window or no segment: on_sent or the next tick goes on */
        }
        c->tx_given += chunk;
        given = true;
    }
    if (c->rx_taken > 0) {
        open_window(c);
    }
    if (c->finishing && !c->fin_sent && c->tx_given == c->tx_used &&
        tcp_shutdown(c->pcb, 0, 1) == ERR_OK) {
        c->fin_sent = true;
        given = true;
        if (c->tx_used == 0) {
            let_go(c);
            return;
        }
    }
    if (given) {
        (void)tcp_output(c->pcb); /* ERR_MEM: lwIP's timer sends later */
    }
    if (c->tx_given == c->tx_used && (!c->finishing || c->fin_sent)) {
        bit_clear(unsent, index_of(c));
    }
}

static void check_deadlines(struct conn *c, uint64_t now)
{
    if (c->state == CONN_LOST) {
        return;
    }
    if (c->class == CONN_LINK && c->pcb->rto > LINK_RTO_TICKS_MAX) {
        c->pcb->rto = LINK_RTO_TICKS_MAX;
    }
    if (c->state == CONN_OPENING) {
        if (now - c->progress_ms >= CFG_CONN_CONNECT_MS) {
            lose(c, CONN_CONNECT_LATE);
        }
    } else if (c->tx_used > 0 || c->finishing) {
        if (now - c->progress_ms >= CFG_CONN_PROGRESS_MS) {
            lose(c, CONN_STALLED);
        }
    } else if (c->class == CONN_SESSION && now - c->active_ms >= limits.idle_ms) {
        lose(c, CONN_IDLE);
    }
}

static void run(void)
{
    static uint64_t next_tick_ms;
    for (unsigned word = 0; word < WORDS(CFG_CONN_SLOTS); word++) {
        for (uint32_t bits = unsent[word]; bits != 0; bits &= bits - 1) {
            flush(&conns[word * 32 + (unsigned)__builtin_ctz(bits)]);
        }
    }
    uint64_t now = sched_now_ms();
    if (now >= next_tick_ms || next_tick_ms > now + TICK_MS) {
        next_tick_ms = now + TICK_MS;
        for (unsigned i = 0; i < CFG_CONN_SLOTS; i++) {
            if (conns[i].used) {
                check_deadlines(&conns[i], now);
            }
        }
    }
    sched_at(&task, next_tick_ms);
}

void conn_init(const struct conn_limits *given)
{
    limits = *given;
    stats = (struct conn_stats){0};
    memset(ready, 0, sizeof ready);
    memset(unsent, 0, sizeof unsent);
    memset(cursor, 0, sizeof cursor);
    for (unsigned i = 0; i < CFG_CONN_SLOTS; i++) {
        conns[i].used = false;
        conns[i].pcb = NULL;
    }
    ext_arg_id = tcp_ext_arg_alloc_id();
}

void conn_start(void)
{
    sched_add(&task);
}

void conn_set_owner(enum conn_class class, struct sched_task *owner)
{
    owners[class] = owner;
}

int conn_listen(enum conn_class class, uint16_t port)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (pcb == NULL) {
        return HERD_E_FULL;
    }
    tcp_setprio(pcb, TCP_PRIO_MIN); /* embryonic connections give way to every other */
    if (tcp_bind(pcb, IP4_ADDR_ANY, port) != ERR_OK) {
        tcp_abort(pcb);
        return HERD_E_REFUSED;
    }
    struct tcp_pcb *listener = tcp_listen_with_backlog(pcb, CFG_CONN_BACKLOG);
    if (listener == NULL) {
        tcp_abort(pcb);
        return HERD_E_FULL;
    }
    tcp_ext_arg_set_callbacks(listener, ext_arg_id, &listener_callbacks);
    tcp_arg(listener, (void *)(uintptr_t)&ranges[class]); /* only its place is used: which class */
    tcp_accept(listener, on_accept);
    return HERD_OK;
}

int conn_dial(enum conn_class class, uint32_t address, uint16_t port, conn_handle *out)
{
    struct conn *c = slot_take(class);
    if (c == NULL) {
        return HERD_E_FULL;
    }
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (pcb == NULL) {
        stats.lost[CONN_NO_MEMORY]++;
        slot_free(c);
        return HERD_E_FULL;
    }
    ip_addr_t to;
    ip_addr_set_ip4_u32_val(to, lwip_htonl(address));
    c->peer = address;
    c->peer_port = port;
    c->dialled = true;
    c->state = CONN_OPENING;
    attach(c, pcb);
    err_t err = tcp_connect(pcb, &to, port, on_connected);
    if (err != ERR_OK) {
        tcp_abort(detach(c));
        slot_free(c);
        return err == ERR_RTE ? HERD_E_NETWORK : HERD_E_FULL;
    }
    *out = handle_of(c);
    return HERD_OK;
}

bool conn_next_ready(enum conn_class class, conn_handle *out)
{
    unsigned begin = ranges[class].first;
    unsigned end = begin + ranges[class].count;
    unsigned from = begin + cursor[class];
    unsigned i = bit_find(ready, from, end);
    if (i == end) {
        i = bit_find(ready, begin, from);
        if (i == from) {
            return false;
        }
    }
    bit_clear(ready, i);
    cursor[class] = (uint16_t)(i + 1 - begin);
    *out = handle_of(&conns[i]);
    return true;
}

void conn_set_ready(conn_handle h)
{
    struct conn *c = lookup(h);
    if (c != NULL) {
        tell_owner(c);
    }
}

enum conn_state conn_state(conn_handle h)
{
    const struct conn *c = lookup(h);
    return c == NULL ? CONN_LOST : (enum conn_state)c->state;
}

enum conn_reason conn_reason(conn_handle h)
{
    const struct conn *c = lookup(h);
    return c == NULL ? CONN_FINE : (enum conn_reason)c->reason;
}

unsigned conn_slot(conn_handle h)
{
    const struct conn *c = lookup(h);
    HERD_ASSERT(c != NULL);
    return index_of(c) - ranges[c->class].first;
}

bool conn_is_dialled(conn_handle h)
{
    const struct conn *c = lookup(h);
    return c != NULL && c->dialled;
}

void conn_peer(conn_handle h, uint32_t *address, uint16_t *port)
{
    const struct conn *c = lookup(h);
    *address = c == NULL ? 0 : c->peer;
    *port = c == NULL ? 0 : c->peer_port;
}

uint64_t conn_heard_ms(conn_handle h)
{
    const struct conn *c = lookup(h);
    return c == NULL ? 0 : c->heard_ms;
}

struct span conn_peek(conn_handle h)
{
    const struct conn *c = lookup(h);
    if (c == NULL || c->rx_used == 0) {
        return (struct span){NULL, 0};
    }
    size_t contiguous = CFG_CONN_RX_BYTES - c->rx_first;
    return (struct span){(const char *)rx_rings[index_of(c)] + c->rx_first,
                         contiguous < c->rx_used ? contiguous : c->rx_used};
}

size_t conn_readable(conn_handle h)
{
    const struct conn *c = lookup(h);
    return c == NULL ? 0 : c->rx_used;
}

void conn_consume(conn_handle h, size_t n)
{
    struct conn *c = lookup(h);
    if (c == NULL || n == 0) {
        return;
    }
    HERD_ASSERT(n <= c->rx_used);
    c->rx_first = (c->rx_first + n) % CFG_CONN_RX_BYTES;
    c->rx_used -= n;
    if (c->pcb != NULL) {
        c->rx_taken += (uint32_t)n;
        bit_set(unsent, index_of(c));
        sched_wake(&task);
    }
}

static bool writable(const struct conn *c)
{
    return c != NULL && (c->state == CONN_OPEN || c->state == CONN_PEER_ENDED);
}

size_t conn_room(conn_handle h)
{
    const struct conn *c = lookup(h);
    return writable(c) ? CFG_CONN_TX_BYTES - c->tx_used : 0;
}

size_t conn_write(conn_handle h, const void *data, size_t n)
{
    struct conn *c = lookup(h);
    if (!writable(c)) {
        return 0;
    }
    size_t room = CFG_CONN_TX_BYTES - c->tx_used;
    if (n > room) {
        n = room;
    }
    if (n == 0) {
        return 0;
    }
    if (c->tx_used == 0) {
        c->progress_ms = sched_now_ms();
    }
    uint8_t *ring = tx_rings[index_of(c)];
    size_t at = (c->tx_first + c->tx_used) % CFG_CONN_TX_BYTES;
    size_t first = CFG_CONN_TX_BYTES - at < n ? CFG_CONN_TX_BYTES - at : n;
    memcpy(ring + at, data, first);
    memcpy(ring, (const uint8_t *)data + first, n - first);
    c->tx_used += n;
    bit_set(unsent, index_of(c));
    sched_wake(&task);
    return n;
}

size_t conn_unacked(conn_handle h)
{
    const struct conn *c = lookup(h);
    if (c == NULL) {
        return SIZE_MAX;
    }
    return c->state == CONN_LOST ? c->tx_lost : c->tx_used;
}

void conn_finish(conn_handle h)
{
    struct conn *c = lookup(h);
    if (c == NULL) {
        return;
    }
    if (c->pcb == NULL || c->state == CONN_OPENING) {
        conn_release(h);
        return;
    }
    while (c->rx_used > 0) { /* see on_received: unread data would become a RST */
        conn_consume(h, conn_peek(h).bytes);
    }
    c->finishing = true;
    c->progress_ms = sched_now_ms();
    bit_clear(ready, index_of(c));
    bit_set(unsent, index_of(c));
    sched_wake(&task);
}

void conn_release(conn_handle h)
{
    struct conn *c = lookup(h);
    if (c == NULL) {
        return;
    }
    if (c->pcb != NULL) {
        tcp_abort(detach(c));
    }
    slot_free(c);
}

void conn_stop(void)
{
    for (unsigned i = 0; i < CFG_CONN_SLOTS; i++) {
        struct conn *c = &conns[i];
        if (c->used && c->pcb != NULL) {
            lose(c, CONN_FINE);
        }
    }
}

struct conn_stats conn_stats(void)
{
    return stats;
}

#include "workload_attack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workload_lines.h"

#define ATTACKERS_MAX 12
#define PER_NODE_MAX                                                                               \
    2 /* spare link slots of a node; more would keep true callers out for a while */
#define HEARD_BYTES 2048
#define HEARD_MAX   16
#define FRAMES_KEPT 16
#define LOOK_NS     (2 * SIM_S)

enum attack_kind {
    ATTACK_LINES,     /* AT and IAMAT as if it were the client listener */
    ATTACK_NOISE,     /* any bytes */
    ATTACK_SILENCE,   /* held open */
    ATTACK_DRIP,      /* a byte now and then */
    ATTACK_OVERSIZED, /* frames longer than frames may be, records longer than records */
    ATTACK_UNKNOWN,   /* frames of unknown type, then a report */
    ATTACK_STRANGER,  /* HELLO of a name that is no neighbour's, then a report */
    ATTACK_NEIGHBOUR, /* HELLO of a neighbour, in plain text, then a report */
    ATTACK_MIRROR,    /* sends back what it hears, having said the beginning of a handshake */
    ATTACK_REPLAY,    /* what a neighbour sent on a connection before */
    ATTACK_KINDS
};

struct attacker {
    bool used;
    int handle;
    unsigned node;
    unsigned boots;
    enum attack_kind kind;
    sim_ns begun;
};

/* The beginning of a connection from node to node, as it was on the wire. */
struct heard {
    bool used;
    unsigned from;
    uint32_t to_ip;
    uint16_t port; /* the caller's */
    uint32_t next; /* sequence number */
    size_t bytes;
    uint8_t data[HEARD_BYTES];
};

struct kept {
    unsigned from;
    size_t bytes;
    uint8_t data[1514];
};

struct attack {
    struct attack_setup setup;
    struct random random;
    struct attacker attackers[ATTACKERS_MAX];
    struct heard heard[HEARD_MAX];
    unsigned heard_next;
    struct kept kept[FRAMES_KEPT];
    unsigned kept_count;
    uint64_t frames;
    sim_ns until;
    struct attack_counts counts;
};

struct attack *attack_new(const struct attack_setup *setup)
{
    struct attack *a = calloc(1, sizeof *a);
    if (a == NULL) {
        abort();
    }
    a->setup = *setup;
    a->random = world_random(setup->w, "attack", 0);
    for (unsigned i = 0; i < ATTACK_KINDS; i++) { /* known to the checker: read at every node */
        char name[32];
        (void)snprintf(name, sizeof name, "evil-%u", i);
        (void)checker_device(setup->checker, order_text_of(name));
    }
    return a;
}

void attack_free(struct attack *a)
{
    free(a);
}

static struct attacker *find(struct attack *a, int handle)
{
    for (unsigned i = 0; i < ATTACKERS_MAX; i++) {
        if (a->attackers[i].used && a->attackers[i].handle == handle) {
            return &a->attackers[i];
        }
    }
    return NULL;
}

/* --- What they say ---------------------------------------------------------------------------------- */

static void put_uint(struct lines_buffer *b, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--) {
        uint8_t byte = (uint8_t)(value >> (8 * (i - 1)));
        lines_put(b, &byte, 1);
    }
}

static void put_frame(struct lines_buffer *b, unsigned type, const void *body, size_t bytes)
{
    put_uint(b, type, 1);
    put_uint(b, bytes, 2);
    lines_put(b, body, bytes);
}

static void put_name(struct lines_buffer *b, const char *name)
{
    put_uint(b, strlen(name), 1);
    lines_text(b, name);
}

static void put_hello(struct lines_buffer *b, const char *name, const char *target,
                      struct random *r)
{
    struct lines_buffer body = {NULL, 0, 0};
    put_uint(&body, 1, 1);
    put_uint(&body, 0, 4);
    put_uint(&body, random_u64(r), 8);
    put_uint(&body, 128, 2);
    put_uint(&body, 60, 4);
    put_uint(&body, 4096, 4);
    put_name(&body, name);
    put_name(&body, target);
    put_frame(b, 1, body.at, body.bytes);
    free(body.at);
}

static void put_report(struct attack *a, struct lines_buffer *b, unsigned kind)
{
    struct lines_buffer body = {NULL, 0, 0};
    int64_t now_ns = WORLD_EPOCH_NS + world_now(a->setup.w);
    char text[128];
    put_uint(&body, (uint64_t)now_ns, 8);
    put_uint(&body, 0, 1);
    (void)snprintf(text, sizeof text, "AT %s +0.000000001 evil-%u +66.6-66.6 %" PRId64,
                   a->setup.names[0], kind, now_ns / ORDER_NS_PER_S);
    lines_text(&body, text);
    put_frame(b, 2, body.at, body.bytes);
    free(body.at);
}

static void put_noise(struct lines_buffer *b, size_t bytes, struct random *r)
{
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)random_below(r, 256);
        lines_put(b, &byte, 1);
    }
}

static void put_oversized(struct attack *a, struct lines_buffer *b)
{
    struct random *r = &a->random;
    if (random_chance(r, 500000)) {
        static const uint8_t record[] = {0x16, 0x03, 0x03, 0xFF, 0xFF, 0x01, 0x00, 0xFF, 0xFB};
        lines_put(b, record, sizeof record);
    } else {
        put_uint(b, random_below(r, 10), 1);
        put_uint(b, 0xFFFF, 2);
    }
    put_noise(b, 4000, r);
}

static const char *neighbour_of(const struct attack *a, unsigned node)
{
    return a->setup.names[node == 0 ? 1 % a->setup.nodes : node - 1];
}

static void put_what_was_heard(struct attack *a, struct lines_buffer *b, unsigned node)
{
    for (unsigned i = 0; i < HEARD_MAX; i++) {
        const struct heard *h = &a->heard[(a->heard_next + i) % HEARD_MAX];
        if (h->used && h->to_ip == world_ip(a->setup.w, node) && h->bytes > 0) {
            lines_put(b, h->data, h->bytes);
            a->counts.replayed++;
            return;
        }
    }
}

static void put_attack(struct attack *a, struct lines_buffer *b, const struct attacker *at)
{
    struct random *r = &a->random;
    char text[160];
    switch (at->kind) {
    case ATTACK_LINES:
        (void)snprintf(
            text, sizeof text,
            "AT %s +0.1 evil-0 +66.6-66.6 1893456100\nIAMAT evil-0 +66.6-66.6 1893456100\n",
            a->setup.names[0]);
        lines_text(b, text);
        break;
    case ATTACK_NOISE:
        put_noise(b, 1 + (size_t)random_below(r, 3000), r);
        break;
    case ATTACK_OVERSIZED:
        put_oversized(a, b);
        break;
    case ATTACK_UNKNOWN:
        put_frame(b, 77, "hello", 5);
        put_frame(b, 200, NULL, 0);
        put_report(a, b, at->kind);
        break;
    case ATTACK_STRANGER:
        put_hello(b, random_chance(r, 500000) ? "Stranger" : a->setup.names[at->node],
                  a->setup.names[at->node], r);
        put_report(a, b, at->kind);
        break;
    case ATTACK_NEIGHBOUR:
        put_hello(b, neighbour_of(a, at->node), a->setup.names[at->node], r);
        put_report(a, b, at->kind);
        break;
    case ATTACK_MIRROR:
        lines_put(b, "\x16\x03\x01", 3);
        break;
    case ATTACK_REPLAY:
        put_what_was_heard(a, b, at->node);
        break;
    case ATTACK_SILENCE:
    case ATTACK_DRIP:
    case ATTACK_KINDS:
    default:
        break;
    }
}

static uint64_t argument_of(const struct attack *a, const struct attacker *at)
{
    return (uint64_t)(unsigned)at->handle << 8 | (uint64_t)(at - a->attackers);
}

static void drip(void *context, uint64_t argument)
{
    struct attack *a = context;
    struct attacker *at = &a->attackers[argument & 0xFF];
    if (at->used && (uint64_t)(unsigned)at->handle == argument >> 8) {
        world_send(a->setup.w, at->handle, "\x01", 1, 0);
        world_at(a->setup.w, world_now(a->setup.w) + 700 * SIM_MS, drip, a, argument);
    }
}

static unsigned open_at(const struct attack *a, unsigned node)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ATTACKERS_MAX; i++) {
        count += a->attackers[i].used && a->attackers[i].node == node;
    }
    return count;
}

static void begin(struct attack *a, unsigned node)
{
    struct attacker *at = NULL;
    for (unsigned i = 0; i < ATTACKERS_MAX && at == NULL; i++) {
        at = a->attackers[i].used ? NULL : &a->attackers[i];
    }
    enum attack_kind kind = (enum attack_kind)random_below(&a->random, ATTACK_KINDS);
    if (at == NULL || open_at(a, node) >= PER_NODE_MAX) {
        return;
    }
    *at = (struct attacker){.used = true,
                            .node = node,
                            .boots = world_node_boots(a->setup.w, node),
                            .kind = kind,
                            .begun = world_now(a->setup.w)};
    unsigned host = (unsigned)random_below(&a->random, world_hosts(a->setup.w));
    at->handle = world_connect(a->setup.w, host, node, WORLD_LINK_PORT);
    a->counts.begun++;
    struct lines_buffer b = {NULL, 0, 0};
    put_attack(a, &b, at);
    if (b.bytes > 0) {
        world_send(a->setup.w, at->handle, b.at, b.bytes, 0);
    }
    free(b.at);
    if (random_chance(&a->random, 250000)) {
        world_finish(a->setup.w, at->handle); /* what it began is never ended */
    } else if (kind == ATTACK_DRIP) {
        drip(a, argument_of(a, at));
    }
}

/* A frame that was on the wire before, once more. */
static void inject(struct attack *a)
{
    if (a->kept_count == 0) {
        return;
    }
    unsigned count = a->kept_count < FRAMES_KEPT ? a->kept_count : FRAMES_KEPT;
    const struct kept *k = &a->kept[random_below(&a->random, count)];
    world_inject(a->setup.w, k->from, k->data, k->bytes);
    a->counts.injected++;
}

static void next(void *context, uint64_t argument)
{
    struct attack *a = context;
    (void)argument;
    sim_ns now = world_now(a->setup.w);
    if (now >= a->until) {
        return;
    }
    unsigned node = (unsigned)random_below(&a->random, a->setup.nodes);
    bool old = random_chance(&a->random, 300000);
    if (old) {
        inject(a);
    } else {
        begin(a, node);
    }
    world_at(a->setup.w, now + random_between(&a->random, 0, 2 * a->setup.pause_ns), next, a, 0);
}

/* Callers that nobody knows are not borne for ever. */
static void look(void *context, uint64_t argument)
{
    struct attack *a = context;
    (void)argument;
    for (unsigned i = 0; i < ATTACKERS_MAX; i++) {
        const struct attacker *at = &a->attackers[i];
        if (at->used && a->setup.strict && world_node_boots(a->setup.w, at->node) == at->boots &&
            world_now(a->setup.w) - at->begun > ATTACK_ENDED_NS) {
            world_fail(a->setup.w, "attack",
                       "%s: a caller without a name (kind %d) is still connected "
                       "after %" PRId64 " s",
                       a->setup.names[at->node], (int)at->kind,
                       (world_now(a->setup.w) - at->begun) / SIM_S);
        }
    }
    world_at(a->setup.w, world_now(a->setup.w) + LOOK_NS, look, a, 0);
}

void attack_start(struct attack *a, sim_ns until)
{
    a->until = until;
    world_at(a->setup.w, world_now(a->setup.w), next, a, 0);
    world_at(a->setup.w, world_now(a->setup.w), look, a, 0);
}

void attack_end(struct attack *a)
{
    a->until = world_now(a->setup.w);
    for (unsigned i = 0; i < ATTACKERS_MAX; i++) {
        if (a->attackers[i].used) {
            world_reset(a->setup.w, a->attackers[i].handle);
            a->attackers[i].used = false;
        }
    }
}

/* --- What the world tells --------------------------------------------------------------------------- */

bool attack_connected(struct attack *a, int connection)
{
    return find(a, connection) != NULL;
}

bool attack_data(struct attack *a, int connection, const uint8_t *data, size_t bytes)
{
    struct attacker *at = find(a, connection);
    if (at != NULL && at->kind == ATTACK_MIRROR) {
        world_send(a->setup.w, connection, data, bytes, 0);
    }
    return at != NULL;
}

bool attack_closed(struct attack *a, int connection, int reason)
{
    struct attacker *at = find(a, connection);
    (void)reason;
    if (at != NULL) {
        at->used = false;
        a->counts.ended++;
    }
    return at != NULL;
}

static unsigned get_uint(const uint8_t *at, unsigned bytes)
{
    unsigned value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static void hear(struct attack *a, unsigned from, const uint8_t *ip, size_t bytes)
{
    size_t ip_bytes = (size_t)(ip[0] & 15) * 4;
    size_t total = get_uint(ip + 2, 2);
    const uint8_t *tcp = ip + ip_bytes;
    if (total > bytes || total < ip_bytes + 20 || get_uint(tcp + 2, 2) != WORLD_LINK_PORT) {
        return;
    }
    size_t tcp_bytes = (size_t)(tcp[12] >> 4) * 4;
    uint32_t to_ip = get_uint(ip + 16, 4);
    uint16_t port = (uint16_t)get_uint(tcp, 2);
    uint32_t sequence = get_uint(tcp + 4, 4);
    if ((tcp[13] & 2) != 0) { /* SYN */
        a->heard[a->heard_next] = (struct heard){
            .used = true, .from = from, .to_ip = to_ip, .port = port, .next = sequence + 1};
        a->heard_next = (a->heard_next + 1) % HEARD_MAX;
        return;
    }
    size_t data_bytes = total < ip_bytes + tcp_bytes ? 0 : total - ip_bytes - tcp_bytes;
    for (unsigned i = 0; i < HEARD_MAX && data_bytes > 0; i++) {
        struct heard *h = &a->heard[i];
        if (h->used && h->from == from && h->to_ip == to_ip && h->port == port &&
            h->next == sequence && h->bytes + data_bytes <= HEARD_BYTES) {
            memcpy(h->data + h->bytes, tcp + tcp_bytes, data_bytes);
            h->bytes += data_bytes;
            h->next += (uint32_t)data_bytes;
        }
    }
}

void attack_frame(struct attack *a, unsigned from, const uint8_t *frame, size_t bytes)
{
    if (from >= a->setup.nodes || bytes < 54 || bytes > sizeof a->kept[0].data) {
        return;
    }
    if (frame[12] == 0x08 && frame[13] == 0x00 && frame[23] == 6) {
        hear(a, from, frame + 14, bytes - 14);
    }
    if (a->frames++ % 97 == 0) {
        struct kept *k = &a->kept[a->kept_count++ % FRAMES_KEPT];
        k->from = from;
        k->bytes = bytes;
        memcpy(k->data, frame, bytes);
    }
}

struct attack_counts attack_counts(const struct attack *a)
{
    return a->counts;
}

/* The node's network on libslirp: a TCP/IP stack in this process that turns the node's frames into
 * sockets of the host, for any user, without a device. The node is the guest 10.0.2.15; the host's
 * loopback is 10.0.2.2, its DNS 10.0.2.3. Everybody who connects seems to be 10.0.2.2.
 *
 * Frames from libslirp are queued, never handed on at once: it delivers from inside its own calls.
 */
#include "net_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <slirp/libslirp.h>

#include "cfg.h"
#include "err.h"
#include "frame_queue.h"

/* What all connections' receive windows admit together, and some: TCP is not made to retransmit by a
 * queue that is smaller than what the guest has asked for. */
#define QUEUE_BYTES (65536u + 2u * (CFG_SESSIONS + 2 * CFG_LINKS + 1) * BOARD_TCP_WND)

/* Host byte order. */
#define GUEST    0x0A00020Fu
#define NETMASK  0xFFFFFF00u
#define HOST     0x0A000202u
#define DNS      0x0A000203u
#define LOOPBACK 0x7F000001u

#define TIMERS 4 /* libslirp 4.7 makes one, for IPv6 */

struct timer {
    SlirpTimerCb fire; /* NULL: free */
    void *opaque;
    int64_t expires_ms; /* INT64_MAX: not set */
};

#define FRAME_BYTES_MAX 32768 /* libslirp takes no larger MTU */

static Slirp *slirp;
static struct timer timers[TIMERS];
static struct {
    uint32_t from_guest;
    uint32_t to_guest;
    uint32_t dropped;      /* to the guest: its queue was full */
    uint32_t fds_left_out; /* sockets not polled in a round: more than the poll set holds */
    uint32_t guest_errors;
} stats; /* for a debugger */

static uint8_t queue_bytes[QUEUE_BYTES];
static struct frame_queue queue = {.at = queue_bytes, .capacity = sizeof queue_bytes};

/* The set that fill works on. */
struct poll_set {
    struct pollfd *fds;
    unsigned count;
    unsigned capacity;
};

/* --- What libslirp calls ----------------------------------------------------------------------- */

static ssize_t take_frame(const void *frame, size_t bytes, void *opaque)
{
    (void)opaque;
    if (!frame_queue_put(&queue, frame, bytes)) {
        stats.dropped++; /* as if the cable had lost it: TCP sends it again */
    }
    return (ssize_t)bytes;
}

static void note_guest_error(const char *message, void *opaque)
{
    (void)message;
    (void)opaque;
    stats.guest_errors++;
}

static int64_t clock_ns(void *opaque)
{
    struct timespec now;
    (void)opaque;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t clock_ms(void)
{
    return clock_ns(NULL) / 1000000;
}

static void *timer_new(SlirpTimerCb fire, void *fire_opaque, void *opaque)
{
    (void)opaque;
    for (unsigned i = 0; i < TIMERS; i++) {
        if (timers[i].fire == NULL) {
            timers[i] =
                (struct timer){.fire = fire, .opaque = fire_opaque, .expires_ms = INT64_MAX};
            return &timers[i];
        }
    }
    hal_panic(__FILE__, __LINE__, "libslirp wants more timers");
}

static void timer_free(void *timer, void *opaque)
{
    (void)opaque;
    ((struct timer *)timer)->fire = NULL;
}

static void timer_mod(void *timer, int64_t expires_ms, void *opaque)
{
    (void)opaque;
    ((struct timer *)timer)->expires_ms = expires_ms;
}

static void ignore_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

/* One thread: whatever this wants to wake is awake, and polls soon. */
static void ignore_notify(void *opaque)
{
    (void)opaque;
}

static const SlirpCb callbacks = {
    .send_packet = take_frame,
    .guest_error = note_guest_error,
    .clock_get_ns = clock_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = ignore_fd,
    .unregister_poll_fd = ignore_fd,
    .notify = ignore_notify,
};

/* --- Start ------------------------------------------------------------------------------------- */

static struct in_addr to_in_addr(uint32_t address)
{
    return (struct in_addr){.s_addr = htonl(address)};
}

static int start_slirp(unsigned mtu)
{
    const SlirpConfig config = {
        .version = 4,
        .in_enabled = true,
        .vnetwork = to_in_addr(GUEST & NETMASK),
        .vnetmask = to_in_addr(NETMASK),
        .vhost = to_in_addr(HOST),
        .vdhcp_start = to_in_addr(GUEST),
        .vnameserver = to_in_addr(DNS),
        .if_mtu = mtu,
        .if_mru = mtu,
        .disable_dhcp = true,
    };
    slirp = slirp_new(&config, &callbacks, NULL);
    if (slirp == NULL) {
        fprintf(stderr, "herd: libslirp does not start\n");
        return -1;
    }
    return 0;
}

/* libslirp listens with a backlog of 1, and accepts one connection each time it is served: the third
 * of three clients at once would wait a second for its SYN to be sent again. Before anything was
 * accepted every socket that it has is a listener. */
static int raise_backlog(int fd, int events, void *opaque)
{
    int listens = 0;
    socklen_t bytes = sizeof listens;
    (void)events;
    (void)opaque;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) == 0 && listens) {
        (void)listen(fd, SOMAXCONN);
    }
    return -1; /* not polled now */
}

static void explain(uint32_t address, uint16_t port, int error)
{
    const char *what = strerror(error);
    const char *hint = "";
    if (error == EADDRINUSE) {
        what = "in use";
        hint = "; stop the program that listens there, or change the herd file";
    } else if (error == EADDRNOTAVAIL) {
        what = "not an address of this machine";
        hint = "; change it in the herd file";
    } else if (error == EACCES) {
        hint = "; ports below 1024 need root";
    }
    fprintf(stderr, "herd: cannot listen at %u.%u.%u.%u port %u: %s%s\n", address >> 24,
            address >> 16 & 255u, address >> 8 & 255u, address & 255u, port, what, hint);
}

/* Listens at `address`:`port` of this machine and forwards to the guest's port. */
static int forward(uint32_t address, uint16_t port)
{
    uint32_t timeout_ms = 0;
    errno = 0;
    if (slirp_add_hostfwd(slirp, 0, to_in_addr(address), port, to_in_addr(GUEST), port) < 0) {
        explain(address, port, errno);
        return -1;
    }
    slirp_pollfds_fill(slirp, &timeout_ms, raise_backlog, NULL);
    return 0;
}

static int start(const struct hal_net_config *config, const char *device, unsigned mtu,
                 struct net_interface *interface)
{
    (void)device;
    if (config->address >> 24 == 127 && config->address != LOOPBACK) {
        fprintf(stderr, "herd: on the loopback libslirp reaches 127.0.0.1 only: give the node that "
                        "address and ports of its own\n");
        return -1;
    }
    if (start_slirp(mtu) != 0 || forward(config->address, config->port) != 0 ||
        (config->link_port != 0 && forward(config->address, config->link_port) != 0)) {
        return -1;
    }
    *interface = (struct net_interface){
        .tag = {'s', 'l'},
        .mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56}, /* alone on its wire, so it may be any */
        .mtu = mtu,
        .address = GUEST,
        .mask = NETMASK,
        .gateway = HOST,
        .dns = DNS,
    };
    return 0;
}

/* libslirp passes on to the host's 127.0.0.1 what goes to its own address. */
static uint32_t dial_address(uint32_t address)
{
    return address >> 24 == 127 ? HOST : address;
}

/* --- Frames ------------------------------------------------------------------------------------ */

static void send_frame(const struct iovec *pieces, unsigned count)
{
    static uint8_t copy[FRAME_BYTES_MAX];
    size_t bytes = 0;
    stats.from_guest++;
    if (count == 1) {
        slirp_input(slirp, pieces[0].iov_base, (int)pieces[0].iov_len);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        HERD_ASSERT(pieces[i].iov_len <= sizeof copy - bytes); /* hal_net sends no longer ones */
        memcpy(copy + bytes, pieces[i].iov_base, pieces[i].iov_len);
        bytes += pieces[i].iov_len;
    }
    slirp_input(slirp, copy, (int)bytes);
}

static bool has_frame(void)
{
    return queue.frames > 0;
}

static ssize_t receive(uint8_t *frame, size_t capacity)
{
    const uint8_t *first;
    size_t bytes;
    if (!frame_queue_peek(&queue, &first, &bytes)) {
        return 0;
    }
    if (bytes <= capacity) {
        memcpy(frame, first, bytes);
    }
    frame_queue_drop(&queue); /* before lwIP answers: that may queue more */
    stats.to_guest++;
    return (ssize_t)bytes;
}

static bool is_busy(void)
{
    return frame_queue_is_busy(&queue);
}

/* --- Sockets ----------------------------------------------------------------------------------- */

static const struct {
    int slirp;
    short poll;
} event_pairs[] = {
    {SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
    {SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};
#define EVENT_PAIRS (sizeof event_pairs / sizeof event_pairs[0])

static int add_fd(int fd, int events, void *opaque)
{
    struct poll_set *set = opaque;
    if (set->count == set->capacity) {
        stats.fds_left_out++;
        return -1;
    }
    struct pollfd *p = &set->fds[set->count];
    *p = (struct pollfd){.fd = fd};
    for (size_t i = 0; i < EVENT_PAIRS; i++) {
        if ((events & event_pairs[i].slirp) != 0) {
            p->events = (short)(p->events | event_pairs[i].poll);
        }
    }
    return (int)set->count++;
}

static int found_events(int index, void *opaque)
{
    const struct pollfd *fds = opaque;
    int events = 0;
    for (size_t i = 0; i < EVENT_PAIRS; i++) {
        if ((fds[index].revents & event_pairs[i].poll) != 0) {
            events |= event_pairs[i].slirp;
        }
    }
    return events;
}

static unsigned fill(struct pollfd *fds, unsigned count, unsigned capacity, uint32_t *timeout_ms)
{
    struct poll_set set = {.fds = fds, .count = count, .capacity = capacity};
    slirp_pollfds_fill(slirp, timeout_ms, add_fd, &set);
    int64_t now_ms = clock_ms();
    for (unsigned i = 0; i < TIMERS; i++) {
        if (timers[i].fire != NULL && timers[i].expires_ms - now_ms < (int64_t)*timeout_ms) {
            *timeout_ms =
                timers[i].expires_ms <= now_ms ? 0 : (uint32_t)(timers[i].expires_ms - now_ms);
        }
    }
    return set.count;
}

static void serve(const struct pollfd *fds, bool poll_failed)
{
    int64_t now_ms = clock_ms();
    slirp_pollfds_poll(slirp, poll_failed, found_events, (void *)(uintptr_t)fds);
    for (unsigned i = 0; i < TIMERS; i++) {
        if (timers[i].fire != NULL && timers[i].expires_ms <= now_ms) {
            timers[i].expires_ms = INT64_MAX;
            timers[i].fire(timers[i].opaque);
        }
    }
}

const struct net_ops net_slirp_ops = {
    .start = start,
    .send = send_frame,
    .receive = receive,
    .has_frame = has_frame,
    .is_busy = is_busy,
    .hides_addresses = true,
    .dial_address = dial_address,
    .fill = fill,
    .serve = serve,
};

/* The node's network on a Linux TAP device: what the kernel sends to the interface is read here, what
 * is written here comes in at the interface. A device that exists must be the user's; one that does
 * not is made, which needs root, and goes with the process.
 *
 * read() and writev() on the descriptor carry one frame each and never wait. Frames that the node
 * does not read yet stay in the device's queue (1000 by default), where the kernel drops and counts.
 */
#include "net_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_tun.h>

#define TUN_FILE       "/dev/net/tun"
#define RUNNING_MS_MAX 500
#define MTU_MIN        576 /* RFC 791: every host takes that; lwIP's DHCP asks for as much */

static int tap_fd = -1;
static unsigned polled_at; /* in the poll set */
static bool readable;      /* as far as we know */
static unsigned long lost; /* frames that the device did not take */

static int fail(const char *device, const char *what, const char *remedy)
{
    fprintf(stderr, "herd: TAP device %s: %s%s\n", device, what, remedy);
    if (tap_fd >= 0) {
        (void)close(tap_fd);
        tap_fd = -1;
    }
    return -1;
}

static void set_name(struct ifreq *request, const char *device)
{
    memset(request, 0, sizeof *request);
    (void)snprintf(request->ifr_name, sizeof request->ifr_name, "%s", device);
}

static int open_tun(const char *device)
{
    tap_fd = open(TUN_FILE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap_fd >= 0) {
        return 0;
    }
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
        return fail(device, "this system has no " TUN_FILE, "; modprobe tun, or use --net slirp");
    }
    return fail(device, "cannot open " TUN_FILE ": ", strerror(errno));
}

/* Attaches to the device, made or given. */
static int attach(const char *device, bool existed)
{
    struct ifreq request;
    set_name(&request, device);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(tap_fd, TUNSETIFF, &request) == 0) {
        return 0;
    }
    switch (errno) {
    case EBUSY:
        return fail(device, "in use by another program", "");
    case EINVAL:
        return fail(device, existed ? "not a TAP device" : "not a name for a device", "");
    case EPERM:
        return existed ? fail(device, "belongs to another user", "; root can give it to you")
                       : fail(device, "does not exist, and only root can make one",
                              "; sudo ip tuntap add mode tap user $USER name NAME");
    default:
        return fail(device, strerror(errno), "");
    }
}

/* Brings the device up, when it is not, and finds its MTU; a new one gets `mtu`. */
static int prepare(int control, const char *device, bool existed, unsigned mtu, unsigned *found_mtu)
{
    struct ifreq request;
    set_name(&request, device);
    request.ifr_mtu = (int)mtu;
    if (!existed && ioctl(control, SIOCSIFMTU, &request) != 0) {
        return fail(device, "cannot set its MTU: ", strerror(errno));
    }
    if (ioctl(control, SIOCGIFMTU, &request) != 0) {
        return fail(device, "cannot read its MTU: ", strerror(errno));
    }
    *found_mtu = (unsigned)request.ifr_mtu;
    if (*found_mtu < MTU_MIN) {
        return fail(device, "its MTU is below 576", "; ip link set NAME mtu 1500");
    }
    set_name(&request, device);
    if (ioctl(control, SIOCGIFFLAGS, &request) != 0) {
        return fail(device, strerror(errno), "");
    }
    if ((request.ifr_flags & IFF_UP) != 0) {
        return 0;
    }
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    if (ioctl(control, SIOCSIFFLAGS, &request) != 0) {
        return fail(device, "is down", "; sudo ip link set NAME up");
    }
    return 0;
}

/* A device that was attached is up some moments later, and a bridge drops what comes before that: the
 * first frame is a DHCP server's, or a neighbour's, to answer, and would be sent again after seconds.
 * One that does not come up is no reason not to start. */
static void await_running(int control, const char *device)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    struct ifreq request;
    for (int i = 0; i < RUNNING_MS_MAX; i++) {
        set_name(&request, device);
        if (ioctl(control, SIOCGIFFLAGS, &request) != 0 || (request.ifr_flags & IFF_RUNNING) != 0) {
            return;
        }
        (void)nanosleep(&moment, NULL);
    }
}

static int check_config(const struct hal_net_config *config, const char *device)
{
    if (config->address >> 24 == 127) {
        return fail(device, "the node's address in the herd file is on the loopback",
                    "; on a TAP device it needs one of that network");
    }
    if (strlen(device) >= IFNAMSIZ) {
        return fail(device, "the name is too long", "; at most 15 characters");
    }
    return 0;
}

static int start(const struct hal_net_config *config, const char *device, unsigned mtu,
                 struct net_interface *interface)
{
    unsigned device_mtu = 0;
    if (check_config(config, device) != 0) {
        return -1;
    }
    bool existed = if_nametoindex(device) != 0;
    if (open_tun(device) != 0 || attach(device, existed) != 0) {
        return -1;
    }
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0) {
        return fail(device, strerror(errno), "");
    }
    int result = prepare(control, device, existed, mtu, &device_mtu);
    if (result == 0) {
        await_running(control, device);
    }
    (void)close(control);
    if (result != 0) {
        return result;
    }
    /* Of the address: as unique as that, and the same after every start, so that neighbours' ARP
     * tables stay right and a DHCP server can reserve the address. Locally administered. */
    const uint8_t mac[] = {0x02,
                           0x68,
                           (uint8_t)(config->address >> 24),
                           (uint8_t)(config->address >> 16),
                           (uint8_t)(config->address >> 8),
                           (uint8_t)config->address};
    *interface = (struct net_interface){.tag = {'t', 'a'},
                                        .mtu = device_mtu < mtu ? device_mtu : mtu,
                                        .address = config->dhcp ? 0 : config->address,
                                        .mask = config->dhcp ? 0 : config->mask,
                                        .gateway = config->dhcp ? 0 : config->gateway};
    memcpy(interface->mac, mac, sizeof mac);
    return 0;
}

static void send_frame(const struct iovec *pieces, unsigned count)
{
    ssize_t wrote;
    do {
        wrote = writev(tap_fd, pieces, (int)count);
    } while (wrote < 0 && errno == EINTR);
    if (wrote < 0) {
        lost++; /* EIO: the device is down; ENOBUFS: the bridge's queue is full */
    }
}

static ssize_t receive(uint8_t *frame, size_t capacity)
{
    uint8_t more;
    /* One byte more than there is room for tells a frame that was cut. */
    const struct iovec pieces[] = {{frame, capacity}, {&more, 1}};
    if (!readable) {
        return 0;
    }
    ssize_t got;
    do {
        got = readv(tap_fd, pieces, 2);
    } while (got < 0 && errno == EINTR);
    if (got >= 0) {
        return got;
    }
    readable = false;
    if (errno == EAGAIN) {
        return 0;
    }
    fprintf(stderr, "herd: the TAP device is gone: %s\n", strerror(errno));
    (void)close(tap_fd);
    tap_fd = -1; /* poll() leaves it out */
    return -1;
}

static bool has_frame(void)
{
    return readable;
}

/* What is not read waits in the kernel and costs the node nothing. */
static bool is_busy(void)
{
    return false;
}

static uint32_t dial_address(uint32_t address)
{
    return address;
}

static unsigned fill(struct pollfd *fds, unsigned count, unsigned capacity, uint32_t *timeout_ms)
{
    (void)timeout_ms;
    polled_at = count;
    if (count < capacity) {
        fds[count++] = (struct pollfd){.fd = tap_fd, .events = POLLIN};
    }
    return count;
}

static void serve(const struct pollfd *fds, bool poll_failed)
{
    readable = readable || (!poll_failed && fds[polled_at].revents != 0);
}

const struct net_ops net_tap_ops = {
    .start = start,
    .send = send_frame,
    .receive = receive,
    .has_frame = has_frame,
    .is_busy = is_busy,
    .dial_address = dial_address,
    .fill = fill,
    .serve = serve,
};

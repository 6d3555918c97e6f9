/* A network that carries the node's Ethernet frames: libslirp or a TAP device, whichever --net names.
 * The one place of the port where an image holds two implementations of a contract.
 *
 * Frames go in and come out without lwIP: hal_net.c puts its netif on top, hal_idle.c waits for it.
 */
#ifndef NET_OPS_H
#define NET_OPS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "hal_net.h"

/* What the netif is to be like; addresses in host byte order. */
struct net_interface {
    char tag[2]; /* lwIP's name for it */
    uint8_t mac[6];
    unsigned mtu;
    uint32_t address; /* 0: asked for by DHCP */
    uint32_t mask;
    uint32_t gateway;
    uint32_t dns; /* the network's own; 0: none */
};

struct net_ops {
    /* Starts the network for frames of at most `mtu` + 14 bytes; `device` is what stands behind
     * --net NAME=. Call once. Negative after one line on stderr that says what is wrong. */
    int (*start)(const struct hal_net_config *config, const char *device, unsigned mtu,
                 struct net_interface *interface);

    /* A frame from the node, in pieces; never waits. What the network does not take is lost, and
     * counted, as on a cable. */
    void (*send)(const struct iovec *pieces, unsigned count);

    /* The next frame for the node: copies it and returns its bytes; more than `capacity`: it did not
     * fit, and is lost. 0: there is none. Negative: there will never be one again. */
    ssize_t (*receive)(uint8_t *frame, size_t capacity);

    /* receive has something, known without looking at a descriptor. */
    bool (*has_frame)(void);

    /* As has_frame, and so much that the node should take some before `fill` brings more. */
    bool (*is_busy)(void);

    /* All that connect seem to have one address. */
    bool hides_addresses;

    /* The address at which the node reaches an address of the herd file. */
    uint32_t (*dial_address)(uint32_t address);

    /* Appends the descriptors to poll to fds[count..capacity-1] and lowers *timeout_ms to the
     * network's own timers. Returns the new count. */
    unsigned (*fill)(struct pollfd *fds, unsigned count, unsigned capacity, uint32_t *timeout_ms);

    /* Serves what poll() found in the set that the last `fill` appended to. */
    void (*serve)(const struct pollfd *fds, bool poll_failed);
};

extern const struct net_ops net_slirp_ops;
extern const struct net_ops net_tap_ops;

/* The chosen one; net_slirp_ops unless net_ops_choose was called. */
extern const struct net_ops *net_ops;

/* What --net says: slirp, or tap=DEVICE (kept, not copied). False: something else; changed nothing. */
bool net_ops_choose(const char *net);

/* The device of tap=DEVICE, "" for slirp. */
const char *net_ops_device(void);

#endif

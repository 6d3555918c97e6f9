/* The node's network on libslirp: a TCP/IP stack in this process that turns the node's frames into
 * sockets of the host, for any user, without a device. The node is the guest 10.0.2.15; the host's
 * loopback is 10.0.2.2, its DNS 10.0.2.3. Everybody who connects seems to be 10.0.2.2.
 *
 * Ethernet frames in, Ethernet frames out: no lwIP here, and nothing of libslirp outside. Frames from
 * libslirp are queued, never handed on at once: it delivers from inside its own calls.
 */
#ifndef NET_SLIRP_H
#define NET_SLIRP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Host byte order. */
#define NET_SLIRP_GUEST   0x0A00020Fu
#define NET_SLIRP_NETMASK 0xFFFFFF00u
#define NET_SLIRP_HOST    0x0A000202u
#define NET_SLIRP_DNS     0x0A000203u

struct net_slirp_stats {
    uint32_t from_guest;
    uint32_t to_guest;
    uint32_t dropped;      /* to the guest: its queue was full */
    uint32_t fds_left_out; /* sockets not polled in a round: more than the poll set holds */
    uint32_t guest_errors;
};

/* Starts libslirp for frames of `mtu` + 14 bytes. Call once. Negative after one line on stderr. */
int net_slirp_start(unsigned mtu);

/* Listens at `address`:`port` (host byte order) of this machine and forwards to the guest's port.
 * Negative after one line on stderr that says what is wrong (in use, not our address). */
int net_slirp_forward(uint32_t address, uint16_t port);

/* A frame from the guest. */
void net_slirp_send(const uint8_t *frame, size_t bytes);

/* The next frame for the guest, valid until net_slirp_drop, net_slirp_send or net_slirp_serve. */
bool net_slirp_peek(const uint8_t **frame, size_t *bytes);
void net_slirp_drop(void);

/* True while the queue has as many frames as it should: let the guest take some before the next
 * net_slirp_fill. */
bool net_slirp_is_busy(void);

/* Appends the sockets to poll to fds[count..capacity-1] and lowers *timeout_ms to libslirp's own
 * timers. Returns the new count. */
unsigned net_slirp_fill(struct pollfd *fds, unsigned count, unsigned capacity,
                        uint32_t *timeout_ms);

/* Serves what poll() found in the set that the last net_slirp_fill appended to. */
void net_slirp_serve(const struct pollfd *fds, bool poll_failed);

struct net_slirp_stats net_slirp_stats(void);

#endif

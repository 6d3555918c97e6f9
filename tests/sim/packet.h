/* TCP segments as frames, for world_inject and on_frame: spoofed ones, replays, captures. */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_PSH 0x08
#define PACKET_ACK 0x10

#define PACKET_BYTES_MAX 1514

struct packet {
    uint8_t from_mac[6], to_mac[6];
    uint32_t from_ip, to_ip; /* host byte order, as all that follows */
    uint16_t from_port, to_port;
    uint32_t sequence, acknowledged;
    uint8_t flags; /* PACKET_* */
    uint16_t window;
    const uint8_t *data; /* of packet_read: within the frame */
    size_t bytes;        /* at most 1460 */
};

/* Writes Ethernet, IPv4 and TCP headers (without options) with right sums, and the data. The frame's bytes. */
size_t packet_make(const struct packet *p, uint8_t frame[PACKET_BYTES_MAX]);

/* False: not a whole TCP segment over IPv4, or a sum is wrong. */
bool packet_read(const uint8_t *frame, size_t bytes, struct packet *out);

#endif

#include "packet.h"

#include <string.h>

#define ETHERNET_BYTES 14u
#define IP_BYTES       20u
#define TCP_BYTES      20u
#define PROTOCOL_TCP   6u

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
}

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* RFC 1071: the sum so far over one more block; only the last may have odd length. */
static uint32_t sum(uint32_t so_far, const uint8_t *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        so_far += (uint32_t)at[i] << (i % 2 == 0 ? 8 : 0);
    }
    return so_far;
}

static uint16_t fold(uint32_t value)
{
    while (value >> 16 != 0) {
        value = (value & 0xFFFF) + (value >> 16);
    }
    return (uint16_t)~value;
}

/* Addresses, protocol and length before the segment (RFC 9293, 3.1). */
static uint16_t tcp_sum(const uint8_t *ip, const uint8_t *tcp, size_t bytes)
{
    uint32_t pseudo = sum(0, ip + 12, 8) + PROTOCOL_TCP + (uint32_t)bytes;
    return fold(sum(pseudo, tcp, bytes));
}

size_t packet_make(const struct packet *p, uint8_t frame[PACKET_BYTES_MAX])
{
    uint8_t *ip = frame + ETHERNET_BYTES;
    uint8_t *tcp = ip + IP_BYTES;
    size_t segment = TCP_BYTES + p->bytes;
    memset(frame, 0, ETHERNET_BYTES + IP_BYTES + TCP_BYTES);
    memcpy(frame, p->to_mac, 6);
    memcpy(frame + 6, p->from_mac, 6);
    put(frame + 12, 0x0800, 2);
    ip[0] = 0x45;
    put(ip + 2, (uint32_t)(IP_BYTES + segment), 2);
    ip[8] = 64;
    ip[9] = PROTOCOL_TCP;
    put(ip + 12, p->from_ip, 4);
    put(ip + 16, p->to_ip, 4);
    put(ip + 10, fold(sum(0, ip, IP_BYTES)), 2);
    put(tcp, p->from_port, 2);
    put(tcp + 2, p->to_port, 2);
    put(tcp + 4, p->sequence, 4);
    put(tcp + 8, p->acknowledged, 4);
    tcp[12] = 0x50;
    tcp[13] = p->flags;
    put(tcp + 14, p->window, 2);
    if (p->bytes > 0) {
        memcpy(tcp + TCP_BYTES, p->data, p->bytes);
    }
    put(tcp + 16, tcp_sum(ip, tcp, segment), 2);
    return ETHERNET_BYTES + IP_BYTES + segment;
}

bool packet_read(const uint8_t *frame, size_t bytes, struct packet *out)
{
    const uint8_t *ip = frame + ETHERNET_BYTES;
    const uint8_t *tcp = ip + IP_BYTES;
    if (bytes < ETHERNET_BYTES + IP_BYTES + TCP_BYTES || get(frame + 12, 2) != 0x0800 ||
        ip[0] != 0x45 || ip[9] != PROTOCOL_TCP) {
        return false;
    }
    size_t total = get(ip + 2, 2);
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (total < IP_BYTES + TCP_BYTES || total > bytes - ETHERNET_BYTES || header < TCP_BYTES ||
        header > total - IP_BYTES || fold(sum(0, ip, IP_BYTES)) != 0 ||
        tcp_sum(ip, tcp, total - IP_BYTES) != 0) {
        return false;
    }
    *out = (struct packet){.from_ip = get(ip + 12, 4),
                           .to_ip = get(ip + 16, 4),
                           .from_port = (uint16_t)get(tcp, 2),
                           .to_port = (uint16_t)get(tcp + 2, 2),
                           .sequence = get(tcp + 4, 4),
                           .acknowledged = get(tcp + 8, 4),
                           .flags = tcp[13],
                           .window = (uint16_t)get(tcp + 14, 2),
                           .data = tcp + header,
                           .bytes = total - IP_BYTES - header};
    memcpy(out->to_mac, frame, 6);
    memcpy(out->from_mac, frame + 6, 6);
    return true;
}

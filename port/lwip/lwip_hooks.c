#include "lwip_hooks.h"

#include <stdbool.h>
#include <string.h>

#include <mbedtls/sha256.h>

#include "lwip/sys.h"

#include "err.h"
#include "hal_clock.h"
#include "rng.h"

u32_t sys_now(void)
{
    return (u32_t)hal_clock_ms(); /* lwIP compares by difference: it may wrap */
}

static size_t put_u32(unsigned char *out, uint32_t value)
{
    memcpy(out, &value, sizeof value);
    return sizeof value;
}

u32_t lwip_hooks_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                         u16_t remote_port)
{
    static unsigned char secret[32];
    static bool has_secret;
    unsigned char input[sizeof secret + 12];
    unsigned char hash[32];
    size_t bytes = sizeof secret;
    uint32_t offset;

    if (!has_secret) {
        rng_bytes(secret, sizeof secret);
        has_secret = true;
    }
    memcpy(input, secret, sizeof secret);
    bytes += put_u32(input + bytes, ip4_addr_get_u32(ip_2_ip4(local_ip)));
    bytes += put_u32(input + bytes, ip4_addr_get_u32(ip_2_ip4(remote_ip)));
    bytes += put_u32(input + bytes, (uint32_t)local_port << 16 | remote_port);
    if (mbedtls_sha256(input, bytes, hash, 0) != 0) {
        hal_panic(__FILE__, __LINE__, "SHA-256 failed");
    }
    memcpy(&offset, hash, sizeof offset);
    return (u32_t)(hal_clock_ms() * 250u) + offset; /* 250 units of 4 us in a millisecond */
}

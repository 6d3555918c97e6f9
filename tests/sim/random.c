#include "random.h"

#include <string.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

struct random random_of(uint64_t seed, const char *purpose, uint64_t index)
{
    struct random r;
    uint64_t x = seed;
    (void)splitmix(&x);
    for (const char *c = purpose; *c != '\0'; c++) {
        x = (x ^ (uint64_t)(unsigned char)*c) * UINT64_C(0x100000001B3);
    }
    (void)splitmix(&x);
    x ^= index * UINT64_C(0xD1342543DE82EF95);
    for (unsigned i = 0; i < 4; i++) {
        r.state[i] = splitmix(&x);
    }
    return r;
}

uint64_t random_u64(struct random *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The upper half of a 128-bit product: what is uneven about it is below 2^-40 for what is asked here. */
uint64_t random_below(struct random *r, uint64_t below)
{
    return (uint64_t)((unsigned __int128)random_u64(r) * below >> 64);
}

int64_t random_between(struct random *r, int64_t from, int64_t to)
{
    return from + (int64_t)random_below(r, (uint64_t)(to - from) + 1);
}

bool random_chance(struct random *r, uint32_t ppm)
{
    return random_below(r, 1000000) < ppm;
}

void random_bytes(struct random *r, void *out, size_t bytes)
{
    unsigned char *to = out;
    while (bytes > 0) {
        uint64_t value = random_u64(r);
        size_t part = bytes < sizeof value ? bytes : sizeof value;
        memcpy(to, &value, part);
        to += part;
        bytes -= part;
    }
}

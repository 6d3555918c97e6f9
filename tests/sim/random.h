/* Random numbers that can be repeated: xoshiro256** seeded by splitmix64, one stream per purpose. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* The stream of this seed, purpose and index. */
struct random random_of(uint64_t seed, const char *purpose, uint64_t index);

uint64_t random_u64(struct random *r);
/* 0 .. below-1, evenly; below >= 1 */
uint64_t random_below(struct random *r, uint64_t below);
/* from .. to, both included; from <= to */
int64_t random_between(struct random *r, int64_t from, int64_t to);
/* True in ppm of 1,000,000 cases. Draws a number in any case, so that streams do not depend on it. */
bool random_chance(struct random *r, uint32_t ppm);
void random_bytes(struct random *r, void *out, size_t bytes);

#endif

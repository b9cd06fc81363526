/* SPDX-License-Identifier: Apache-2.0 */
/* rng: splitmix64, one state per purpose, so that no use of chance disturbs another. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* 0 .. n-1 */
static inline int64_t rng_below(struct rng *r, int64_t n)
{
    return (int64_t)(((unsigned __int128)rng_next(r) * (uint64_t)n) >> 64);
}

/* (0, 1] */
static inline double rng_unit(struct rng *r)
{
    return ((double)(rng_next(r) >> 11) + 1.0) / 9007199254740992.0;
}

/* A state of its own for every (seed, name). */
static inline struct rng rng_named(uint64_t seed, const char *name)
{
    struct rng r = {seed ^ 0xCBF29CE484222325u};
    for (; *name; name++)
        r.state = (r.state ^ (unsigned char)*name) * 0x100000001B3u;
    rng_next(&r);
    return r;
}

#endif

/* The simulator's random numbers: SplitMix64, so that a seed means the same on every machine. */
#ifndef HWS_SIM_RNG_H
#define HWS_SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_rng {
    uint64_t state;
};

static inline uint64_t sim_rng_next(struct sim_rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/** A generator for `seed`. The seed is mixed first: neighbours would else walk the same numbers,
 * one step apart. */
static inline struct sim_rng sim_rng_seeded(uint64_t seed)
{
    struct sim_rng rng = {seed ^ 0xd1b54a32d192ed03u};
    rng.state = sim_rng_next(&rng);
    return rng;
}

/** A number below `n`, which is 1 or more. */
static inline uint32_t sim_rng_below(struct sim_rng *rng, uint32_t n)
{
    return (uint32_t)((sim_rng_next(rng) >> 32) * n >> 32);
}

/** A number in lo..hi, both included. */
static inline uint32_t sim_rng_between(struct sim_rng *rng, uint32_t lo, uint32_t hi)
{
    return lo + (uint32_t)((sim_rng_next(rng) >> 32) * ((uint64_t)hi - lo + 1) >> 32);
}

/** True `ppm` times in a million. */
static inline bool sim_rng_chance(struct sim_rng *rng, uint32_t ppm)
{
    return ppm != 0 && sim_rng_below(rng, 1000000) < ppm;
}

/** A number in lo..hi whose order of magnitude is uniform: small ones are as likely as large. */
static inline uint32_t sim_rng_scale(struct sim_rng *rng, uint32_t lo, uint32_t hi)
{
    uint32_t span = hi - lo, bits = 0;
    while (bits < 32 && span >> bits != 0)
        bits++;
    uint32_t keep = sim_rng_below(rng, bits + 1);
    uint32_t cap = keep >= 32 ? UINT32_MAX : (1u << keep) - 1;
    return lo + sim_rng_between(rng, 0, cap < span ? cap : span);
}

/** A number of an exponential distribution with that mean, cut at 32 times the mean: the mean times
 * -ln(u) for a u drawn from 1/2^32 .. 1, in whole numbers. */
uint64_t sim_rng_exponential(struct sim_rng *rng, uint64_t mean);

static inline void sim_rng_fill(struct sim_rng *rng, void *out, size_t len)
{
    uint8_t *p = out;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)sim_rng_next(rng);
}

#endif

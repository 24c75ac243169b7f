#include "sim/rng.h"

/* ln(2) in units of 2^-32. */
#define LN2 UINT64_C(2977044472)
#define FRACTION_BITS 32u

/* log2 of `n`, 1 or more, in units of 2^-32: the place of its leading bit, then one bit for each
 * squaring of what is left. */
static uint64_t log2_fixed(uint32_t n)
{
    unsigned place = 31u - (unsigned)__builtin_clz(n);
    uint64_t mantissa = (uint64_t)n << (31 - place); /* 2^31 .. 2^32 - 1: 1 .. 2 */
    uint64_t log = place;
    for (unsigned i = 0; i < FRACTION_BITS; i++) {
        mantissa = mantissa * mantissa >> 31;
        log <<= 1;
        if (mantissa >> 32 != 0) {
            mantissa >>= 1;
            log |= 1;
        }
    }
    return log;
}

uint64_t sim_rng_exponential(struct sim_rng *rng, uint64_t mean)
{
    uint32_t u = (uint32_t)(sim_rng_next(rng) >> 32) | 1u;
    uint64_t minus_log2 = (UINT64_C(32) << FRACTION_BITS) - log2_fixed(u);
    uint64_t minus_ln = (minus_log2 >> 5) * (LN2 >> 4) >> 23; /* units of 2^-32 */
    return (mean >> 32) * minus_ln + ((mean & UINT32_MAX) * (minus_ln >> 8) >> 24);
}

#include "sim/histogram.h"

#include <stdbool.h>

#include "sim/memory.h"

/* Values below 2^KEPT_BITS have a bucket each; of larger ones so many leading bits are kept. */
#define KEPT_BITS 8u
#define HALF (1u << (KEPT_BITS - 1))
#define VALUE_BITS 48u
#define BUCKETS ((VALUE_BITS - KEPT_BITS + 2) * HALF)

static unsigned bits_of(uint64_t value)
{
    return value == 0 ? 0 : 64u - (unsigned)__builtin_clzll(value);
}

static uint32_t bucket_of(uint64_t value)
{
    if (value >> VALUE_BITS != 0)
        return BUCKETS - 1;
    unsigned bits = bits_of(value);
    unsigned shift = bits > KEPT_BITS ? bits - KEPT_BITS : 0;
    return shift * HALF + (uint32_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t top_of(uint32_t bucket)
{
    if (bucket < 2 * HALF)
        return bucket;
    if (bucket == BUCKETS - 1)
        return UINT64_MAX;
    uint32_t shift = bucket / HALF - 1;
    return ((uint64_t)(bucket - shift * HALF + 1) << shift) - 1;
}

void sim_histogram_add(struct sim_histogram *h, uint64_t value)
{
    if (h->buckets == NULL)
        h->buckets = sim_new(BUCKETS, sizeof *h->buckets);
    h->buckets[bucket_of(value)]++;
    h->count++;
    h->sum += value;
    h->max = value > h->max ? value : h->max;
}

void sim_histogram_merge(struct sim_histogram *h, const struct sim_histogram *from)
{
    if (from->buckets == NULL)
        return;
    if (h->buckets == NULL)
        h->buckets = sim_new(BUCKETS, sizeof *h->buckets);
    for (uint32_t i = 0; i < BUCKETS; i++)
        h->buckets[i] += from->buckets[i];
    h->count += from->count;
    h->sum += from->sum;
    h->max = from->max > h->max ? from->max : h->max;
}

uint64_t sim_histogram_quantile(const struct sim_histogram *h, uint32_t per_mille)
{
    if (h->count == 0)
        return 0;
    uint64_t wanted = (h->count * per_mille + 999) / 1000, seen = 0;
    uint32_t bucket = 0;
    while (bucket < BUCKETS - 1 && (seen += h->buckets[bucket]) < wanted)
        bucket++;
    return top_of(bucket) < h->max ? top_of(bucket) : h->max;
}

uint64_t sim_histogram_mean(const struct sim_histogram *h)
{
    return h->count != 0 ? h->sum / h->count : 0;
}

void sim_histogram_fini(struct sim_histogram *h)
{
    free(h->buckets);
    *h = (struct sim_histogram){0};
}

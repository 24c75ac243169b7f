/* Distributions of whole numbers: counts in buckets whose width is 1/128 of what they count, so
 * that every quantile is right to 0.8 %. */
#ifndef HWS_SIM_HISTOGRAM_H
#define HWS_SIM_HISTOGRAM_H

#include <stdint.h>

struct sim_histogram {
    uint64_t *buckets; /* NULL: nothing was counted */
    uint64_t count, sum, max;
};

void sim_histogram_add(struct sim_histogram *histogram, uint64_t value);

/** Counts what `from` counts as well. */
void sim_histogram_merge(struct sim_histogram *histogram, const struct sim_histogram *from);

/** The value that `per_mille` of 1000 do not exceed; 0 when nothing was counted. */
uint64_t sim_histogram_quantile(const struct sim_histogram *histogram, uint32_t per_mille);

uint64_t sim_histogram_mean(const struct sim_histogram *histogram);

void sim_histogram_fini(struct sim_histogram *histogram);

#endif

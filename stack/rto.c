#include "stack/rto.h"

/* The clock's granularity G of RFC 9260, 6.3.1 G1. */
#define CLOCK_GRANULARITY_US 1u

static uint32_t bounded(const struct hws_rto_config *config, uint64_t rto_us)
{
    if (rto_us < config->min_us) /* C6 */
        return config->min_us;
    if (rto_us > config->max_us) /* C7 */
        return config->max_us;
    return (uint32_t)rto_us;
}

static void set(struct hws_rto *rto, uint32_t rto_us)
{
    rto->rto_us = rto_us;
    if (rto_us > rto->most_us)
        rto->most_us = rto_us;
}

void hws_rto_init(struct hws_rto *rto, const struct hws_rto_config *config)
{
    *rto = (struct hws_rto){0};
    hws_rto_configure(rto, config);
}

static uint32_t at_least_granularity(uint64_t us)
{
    return us < CLOCK_GRANULARITY_US ? CLOCK_GRANULARITY_US : (uint32_t)us;
}

/** C2 */
static void first_sample(struct hws_rto *rto, uint32_t rtt_us)
{
    rto->srtt_us = rtt_us;
    rto->rttvar_us = at_least_granularity(rtt_us / 2);
}

/* (2^shift - 1)/2^shift of the old and 1/2^shift of the new. */
static uint32_t smoothed(uint32_t old_us, uint32_t new_us, uint8_t shift)
{
    return at_least_granularity((((1ull << shift) - 1) * old_us + new_us) >> shift);
}

/** C3; RTTVAR takes SRTT's value before its update. */
static void next_sample(struct hws_rto *rto, const struct hws_rto_config *config, uint32_t rtt_us)
{
    uint32_t error_us = rto->srtt_us > rtt_us ? rto->srtt_us - rtt_us : rtt_us - rto->srtt_us;
    rto->rttvar_us = smoothed(rto->rttvar_us, error_us, config->beta_shift);
    rto->srtt_us = smoothed(rto->srtt_us, rtt_us, config->alpha_shift);
}

static uint32_t computed(const struct hws_rto *rto, const struct hws_rto_config *config)
{
    return bounded(config, rto->srtt_us + 4 * (uint64_t)rto->rttvar_us);
}

void hws_rto_sample(struct hws_rto *rto, const struct hws_rto_config *config, uint64_t rtt_us)
{
    uint32_t sample_us = rtt_us > UINT32_MAX ? UINT32_MAX : at_least_granularity(rtt_us);
    if (hws_rto_measured(rto))
        next_sample(rto, config, sample_us);
    else
        first_sample(rto, sample_us);
    set(rto, computed(rto, config));
}

void hws_rto_configure(struct hws_rto *rto, const struct hws_rto_config *config)
{
    rto->rto_us =
        hws_rto_measured(rto) ? computed(rto, config) : bounded(config, config->initial_us);
}

void hws_rto_back_off(struct hws_rto *rto, const struct hws_rto_config *config)
{
    set(rto, bounded(config, 2 * (uint64_t)rto->rto_us));
}

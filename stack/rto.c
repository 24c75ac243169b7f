#include "stack/rto.h"

/* The clock's granularity G of RFC 9260, 6.3.1 G1. */
#define CLOCK_GRANULARITY_US 1u

static uint32_t bounded(const struct hws_rto *rto, uint64_t rto_us)
{
    if (rto_us < rto->min_us) /* C6 */
        return rto->min_us;
    if (rto_us > rto->max_us) /* C7 */
        return rto->max_us;
    return (uint32_t)rto_us;
}

void hws_rto_init(struct hws_rto *rto, uint32_t initial_us, uint32_t min_us, uint32_t max_us)
{
    *rto = (struct hws_rto){.min_us = min_us, .max_us = max_us};
    rto->rto_us = bounded(rto, initial_us);
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
    rto->measured = true;
}

/** C3 with RTO.Beta = 1/4 and RTO.Alpha = 1/8; RTTVAR takes SRTT's value before its update. */
static void next_sample(struct hws_rto *rto, uint32_t rtt_us)
{
    uint32_t error_us = rto->srtt_us > rtt_us ? rto->srtt_us - rtt_us : rtt_us - rto->srtt_us;
    rto->rttvar_us = at_least_granularity((3 * (uint64_t)rto->rttvar_us + error_us) / 4);
    rto->srtt_us = at_least_granularity((7 * (uint64_t)rto->srtt_us + rtt_us) / 8);
}

void hws_rto_sample(struct hws_rto *rto, uint64_t rtt_us)
{
    uint32_t sample_us = rtt_us > UINT32_MAX ? UINT32_MAX : at_least_granularity(rtt_us);
    if (rto->measured)
        next_sample(rto, sample_us);
    else
        first_sample(rto, sample_us);
    rto->rto_us = bounded(rto, rto->srtt_us + 4 * (uint64_t)rto->rttvar_us);
}

void hws_rto_back_off(struct hws_rto *rto)
{
    rto->rto_us = bounded(rto, 2 * (uint64_t)rto->rto_us);
}

/* The retransmission timeout of one path (RFC 9260, 6.3.1 to 6.3.3). */
#ifndef HWS_STACK_RTO_H
#define HWS_STACK_RTO_H

#include <stdbool.h>
#include <stdint.h>

struct hws_rto {
    uint32_t srtt_us; /* 0: not measured */
    uint32_t rttvar_us;
    uint32_t rto_us;  /* within [min, max] */
    uint32_t most_us; /* the largest RTO since this was set to 0 */
};

/* Bounds and smoothing: the same for many, and kept by whoever calls. */
struct hws_rto_config {
    uint32_t initial_us, min_us, max_us; /* min <= max; the initial RTO is brought within them */
    uint8_t alpha_shift, beta_shift;     /* RTO.Alpha is 1 >> alpha_shift, RTO.Beta likewise */
};

void hws_rto_init(struct hws_rto *rto, const struct hws_rto_config *config);

/** Bounds and smoothing have changed; what was measured stays. */
void hws_rto_configure(struct hws_rto *rto, const struct hws_rto_config *config);

/** Whether a round trip has been measured (C2 was done). */
static inline bool hws_rto_measured(const struct hws_rto *rto)
{
    return rto->srtt_us > 0;
}

/** A round trip was measured (6.3.1 C2, C3, and the clock granularity rule; integers only). */
void hws_rto_sample(struct hws_rto *rto, const struct hws_rto_config *config, uint64_t rtt_us);

/** The timer expired: doubles the RTO up to the maximum (6.3.3 E2). */
void hws_rto_back_off(struct hws_rto *rto, const struct hws_rto_config *config);

#endif

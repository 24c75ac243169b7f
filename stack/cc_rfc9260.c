/* Congestion control of RFC 9260, section 7.2, with byte counting. What is left to the sender (the
 * burst limit and rule B of 6.1, one packet in flight after a timeout) is not here. */
#include "stack/cc.h"

struct state {
    uint32_t cwnd_bytes, ssthresh_bytes;
    uint32_t partial_bytes_acked;
    uint32_t pmdcs_bytes;
    uint32_t slow_start_l;
    bool ipv6;
    bool used; /* something was sent since init */
};

static uint32_t min32(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static uint32_t max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/** 7.2.1, first rule */
static uint32_t initial_cwnd(const struct state *s)
{
    uint32_t floor_bytes = s->ipv6 ? 4344 : 4404;
    return min32(4 * (uint64_t)s->pmdcs_bytes, max32(2 * s->pmdcs_bytes, floor_bytes));
}

static void rfc9260_init(void *state, const struct hws_cc_config *config)
{
    struct state *s = state;
    *s = (struct state){
        .ssthresh_bytes = UINT32_MAX, /* "arbitrarily high", 7.2.1 */
        .pmdcs_bytes = config->pmdcs_bytes,
        .slow_start_l = config->slow_start_l,
        .ipv6 = config->ipv6,
    };
    s->cwnd_bytes = initial_cwnd(s);
}

/** A path learns its MTU shortly after it is made: until something was sent, the initial cwnd is
 * that of the PMDCS known best. Later a larger packet is no reason to send more (RFC 8899, 3). */
static void rfc9260_mtu(void *state, uint32_t pmdcs_bytes)
{
    struct state *s = state;
    s->pmdcs_bytes = pmdcs_bytes;
    if (!s->used)
        s->cwnd_bytes = initial_cwnd(s);
}

static void grow(struct state *s, uint32_t bytes)
{
    s->cwnd_bytes = min32((uint64_t)s->cwnd_bytes + bytes, HWS_EXT_CWND_MAX);
}

/** 7.2.1. Its bound is L * PMDCS; with a large L a single SACK could carry cwnd far beyond
 * ssthresh, so growth ends there, but for the one PMDCS that L = 1 would allow. */
static void slow_start(struct state *s, const struct hws_cc_ack *ack)
{
    if (!ack->cwnd_limited || ack->in_recovery)
        return;
    uint32_t increase = min32(ack->acked_bytes, (uint64_t)s->slow_start_l * s->pmdcs_bytes);
    uint32_t to_ssthresh = s->ssthresh_bytes - s->cwnd_bytes;
    grow(s, min32(increase, max32(to_ssthresh, s->pmdcs_bytes)));
}

/** 7.2.2: one PMDCS per cwnd of acknowledged bytes while cwnd is in full use. */
static void avoid_congestion(struct state *s, const struct hws_cc_ack *ack)
{
    s->partial_bytes_acked = min32((uint64_t)s->partial_bytes_acked + ack->acked_bytes, UINT32_MAX);
    if (s->partial_bytes_acked < s->cwnd_bytes)
        return;
    if (ack->flight_before_bytes < s->cwnd_bytes) {
        s->partial_bytes_acked = s->cwnd_bytes;
        return;
    }
    s->partial_bytes_acked -= s->cwnd_bytes;
    grow(s, s->pmdcs_bytes);
}

static void rfc9260_ack(void *state, const struct hws_cc_ack *ack)
{
    struct state *s = state;
    if (s->cwnd_bytes <= s->ssthresh_bytes)
        slow_start(s, ack);
    else
        avoid_congestion(s, ack);
    if (ack->all_acked)
        s->partial_bytes_acked = 0;
}

static uint32_t halved(const struct state *s)
{
    return max32(s->cwnd_bytes / 2, 4 * s->pmdcs_bytes);
}

/** 7.2.3, loss seen from SACKs */
static void rfc9260_loss(void *state, uint64_t now_us, uint32_t flight_bytes)
{
    struct state *s = state;
    (void)now_us;
    (void)flight_bytes;
    s->ssthresh_bytes = halved(s);
    s->cwnd_bytes = s->ssthresh_bytes;
    s->partial_bytes_acked = 0;
}

/** 7.2.3, T3-rtx expired */
static void rfc9260_timeout(void *state, uint64_t now_us, uint32_t flight_bytes)
{
    struct state *s = state;
    (void)now_us;
    (void)flight_bytes;
    s->ssthresh_bytes = halved(s);
    s->cwnd_bytes = s->pmdcs_bytes;
    s->partial_bytes_acked = 0;
}

/** 7.2.1, last rule. A cwnd already below 4 * PMDCS stays: silence is no reason to send more. */
static void rfc9260_idle(void *state, uint64_t idle_us, uint32_t rto_us)
{
    struct state *s = state;
    uint64_t rtos = rto_us > 0 ? idle_us / rto_us : 0;
    if (rtos == 0 || halved(s) >= s->cwnd_bytes)
        return;
    s->ssthresh_bytes = s->cwnd_bytes;
    for (; rtos > 0 && halved(s) < s->cwnd_bytes; rtos--)
        s->cwnd_bytes = halved(s);
}

static void rfc9260_sent(void *state, uint64_t now_us, uint32_t bytes, uint32_t flight_bytes)
{
    struct state *s = state;
    (void)now_us;
    (void)bytes;
    (void)flight_bytes;
    s->used = true;
}

static uint32_t rfc9260_cwnd(const void *state)
{
    return ((const struct state *)state)->cwnd_bytes;
}

static uint32_t rfc9260_ssthresh(const void *state)
{
    return ((const struct state *)state)->ssthresh_bytes;
}

const struct hws_cc_ops hws_cc_rfc9260 = {
    .name = "rfc9260",
    .state_size = sizeof(struct state),
    .init = rfc9260_init,
    .mtu = rfc9260_mtu,
    .ack = rfc9260_ack,
    .loss = rfc9260_loss,
    .timeout = rfc9260_timeout,
    .idle = rfc9260_idle,
    .sent = rfc9260_sent,
    .cwnd = rfc9260_cwnd,
    .ssthresh = rfc9260_ssthresh,
};

/* Congestion control by delay: the queue of the bottleneck shows as what round trips take longer
 * than the shortest one. While it is shorter than a target, cwnd grows by a step per round trip;
 * beyond it, cwnd is cut to what the path holds without a queue. So queues stay short, every flow
 * sees the shortest round trip again whenever one backs off, and flows that see the same queue come
 * to equal shares, since all add the same and give back in proportion. Loss is heeded as well. */
#include <hawser/extend.h>

#define TARGET_MIN_US 2000u /* queueing delay to stay below, on short paths, */
#define TARGET_SHARE 8u     /* and on others as a part of the shortest round trip */
#define STEP_PACKETS 2u     /* cwnd grows by so much per round trip */
#define BACK_OFF_PERCENT 90 /* of what the path holds without a queue, when there is one */
#define LOSS_PERCENT 70     /* of cwnd, when packets are lost */
#define LEAST_PACKETS 2u    /* in cwnd, always */
#define WINDOW_US 10000000u /* a shortest round trip is believed for once to twice as long */

struct delaycc {
    uint32_t cwnd_bytes, ssthresh_bytes;
    uint32_t pmdcs_bytes;
    uint32_t base_us[2];  /* shortest round trip of this window of time and of the last; 0: none */
    uint32_t srtt_us;     /* 0: not measured */
    uint64_t window_us;   /* when this window of time began */
    uint32_t round_bytes; /* acknowledged since cwnd grew last */
};

static uint32_t least(const struct delaycc *s)
{
    return LEAST_PACKETS * s->pmdcs_bytes;
}

static void set_cwnd(struct delaycc *s, uint64_t bytes)
{
    s->cwnd_bytes = (uint32_t)(bytes < HWS_EXT_CWND_MAX ? bytes : HWS_EXT_CWND_MAX);
    if (s->cwnd_bytes < least(s))
        s->cwnd_bytes = least(s);
}

static bool in_slow_start(const struct delaycc *s)
{
    return s->cwnd_bytes < s->ssthresh_bytes;
}

/* ---- The shortest round trip ---- */

static uint32_t shorter(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* Routes change: what was seen two windows ago is forgotten. */
static void note_round_trip(struct delaycc *s, uint64_t now_us, uint32_t rtt_us)
{
    if (s->window_us == 0)
        s->window_us = now_us;
    if (now_us - s->window_us >= WINDOW_US) {
        s->base_us[1] = s->base_us[0];
        s->base_us[0] = 0;
        s->window_us = now_us;
    }
    s->base_us[0] = shorter(s->base_us[0], rtt_us);
}

static uint32_t base_us(const struct delaycc *s)
{
    return shorter(s->base_us[0], s->base_us[1]);
}

static uint32_t target_us(const struct delaycc *s)
{
    uint32_t share_us = base_us(s) / TARGET_SHARE;
    return share_us > TARGET_MIN_US ? share_us : TARGET_MIN_US;
}

/* ---- What is told ---- */

static void start(void *state, const struct hws_cc_config *config)
{
    struct delaycc *s = state;
    s->pmdcs_bytes = config->pmdcs_bytes;
    s->ssthresh_bytes = UINT32_MAX;
    set_cwnd(s, 4 * (uint64_t)s->pmdcs_bytes);
}

static void mtu(void *state, uint32_t pmdcs_bytes)
{
    struct delaycc *s = state;
    s->pmdcs_bytes = pmdcs_bytes;
    set_cwnd(s, s->cwnd_bytes);
}

/* There is a queue: cwnd becomes what is on the way without it, and a little less. */
static void back_off(struct delaycc *s, uint32_t rtt_us)
{
    set_cwnd(s, (uint64_t)s->cwnd_bytes * base_us(s) / rtt_us * BACK_OFF_PERCENT / 100);
    s->ssthresh_bytes = s->cwnd_bytes;
    s->round_bytes = 0;
}

/* Slow start: half again as much per round trip, so that the queue is seen before it is long. Later
 * a step whenever cwnd has been acknowledged. */
static void grow(struct delaycc *s, uint32_t acked_bytes)
{
    if (in_slow_start(s)) {
        set_cwnd(s, (uint64_t)s->cwnd_bytes + acked_bytes / 2);
        return;
    }
    s->round_bytes += acked_bytes;
    if (s->round_bytes < s->cwnd_bytes)
        return;
    s->round_bytes = 0;
    set_cwnd(s, (uint64_t)s->cwnd_bytes + STEP_PACKETS * s->pmdcs_bytes);
}

/* Growth is for who uses what there is: cwnd, or nearly all of it at the pace below. */
static bool in_use(const struct delaycc *s, const struct hws_cc_ack *ack)
{
    return ack->cwnd_limited || ack->flight_before_bytes >= s->cwnd_bytes / 4 * 3;
}

static void ack(void *state, const struct hws_cc_ack *ack)
{
    struct delaycc *s = state;
    s->srtt_us = ack->srtt_us;
    if (ack->rtt_us != 0) {
        note_round_trip(s, ack->now_us, ack->rtt_us);
        if (ack->rtt_us - base_us(s) > target_us(s)) {
            back_off(s, ack->rtt_us);
            return;
        }
    }
    if (!ack->in_recovery && in_use(s, ack))
        grow(s, ack->acked_bytes);
}

static void loss(void *state, uint64_t now_us, uint32_t flight_bytes)
{
    struct delaycc *s = state;
    (void)now_us;
    (void)flight_bytes;
    set_cwnd(s, (uint64_t)s->cwnd_bytes * LOSS_PERCENT / 100);
    s->ssthresh_bytes = s->cwnd_bytes;
    s->round_bytes = 0;
}

static void timeout(void *state, uint64_t now_us, uint32_t flight_bytes)
{
    struct delaycc *s = state;
    loss(state, now_us, flight_bytes);
    set_cwnd(s, 0);
}

static uint32_t cwnd(const void *state)
{
    return ((const struct delaycc *)state)->cwnd_bytes;
}

static uint32_t ssthresh(const void *state)
{
    return ((const struct delaycc *)state)->ssthresh_bytes;
}

/* A little faster than cwnd per round trip, so that cwnd decides and bursts do not look like
 * queues. */
static uint64_t pacing(const void *state)
{
    const struct delaycc *s = state;
    if (s->srtt_us == 0)
        return 0;
    uint64_t rate = (uint64_t)s->cwnd_bytes * 1000000u / s->srtt_us;
    return rate + rate / (in_slow_start(s) ? 1 : 4);
}

static const struct hws_cc_ops delaycc_ops = {
    .name = "delaycc",
    .state_size = sizeof(struct delaycc),
    .init = start,
    .mtu = mtu,
    .ack = ack,
    .loss = loss,
    .timeout = timeout,
    .cwnd = cwnd,
    .ssthresh = ssthresh,
    .pacing = pacing,
};

static const struct hws_cc_ops *const ccs[] = {&delaycc_ops, NULL};

const struct hws_extension hws_extension_delaycc = {
    .api = HWS_EXTEND_API, .name = "delaycc", .ccs = ccs};
HWS_EXTENSION_EXPORT(hws_extension_delaycc);

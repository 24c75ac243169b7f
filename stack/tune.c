#include "stack/tune.h"

#include "stack/assoc.h"
#include "stack/transmit.h"

/* The share of the buffer that a round is worth looking at: with less it would not grow. */
#define ROUND_SHARE 4u
/* The receive buffer in round trips: one on the way, and one held beside a gap. More would let a
 * sender in slow start overshoot further before it meets the window. */
#define RCVBUF_TRIPS 2u
/* A shorter round trip counts as this: so long a process may wait for a core. */
#define ROUND_MIN_US 4000u
/* The send buffer in windows: one in flight, and one to follow it. */
#define SNDBUF_WINDOWS 2u

/* ---- Receiving ---- */

void hws_tune_set_up(struct hws_assoc *a, uint64_t sent_us)
{
    uint64_t rtt_us = a->engine->now_us - sent_us;
    a->setup_rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us : UINT32_MAX;
}

static uint64_t round_us(const struct hws_assoc *a)
{
    const struct hws_rto *rto = &a->paths[a->last_data_path]->rto;
    uint32_t rtt_us = hws_rto_measured(rto) ? rto->srtt_us : a->setup_rtt_us;
    return rtt_us > ROUND_MIN_US ? rtt_us : ROUND_MIN_US;
}

static void end_round(struct hws_assoc *a, uint64_t wanted_bytes)
{
    struct hws_tune *t = &a->queues->tune;
    uint32_t limit = a->params->rcvbuf_max_bytes;
    if (wanted_bytes > hws_assoc_rcvbuf(a)) {
        t->rcvbuf_bytes = wanted_bytes < limit ? (uint32_t)wanted_bytes : limit;
        a->engine->stats.rcvbuf_raised++;
    }
    t->taken_bytes = 0;
    t->since_us = a->engine->now_us;
}

void hws_tune_taken(struct hws_assoc *a, uint32_t bytes)
{
    struct hws_tune *t = &a->queues->tune;
    uint32_t rcvbuf = hws_assoc_rcvbuf(a);
    if (rcvbuf >= a->params->rcvbuf_max_bytes)
        return;
    t->taken_bytes += bytes;
    if (t->taken_bytes < rcvbuf / ROUND_SHARE)
        return;
    uint64_t trip_us = round_us(a), elapsed_us = a->engine->now_us - t->since_us;
    if (elapsed_us >= trip_us)
        end_round(a, RCVBUF_TRIPS * t->taken_bytes * trip_us / elapsed_us);
}

/* ---- Sending ---- */

bool hws_tune_send_full(const struct hws_assoc *a)
{
    uint32_t charge = hws_assoc_send_charge(a), limit = a->params->sndbuf_max_bytes;
    if (charge < a->params->sndbuf_bytes)
        return false;
    if (charge >= limit)
        return true;
    uint64_t window = hws_transmit_most_at_once(a);
    return charge >= SNDBUF_WINDOWS * window;
}

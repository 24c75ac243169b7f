#include "stack/pacing.h"

#include "stack/assoc.h"
#include "stack/timer.h"

/* The bucket: what may leave back to back, as much as in this time and two packets at least. Timers
 * of real links are not much finer. */
#define BUCKET_NS 1000000u
#define BUCKET_PACKETS 2u
#define NS_PER_S 1000000000u
/* Beyond that a nanosecond is many packets: as fast as the link. */
#define RATE_MAX (1ull << 40)

static size_t pacer_offset(const struct hws_cc_ops *cc)
{
    return (cc->state_size + 7u) & ~(size_t)7;
}

size_t hws_pacing_state_bytes(const struct hws_cc_ops *cc)
{
    return cc->pacing != NULL ? pacer_offset(cc) + sizeof(struct hws_pacer) : cc->state_size;
}

/* NULL: the controller paces nothing. */
static struct hws_pacer *pacer_of(const struct hws_path *p)
{
    return p->cc->pacing != NULL
               ? (struct hws_pacer *)(void *)((uint8_t *)p->cc_state + pacer_offset(p->cc))
               : NULL;
}

/* Bytes per second, 0: without limit. */
static uint64_t rate_of(const struct hws_path *p)
{
    uint64_t rate = p->cc->pacing(p->cc_state);
    if (rate > 0 && rate < HWS_EXT_PACING_MIN) {
        p->assoc->engine->stats.cc_refused++;
        rate = HWS_EXT_PACING_MIN;
    }
    return rate < RATE_MAX ? rate : 0;
}

void hws_pacing_start(struct hws_path *p)
{
    struct hws_pacer *pacer = pacer_of(p);
    if (pacer != NULL)
        *pacer = (struct hws_pacer){.deadline_us = HWS_NEVER};
}

bool hws_pacing_open(const struct hws_path *p)
{
    const struct hws_pacer *pacer = pacer_of(p);
    return pacer == NULL || pacer->due_ns <= p->assoc->engine->now_us * 1000 || rate_of(p) == 0;
}

bool hws_pacing_allows(struct hws_path *p)
{
    if (hws_pacing_open(p))
        return true;
    struct hws_pacer *pacer = pacer_of(p);
    uint64_t now_us = p->assoc->engine->now_us;
    hws_timer_start_at(p->assoc, &pacer->deadline_us, (pacer->due_ns - now_us * 1000 + 999) / 1000);
    return false;
}

void hws_pacing_sent(struct hws_path *p, uint32_t bytes)
{
    struct hws_pacer *pacer = pacer_of(p);
    uint64_t rate = pacer != NULL ? rate_of(p) : 0;
    if (rate == 0)
        return;
    uint64_t now_ns = p->assoc->engine->now_us * 1000;
    uint64_t packets_ns = BUCKET_PACKETS * (uint64_t)hws_path_pmdcs(p) * NS_PER_S / rate;
    uint64_t bucket_ns = packets_ns > BUCKET_NS ? packets_ns : BUCKET_NS;
    uint64_t empty_ns = now_ns > bucket_ns ? now_ns - bucket_ns : 0;
    if (pacer->due_ns < empty_ns)
        pacer->due_ns = empty_ns;
    pacer->due_ns += bytes * (uint64_t)NS_PER_S / rate;
}

uint64_t hws_pacing_deadline_us(const struct hws_path *p)
{
    const struct hws_pacer *pacer = pacer_of(p);
    return pacer != NULL ? pacer->deadline_us : HWS_NEVER;
}

void hws_pacing_expire(struct hws_path *p)
{
    if (hws_pacing_deadline_us(p) > p->assoc->engine->now_us)
        return;
    hws_pacing_stop(p);
    hws_assoc_ready(p->assoc);
}

void hws_pacing_stop(struct hws_path *p)
{
    struct hws_pacer *pacer = pacer_of(p);
    if (pacer != NULL)
        pacer->deadline_us = HWS_NEVER;
}

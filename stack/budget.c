#include "stack/budget.h"

#include "stack/assoc.h"

/* An association counts as one that receives for one to two periods after its last DATA. */
#define PERIOD_US 500000u
/* Of the budget, what windows may promise: the rest is for packets without DATA. */
#define PROMISED_NUMERATOR 3u
#define PROMISED_DENOMINATOR 4u
/* Averages reach back over so much memory. */
#define AVERAGE_BYTES 65536u
/* The windows that an association may begin with: a small part of what there is, or enough for what
 * peers send before the first SACK opens the window (an initial cwnd of 4404 bytes, 7.2.1; that of
 * RFC 6928 is ten packets). */
#define FIRST_WINDOW_MIN_BYTES 4404u
#define FIRST_WINDOW_MAX_BYTES 14600u
#define FIRST_PART 256u

/* What the kernel charges: it keeps a packet in a power of two or in whole pages, with headers of
 * its own and a descriptor. */
static uint32_t memory_of(uint32_t len)
{
    return 2 * len + 1024;
}

/* Packets with DATA that nobody has seen yet. */
#define USUAL_PACKET_BYTES 1480u
#define USUAL_PAYLOAD_BYTES 1452u

static void begin_period(struct hws_engine *e)
{
    struct hws_budget *b = &e->budget;
    uint32_t period = (uint32_t)(e->now_us / PERIOD_US) + 1;
    if (period == b->period)
        return;
    b->active_before = period == b->period + 1 ? b->active : 0;
    b->active = 0;
    b->period = period;
}

void hws_budget_packet(struct hws_assoc *a, uint32_t len)
{
    struct hws_budget *b = &a->engine->budget;
    struct hws_budget_share *share = &a->queues->share;
    if (b->bytes == 0)
        return;
    begin_period(a->engine);
    b->active += share->period != b->period;
    share->period = b->period;
    if (share->packet_bytes >= AVERAGE_BYTES) {
        share->packet_bytes /= 2;
        share->payload_bytes /= 2;
    }
    share->packet_bytes += memory_of(len);
}

void hws_budget_payload(struct hws_assoc *a, uint32_t len)
{
    if (a->engine->budget.bytes > 0)
        a->queues->share.payload_bytes += len;
}

/* Memory that windows may promise. */
static uint64_t promised(const struct hws_budget *b)
{
    return b->bytes * PROMISED_NUMERATOR / PROMISED_DENOMINATOR;
}

/* Everyone's share of it, with an association that is not counted yet. */
static uint64_t share_of_each(const struct hws_budget *b, bool one_more)
{
    uint32_t active = b->active > b->active_before ? b->active : b->active_before;
    active += one_more;
    return promised(b) / (active > 0 ? active : 1);
}

static uint32_t window_of(uint64_t memory, uint32_t packet_bytes, uint32_t payload_bytes,
                          uint32_t least)
{
    uint64_t window = memory * payload_bytes / packet_bytes;
    if (window > UINT32_MAX)
        return UINT32_MAX;
    return window > least ? (uint32_t)window : least;
}

uint32_t hws_budget_window(const struct hws_assoc *a)
{
    const struct hws_budget *b = &a->engine->budget;
    const struct hws_budget_share *share = &a->queues->share;
    if (b->bytes == 0)
        return UINT32_MAX;
    uint64_t memory = share_of_each(b, share->period != b->period);
    uint32_t least = 2 * hws_path_pmdcs(a->paths[a->last_data_path]);
    if (share->payload_bytes == 0)
        return window_of(memory, memory_of(USUAL_PACKET_BYTES), USUAL_PAYLOAD_BYTES, least);
    return window_of(memory, share->packet_bytes, share->payload_bytes, least);
}

uint32_t hws_budget_limit(const struct hws_assoc *a, uint32_t rwnd)
{
    uint32_t window = hws_budget_window(a);
    window = window > a->advertised_rwnd ? window : a->advertised_rwnd;
    return rwnd < window ? rwnd : window;
}

uint32_t hws_budget_first(const struct hws_engine *e, uint32_t rwnd)
{
    const struct hws_budget *b = &e->budget;
    if (b->bytes == 0)
        return rwnd;
    uint32_t window = window_of(promised(b) / (e->assocs.used + 1), memory_of(USUAL_PACKET_BYTES),
                                USUAL_PAYLOAD_BYTES, FIRST_WINDOW_MIN_BYTES);
    uint64_t part = promised(b) / FIRST_PART;
    uint64_t most = part > FIRST_WINDOW_MAX_BYTES ? part : FIRST_WINDOW_MAX_BYTES;
    window = window < most ? window : (uint32_t)most;
    return rwnd < window ? rwnd : window;
}

#include "stack/sack.h"

#include "stack/assoc.h"
#include "stack/timer.h"

static void want_sack(struct hws_assoc *a)
{
    hws_want(hws_assoc_answer_path(a->paths[a->last_data_path]), HWS_WANT_SACK);
}

void hws_sack_settle(struct hws_assoc *a)
{
    if (a->unsacked_packets == 0)
        return;
    if (a->sack_now || a->unsacked_packets >= a->params->sack_packets)
        want_sack(a);
    else if (!hws_timer_running(a, HWS_TIMER_SACK))
        hws_timer_start(a, HWS_TIMER_SACK, a->params->sack_delay_us);
}

void hws_sack_timer_expired(struct hws_assoc *a)
{
    want_sack(a);
}

/* The window to advertise: none rather than one too small for a packet from where the last ones
 * came, but never less than was promised (the receiver's silly window avoidance, 6.2). */
static uint32_t window(const struct hws_assoc *a)
{
    uint32_t rwnd = hws_budget_limit(a, hws_assoc_rwnd(a));
    uint32_t share = hws_assoc_rcvbuf(a) / 4;
    uint32_t pmdcs = hws_path_pmdcs(a->paths[a->last_data_path]);
    uint32_t packet = pmdcs < share ? pmdcs : share;
    if (rwnd >= packet)
        return rwnd;
    return rwnd < a->advertised_rwnd ? rwnd : a->advertised_rwnd;
}

/* An update is worth a packet when it opens a quarter of the buffer, or a window so nearly closed
 * that the peer had to stop (silly window avoidance, 6.2). */
void hws_sack_window_update(struct hws_assoc *a)
{
    if (a->remote_vtag == 0 || a->over)
        return;
    uint32_t rwnd = hws_budget_limit(a, hws_assoc_rwnd(a));
    uint32_t opened = rwnd > a->advertised_rwnd ? rwnd - a->advertised_rwnd : 0;
    uint32_t share = hws_budget_window(a), rcvbuf = hws_assoc_rcvbuf(a);
    uint32_t most = share < rcvbuf ? share : rcvbuf;
    if (opened >= most / 4 && window(a) > a->advertised_rwnd)
        want_sack(a);
}

/* As many Gap Ack Blocks as fit (6.2). Without memory for them the SACK says less. */
static bool encode(struct hws_assoc *a, struct hws_builder *b, uint32_t rwnd)
{
    const struct hws_tsnmap *map = &a->queues->tsnmap;
    struct hws_pool *pool = &a->engine->pool;
    struct hws_gap *gaps = NULL;
    uint32_t room = hws_builder_room(b) / sizeof *gaps;
    uint32_t count = 0;
    if (hws_tsnmap_has_gap(map) && room > 0)
        gaps = hws_pool_alloc(pool, room * sizeof *gaps);
    if (gaps != NULL)
        count = hws_tsnmap_gaps(map, gaps, room);
    bool fits =
        hws_sack_encode(b, hws_assoc_arrived_tsn(a), rwnd, gaps, count, map->dups, map->dup_count);
    hws_pool_free(pool, gaps, room * sizeof *gaps);
    return fits;
}

bool hws_sack_fill(struct hws_path *p, struct hws_builder *b)
{
    struct hws_assoc *a = p->assoc;
    uint32_t rwnd = window(a);
    if (!encode(a, b, rwnd))
        return false;
    if (hws_assoc_has_queues(a))
        hws_tsnmap_clear_dups(&a->queues->tsnmap);
    a->advertised_rwnd = rwnd;
    a->unsacked_packets = 0;
    a->sack_now = false;
    hws_timer_stop(a, HWS_TIMER_SACK);
    a->engine->stats.sacks_out++;
    a->counts.sacks_out++;
    return true;
}

#include "stack/receive.h"

#include "proto/cause.h"
#include "proto/serial.h"
#include "stack/assoc.h"
#include "stack/chunk_table.h"
#include "stack/extension.h"
#include "stack/fault.h"
#include "stack/observe.h"
#include "stack/sack.h"
#include "stack/shutdown.h"

/* The packet carries DATA: it counts once towards the SACK, whatever becomes of its chunks. */
static void count_packet(struct hws_assoc *a, struct hws_rx *rx)
{
    if (rx->counted)
        return;
    rx->counted = true;
    rx->source = (struct hws_data_source){
        .buf = rx->packet->buf,
        .truesize = rx->packet->truesize,
        .time_us = a->params->rx_times ? rx->packet->rx_time_us : 0,
    };
    hws_budget_packet(a, rx->packet->len);
    a->unsacked_packets++;
    a->queues->last_data_in_us = a->engine->now_us;
    a->last_data_path = rx->path->index;
    hws_assoc_touch(a);
    if (a->state == HWS_STATE_SHUTDOWN_SENT)
        hws_shutdown_data_came(rx->path);
}

static void forget_tsn(void *map, uint32_t tsn)
{
    hws_tsnmap_forget(map, tsn);
}

static bool memory_left(const struct hws_assoc *a)
{
    return a->queues->reassembly.charged_bytes < hws_assoc_memory_limit(a);
}

/* Whether the application will make room: there is something to read, or it has borrowed bytes. */
static bool application_has_it(const struct hws_assoc *a)
{
    return hws_reassembly_readable(&a->queues->reassembly) || !hws_list_empty(&a->queues->views);
}

/* The chunk at the lowest gap came and memory is at its limit. When the application can make room,
 * it has to. A chunk that lets it read, since a message in partial delivery goes on with it, is
 * taken beyond the limit. Otherwise what lies beyond the gap has to go, since nothing of it can be
 * delivered without this chunk. A peer for whom even that makes no room sent what can never be
 * delivered. */
static bool make_room(struct hws_assoc *a)
{
    if (memory_left(a))
        return true;
    if (application_has_it(a))
        return false;
    if (hws_reassembly_growing(&a->queues->reassembly))
        return true;
    if (hws_reassembly_deliver_partial(&a->queues->reassembly, a->queues->tsnmap.cum)) {
        hws_assoc_tell(a, HWS_EVENT_BIT(READABLE));
        return false;
    }
    HWS_DROP(a->engine, a->engine->rx, reneged);
    hws_reassembly_renege(&a->queues->reassembly, a->queues->tsnmap.cum, forget_tsn,
                          &a->queues->tsnmap);
    if (memory_left(a))
        return true;
    hws_fault_abort(a, HWS_E_PROTO, HWS_CAUSE_OUT_OF_RESOURCE, NULL, 0);
    return false;
}

/* Whether there is buffer for the chunk. What we advertised the peer may send, and what fills a gap
 * lets the rest be delivered: for these memory is the limit. Anything else is a zero-window probe.
 */
static bool has_room(struct hws_assoc *a, const struct hws_data *d)
{
    bool fills_gap = hws_tsn_lt(d->tsn, a->queues->tsnmap.highest);
    if (fills_gap && d->tsn == a->queues->tsnmap.cum + 1)
        return make_room(a);
    if (fills_gap || d->payload_len <= a->advertised_rwnd)
        return memory_left(a);
    return d->payload_len <= hws_assoc_rwnd(a);
}

/* Whether the chunk is new and there is room for it. */
static bool admit(struct hws_assoc *a, const struct hws_data *d)
{
    enum hws_tsn_result seen = hws_tsnmap_check(&a->queues->tsnmap, d->tsn);
    if (seen == HWS_TSN_DUPLICATE) {
        (void)hws_tsnmap_add(&a->queues->tsnmap, d->tsn);
        HWS_DROP(a->engine, a->engine->rx, duplicates_in);
        a->queues->counts.duplicates_in++;
        a->sack_now = true;
        return false;
    }
    if (seen != HWS_TSN_NEW || !has_room(a, d)) {
        HWS_DROP(a->engine, a->engine->rx, drop_data_window);
        a->sack_now = true;
        return false;
    }
    return true;
}

/* An invalid stream: acknowledged, reported, not delivered (6.5). */
static void invalid_stream(struct hws_assoc *a, const struct hws_rx *rx, const struct hws_data *d)
{
    HWS_DROP(a->engine, rx, drop_data_invalid);
    if (hws_tsnmap_add(&a->queues->tsnmap, d->tsn) != HWS_TSN_NEW)
        return;
    uint8_t value[4] = {0};
    hws_put16(value, d->sid);
    hws_fault_report(rx->path, HWS_CAUSE_INVALID_STREAM, value, sizeof value);
}

/* False: it was not taken. */
static bool deliver(struct hws_assoc *a, struct hws_rx *rx, const struct hws_data *d)
{
    enum hws_reassembly_result result = HWS_REASSEMBLY_NOMEM;
    if (hws_tsnmap_reserve(&a->queues->tsnmap, d->tsn))
        result = hws_reassembly_add(&a->queues->reassembly, d, &rx->source);
    switch (result) {
    case HWS_REASSEMBLY_NOMEM:
        HWS_DROP(a->engine, rx, drop_memory);
        return false;
    case HWS_REASSEMBLY_INVALID:
        HWS_DROP(a->engine, rx, drop_data_invalid);
        if (!rx->repaired)
            hws_fault_abort(a, HWS_E_PROTO, HWS_CAUSE_PROTOCOL_VIOLATION, NULL, 0);
        return false;
    case HWS_REASSEMBLY_READY:
        hws_assoc_tell(a, HWS_EVENT_BIT(READABLE));
        break;
    case HWS_REASSEMBLY_HELD:
        break;
    }
    (void)hws_tsnmap_add(&a->queues->tsnmap, d->tsn); /* new and reserved: marked now */
    a->engine->stats.data_bytes_in += d->payload_len;
    if (d->flags & HWS_DATA_U)
        a->queues->counts.data_in_unordered++;
    else
        a->queues->counts.data_in_ordered++;
    a->advertised_rwnd -= d->payload_len < a->advertised_rwnd ? d->payload_len : a->advertised_rwnd;
    return true;
}

void hws_receive_data(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    struct hws_data d;
    a->engine->stats.data_in++;
    if (!hws_data_decode(chunk, &d)) {
        HWS_DROP(a->engine, rx, drop_chunk_malformed);
        return;
    }
    if (d.payload_len == 0) {
        uint8_t tsn[4];
        hws_put32(tsn, d.tsn);
        HWS_DROP(a->engine, rx, drop_data_invalid);
        hws_fault_abort(a, HWS_E_PROTO, HWS_CAUSE_NO_USER_DATA, tsn, sizeof tsn);
        return;
    }
    if (!hws_assoc_need_queues(a)) {
        HWS_DROP(a->engine, rx, drop_memory);
        return;
    }
    count_packet(a, rx);
    hws_budget_payload(a, d.payload_len);
    a->queues->counts.out_of_sequence_in += hws_tsn_lt(a->queues->tsnmap.cum + 1, d.tsn);
    bool had_gap = hws_tsnmap_has_gap(&a->queues->tsnmap);
    if (!admit(a, &d))
        return;
    bool taken = false;
    if (d.sid >= a->instreams)
        invalid_stream(a, rx, &d);
    else
        taken = deliver(a, rx, &d);
    if (had_gap || (d.flags & HWS_DATA_I) || hws_tsnmap_has_gap(&a->queues->tsnmap))
        a->sack_now = true;
    if (taken && a->engine->registry.data_hooks)
        hws_extensions_data_received(a, rx, chunk, d.tsn);
}

/* ---- Repaired by an extension ---- */

/* As has_room, but nothing is dropped for it. */
static bool has_spare_room(const struct hws_assoc *a, const struct hws_data *d)
{
    bool fills_gap = hws_tsn_lt(d->tsn, a->queues->tsnmap.highest);
    return memory_left(a) && (fills_gap || d->payload_len <= a->advertised_rwnd);
}

/* What could not have come, or would end the association, is refused before. */
static int refuse_repaired(struct hws_assoc *a, const struct hws_tlv *chunk, struct hws_data *d)
{
    if (!(hws_chunk_row(HWS_CHUNK_DATA)->states >> a->state & 1))
        return HWS_EXT_STATE;
    if (!hws_data_decode(chunk, d) || d->payload_len == 0 || d->sid >= a->instreams)
        return HWS_EXT_INVAL;
    if (!hws_assoc_need_queues(a))
        return HWS_EXT_FULL;
    enum hws_tsn_result seen = hws_tsnmap_check(&a->queues->tsnmap, d->tsn);
    if (seen != HWS_TSN_NEW)
        return seen == HWS_TSN_DUPLICATE ? HWS_EXT_KNOWN : HWS_EXT_INVAL;
    return has_spare_room(a, d) ? HWS_EXT_OK : HWS_EXT_FULL;
}

int hws_receive_repaired(struct hws_assoc *a, const struct hws_tlv *chunk)
{
    struct hws_data d;
    int rc = refuse_repaired(a, chunk, &d);
    if (rc != HWS_EXT_OK)
        return rc;
    uint64_t invalid = a->engine->stats.drop_data_invalid;
    const struct hws_packet_in none = {.len = HWS_PACKET_HEADER_LEN + chunk->len};
    struct hws_rx rx = {.packet = &none, .path = a->paths[a->last_data_path], .repaired = true};
    a->sack_now = true; /* the peer may be about to send it again */
    hws_receive_data(a, &rx, chunk);
    if (hws_tsnmap_check(&a->queues->tsnmap, d.tsn) != HWS_TSN_DUPLICATE)
        return invalid == a->engine->stats.drop_data_invalid ? HWS_EXT_FULL : HWS_EXT_INVAL;
    a->engine->stats.ext_repaired++;
    return HWS_EXT_OK;
}

/* The application has let go while the association ends: what still comes is acknowledged, so that
 * the peer can finish, and dropped. */
static void discard(struct hws_assoc *a)
{
    uint8_t scratch[256];
    struct hws_rcvinfo info;
    while (hws_reassembly_take(&a->queues->reassembly, scratch, sizeof scratch, &info) > 0)
        continue;
}

void hws_receive_settle(struct hws_assoc *a)
{
    if (a->over)
        return;
    if (a->released)
        discard(a);
    if (!hws_reassembly_readable(&a->queues->reassembly) &&
        a->queues->reassembly.charged_bytes >= hws_assoc_rcvbuf(a) / 2 &&
        hws_reassembly_deliver_partial(&a->queues->reassembly, a->queues->tsnmap.cum))
        hws_assoc_tell(a, HWS_EVENT_BIT(READABLE));
    if (a->params->pd_point_bytes > 0 &&
        hws_reassembly_reach_point(&a->queues->reassembly, a->queues->tsnmap.cum,
                                   a->params->pd_point_bytes))
        hws_assoc_tell(a, HWS_EVENT_BIT(READABLE));
    hws_sack_settle(a);
}

#include "stack/retransmit.h"

#include <string.h>

#include "proto/cause.h"
#include "proto/serial.h"
#include "stack/assoc.h"
#include "stack/fault.h"
#include "stack/heartbeat.h"
#include "stack/input.h"
#include "stack/observe.h"
#include "stack/pmtud.h"
#include "stack/shutdown.h"
#include "stack/timer.h"
#include "stack/transmit.h"

/* Implementations have room in a SACK for so many Gap Ack Blocks at least: Linux has for no more,
 * others fill the packet. */
#define HWS_SACK_GAPS_LEAST 16u

/* ---- What an acknowledgement does ---- */

/* One round trip at a time is measured, never over data sent twice (6.3.1 C4, C5). What it took,
 * 0: none has ended. */
static uint64_t sample_rtt(struct hws_path *p)
{
    const struct hws_assoc *a = p->assoc;
    if (!p->timing || !hws_outq_is_acked(&a->queues->outq, p->rtt_tsn))
        return 0;
    uint64_t rtt_us = hws_input_round_trip_us(a->engine, p->rtt_sent_us);
    p->timing = false;
    hws_path_round_trip(p, rtt_us);
    return rtt_us;
}

static void grow_cwnd(struct hws_path *p, const struct hws_outq_ack *ack, uint32_t flight_before,
                      uint64_t rtt_us)
{
    struct hws_assoc *a = p->assoc;
    struct hws_cc_ack args = {
        .now_us = a->engine->now_us,
        .acked_bytes = ack->acked_bytes[p->index],
        .flight_before_bytes = flight_before,
        .flight_bytes = hws_path_flight(p),
        .cum_advanced = ack->cum_advanced,
        .in_recovery = a->in_recovery,
        .cwnd_limited = p->cwnd_limited,
        .all_acked = hws_outq_count(&a->queues->outq) == 0,
        .rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us : UINT32_MAX,
        .srtt_us = p->rto.srtt_us,
    };
    p->cc->ack(p->cc_state, &args);
}

static void acknowledged(struct hws_assoc *a, const struct hws_outq_ack *ack,
                         const uint32_t *flight_before)
{
    for (unsigned i = 0; i < a->path_count; i++) {
        /* What was in flight there is not any more, by whichever path it came. */
        if ((ack->new_paths | ack->copy_paths) & 1u << i)
            a->paths[i]->one_packet = a->paths[i]->tail_probed = false;
        if (!(ack->new_paths & 1u << i))
            continue;
        uint64_t rtt_us = sample_rtt(a->paths[i]);
        /* What T3 took back says nothing about the path as it is now (8.2; RFC 7829, 3.2). */
        if (ack->answered_paths & 1u << i)
            hws_path_answered(a->paths[i]);
        grow_cwnd(a->paths[i], ack, flight_before[i], rtt_us);
    }
    if (ack->copy_paths != 0)
        a->errors = 0; /* the peer is there, by whichever path (8.1) */
    if (a->in_recovery && hws_tsn_le(a->queues->recovery_tsn, a->queues->outq.cum))
        a->in_recovery = false;
}

/* Fast retransmit (7.2.4): the window shrinks once per Fast Recovery. */
static void lost(struct hws_assoc *a, const struct hws_outq_ack *ack)
{
    a->engine->stats.fast_retransmits += ack->lost_chunks;
    if (ack->lost_paths == 0 || a->in_recovery)
        return;
    for (unsigned i = 0; i < a->path_count; i++)
        if (ack->lost_paths & 1u << i)
            a->paths[i]->cc->loss(a->paths[i]->cc_state, a->engine->now_us,
                                  hws_path_flight(a->paths[i]));
    a->in_recovery = true;
    a->queues->recovery_tsn = a->queues->outq.next_tsn - 1;
    if (ack->lost_chunks > 0) /* else other paths carry copies */
        a->fast_packet = true;
}

/* Whether the lowest TSN in flight on the path has been acknowledged: the next one takes over. */
static bool lowest_acked(struct hws_path *p)
{
    const struct hws_outq *q = &p->assoc->queues->outq;
    uint32_t lowest = hws_outq_lowest(q, p->index, p->lowest_tsn);
    bool moved = lowest != p->lowest_tsn;
    p->lowest_tsn = lowest;
    return moved;
}

/* T3 runs while data is in flight, anew whenever the lowest outstanding TSN of the path has been
 * acknowledged (6.3.2 R2, R3). */
static void restart_t3(struct hws_assoc *a, const struct hws_outq_ack *ack)
{
    for (unsigned i = 0; i < a->path_count; i++) {
        struct hws_path *p = a->paths[i];
        if (hws_path_flight(p) == 0) {
            hws_path_timer_stop(p, HWS_PATH_TIMER_T3);
            hws_path_timer_stop(p, HWS_PATH_TIMER_PROBE);
            continue;
        }
        bool news = (ack->new_paths | ack->copy_paths) & 1u << i;
        if (news)
            hws_retransmit_arm_probe(p);
        if ((news && lowest_acked(p)) || !hws_path_timer_running(p, HWS_PATH_TIMER_T3))
            hws_path_timer_start(p, HWS_PATH_TIMER_T3, p->rto.rto_us);
    }
}

void hws_retransmit_tell_progress(struct hws_assoc *a)
{
    hws_assoc_tell_writable(a);
    if (a->undry && hws_assoc_unacked(a) == 0) {
        a->undry = false;
        hws_assoc_tell(a, HWS_EVENT_BIT(DRY));
    }
    hws_shutdown_progress(a);
}

static uint32_t total_acked(const struct hws_assoc *a, const struct hws_outq_ack *ack)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < a->path_count; i++)
        bytes += ack->acked_bytes[i];
    return bytes;
}

/* In Fast Recovery every packet that arrives causes a SACK (6.7). Where one has no room for all
 * gaps, what it does not tell still counts as in flight, and it may say nothing new. A packet has
 * left the network all the same, and one of retransmissions may take its place. */
static void settle(struct hws_assoc *a, const struct hws_outq_ack *ack,
                   const uint32_t *flight_before)
{
    acknowledged(a, ack, flight_before);
    lost(a, ack);
    restart_t3(a, ack);
    if ((ack->new_paths | ack->copy_paths) != 0)
        hws_transmit_allow_burst(a, total_acked(a, ack), ack->cum_advanced && ack->lost_paths == 0);
    else if (a->in_recovery && ack->cut_short)
        a->fast_packet = true;
    if (hws_observed(a->engine))
        hws_observe_all_metrics(a);
    hws_assoc_ready(a);
    hws_retransmit_tell_progress(a);
}

/* What is in flight on the path is to be sent again. */
static void take_back(struct hws_path *p, enum hws_lost_reason reason)
{
    hws_observe_flight_lost(p, p->assoc->queues->outq.cum + 1, reason);
    hws_outq_timeout(&p->assoc->queues->outq, p->index);
    p->timing = false;
}

/* The window opens while a probe that was dropped waits for T3, which has been backed off: it goes
 * at once, and new data with it. Once: what is lost from then on is lost like all else. */
static void window_opened(struct hws_assoc *a, const struct hws_outq_ack *ack)
{
    if (!a->probing || (ack->new_paths | ack->copy_paths) != 0 ||
        a->peer_a_rwnd < a->queues->outq.flight_payload)
        return;
    a->probing = false;
    for (unsigned i = 0; i < a->path_count; i++)
        take_back(a->paths[i], HWS_LOST_WINDOW_OPENED);
}

/* ---- Chunks ---- */

static void tell_lost(const void *ctx, uint32_t tsn)
{
    hws_observe_lost(ctx, tsn, HWS_LOST_MISSING_REPORTS);
}

/* Whether the cumulative TSN, and `last_tsn` beyond it, can be applied: neither old nor of data
 * never sent. A peer that acknowledges what it cannot have is to be left (12.4). */
static bool plausible(struct hws_assoc *a, uint32_t cum_tsn, uint32_t last_tsn)
{
    uint32_t next_tsn = hws_assoc_next_tsn(a);
    bool sent = hws_tsn_lt(cum_tsn, next_tsn) && hws_tsn_lt(last_tsn, next_tsn);
    bool old = !hws_tsn_le(hws_assoc_acked_tsn(a), cum_tsn);
    if (sent && !old)
        return true;
    HWS_DROP(a->engine, a->engine->rx, drop_sack_invalid);
    if (!sent && !old)
        hws_fault_abort(a, HWS_E_PROTO, HWS_CAUSE_PROTOCOL_VIOLATION, NULL, 0);
    return false;
}

static uint32_t last_acked(const struct hws_sack *sack)
{
    uint32_t last = sack->cum_tsn;
    for (uint32_t i = 0; i < sack->gap_count; i++) {
        uint32_t end = sack->cum_tsn + hws_sack_gap(sack, i).end;
        last = hws_tsn_lt(last, end) ? end : last;
    }
    return last;
}

void hws_retransmit_sack_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    struct hws_sack sack;
    a->engine->stats.sacks_in++;
    a->counts.sacks_in++;
    if (rx->sack_seen) { /* nobody needs a second one, and each costs what is in flight */
        HWS_DROP(a->engine, rx, drop_bundle);
        return;
    }
    rx->sack_seen = true;
    if (!hws_sack_decode(chunk, &sack)) {
        HWS_DROP(a->engine, rx, drop_chunk_malformed);
        return;
    }
    if (!plausible(a, sack.cum_tsn, last_acked(&sack)))
        return;
    struct hws_queues *q = a->queues;
    uint32_t flight_before[HWS_LIMIT_PATHS];
    memcpy(flight_before, q->outq.flight_bytes, sizeof flight_before);
    struct hws_outq_ack ack = {.lost = tell_lost, .lost_ctx = a};
    if (hws_assoc_has_queues(a)) {
        q->counts.gap_blocks_in += sack.gap_count;
        hws_outq_sack(&q->outq, &sack, hws_path_pmdcs(hws_assoc_data_path(a)), a->in_recovery,
                      &ack);
    }
    ack.cut_short = sack.gap_count >= HWS_SACK_GAPS_LEAST;
    a->peer_a_rwnd = sack.a_rwnd;
    a->sacks_seen = true;
    window_opened(a, &ack);
    settle(a, &ack, flight_before);
}

void hws_retransmit_cum(struct hws_assoc *a, uint32_t cum_tsn)
{
    if (!plausible(a, cum_tsn, cum_tsn))
        return;
    uint32_t flight_before[HWS_LIMIT_PATHS];
    memcpy(flight_before, a->queues->outq.flight_bytes, sizeof flight_before);
    struct hws_outq_ack ack = {0};
    if (hws_assoc_has_queues(a))
        hws_outq_ack_cum(&a->queues->outq, cum_tsn, &ack);
    settle(a, &ack, flight_before);
}

/* ---- Tail loss probe (RFC 8985, 7) ---- */

#define HWS_PROBE_MIN_US 10000u
/* What a peer may delay its SACK of a single packet (6.2). */
#define HWS_PROBE_SACK_DELAY_US 200000u

void hws_retransmit_arm_probe(struct hws_path *p)
{
    if (!p->assoc->params->tail_probe || !hws_rto_measured(&p->rto) || p->tail_probed)
        return;
    uint64_t delay_us = 2 * (uint64_t)p->rto.srtt_us;
    if (delay_us < HWS_PROBE_MIN_US)
        delay_us = HWS_PROBE_MIN_US;
    if (hws_path_flight(p) <= hws_path_pmdcs(p))
        delay_us += HWS_PROBE_SACK_DELAY_US;
    if (delay_us < p->rto.rto_us)
        hws_path_timer_start(p, HWS_PATH_TIMER_PROBE, delay_us);
}

/* The highest TSN in flight on the path is to be sent again. False: nothing is in flight there. */
static bool mark_tail(struct hws_path *p)
{
    struct hws_outq *q = &p->assoc->queues->outq;
    uint32_t tsn;
    if (!hws_outq_probe(q, p->index))
        return false;
    if (hws_outq_next_rtx(q, q->cum + 1, &tsn))
        hws_observe_lost(p->assoc, tsn, HWS_LOST_TAIL_PROBE);
    return true;
}

void hws_retransmit_probe_expired(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    if (p->tail_probed || a->probing || (a->queues->outq.rtx_count == 0 && !mark_tail(p)))
        return;
    p->tail_probed = true;
    a->fast_packet = true; /* it replaces what is in flight, cwnd does not matter */
    a->engine->stats.tail_probes++;
    hws_assoc_ready(a);
}

/* ---- T3-rtx (6.3.3) ---- */

/* A zero-window probe that goes unacknowledged while SACKs keep coming is no fault of the path
 * (6.1 A). */
static bool only_window_closed(struct hws_assoc *a)
{
    bool closed = a->probing && a->sacks_seen;
    a->sacks_seen = false;
    return closed;
}

void hws_retransmit_path_cut(struct hws_path *p)
{
    if (!hws_assoc_has_alternate(p))
        return;
    take_back(p, HWS_LOST_PATH_CUT);
    hws_observe_metrics(p);
    hws_path_timer_stop(p, HWS_PATH_TIMER_T3);
    hws_path_timer_stop(p, HWS_PATH_TIMER_PROBE);
    hws_path_suspect(p);
    hws_heartbeat_path_failed(p);
    hws_assoc_ready(p->assoc);
}

void hws_retransmit_t3_expired(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    if (hws_path_flight(p) == 0) { /* it watched a closed window */
        a->probe_due = true;
        hws_assoc_ready(a);
        return;
    }
    bool closed = only_window_closed(a);
    a->engine->stats.timeouts_t3++;
    if (!closed) /* probing does not touch cwnd (6.1 A) */
        p->cc->timeout(p->cc_state, a->engine->now_us, hws_path_flight(p));
    if (!closed)
        hws_pmtud_data_lost(p);
    hws_path_back_off(p);
    take_back(p, HWS_LOST_T3);
    p->one_packet = !closed;
    a->in_recovery = false;
    a->fast_packet = false;
    hws_transmit_allow_burst(a, 0, false);
    if (!closed) {
        if (!hws_path_error(p, HWS_PATH_FAULT_TIMEOUT))
            return;
        hws_heartbeat_path_failed(p);
    }
    hws_assoc_ready(a);
}

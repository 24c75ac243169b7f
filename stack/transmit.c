#include "stack/transmit.h"

#include <string.h>

#include "proto/serial.h"
#include "stack/assoc.h"
#include "stack/copies.h"
#include "stack/extension.h"
#include "stack/observe.h"
#include "stack/pacing.h"
#include "stack/pathsel.h"
#include "stack/retransmit.h"
#include "stack/timer.h"

/* User data of a zero-window probe: little, since it will probably be dropped (6.1 A). */
#define HWS_PROBE_BYTES 64u

/* ---- What is allowed ---- */

/* User data of a full train: its packets together have 64 KB (HWS_PACKET_MAX_LEN) with headers. */
#define HWS_TRAIN_BYTES (62u << 10)

static bool cwnd_open(const struct hws_path *p)
{
    return hws_path_flight(p) < hws_path_cwnd(p);
}

bool hws_transmit_open(const struct hws_path *p)
{
    return cwnd_open(p) && !(p->one_packet && hws_path_flight(p) > 0) && hws_pacing_open(p);
}

/* User data that a packet with one DATA chunk and nothing else in it carries. */
static uint32_t full_payload(const struct hws_path *p)
{
    uint32_t pmdcs = hws_path_pmdcs(p);
    uint32_t amdcs = p->assoc->path_count == 1 ? pmdcs : hws_assoc_amdcs(p->assoc);
    return (amdcs < pmdcs ? amdcs : pmdcs) - HWS_DATA_HEADER_LEN - p->assoc->queues->reserve_bytes;
}

uint32_t hws_transmit_fragment_max(const struct hws_path *p)
{
    uint32_t limit = p->assoc->params->max_fragment_bytes, full = full_payload(p);
    return limit > 0 && limit < full ? limit : full;
}

/* Where round trips are shorter than this nothing is gained by bursts that leave the cache. */
#define HWS_SHORT_RTT_US 1000u
#define HWS_SHORT_RTT_BURST_BYTES (512u << 10)

static bool is_near(const struct hws_path *p)
{
    return hws_rto_measured(&p->rto) && p->rto.srtt_us < HWS_SHORT_RTT_US;
}

static uint32_t most_on_path(const struct hws_path *p)
{
    uint32_t cwnd = hws_path_cwnd(p);
    return is_near(p) && cwnd > HWS_SHORT_RTT_BURST_BYTES ? HWS_SHORT_RTT_BURST_BYTES : cwnd;
}

uint32_t hws_transmit_most_at_once(const struct hws_assoc *a)
{
    if (a->queues->pathsel == NULL)
        return most_on_path(hws_assoc_data_path(a));
    uint64_t most = 0;
    for (unsigned i = 0; i < a->path_count; i++)
        if (hws_path_fit(a->paths[i]))
            most += most_on_path(a->paths[i]);
    return (uint32_t)(most < UINT32_MAX ? most : UINT32_MAX);
}

/* After silence, or a SACK that says little, so much may leave: the parameter, but never less than
 * a few packets, so that large ones are not sent one by one. In Fast Recovery, when each gap that
 * becomes known makes room in cwnd, it is one packet: the queue that overflowed is still full. */
static uint64_t least_at_once(const struct hws_assoc *a, const struct hws_path *p)
{
    uint64_t few = 4 * (uint64_t)hws_path_pmdcs(p);
    if (a->in_recovery)
        return hws_path_pmdcs(p);
    return few < a->params->max_burst_bytes ? a->params->max_burst_bytes : few;
}

/* What left may be replaced, and doubled in slow start. In Fast Recovery it is one packet more,
 * after a SACK that acknowledges in order and shows no further loss: then there is less in flight
 * than cwnd because the network has room, not because the queue overflows still (RFC 9937,
 * safeACK). */
static uint64_t on_top(const struct hws_assoc *a, const struct hws_path *p, uint32_t acked_bytes,
                       bool repairing)
{
    if (!a->in_recovery)
        return acked_bytes;
    return repairing ? hws_path_pmdcs(p) : 0;
}

void hws_transmit_allow_burst(struct hws_assoc *a, uint32_t acked_bytes, bool repairing)
{
    const struct hws_path *p = hws_assoc_data_path(a);
    uint64_t least = least_at_once(a, p);
    bool same_batch = acked_bytes > 0 && a->burst_us == a->engine->now_us;
    uint64_t replaced = acked_bytes > 0 ? acked_bytes + on_top(a, p, acked_bytes, repairing) : 0;
    uint64_t allowed = (same_batch ? a->burst_left : 0) + replaced;
    a->burst_us = a->engine->now_us;
    uint32_t most = hws_transmit_most_at_once(a);
    allowed = allowed < most ? allowed : most;
    allowed = allowed > least ? allowed : least;
    uint64_t limit = (uint64_t)a->params->max_burst_packets * hws_path_pmdcs(p);
    a->burst_left = (uint32_t)(limit > 0 && limit < allowed ? limit : allowed);
}

static void spend_burst(struct hws_assoc *a, uint32_t bytes)
{
    a->burst_left -= bytes < a->burst_left ? bytes : a->burst_left;
}

/* Whether the peer's window lets no new data pass although nothing is in flight that would bring
 * news of it (6.1 A). */
static bool window_closed(const struct hws_assoc *a)
{
    return a->queues->sendq.unsent_bytes > 0 && hws_outq_count(&a->queues->outq) == 0 &&
           hws_assoc_peer_rwnd(a) <= HWS_PROBE_BYTES &&
           hws_assoc_peer_rwnd(a) < a->queues->sendq.unsent_bytes;
}

/* The first zero-window probe follows after one RTO (6.1 A); T3 has nothing else to do then. */
static void watch_closed_window(struct hws_path *p)
{
    if (window_closed(p->assoc) && !p->assoc->probe_due &&
        !hws_path_timer_running(p, HWS_PATH_TIMER_T3))
        hws_path_timer_start(p, HWS_PATH_TIMER_T3, p->rto.rto_us);
}

/* How much new user data the peer's window lets the next chunk have, 0: none. A window smaller than
 * the chunk that would be sent counts as closed (6.1 A, and the sender's silly window avoidance),
 * unless nothing is in flight: then what there is, or a probe. */
static uint32_t window_allows(const struct hws_assoc *a, uint32_t fragment_max)
{
    uint32_t rwnd = hws_assoc_peer_rwnd(a);
    uint32_t useful = fragment_max;
    if (a->queues->sendq.unsent_bytes < useful)
        useful = a->queues->sendq.unsent_bytes;
    if (rwnd >= useful)
        return rwnd;
    if (a->queues->outq.flight_payload > 0)
        return 0;
    if (rwnd > HWS_PROBE_BYTES)
        return rwnd & ~3u;
    return a->probe_due ? HWS_PROBE_BYTES : 0;
}

/* Nagle's rule as in 6.1: a small packet waits while data is in flight. Not when the association is
 * to end, and not for what completes a message already begun. */
static bool nagle_holds(const struct hws_path *p)
{
    const struct hws_assoc *a = p->assoc;
    return !a->params->nodelay && a->queues->outq.flight_payload > 0 &&
           a->queues->sendq.current == NULL && a->state == HWS_STATE_ESTABLISHED &&
           a->queues->sendq.unsent_bytes < full_payload(p) &&
           a->queues->sendq.unsent_messages * HWS_DATA_HEADER_LEN + a->queues->sendq.unsent_bytes <
               hws_path_pmdcs(p);
}

/* A train costs its link little more than a packet. So on near paths new messages wait until they
 * fill one, while as much is in flight, and two packets at least: for these the peer owes a SACK
 * (6.2), and what there is when it comes does not wait. As Nagle's rule, so `nodelay` is against
 * it.
 */
bool hws_transmit_waits(const struct hws_path *p)
{
    const struct hws_assoc *a = p->assoc;
    const struct hws_outq *outq = &a->queues->outq;
    return !a->params->nodelay && is_near(p) && a->queues->pathsel == NULL &&
           a->state == HWS_STATE_ESTABLISHED && a->queues->sendq.current == NULL &&
           outq->rtx_count == 0 && outq->flight_payload >= HWS_TRAIN_BYTES &&
           outq->flight_payload >= 2 * hws_path_pmdcs(p) &&
           a->queues->sendq.unsent_bytes < HWS_TRAIN_BYTES && a->burst_us != a->engine->now_us;
}

static bool retransmission_possible(const struct hws_path *p)
{
    return cwnd_open(p) && p->assoc->burst_left > 0;
}

static bool new_data_possible(const struct hws_path *p, uint32_t fragment_max)
{
    const struct hws_assoc *a = p->assoc;
    return a->queues->sendq.unsent_bytes > 0 && a->queues->outq.rtx_count == 0 && cwnd_open(p) &&
           a->burst_left > 0 && window_allows(a, fragment_max) > 0;
}

static struct hws_path *path_again(struct hws_assoc *a, const struct hws_tx *tx)
{
    return a->queues->pathsel != NULL ? hws_pathsel_again_path(a, tx)
                                      : hws_assoc_retransmission_path(a, tx->path);
}

/* The path of the next chunk to be sent again; there is one. */
static struct hws_path *retransmission_path(struct hws_assoc *a)
{
    uint32_t tsn;
    if (!hws_outq_next_rtx(&a->queues->outq, a->queues->outq.cum + 1, &tsn))
        return hws_assoc_data_path(a);
    return path_again(a, hws_outq_at(&a->queues->outq, tsn));
}

/* The path of the next new chunk: the one that its message names, while that is fit (RFC 6458,
 * SCTP_ADDR_OVER). */
static struct hws_path *new_data_path(struct hws_assoc *a)
{
    const struct hws_msg *msg =
        a->queues->sendq.overrides > 0 ? hws_sendq_next(&a->queues->sendq) : NULL;
    if (msg != NULL && msg->path != 0 && hws_path_fit(a->paths[msg->path - 1]))
        return a->paths[msg->path - 1];
    return a->queues->pathsel != NULL ? hws_pathsel_new_path(a) : hws_assoc_data_path(a);
}

struct hws_path *hws_transmit_path(struct hws_assoc *a)
{
    return a->queues->outq.rtx_count > 0 ? retransmission_path(a) : new_data_path(a);
}

bool hws_transmit_possible(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    if (!hws_assoc_may_send(a) || p != hws_transmit_path(a) || !p->confirmed)
        return false;
    p->cwnd_limited =
        (a->queues->outq.rtx_count > 0 || a->queues->sendq.unsent_bytes > 0) && !cwnd_open(p);
    if (p->one_packet && hws_path_flight(p) > 0)
        return false;
    if (a->queues->outq.flight_payload == 0 &&
        a->burst_left < least_at_once(a, hws_assoc_data_path(a)))
        hws_transmit_allow_burst(a, 0, false);
    if (a->queues->outq.rtx_count == 0)
        watch_closed_window(p);
    bool allowed = a->queues->outq.rtx_count > 0
                       ? a->fast_packet || retransmission_possible(p)
                       : new_data_possible(p, hws_transmit_fragment_max(p)) && !nagle_holds(p);
    return allowed && (p->cc->pacing == NULL || hws_pacing_allows(p));
}

/* ---- One chunk ---- */

bool hws_transmit_chunk(struct hws_path *p, struct hws_builder *b, uint32_t tsn, bool again)
{
    const struct hws_tx *tx = hws_outq_at(&p->assoc->queues->outq, tsn);
    struct hws_data d = {
        .tsn = tsn,
        .sid = tx->msg->sid,
        .ssn = tx->msg->ssn,
        .ppid = tx->msg->ppid,
        .flags = tx->flags,
        .payload_len = tx->len,
    };
    uint8_t *payload = hws_data_encode(b, &d);
    if (payload == NULL)
        return false;
    hws_msg_read(tx->msg, tx->offset, payload, tx->len);
    p->assoc->engine->stats.data_out++;
    if (p->assoc->engine->registry.data_hooks)
        hws_extensions_data_sent(p, payload - HWS_DATA_HEADER_LEN, tsn,
                                 HWS_DATA_HEADER_LEN + d.payload_len, again);
    if (tx->flags & HWS_DATA_U)
        p->assoc->queues->counts.data_out_unordered++;
    else
        p->assoc->queues->counts.data_out_ordered++;
    return true;
}

void hws_transmit_sent(struct hws_path *p, uint32_t bytes)
{
    struct hws_engine *e = p->assoc->engine;
    if (p->cc->sent != NULL)
        p->cc->sent(p->cc_state, e->now_us, bytes, hws_path_flight(p));
    if (hws_observed(e))
        hws_observe_metrics(p);
    if (p->cc->pacing != NULL)
        hws_pacing_sent(p, bytes);
    hws_retransmit_arm_probe(p);
    if (!hws_path_timer_running(p, HWS_PATH_TIMER_T3))
        hws_path_timer_start(p, HWS_PATH_TIMER_T3, p->rto.rto_us);
}

/* ---- Retransmissions ---- */

static void resend(struct hws_path *p, uint32_t tsn)
{
    struct hws_assoc *a = p->assoc;
    for (unsigned i = 0; i < a->path_count; i++)
        if (hws_tsn_le(tsn, a->paths[i]->rtt_tsn))
            a->paths[i]->timing = false; /* Karn's rule (6.3.1 C5) */
    /* The earliest outstanding chunk of the path restarts its timer (6.1, 7.2.4 rule 4). */
    if (hws_path_flight(p) == 0 || hws_tsn_le(tsn, p->lowest_tsn)) {
        p->lowest_tsn = tsn;
        hws_path_timer_stop(p, HWS_PATH_TIMER_T3);
    }
    hws_outq_resent(&a->queues->outq, tsn, p->index);
    hws_observe_retransmitted(a, tsn);
    a->queues->counts.retransmits++;
    a->engine->stats.window_probes += a->probing;
    a->engine->stats.retransmits++;
    p->last_data_us = a->engine->now_us;
    hws_transmit_sent(p, hws_tx_size(hws_outq_at(&a->queues->outq, tsn)));
    if (a->queues->pathsel != NULL)
        hws_pathsel_sent(p, tsn);
}

/* The first chunk of an otherwise empty packet does not fit the path's MTU any more. */
static void enlarge(const struct hws_tx *tx, struct hws_builder *b, struct hws_train *train)
{
    uint32_t need = HWS_PACKET_HEADER_LEN + hws_tx_size(tx);
    if (b->chunks > 0 || need <= b->limit || need > train->capacity - train->len)
        return;
    b->limit = need;
    train->may_fragment = true;
}

static void fill_retransmissions(struct hws_path *p, struct hws_builder *b, struct hws_train *train)
{
    struct hws_assoc *a = p->assoc;
    uint32_t tsn = a->queues->outq.cum + 1;
    bool fast = a->fast_packet;
    while ((fast || retransmission_possible(p)) && hws_outq_next_rtx(&a->queues->outq, tsn, &tsn)) {
        /* In a later packet of a train, a chunk too large for its size waits for the next train. */
        const struct hws_tx *tx = hws_outq_at(&a->queues->outq, tsn);
        if (hws_copies_full(a) || path_again(a, tx) != p)
            return;
        if (train->packets == 0)
            enlarge(tx, b, train);
        if (!hws_transmit_chunk(p, b, tsn, true))
            return;
        resend(p, tsn);
        spend_burst(a, hws_tx_size(hws_outq_at(&a->queues->outq, tsn++)));
        a->fast_packet = false;
    }
}

/* ---- New data ---- */

static void time_round_trip(struct hws_path *p, uint32_t tsn)
{
    if (p->timing)
        return;
    p->timing = true;
    p->rtt_tsn = tsn;
    p->rtt_sent_us = p->assoc->engine->now_us;
}

static void decay_idle_cwnd(struct hws_path *p)
{
    uint64_t idle_us = p->assoc->engine->now_us - p->last_data_us;
    if (hws_path_flight(p) == 0 && p->last_data_us != 0 && idle_us > p->rto.rto_us &&
        p->cc->idle != NULL)
        p->cc->idle(p->cc_state, idle_us, p->rto.rto_us);
}

/* Cuts one fragment that fits packet and window. False: the packet is as full as it gets, or the
 * window. */
static bool cut(struct hws_assoc *a, const struct hws_builder *b, uint32_t fragment_max,
                struct hws_fragment *out)
{
    uint32_t room = hws_builder_room(b);
    uint32_t header = HWS_DATA_HEADER_LEN - 4 + a->queues->reserve_bytes; /* room is of a value */
    uint32_t window = window_allows(a, fragment_max);
    if (room < header + 4 || window == 0)
        return false;
    room -= header;
    uint32_t full = window < fragment_max ? window : fragment_max;
    if (room > full)
        room = full;
    return hws_sendq_cut(&a->queues->sendq, room, full, out);
}

static void send_fragment(struct hws_path *p, struct hws_builder *b, struct hws_fragment *f)
{
    struct hws_assoc *a = p->assoc;
    a->probing = hws_assoc_peer_rwnd(a) < f->len;
    a->engine->stats.window_probes += a->probing;
    if (a->queues->sendq.unsent_bytes == 0 && a->state != HWS_STATE_ESTABLISHED)
        f->flags |= HWS_DATA_I; /* the end waits for its SACK (RFC 7053, 4) */
    uint32_t tsn = hws_outq_add(&a->queues->outq, f, p->index);
    (void)hws_transmit_chunk(p, b, tsn, false); /* it was cut to fit */
    if (a->queues->pathsel != NULL)
        hws_pathsel_sent(p, tsn);
}

/* What leaves on several paths at once is not timed, nor does it keep a path from being probed by
 * HEARTBEATs: its acknowledgement tells of none of them (6.3.1 C5, 8.3). */
static void note_use(struct hws_path *p, uint32_t first)
{
    struct hws_assoc *a = p->assoc;
    uint32_t single = hws_copies_first_single(a, first);
    if (single == a->queues->outq.next_tsn)
        return;
    time_round_trip(p, single);
    p->last_data_us = a->engine->now_us;
}

/* A packet's new chunks, from TSN `first` on, `bytes` with their headers. */
static void new_data_sent(struct hws_path *p, uint32_t first, uint32_t bytes)
{
    struct hws_assoc *a = p->assoc;
    uint32_t pmdcs = hws_path_pmdcs(p);
    if (hws_path_flight(p) == bytes)
        p->lowest_tsn = first;
    a->probe_due = false;
    note_use(p, first);
    hws_transmit_sent(p, bytes);
    if (hws_observed(a->engine))
        hws_observe_new_data(a, first);
    /* With a limit in packets each counts whole. */
    spend_burst(a, a->params->max_burst_packets > 0 && bytes < pmdcs ? pmdcs : bytes);
}

/* In flight on the path when cwnd or the burst limit ends what may be sent now. */
static uint64_t flight_limit(const struct hws_path *p)
{
    uint64_t burst_end = (uint64_t)hws_path_flight(p) + p->assoc->burst_left;
    uint32_t cwnd = hws_path_cwnd(p);
    return cwnd < burst_end ? cwnd : burst_end;
}

static bool is_next_path(struct hws_path *p)
{
    return !hws_copies_full(p->assoc) && new_data_path(p->assoc) == p;
}

static void fill_new_data(struct hws_path *p, struct hws_builder *b)
{
    struct hws_assoc *a = p->assoc;
    struct hws_sendq *sendq = &a->queues->sendq;
    struct hws_outq *outq = &a->queues->outq;
    decay_idle_cwnd(p);
    uint32_t fragment_max = hws_transmit_fragment_max(p);
    uint64_t limit = flight_limit(p);
    const uint32_t *flight = &outq->flight_bytes[p->index];
    uint32_t first = outq->next_tsn, flight_before = *flight;
    uint32_t payload = outq->flight_payload;
    bool one_path = sendq->overrides == 0 && a->queues->pathsel == NULL; /* for all that waits */
    struct hws_fragment f;
    while (sendq->unsent_bytes > 0 && *flight < limit && (one_path || is_next_path(p)) &&
           hws_outq_reserve(outq) && cut(a, b, fragment_max, &f))
        send_fragment(p, b, &f);
    if (outq->next_tsn == first)
        return;
    a->engine->stats.data_bytes_out += outq->flight_payload - payload;
    new_data_sent(p, first, *flight - flight_before);
}

void hws_transmit_fill(struct hws_path *p, struct hws_builder *b, struct hws_train *train)
{
    struct hws_assoc *a = p->assoc;
    if (a->queues->outq.rtx_count > 0)
        fill_retransmissions(p, b, train);
    if (a->queues->outq.rtx_count == 0 && !train->may_fragment)
        fill_new_data(p, b);
}

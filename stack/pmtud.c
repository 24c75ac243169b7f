#include "stack/pmtud.h"

#include <string.h>

#include "proto/serial.h"
#include "stack/assoc.h"
#include "stack/observe.h"
#include "stack/timer.h"
#include "stack/transmit.h"

static bool enabled(const struct hws_path *p)
{
    return p->params->pmtud && p->params->mtu == 0;
}

static uint32_t in_bounds(uint32_t mtu)
{
    mtu = mtu < HWS_LIMIT_MTU_MIN ? HWS_LIMIT_MTU_MIN : mtu;
    return mtu > HWS_LIMIT_MTU_MAX ? HWS_LIMIT_MTU_MAX : mtu;
}

/* ---- What the state machine says ---- */

/* Whether the path can be probed: the peer is there, or data goes there since no path is better, or
 * it failed with data that may have been too large, and HEARTBEATs may be sent (8.3). */
static bool connected(const struct hws_path *p)
{
    return p->confirmed && p->owned && hws_assoc_may_send(p->assoc) &&
           (p->active || p->pmtu_suspected || p == hws_assoc_data_path(p->assoc));
}

static void arm_raise_timer(struct hws_path *p)
{
    bool larger = p->pmtu.state == HWS_PMTU_SEARCH_COMPLETE && p->pmtu.plpmtu < p->pmtu.max;
    if (larger || p->pmtu.given_up)
        hws_path_timer_start(p, HWS_PATH_TIMER_PMTU, p->params->pmtud_interval_us);
    else
        hws_path_timer_stop(p, HWS_PATH_TIMER_PMTU);
}

/* Applies a change of the state machine: PLPMTU, and the next probe. */
static void settle(struct hws_path *p)
{
    hws_path_set_mtu(p, p->pmtu.plpmtu);
    p->pmtu_probing = false;
    p->wants &= (uint16_t)~HWS_WANT_PROBE;
    if (p->pmtu.probe == 0)
        arm_raise_timer(p);
    else if (connected(p))
        hws_want(p, HWS_WANT_PROBE);
}

/* Packets became smaller because larger ones do not pass. What is in flight from TSN `from` on is
 * sent again at once; that is no congestion (RFC 8899, 3), and T3 is not waited for. */
static void send_again(struct hws_path *p, uint32_t from)
{
    struct hws_assoc *a = p->assoc;
    if (a->queues->outq.flight_bytes[p->index] == 0)
        return;
    hws_observe_flight_lost(p, from, HWS_LOST_TOO_LARGE);
    hws_outq_lost_from(&a->queues->outq, p->index, from);
    hws_observe_metrics(p);
    p->timing = false;
    hws_transmit_allow_burst(a, 0, false);
    hws_assoc_ready(a);
}

static void lose_connection(struct hws_path *p)
{
    hws_pmtu_disable(&p->pmtu);
    settle(p);
}

/* ---- Probes ---- */

/* An RTO as the round trips say, not backed off, but never too short (RFC 8899, 5.1.1). */
static uint64_t probe_timer_us(const struct hws_path *p)
{
    uint64_t rto_us = p->params->rto_initial_us;
    if (hws_rto_measured(&p->rto))
        rto_us = p->rto.srtt_us + 4 * (uint64_t)p->rto.rttvar_us;
    return rto_us > HWS_PMTU_PROBE_TIMER_US ? rto_us : HWS_PMTU_PROBE_TIMER_US;
}

/* Heartbeat Info of a probe: the path's number, a mark that tells it from other HEARTBEATs, and a
 * nonce that stands for the size (6.2.1.2). */
#define PROBE_INFO_LEN 12u

static void put_info(const struct hws_path *p, uint8_t info[PROBE_INFO_LEN])
{
    memcpy(info + 1, "MTU", 3);
    info[0] = p->index;
    hws_put64(info + 4, p->pmtu_nonce);
}

static void build(struct hws_path *p, struct hws_train *train, uint32_t len)
{
    struct hws_assoc *a = p->assoc;
    const struct hws_env *env = &a->engine->config.env;
    struct hws_builder b;
    uint8_t info[PROBE_INFO_LEN];
    env->random(env->ctx, &p->pmtu_nonce, sizeof p->pmtu_nonce);
    put_info(p, info);
    hws_builder_init(&b, train->data, len, a->local_port, a->remote_port, a->remote_vtag);
    (void)hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, info, sizeof info); /* any MTU has room */
    (void)hws_pad_encode(&b);
    train->len = train->segment_len = hws_builder_finish(&b);
    train->packets = 1;
}

bool hws_pmtud_build_probe(struct hws_path *p, struct hws_train *train)
{
    struct hws_stats *stats = &p->assoc->engine->stats;
    p->wants &= (uint16_t)~HWS_WANT_PROBE;
    uint32_t len = hws_path_packet_len(p, p->pmtu.probe);
    if (!connected(p)) {
        lose_connection(p);
        return false;
    }
    if (len > train->capacity) {
        hws_pmtu_probe_refused(&p->pmtu);
        settle(p);
        return false;
    }
    build(p, train, len);
    hws_path_timer_start(p, HWS_PATH_TIMER_PMTU, probe_timer_us(p));
    p->pmtu_probing = true;
    stats->pmtu_probes++;
    stats->heartbeats_out++;
    stats->packets_out++;
    p->assoc->counts.packets_out++;
    p->assoc->counts.control_out += 2; /* HEARTBEAT and PAD */
    return true;
}

/* The path whose probe this answers, NULL when it is none that waits. */
static struct hws_path *answered_path(const struct hws_assoc *a, const struct hws_tlv *ack)
{
    const uint8_t *info;
    uint32_t len;
    uint8_t sent[PROBE_INFO_LEN];
    if (!hws_heartbeat_decode(ack, &info, &len) || len != sizeof sent || info[0] >= a->path_count)
        return NULL;
    struct hws_path *p = a->paths[info[0]];
    put_info(p, sent);
    return p->pmtu_probing && memcmp(info, sent, sizeof sent) == 0 ? p : NULL;
}

bool hws_pmtud_heartbeat_ack_in(struct hws_assoc *a, const struct hws_tlv *ack)
{
    struct hws_path *p = answered_path(a, ack);
    if (p == NULL)
        return false;
    uint32_t before = p->pmtu.plpmtu;
    hws_pmtu_probe_acked(&p->pmtu);
    a->engine->stats.pmtu_raised += p->pmtu.plpmtu > before;
    settle(p);
    hws_path_answered(p);
    return true;
}

static void probe_lost(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    a->engine->stats.pmtu_probes_lost++;
    bool alive = p->errors == 0;
    bool black_hole = hws_pmtu_probe_lost(&p->pmtu, alive);
    settle(p);
    if (black_hole)
        send_again(p, a->queues->outq.cum + 1);
    a->engine->stats.pmtu_black_holes += black_hole;
}

void hws_pmtud_timer_expired(struct hws_path *p)
{
    if (!connected(p)) {
        lose_connection(p);
    } else if (p->pmtu_probing) {
        probe_lost(p);
    } else {
        hws_pmtu_raise(&p->pmtu);
        if (p->pmtu.probe != 0)
            settle(p);
    }
}

/* ---- Events ---- */

/* The path's MTU without discovery. */
static uint32_t fixed_mtu(const struct hws_path *p)
{
    return p->params->mtu != 0 ? p->params->mtu : p->pmtu.max;
}

void hws_pmtud_init(struct hws_path *p)
{
    hws_pmtu_init(&p->pmtu, p->remote.family == HWS_FAMILY_IPV6);
    p->mtu = enabled(p) ? p->pmtu.plpmtu : HWS_MTU_DEFAULT;
}

void hws_pmtud_restart(struct hws_path *p)
{
    hws_pmtu_recovered(&p->pmtu);
    if (enabled(p))
        lose_connection(p);
}

void hws_pmtud_told(struct hws_path *p, uint32_t mtu)
{
    uint32_t before = p->pmtu.plpmtu, probe = p->pmtu.probe;
    hws_pmtu_set_max(&p->pmtu, in_bounds(mtu));
    if (!enabled(p))
        hws_path_set_mtu(p, fixed_mtu(p));
    else if (p->pmtu.plpmtu != before || p->pmtu.probe != probe)
        settle(p);
}

void hws_pmtud_configure(struct hws_path *p)
{
    if (!enabled(p)) {
        lose_connection(p);
        hws_path_set_mtu(p, fixed_mtu(p));
    } else if (p->pmtu.state == HWS_PMTU_DISABLED) {
        settle(p);
    }
}

bool hws_pmtud_known(const struct hws_path *p)
{
    return !enabled(p) || hws_pmtu_confirmed(&p->pmtu);
}

static void wanted(struct hws_path *p)
{
    uint32_t probe = p->pmtu.probe;
    if (!connected(p) || p->errors > 0)
        return;
    hws_pmtu_wanted(&p->pmtu);
    if (p->pmtu.probe != probe)
        settle(p);
}

void hws_pmtud_wanted(struct hws_assoc *a)
{
    for (unsigned i = 0; i < a->path_count; i++)
        if (enabled(a->paths[i]))
            wanted(a->paths[i]);
}

/* Data is lost for its size only where packets were larger than what passes in any case. Once per
 * series of timeouts: a path that does not answer at all has other troubles. When not one probe
 * passed either, a small one tells whether these are over. */
void hws_pmtud_data_lost(struct hws_path *p)
{
    uint32_t small = hws_path_packet_len(p, hws_pmtu_fallback(&p->pmtu));
    if (!enabled(p) || !connected(p) || hws_path_flight(p) + HWS_PACKET_HEADER_LEN <= small)
        return;
    uint32_t before = p->pmtu.plpmtu, probe = p->pmtu.probe;
    if (!p->pmtu_suspected)
        hws_pmtu_suspect(&p->pmtu);
    else
        hws_pmtu_ask(&p->pmtu);
    p->pmtu_suspected = true;
    if (p->pmtu.probe != probe || p->pmtu.plpmtu != before)
        settle(p);
}

/* The TSN of the first DATA chunk that the message quotes, the first outstanding one when it quotes
 * none: with it losses begin. */
static uint32_t quoted_tsn(const struct hws_assoc *a, const struct hws_net_event *event)
{
    uint32_t first = a->queues->outq.cum + 1;
    if (event->quoted_len < HWS_PACKET_HEADER_LEN + 8 ||
        event->quoted[HWS_PACKET_HEADER_LEN] != HWS_CHUNK_DATA)
        return first;
    uint32_t tsn = hws_get32(event->quoted + HWS_PACKET_HEADER_LEN + 4);
    bool outstanding = hws_tsn_le(first, tsn) && hws_tsn_lt(tsn, a->queues->outq.next_tsn);
    return outstanding ? tsn : first;
}

void hws_pmtud_too_big(struct hws_path *p, const struct hws_net_event *event)
{
    uint32_t before = p->mtu;
    bool shrinks;
    if (enabled(p)) {
        uint32_t probe = p->pmtu.probe;
        shrinks = hws_pmtu_too_big(&p->pmtu, event->mtu);
        if (shrinks || p->pmtu.probe != probe)
            settle(p);
    } else {
        shrinks = p->params->mtu == 0 && event->mtu >= HWS_LIMIT_MTU_MIN && event->mtu < before;
        if (shrinks)
            hws_path_set_mtu(p, event->mtu);
    }
    if (shrinks)
        send_again(p, quoted_tsn(p->assoc, event));
    p->assoc->engine->stats.pmtu_black_holes += shrinks;
}

/* What was built before packets became smaller may be refused after. */
void hws_pmtud_refused(struct hws_path *p, uint32_t packet_len)
{
    struct hws_pmtu *d = &p->pmtu;
    bool probe =
        p->pmtu_probing && d->probe > d->plpmtu && packet_len == hws_path_packet_len(p, d->probe);
    if (!enabled(p))
        return;
    if (probe)
        hws_pmtu_probe_refused(d);
    bool shrinks = !probe && packet_len <= p->max_packet && hws_pmtu_refused(d);
    if (probe || shrinks)
        settle(p);
    p->assoc->engine->stats.pmtu_black_holes += shrinks;
    if (!probe)
        send_again(p, p->assoc->queues->outq.cum + 1);
}

void hws_pmtud_pad_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    (void)a;
    (void)rx;
    (void)chunk;
}

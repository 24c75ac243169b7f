#include "stack/observe.h"

#include "stack/assoc.h"

void hws_engine_set_observer(struct hws_engine *e, const struct hws_observer *observer)
{
    e->observer = observer != NULL ? *observer : (struct hws_observer){0};
}

const char *hws_lost_reason_name(enum hws_lost_reason reason)
{
    static const char *const names[] = {
        [HWS_LOST_MISSING_REPORTS] = "missing_reports",
        [HWS_LOST_T3] = "t3",
        [HWS_LOST_TAIL_PROBE] = "tail_probe",
        [HWS_LOST_WINDOW_OPENED] = "window_opened",
        [HWS_LOST_PATH_CUT] = "path_cut",
        [HWS_LOST_TOO_LARGE] = "too_large",
    };
    return names[reason];
}

/* ---- What all observations have ---- */

static struct hws_observation about_assoc(const struct hws_assoc *a, enum hws_observed kind)
{
    return (struct hws_observation){
        .kind = kind,
        .now_us = a->engine->now_us,
        .assoc = a->id,
        .local_vtag = a->local_vtag,
        .remote_vtag = a->remote_vtag,
        .local_port = a->local_port,
        .remote_port = a->remote_port,
    };
}

static struct hws_observation about_path(const struct hws_path *p, enum hws_observed kind)
{
    struct hws_observation o = about_assoc(p->assoc, kind);
    o.path = p->index;
    o.local = &p->local;
    o.remote = &p->remote;
    return o;
}

static void tell(const struct hws_engine *e, const struct hws_observation *o)
{
    e->observer.tell(e->observer.ctx, o);
}

/* ---- Packets ---- */

static struct hws_observation about_packet(const struct hws_engine *e, const struct hws_rx *rx)
{
    if (rx != NULL && rx->path != NULL)
        return about_assoc(rx->path->assoc, HWS_OBSERVED_DROPPED);
    return (struct hws_observation){.kind = HWS_OBSERVED_DROPPED, .now_us = e->now_us};
}

void hws_observe_drop(struct hws_engine *e, const struct hws_rx *rx, const char *reason)
{
    if (!hws_observed(e))
        return;
    bool received = rx != NULL && !rx->repaired;
    struct hws_observation o = about_packet(e, rx);
    o.u.drop = (struct hws_observed_drop){.reason = reason, .packet = received ? rx->packet : NULL};
    tell(e, &o);
}

/* ---- States ---- */

void hws_observe_assoc(const struct hws_assoc *a, enum hws_assoc_state before)
{
    if (!hws_observed(a->engine))
        return;
    struct hws_observation o = about_assoc(a, HWS_OBSERVED_ASSOC_STATE);
    o.u.assoc_state = (struct hws_observed_assoc_state){
        .before = before,
        .now = a->state,
        .reason = a->over ? a->reason : 0,
        .cause = a->over ? a->cause : 0,
        .instreams = a->instreams,
        .ostreams = a->ostreams,
    };
    tell(a->engine, &o);
}

static void tell_path(const struct hws_path *p, bool is_new, enum hws_path_state before)
{
    struct hws_observation o = about_path(p, HWS_OBSERVED_PATH_STATE);
    o.u.path_state = (struct hws_observed_path_state){
        .is_new = is_new, .before = before, .now = hws_path_state(p)};
    tell(p->assoc->engine, &o);
}

void hws_observe_new_path(const struct hws_path *p)
{
    if (!hws_observed(p->assoc->engine))
        return;
    tell_path(p, true, hws_path_state(p));
    hws_observe_metrics(p);
}

void hws_observe_path(const struct hws_path *p, enum hws_path_state before)
{
    if (hws_observed(p->assoc->engine) && hws_path_state(p) != before)
        tell_path(p, false, before);
}

/* ---- Congestion control ---- */

void hws_observe_metrics(const struct hws_path *p)
{
    if (!hws_observed(p->assoc->engine))
        return;
    struct hws_observation o = about_path(p, HWS_OBSERVED_METRICS);
    o.u.metrics = (struct hws_observed_metrics){
        .cwnd_bytes = hws_path_cwnd(p),
        .ssthresh_bytes = hws_path_ssthresh(p),
        .flight_bytes = hws_path_flight(p),
        .srtt_us = p->rto.srtt_us,
        .rttvar_us = p->rto.rttvar_us,
        .rto_us = p->rto.rto_us,
        .peer_rwnd_bytes = hws_assoc_peer_rwnd(p->assoc),
        .mtu = p->mtu,
    };
    tell(p->assoc->engine, &o);
}

void hws_observe_all_metrics(const struct hws_assoc *a)
{
    for (unsigned i = 0; i < a->path_count; i++)
        hws_observe_metrics(a->paths[i]);
}

/* ---- DATA chunks ---- */

static struct hws_observation about_chunk(const struct hws_assoc *a, uint32_t tsn,
                                          enum hws_observed kind)
{
    const struct hws_tx *tx = hws_outq_at(&a->queues->outq, tsn);
    struct hws_observation o = about_path(a->paths[tx->path], kind);
    o.u.chunk = (struct hws_observed_chunk){.tsn = tsn, .sid = tx->msg->sid, .len = tx->len};
    return o;
}

void hws_observe_lost(const struct hws_assoc *a, uint32_t tsn, enum hws_lost_reason reason)
{
    if (!hws_observed(a->engine))
        return;
    struct hws_observation o = about_chunk(a, tsn, HWS_OBSERVED_LOST);
    o.u.chunk.reason = reason;
    tell(a->engine, &o);
}

void hws_observe_flight_lost(const struct hws_path *p, uint32_t from, enum hws_lost_reason reason)
{
    const struct hws_outq *q = &p->assoc->queues->outq;
    if (!hws_observed(p->assoc->engine))
        return;
    for (uint32_t tsn = hws_outq_lowest(q, p->index, from); tsn != q->next_tsn;
         tsn = hws_outq_lowest(q, p->index, tsn + 1))
        if (hws_outq_at(q, tsn)->copies == 0)
            hws_observe_lost(p->assoc, tsn, reason);
}

void hws_observe_retransmitted(const struct hws_assoc *a, uint32_t tsn)
{
    if (!hws_observed(a->engine))
        return;
    struct hws_observation o = about_chunk(a, tsn, HWS_OBSERVED_RETRANSMITTED);
    tell(a->engine, &o);
}

/* ---- Streams ---- */

static void tell_stream(const struct hws_assoc *a, uint16_t sid, uint64_t queued_bytes)
{
    struct hws_observation o = about_assoc(a, HWS_OBSERVED_STREAM_QUEUE);
    o.u.stream_queue = (struct hws_observed_stream_queue){.sid = sid, .queued_bytes = queued_bytes};
    tell(a->engine, &o);
}

void hws_observe_stream(const struct hws_assoc *a, uint16_t sid)
{
    if (hws_observed(a->engine))
        tell_stream(a, sid, a->queues->sendq.streams[sid]->queued_bytes);
}

void hws_observe_all_streams(const struct hws_assoc *a)
{
    const struct hws_sendq *q = &a->queues->sendq;
    if (!hws_observed(a->engine))
        return;
    for (uint32_t sid = 0; sid < q->capacity; sid++)
        if (q->streams[sid] != NULL)
            hws_observe_stream(a, (uint16_t)sid);
}

void hws_observe_streams_gone(const struct hws_assoc *a)
{
    const struct hws_sendq *q = &a->queues->sendq;
    if (!hws_observed(a->engine))
        return;
    for (uint32_t sid = 0; sid < q->capacity; sid++)
        if (q->streams[sid] != NULL && q->streams[sid]->queued_bytes > 0)
            tell_stream(a, (uint16_t)sid, 0);
}

/* One message after another is cut: of neighbours with one stream the last tells of all. */
void hws_observe_new_data(const struct hws_assoc *a, uint32_t first)
{
    const struct hws_outq *q = &a->queues->outq;
    if (!hws_observed(a->engine))
        return;
    for (uint32_t tsn = first; tsn != q->next_tsn; tsn++) {
        uint16_t sid = hws_outq_at(q, tsn)->msg->sid;
        bool last = tsn + 1 == q->next_tsn;
        if (last || hws_outq_at(q, tsn + 1)->msg->sid != sid)
            hws_observe_stream(a, sid);
    }
}

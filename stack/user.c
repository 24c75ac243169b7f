/* The application's calls on an association: send, release, status (RFC 9260, section 11). */
#include <string.h>

#include "stack/assoc.h"
#include "stack/observe.h"
#include "stack/pacing.h"
#include "stack/shutdown.h"
#include "stack/timer.h"
#include "stack/transmit.h"

/* ---- Send ---- */

/* The iovecs' total, HWS_LIMIT_MESSAGE_BYTES + 1 when it is more than that. */
static uint32_t total_len(const struct hws_iovec *iov, size_t iov_count)
{
    size_t len = 0;
    for (size_t i = 0; i < iov_count; i++) {
        if (iov[i].len > HWS_LIMIT_MESSAGE_BYTES - len)
            return HWS_LIMIT_MESSAGE_BYTES + 1;
        len += iov[i].len;
    }
    return (uint32_t)len;
}

static bool ending(const struct hws_assoc *a)
{
    return a->shutdown_wanted || a->state >= HWS_STATE_SHUTDOWN_PENDING;
}

static int check(const struct hws_assoc *a, const struct hws_sndinfo *info, uint32_t len)
{
    if (a->over)
        return a->reason == HWS_E_EOF ? HWS_E_SHUTDOWN : a->reason;
    if (ending(a))
        return HWS_E_SHUTDOWN;
    if (len == 0 || info->sid >= a->ostreams || info->path > a->path_count)
        return HWS_E_INVAL;
    return len > HWS_LIMIT_MESSAGE_BYTES ? HWS_E_MSGSIZE : HWS_OK;
}

static int queue(struct hws_assoc *a, const struct hws_sndinfo *info, const struct hws_iovec *iov,
                 size_t iov_count, const struct hws_lender *lender)
{
    uint32_t len = total_len(iov, iov_count);
    int result = check(a, info, len);
    if (result != HWS_OK)
        return result;
    if (hws_tune_send_full(a)) {
        a->blocked = true;
        return HWS_E_AGAIN;
    }
    struct hws_msg *msg = NULL;
    if (hws_assoc_need_queues(a) && hws_sendq_reserve(&a->queues->sendq, info->sid))
        msg = hws_msg_new(&a->engine->pool, info, iov, iov_count, len, lender);
    if (msg == NULL)
        return HWS_E_NOMEM;
    hws_sendq_push(&a->queues->sendq, msg, a->engine->now_us);
    a->undry = true;
    if (hws_observed(a->engine))
        hws_observe_stream(a, info->sid);
    a->engine->stats.messages_out++;
    if (hws_assoc_may_send(a))
        hws_assoc_ready(a);
    return HWS_OK;
}

int hws_assoc_send(struct hws_engine *e, hws_assoc_id id, const struct hws_sndinfo *info,
                   const struct hws_iovec *iov, size_t iov_count, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    return a != NULL ? queue(a, info, iov, iov_count, NULL) : HWS_E_NOENT;
}

int hws_assoc_send_lent(struct hws_engine *e, hws_assoc_id id, const struct hws_sndinfo *info,
                        const struct hws_iovec *iov, size_t iov_count, void *lent, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    struct hws_lender lender = {.handle = lent, .done = &e->lent_done};
    return a != NULL ? queue(a, info, iov, iov_count, &lender) : HWS_E_NOENT;
}

/* ---- Release ---- */

int hws_assoc_release(struct hws_engine *e, hws_assoc_id id, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    if (!a->over && !ending(a))
        (void)hws_assoc_abort(e, id, NULL, 0, now_us);
    if (a->over) {
        hws_assoc_bury(a);
        hws_assoc_reap(e);
        return HWS_OK;
    }
    /* It finishes by itself: nobody will read what still comes. */
    a->released = true;
    a->shutdown_wanted = true;
    hws_shutdown_guard(a);
    a->events = 0;
    hws_list_remove(&a->event_link);
    hws_idtab_remove(&e->assocs, a->id);
    a->id = 0;
    if (hws_assoc_has_queues(a))
        hws_reassembly_reset(&a->queues->reassembly, false);
    return HWS_OK;
}

/* ---- Status ---- */

const char *hws_assoc_state_name(enum hws_assoc_state state)
{
    static const char *const names[] = {
        [HWS_STATE_CLOSED] = "CLOSED",
        [HWS_STATE_COOKIE_WAIT] = "COOKIE-WAIT",
        [HWS_STATE_COOKIE_ECHOED] = "COOKIE-ECHOED",
        [HWS_STATE_ESTABLISHED] = "ESTABLISHED",
        [HWS_STATE_SHUTDOWN_PENDING] = "SHUTDOWN-PENDING",
        [HWS_STATE_SHUTDOWN_SENT] = "SHUTDOWN-SENT",
        [HWS_STATE_SHUTDOWN_RECEIVED] = "SHUTDOWN-RECEIVED",
        [HWS_STATE_SHUTDOWN_ACK_SENT] = "SHUTDOWN-ACK-SENT",
    };
    return names[state];
}

static bool timer_armed(const struct hws_assoc *a)
{
    if (hws_timer_running(a, HWS_TIMER_T1) || hws_timer_running(a, HWS_TIMER_T2))
        return true;
    for (unsigned i = 0; i < a->path_count; i++)
        if (hws_path_timer_running(a->paths[i], HWS_PATH_TIMER_T3) ||
            hws_pacing_deadline_us(a->paths[i]) != HWS_NEVER)
            return true;
    return false;
}

int hws_assoc_status(const struct hws_engine *e, hws_assoc_id id, struct hws_assoc_status *out)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    *out = (struct hws_assoc_status){
        .state = a->state,
        .local_port = a->local_port,
        .remote_port = a->remote_port,
        .local_vtag = a->local_vtag,
        .remote_vtag = a->remote_vtag,
        .instreams = a->instreams,
        .ostreams = a->ostreams,
        .path_count = a->path_count,
        .primary = a->primary,
        .unsent_bytes = a->queues->sendq.unsent_bytes,
        .flight_bytes = a->queues->outq.flight_payload,
        .unacked_bytes = hws_assoc_unacked(a),
        .unacked_chunks = hws_outq_count(&a->queues->outq) - a->queues->outq.gap_acked,
        .unsent_messages = a->queues->sendq.unsent_messages,
        .send_blocked = hws_tune_send_full(a),
        .fragmentation_point = hws_transmit_fragment_max(hws_assoc_data_path(a)),
        .peer_rwnd = hws_assoc_peer_rwnd(a),
        .rwnd = a->advertised_rwnd,
        .rcvbuf_bytes = hws_assoc_rcvbuf(a),
        .charged_bytes = a->queues->reassembly.charged_bytes,
        .messages_ready = a->queues->reassembly.messages_ready,
        .messages_taken = a->queues->reassembly.messages_taken,
        .retransmits = a->queues->counts.retransmits,
        .timer_armed = timer_armed(a),
    };
    return HWS_OK;
}

int hws_assoc_counts(struct hws_engine *e, hws_assoc_id id, struct hws_assoc_counts *out)
{
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    const struct hws_control_counts *control = &a->counts;
    const struct hws_data_counts *data = &a->queues->counts;
    *out = (struct hws_assoc_counts){
        .packets_in = control->packets_in,
        .packets_out = control->packets_out,
        .sacks_in = control->sacks_in,
        .sacks_out = control->sacks_out,
        .retransmits = data->retransmits,
        .data_out_ordered = data->data_out_ordered,
        .data_out_unordered = data->data_out_unordered,
        .data_in_ordered = data->data_in_ordered,
        .data_in_unordered = data->data_in_unordered,
        .duplicates_in = data->duplicates_in,
        .out_of_sequence_in = data->out_of_sequence_in,
        .gap_blocks_in = data->gap_blocks_in,
        .control_in = control->control_in,
        .control_out = control->control_out,
    };
    for (unsigned i = 0; i < a->path_count; i++) {
        struct hws_path *p = a->paths[i];
        if (p->rto.most_us > out->rto_max_us) {
            out->rto_max_us = p->rto.most_us;
            out->rto_max_remote = p->remote;
        }
        p->rto.most_us = 0;
    }
    return HWS_OK;
}

int hws_assoc_locals(const struct hws_engine *e, hws_assoc_id id, struct hws_addr *out,
                     size_t capacity, size_t *count)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    *count = a->locals->count;
    for (size_t i = 0; i < capacity && i < a->locals->count; i++)
        out[i] = a->locals->addrs[i];
    return HWS_OK;
}

int hws_assoc_path_status(const struct hws_engine *e, hws_assoc_id id, uint32_t index,
                          struct hws_path_status *out)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL || index >= a->path_count)
        return HWS_E_NOENT;
    const struct hws_path *p = a->paths[index];
    if (p->disowned)
        return HWS_E_NOENT;
    *out = (struct hws_path_status){
        .local = p->local,
        .remote = p->remote,
        .state = hws_path_state(p),
        .confirmed = p->confirmed,
        .active = p->active,
        .primary = p->index == a->primary,
        .mtu = p->mtu,
        .cwnd = hws_path_cwnd(p),
        .ssthresh = hws_path_ssthresh(p),
        .flight_bytes = a->over ? 0 : hws_path_flight(p),
        .srtt_us = p->rto.srtt_us,
        .rttvar_us = p->rto.rttvar_us,
        .rto_us = p->rto.rto_us,
        .errors = p->errors,
        .heartbeats_acked = p->hb_acked,
        .heartbeat_rtt_us = p->hb_rtt_us,
        .max_packet_bytes = p->max_packet,
    };
    return HWS_OK;
}

#include "stack/shutdown.h"

#include "proto/serial.h"
#include "stack/assoc.h"
#include "stack/fault.h"
#include "stack/observe.h"
#include "stack/ootb.h"
#include "stack/reply.h"
#include "stack/retransmit.h"
#include "stack/timer.h"

/* From here on no HEARTBEAT is sent any more (8.3). */
static void send_on(struct hws_path *p, uint16_t want)
{
    hws_unwant(p->assoc, HWS_WANT_HEARTBEAT);
    hws_want(p, want);
    p->assoc->shutdown_path = p->index;
    p->assoc->shutdown_sent_us = p->assoc->engine->now_us;
    hws_timer_start(p->assoc, HWS_TIMER_T2, p->rto.rto_us);
}

void hws_shutdown_guard(struct hws_assoc *a)
{
    if (!hws_timer_running(a, HWS_TIMER_T5))
        hws_timer_start(a, HWS_TIMER_T5, 5 * (uint64_t)a->params->rto_max_us);
}

void hws_shutdown_begin(struct hws_assoc *a)
{
    hws_assoc_enter(a, HWS_STATE_SHUTDOWN_PENDING);
    hws_assoc_ready(a); /* what Nagle's rule held back goes now */
    hws_shutdown_progress(a);
}

void hws_shutdown_progress(struct hws_assoc *a)
{
    if (hws_assoc_unacked(a) > 0)
        return;
    if (a->state == HWS_STATE_SHUTDOWN_PENDING) {
        hws_assoc_enter(a, HWS_STATE_SHUTDOWN_SENT);
        hws_shutdown_guard(a);
        send_on(hws_assoc_data_path(a), HWS_WANT_SHUTDOWN);
    } else if (a->state == HWS_STATE_SHUTDOWN_RECEIVED) {
        hws_assoc_enter(a, HWS_STATE_SHUTDOWN_ACK_SENT);
        hws_shutdown_guard(a);
        send_on(hws_assoc_data_path(a), HWS_WANT_SHUTDOWN_ACK);
    }
}

/* HEARTBEATs are over (8.3), so nothing tells which path works: each confirmed one gets its turn,
 * whatever is thought of it. */
static struct hws_path *path_in_turn(struct hws_assoc *a)
{
    struct hws_path *p = hws_assoc_next_path(a, a->shutdown_turn);
    a->shutdown_turn = p->index;
    return p;
}

void hws_shutdown_data_came(struct hws_path *p)
{
    p->assoc->sack_now = true;
    send_on(p->confirmed && p->owned ? p : path_in_turn(p->assoc), HWS_WANT_SHUTDOWN);
}

/* Where the peer was heard, unless that was tried and led to nothing. */
static struct hws_path *path_after(struct hws_path *heard)
{
    struct hws_assoc *a = heard->assoc;
    bool tried = heard->index == a->shutdown_path;
    return heard->confirmed && heard->owned && !tried ? heard : path_in_turn(a);
}

void hws_shutdown_heard(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    if (a->state != HWS_STATE_SHUTDOWN_SENT)
        return;
    a->errors = 0;
    uint64_t rto_us = a->paths[a->shutdown_path]->rto.rto_us;
    /* What comes often would put T2 off for ever, and a lost SHUTDOWN with it. */
    if (a->engine->now_us - a->shutdown_sent_us >= rto_us)
        send_on(path_after(p), HWS_WANT_SHUTDOWN);
    else
        hws_timer_start(a, HWS_TIMER_T2, rto_us);
}

int hws_assoc_shutdown(struct hws_engine *e, hws_assoc_id id, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL || a->over)
        return HWS_E_NOENT;
    a->shutdown_wanted = true;
    if (a->state == HWS_STATE_ESTABLISHED)
        hws_shutdown_begin(a);
    return HWS_OK;
}

/* ---- Received ---- */

static void answer_shutdown(struct hws_assoc *a, struct hws_rx *rx)
{
    switch (a->state) {
    case HWS_STATE_ESTABLISHED:
    case HWS_STATE_SHUTDOWN_PENDING:
        hws_assoc_enter(a, HWS_STATE_SHUTDOWN_RECEIVED);
        hws_assoc_tell(a, HWS_EVENT_BIT(PEER_SHUTDOWN));
        hws_assoc_ready(a);
        hws_shutdown_progress(a);
        break;
    case HWS_STATE_SHUTDOWN_SENT:
        hws_assoc_enter(a, HWS_STATE_SHUTDOWN_ACK_SENT);
        hws_unwant(a, HWS_WANT_SHUTDOWN);
        send_on(hws_assoc_answer_path(rx->path), HWS_WANT_SHUTDOWN_ACK);
        break;
    case HWS_STATE_SHUTDOWN_ACK_SENT:
        hws_want(hws_assoc_answer_path(rx->path),
                 HWS_WANT_SHUTDOWN_ACK); /* the peer has not got ours */
        break;
    default:
        break;
    }
}

void hws_shutdown_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    uint32_t cum_tsn;
    if (!hws_shutdown_decode(chunk, &cum_tsn)) {
        HWS_DROP(a->engine, rx, drop_chunk_malformed);
        return;
    }
    hws_retransmit_cum(a, cum_tsn);
    if (!a->over)
        answer_shutdown(a, rx);
}

void hws_shutdown_ack_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    (void)chunk;
    if (hws_assoc_setting_up(a)) {
        hws_ootb_shutdown_ack(a->engine, rx); /* 8.5.1 E: of an association long gone */
        return;
    }
    struct hws_reply_builder r;
    hws_reply_open_path(&r, hws_assoc_answer_path(rx->path), a->remote_vtag);
    hws_chunk_put(&r.b, HWS_CHUNK_SHUTDOWN_COMPLETE, 0, NULL, 0);
    hws_reply_send(a->engine, &r, false);
    hws_assoc_down(a, HWS_E_EOF, 0);
}

void hws_shutdown_complete_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    if (hws_fault_tag_ok(a, rx, chunk))
        hws_assoc_down(a, HWS_E_EOF, 0);
}

/* ---- Timers ---- */

void hws_shutdown_t2_expired(struct hws_assoc *a)
{
    a->engine->stats.timeouts_t2++;
    struct hws_path *p = a->paths[a->shutdown_path];
    hws_path_back_off(p);
    if (!hws_path_error(p, HWS_PATH_FAULT_TIMEOUT))
        return;
    p = hws_assoc_retransmission_path(a, a->shutdown_path);
    send_on(p, a->state == HWS_STATE_SHUTDOWN_SENT ? HWS_WANT_SHUTDOWN : HWS_WANT_SHUTDOWN_ACK);
}

void hws_shutdown_t5_expired(struct hws_assoc *a)
{
    hws_fault_abort(a, HWS_E_TIMEDOUT, 0, NULL, 0);
}

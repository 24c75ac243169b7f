#include "stack/failed.h"

#include "stack/assoc.h"
#include "stack/observe.h"

static uint32_t charge_of(const struct hws_msg *msg)
{
    return msg->len + (uint32_t)sizeof *msg;
}

/* Takes over a reference. A message comes here for each of its chunks and is kept once. */
static void fail(struct hws_assoc *a, struct hws_msg *msg, int reason)
{
    if (!a->params->keep_failed || msg->reason != 0) {
        hws_msg_unref(&a->engine->pool, msg);
        return;
    }
    msg->reason = (int16_t)reason;
    a->queues->failures.charge += charge_of(msg);
    hws_msg_list_push(&a->queues->failures.list, msg);
}

/* First what was sent, then the rest in the order it would have been. A message that has begun
 * stands in both queues. */
static void keep_all(struct hws_assoc *a, int reason)
{
    struct hws_msg *begun =
        a->queues->sendq.current != NULL ? hws_sendq_take(&a->queues->sendq) : NULL;
    for (uint32_t t = a->queues->outq.cum + 1; t != a->queues->outq.next_tsn; t++) {
        struct hws_msg *msg = hws_outq_at(&a->queues->outq, t)->msg;
        msg->refs++;
        fail(a, msg, reason);
    }
    if (begun != NULL)
        fail(a, begun, reason);
    struct hws_msg *msg;
    while ((msg = hws_sendq_take(&a->queues->sendq)) != NULL)
        fail(a, msg, reason);
}

void hws_failed_all(struct hws_assoc *a, int reason)
{
    if (!a->over && hws_assoc_unacked(a) > 0)
        hws_assoc_tell(a, HWS_EVENT_BIT(SEND_FAILED));
    if (a->params->keep_failed)
        keep_all(a, reason);
}

void hws_failed_streams(struct hws_assoc *a)
{
    struct hws_msg_list dropped = {0};
    struct hws_msg *msg;
    uint32_t count = hws_sendq_limit_streams(&a->queues->sendq, a->ostreams, &dropped);
    if (count == 0)
        return;
    a->engine->stats.messages_dropped += count;
    while ((msg = hws_msg_list_pop(&dropped)) != NULL)
        fail(a, msg, HWS_E_INVAL);
    hws_observe_all_streams(a);
    hws_assoc_tell(a, HWS_EVENT_BIT(SEND_FAILED));
}

/* The application has seen the message it was given last. */
static void let_go_shown(struct hws_assoc *a)
{
    struct hws_msg *msg = a->queues->failures.shown;
    if (msg == NULL)
        return;
    a->queues->failures.shown = NULL;
    a->queues->failures.charge -= charge_of(msg);
    hws_msg_unref(&a->engine->pool, msg);
}

void hws_failed_forget(struct hws_assoc *a)
{
    if (!hws_assoc_has_queues(a))
        return;
    let_go_shown(a);
    while ((a->queues->failures.shown = hws_msg_list_pop(&a->queues->failures.list)) != NULL)
        let_go_shown(a);
}

static void describe(struct hws_failures *f, struct hws_failed *out)
{
    const struct hws_msg *msg = f->shown;
    *out = (struct hws_failed){
        .sid = msg->sid,
        .flags = msg->flags,
        .ppid = msg->ppid,
        .context = msg->context,
        .sent = msg->cut > 0,
        .reason = msg->reason,
        .len = msg->len,
    };
    out->iov_count = hws_msg_iovecs(msg, &f->bytes, &out->iov);
}

int hws_assoc_failed(struct hws_engine *e, hws_assoc_id id, struct hws_failed *out)
{
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    if (!hws_assoc_has_queues(a))
        return HWS_E_AGAIN;
    let_go_shown(a);
    if (!a->over)
        hws_assoc_tell_writable(a);
    a->queues->failures.shown = hws_msg_list_pop(&a->queues->failures.list);
    if (a->queues->failures.shown == NULL)
        return HWS_E_AGAIN;
    describe(&a->queues->failures, out);
    return HWS_OK;
}

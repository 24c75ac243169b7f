#include "stack/fault.h"

#include <string.h>

#include "proto/cause.h"
#include "stack/assoc.h"
#include "stack/handshake.h"
#include "stack/observe.h"
#include "stack/ootb.h"
#include "stack/reply.h"
#include "stack/retransmit.h"

/* ---- Sent ---- */

void hws_fault_abort(struct hws_assoc *a, int reason, uint16_t cause, const void *value,
                     uint32_t value_len)
{
    const struct hws_rx *rx = a->engine->rx;
    if (rx != NULL && hws_ootb_has_abort(rx))
        return;                /* it ends the association itself, and is not answered (9.1) */
    if (a->remote_vtag != 0) { /* before INIT ACK there is no tag that the peer would accept */
        struct hws_reply_builder r;
        hws_reply_open_path(&r, hws_assoc_data_path(a), a->remote_vtag);
        if (hws_builder_open(&r.b, HWS_CHUNK_ABORT, 0)) {
            if (cause != 0)
                hws_cause_put(&r.b, cause, value, value_len);
            hws_reply_close(&r, HWS_CHUNK_ABORT);
        }
        hws_reply_send(a->engine, &r, false);
    }
    hws_assoc_down(a, reason, cause);
}

int hws_assoc_abort(struct hws_engine *e, hws_assoc_id id, const void *reason, size_t reason_len,
                    uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL || a->over)
        return HWS_E_NOENT;
    if (reason_len > HWS_LIMIT_ABORT_REASON_BYTES)
        return HWS_E_INVAL;
    hws_fault_abort(a, HWS_E_ABORTED, HWS_CAUSE_USER_ABORT, reason, (uint32_t)reason_len);
    return HWS_OK;
}

void hws_fault_report(struct hws_path *p, uint16_t cause, const void *value, uint32_t value_len)
{
    struct hws_assoc *a = p->assoc;
    /* Tag 0 is INIT's alone (8.5.1 A), and until COOKIE ACK no packet but COOKIE ECHO's is sent. */
    if (a->remote_vtag == 0 || a->state == HWS_STATE_COOKIE_ECHOED)
        return;
    struct hws_assoc_cold *cold = hws_assoc_need_cold(a);
    uint32_t cause_len = 4 + hws_pad4(value_len);
    uint32_t len = cause_len + (cold != NULL ? cold->errors_out_len : 0);
    uint8_t *bytes = NULL;
    if (cold != NULL && len <= HWS_LIMIT_PENDING_ERROR_BYTES)
        bytes = hws_pool_zalloc(&a->engine->pool, len);
    if (bytes == NULL) {
        HWS_DROP(a->engine, a->engine->rx, drop_memory);
        return;
    }
    if (cold->errors_out_len > 0)
        memcpy(bytes, cold->errors_out, cold->errors_out_len);
    hws_put16(bytes + cold->errors_out_len, cause);
    hws_put16(bytes + cold->errors_out_len + 2, (uint16_t)(4 + value_len));
    if (value_len > 0)
        memcpy(bytes + cold->errors_out_len + 4, value, value_len);
    hws_pool_free(&a->engine->pool, cold->errors_out, cold->errors_out_len);
    cold->errors_out = bytes;
    cold->errors_out_len = len;
    hws_want(hws_assoc_answer_path(p), HWS_WANT_ERROR);
}

void hws_fault_drop_reports(struct hws_assoc *a)
{
    struct hws_assoc_cold *cold = a->cold;
    if (cold == NULL)
        return;
    hws_pool_free(&a->engine->pool, cold->errors_out, cold->errors_out_len);
    cold->errors_out = NULL;
    cold->errors_out_len = 0;
}

void hws_fault_forget_reports(struct hws_assoc *a)
{
    hws_unwant(a, HWS_WANT_ERROR);
    hws_fault_drop_reports(a);
}

bool hws_fault_fill_error(struct hws_path *p, struct hws_builder *b)
{
    struct hws_assoc *a = p->assoc;
    const struct hws_assoc_cold *cold = a->cold;
    if (!hws_chunk_put(b, HWS_CHUNK_ERROR, 0, cold->errors_out, cold->errors_out_len))
        return false;
    hws_fault_forget_reports(a);
    return true;
}

/* ---- Received ---- */

static uint16_t first_cause(const struct hws_tlv *chunk)
{
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(chunk), hws_chunk_value_len(chunk));
    struct hws_tlv cause;
    return hws_tlv_next(&it, &cause) ? cause.type : 0;
}

bool hws_fault_tag_ok(const struct hws_assoc *a, const struct hws_rx *rx,
                      const struct hws_tlv *chunk)
{
    bool reflected = hws_chunk_flags(chunk) & HWS_FLAG_T;
    if (rx->header.vtag == (reflected ? a->remote_vtag : a->local_vtag))
        return true;
    HWS_DROP(a->engine, rx, drop_vtag);
    return false;
}

static bool well_formed(const struct hws_tlv *chunk)
{
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(chunk), hws_chunk_value_len(chunk));
    struct hws_tlv cause;
    while (hws_tlv_next(&it, &cause))
        continue;
    return !it.malformed;
}

static bool find_cause(const struct hws_tlv *chunk, uint16_t code, struct hws_tlv *out)
{
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(chunk), hws_chunk_value_len(chunk));
    while (hws_tlv_next(&it, out))
        if (out->type == code)
            return true;
    return false;
}

static void keep_reason(struct hws_assoc *a, const struct hws_tlv *chunk)
{
    struct hws_tlv cause;
    if (!find_cause(chunk, HWS_CAUSE_USER_ABORT, &cause) || cause.len <= 4)
        return;
    uint32_t len = cause.len - 4u;
    if (len > HWS_LIMIT_ABORT_REASON_BYTES)
        len = HWS_LIMIT_ABORT_REASON_BYTES;
    struct hws_assoc_cold *cold = hws_assoc_need_cold(a);
    if (cold != NULL)
        cold->abort_reason = hws_pool_alloc(&a->engine->pool, len);
    if (cold == NULL || cold->abort_reason == NULL)
        return;
    memcpy(cold->abort_reason, cause.bytes + 4, len);
    cold->abort_reason_len = len;
}

int hws_assoc_abort_reason(const struct hws_engine *e, hws_assoc_id id, const void **reason,
                           size_t *reason_len)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    const struct hws_assoc_cold *cold = a != NULL ? a->cold : NULL;
    if (cold == NULL || cold->abort_reason == NULL)
        return HWS_E_NOENT;
    *reason = cold->abort_reason;
    *reason_len = cold->abort_reason_len;
    return HWS_OK;
}

/* ---- What the peer said, for the application ---- */

static void keep_abort(struct hws_assoc *a, const struct hws_tlv *chunk)
{
    uint32_t len = chunk->len;
    if (len > HWS_LIMIT_REMOTE_ERROR_BYTES)
        len = HWS_LIMIT_REMOTE_ERROR_BYTES;
    struct hws_assoc_cold *cold = a->released ? NULL : hws_assoc_need_cold(a);
    if (cold != NULL)
        cold->abort_chunk = hws_pool_alloc(&a->engine->pool, len);
    if (cold == NULL || cold->abort_chunk == NULL)
        return;
    memcpy(cold->abort_chunk, chunk->bytes, len);
    cold->abort_chunk_len = len;
}

static void drop_told_causes(struct hws_assoc *a)
{
    struct hws_assoc_cold *cold = a->cold;
    if (cold->causes_told < cold->causes_len)
        return;
    hws_pool_free(&a->engine->pool, cold->causes, cold->causes_len);
    cold->causes = NULL;
    cold->causes_len = 0;
    cold->causes_told = 0;
}

/* One more cause to be told. Without room or memory for it only its code is. */
static void keep_cause(struct hws_assoc *a, const struct hws_tlv *cause)
{
    struct hws_assoc_cold *cold = a->released ? NULL : hws_assoc_need_cold(a);
    if (cold == NULL)
        return;
    drop_told_causes(a);
    uint32_t len = cold->causes_len + hws_pad4(cause->len);
    uint8_t *causes =
        len > HWS_LIMIT_REMOTE_ERROR_BYTES ? NULL : hws_pool_zalloc(&a->engine->pool, len);
    if (causes == NULL)
        return;
    if (cold->causes_len > 0)
        memcpy(causes, cold->causes, cold->causes_len);
    memcpy(causes + cold->causes_len, cause->bytes, cause->len);
    hws_pool_free(&a->engine->pool, cold->causes, cold->causes_len);
    cold->causes = causes;
    cold->causes_len = len;
}

void hws_fault_describe_error(struct hws_assoc *a, struct hws_event *out)
{
    struct hws_assoc_cold *cold = a->cold;
    struct hws_tlv cause;
    if (cold == NULL || cold->causes == NULL)
        return;
    struct hws_tlv_iter it =
        hws_tlv_begin(cold->causes + cold->causes_told, cold->causes_len - cold->causes_told);
    if (!hws_tlv_next(&it, &cause)) /* all were told, and this one was too long to keep */
        return;
    out->cause = cause.type;
    out->data = cause.bytes;
    out->data_len = cause.len;
    cold->causes_told += hws_pad4(cause.len);
    if (cold->causes_told < cold->causes_len)
        hws_assoc_tell(a, HWS_EVENT_BIT(REMOTE_ERROR));
}

void hws_fault_describe_down(const struct hws_assoc *a, struct hws_event *out)
{
    const struct hws_assoc_cold *cold = a->cold;
    if (cold == NULL)
        return;
    out->data = cold->abort_chunk;
    out->data_len = cold->abort_chunk_len;
}

void hws_fault_abort_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    if (!hws_fault_tag_ok(a, rx, chunk))
        return;
    if (!well_formed(chunk)) {
        HWS_DROP(a->engine, rx, drop_chunk_malformed); /* 3.3.7 */
        return;
    }
    keep_reason(a, chunk);
    keep_abort(a, chunk);
    hws_assoc_down(a, hws_assoc_setting_up(a) ? HWS_E_REFUSED : HWS_E_RESET, first_cause(chunk));
}

void hws_fault_error_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    (void)rx;
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(chunk), hws_chunk_value_len(chunk));
    struct hws_tlv cause;
    while (hws_tlv_next(&it, &cause)) {
        if (cause.type == HWS_CAUSE_STALE_COOKIE) {
            if (a->state == HWS_STATE_COOKIE_ECHOED)
                hws_handshake_stale_cookie(a);
            return; /* in any other state silently discarded (5.2.6) */
        }
        a->cause = cause.type;
        keep_cause(a, &cause);
        hws_assoc_tell(a, HWS_EVENT_BIT(REMOTE_ERROR));
    }
    if (it.malformed)
        HWS_DROP(a->engine, rx, drop_chunk_malformed);
}

void hws_fault_unreachable(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    if (hws_assoc_setting_up(a))
        a->no_route = true;
    else
        hws_retransmit_path_cut(p);
}

void hws_fault_protocol_unreachable(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    if (hws_assoc_setting_up(a))
        hws_assoc_down(a, HWS_E_REFUSED, 0);
    else if (p->confirmed)
        a->unreachable = true;
    else /* perhaps not the peer's address at all */
        hws_fault_unreachable(p);
}

bool hws_fault_peer_gone(const struct hws_assoc *a)
{
    return a->unreachable;
}

#include "stack/heartbeat.h"

#include <string.h>

#include "stack/assoc.h"
#include "stack/timer.h"

/* Heartbeat Info: the path's number and a nonce, so that nobody who has not seen the HEARTBEAT can
 * confirm an address (5.4). */
#define HWS_HEARTBEAT_INFO_LEN 12u

/* SHUTDOWN or SHUTDOWN ACK has been sent: no HEARTBEATs any more (8.3). */
static bool ending(const struct hws_assoc *a)
{
    return a->state == HWS_STATE_SHUTDOWN_SENT || a->state == HWS_STATE_SHUTDOWN_ACK_SENT;
}

/* HB.interval + RTO, the RTO with a jitter of +/- 50 % (8.3). */
static uint64_t interval_us(struct hws_path *p)
{
    const struct hws_env *env = &p->assoc->engine->config.env;
    uint32_t dice;
    env->random(env->ctx, &dice, sizeof dice);
    uint64_t rto_us = p->rto.rto_us;
    return p->assoc->params.hb_interval_us + rto_us / 2 + dice % (rto_us + 1);
}

/* An address not confirmed yet, or Potentially Failed, is probed every RTO (5.4; RFC 7829, 3.1). */
static void schedule(struct hws_path *p)
{
    if (!p->owned || ending(p->assoc))
        return;
    if (!p->confirmed || (p->errors > 0 && p->active))
        hws_path_timer_start(p, HWS_PATH_TIMER_HEARTBEAT, p->rto.rto_us);
    else if (p->assoc->params.hb_interval_us > 0)
        hws_path_timer_start(p, HWS_PATH_TIMER_HEARTBEAT, interval_us(p));
}

void hws_heartbeat_start(struct hws_path *p)
{
    if (!p->confirmed && p->owned)
        hws_want(p, HWS_WANT_HEARTBEAT);
    schedule(p);
}

void hws_heartbeat_path_failed(struct hws_path *p)
{
    if (!p->hb_pending)
        schedule(p);
}

/* Whether nothing else has probed the path lately (8.3). */
static bool idle(const struct hws_path *p)
{
    uint64_t since_us = p->assoc->engine->now_us - p->last_data_us;
    return p->last_data_us == 0 || since_us >= p->assoc->params.hb_interval_us;
}

void hws_heartbeat_timer_expired(struct hws_path *p)
{
    if (ending(p->assoc))
        return;
    if (p->hb_pending) {
        p->hb_pending = false;
        p->assoc->engine->stats.timeouts_heartbeat++;
        hws_rto_back_off(&p->rto);
        if (!hws_path_error(p))
            return;
    }
    if (idle(p) || !p->confirmed || p->errors > 0)
        hws_want(p, HWS_WANT_HEARTBEAT);
    schedule(p);
}

bool hws_heartbeat_fill(struct hws_path *p, struct hws_builder *b)
{
    struct hws_engine *e = p->assoc->engine;
    uint64_t nonce;
    e->config.env.random(e->config.env.ctx, &nonce, sizeof nonce);
    uint8_t info[HWS_HEARTBEAT_INFO_LEN] = {p->index};
    hws_put64(info + 4, nonce);
    if (!hws_heartbeat_encode(b, HWS_CHUNK_HEARTBEAT, info, sizeof info))
        return false;
    p->hb_nonce = nonce;
    p->hb_sent_us = e->now_us;
    p->hb_pending = true;
    e->stats.heartbeats_out++;
    return true;
}

void hws_heartbeat_ack_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    (void)rx;
    const uint8_t *info;
    uint32_t len;
    struct hws_path *p = NULL;
    if (hws_heartbeat_decode(chunk, &info, &len) && len == HWS_HEARTBEAT_INFO_LEN &&
        info[0] < a->path_count)
        p = a->paths[info[0]];
    if (p == NULL || !p->hb_pending || hws_get64(info + 4) != p->hb_nonce) {
        a->engine->stats.drop_heartbeat_ack++;
        return;
    }
    p->hb_pending = false;
    hws_path_confirm(p);
    hws_path_answered(p);
    hws_rto_sample(&p->rto, a->engine->now_us - p->hb_sent_us);
    hws_path_timer_stop(p, HWS_PATH_TIMER_HEARTBEAT);
    schedule(p);
}

/* ---- The peer's ---- */

void hws_heartbeat_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    const uint8_t *info;
    uint32_t len;
    a->engine->stats.heartbeats_in++;
    struct hws_path *p = rx->path;
    if (p == NULL || !hws_heartbeat_decode(chunk, &info, &len) ||
        len > HWS_LIMIT_HEARTBEAT_ECHO_BYTES) {
        a->engine->stats.drop_chunk_malformed++;
        return;
    }
    uint8_t *echo = hws_pool_alloc(&a->engine->pool, len + 1u);
    if (echo == NULL) {
        a->engine->stats.drop_memory++;
        return;
    }
    memcpy(echo, info, len);
    hws_pool_free(&a->engine->pool, p->echo, p->echo_len + 1u);
    p->echo = echo;
    p->echo_len = len;
    hws_want(p, HWS_WANT_HEARTBEAT_ACK);
}

bool hws_heartbeat_fill_ack(struct hws_path *p, struct hws_builder *b)
{
    if (!hws_heartbeat_encode(b, HWS_CHUNK_HEARTBEAT_ACK, p->echo, p->echo_len))
        return false;
    hws_pool_free(&p->assoc->engine->pool, p->echo, p->echo_len + 1u);
    p->echo = NULL;
    p->echo_len = 0;
    return true;
}

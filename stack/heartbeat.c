#include "stack/heartbeat.h"

#include <string.h>

#include "stack/assoc.h"
#include "stack/input.h"
#include "stack/observe.h"
#include "stack/pmtud.h"
#include "stack/timer.h"

/* Heartbeat Info: the path's number, a nonce, so that nobody who has not seen the HEARTBEAT can
 * confirm an address (5.4), the time and the address it was sent to (8.3). */
#define HWS_HEARTBEAT_INFO_LEN 40u

static void put_info(const struct hws_path *p, uint8_t info[HWS_HEARTBEAT_INFO_LEN])
{
    memset(info, 0, HWS_HEARTBEAT_INFO_LEN);
    info[0] = p->index;
    info[1] = p->remote.family;
    hws_put64(info + 4, p->hb_nonce);
    hws_put64(info + 12, p->hb_sent_us);
    hws_put32(info + 20, p->remote.scope_id);
    memcpy(info + 24, p->remote.ip, sizeof p->remote.ip);
}

/* ---- When one is due ---- */

/* HEARTBEATs begin with ESTABLISHED and end with SHUTDOWN or SHUTDOWN ACK (8.3). */
static bool allowed(const struct hws_path *p)
{
    return p->owned && hws_assoc_may_send(p->assoc);
}

/* HB.interval + RTO, the RTO with a jitter of +/- 50 % (8.3). */
static uint64_t interval_us(const struct hws_path *p)
{
    const struct hws_env *env = &p->assoc->engine->config.env;
    uint32_t dice;
    env->random(env->ctx, &dice, sizeof dice);
    uint64_t rto_us = p->rto.rto_us;
    return p->params->hb_interval_us + rto_us / 2 + dice % (rto_us + 1);
}

/* An active address that is not confirmed yet is probed every RTO (5.4). */
static bool verifying(const struct hws_path *p)
{
    return p->owned && p->active && !p->confirmed;
}

/* So is one that failed to answer, while no data goes there whose acknowledgement would tell as
 * well (RFC 7829, 3.2). */
static bool failing(const struct hws_path *p)
{
    return p->active && p->errors > 0 && !hws_path_timer_running(p, HWS_PATH_TIMER_T3);
}

/* Whether nothing else has probed the path lately (8.3). */
static bool idle(const struct hws_path *p)
{
    uint64_t since_us = p->assoc->engine->now_us - p->last_data_us;
    return p->last_data_us == 0 || since_us >= p->params->hb_interval_us;
}

/* The next one is due a period after the last one, or after the last data. */
static uint64_t until_due_us(const struct hws_path *p)
{
    uint64_t now_us = p->assoc->engine->now_us;
    uint64_t used_us = p->hb_sent_us > p->last_data_us ? p->hb_sent_us : p->last_data_us;
    uint64_t due_us = (used_us != 0 ? used_us : now_us) + interval_us(p);
    return due_us > now_us ? due_us - now_us : 0;
}

static void schedule(struct hws_path *p)
{
    hws_path_timer_stop(p, HWS_PATH_TIMER_HEARTBEAT);
    if (!allowed(p))
        return;
    if (verifying(p) || (p->active && p->errors > 0))
        hws_path_timer_start(p, HWS_PATH_TIMER_HEARTBEAT, p->rto.rto_us);
    else if (p->params->hb_interval_us > 0 && !p->params->no_heartbeats)
        hws_path_timer_start(p, HWS_PATH_TIMER_HEARTBEAT, until_due_us(p));
}

/* ---- HB.Max.Burst (5.4) ---- */

/* Whether another unconfirmed path has waited longer for its turn. */
static bool another_first(const struct hws_path *p)
{
    const struct hws_assoc *a = p->assoc;
    for (unsigned i = 0; i < a->path_count; i++) {
        const struct hws_path *q = a->paths[i];
        if (q != p && verifying(q) && !q->hb_pending && !(q->wants & HWS_WANT_HEARTBEAT) &&
            q->hb_sent_us < p->hb_sent_us)
            return true;
    }
    return false;
}

/* Of all unconfirmed addresses HB.Max.Burst are probed in an RTO, in turn. */
static bool verification_turn(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    uint64_t now_us = a->engine->now_us;
    if (a->params->hb_max_burst == 0)
        return true;
    if (now_us >= a->verify_until_us) {
        a->verify_until_us = now_us + p->rto.rto_us;
        a->verify_sent = 0;
    }
    if (a->verify_sent >= a->params->hb_max_burst || another_first(p))
        return false;
    a->verify_sent++;
    return true;
}

static void verify(struct hws_path *p)
{
    if (verification_turn(p)) {
        hws_want(p, HWS_WANT_HEARTBEAT);
        return;
    }
    uint64_t now_us = p->assoc->engine->now_us;
    uint64_t until_us = p->assoc->verify_until_us;
    hws_path_timer_start(p, HWS_PATH_TIMER_HEARTBEAT,
                         until_us > now_us ? until_us - now_us : p->rto.rto_us);
}

/* ---- Sending ---- */

void hws_heartbeat_start(struct hws_path *p)
{
    if (verifying(p))
        verify(p);
    else
        schedule(p);
}

void hws_heartbeat_path_failed(struct hws_path *p)
{
    if (p->hb_pending || !allowed(p))
        return;
    if (p != hws_assoc_data_path(p->assoc)) /* nothing else will tell when it is back */
        hws_want(p, HWS_WANT_HEARTBEAT);
    else
        schedule(p);
}

void hws_heartbeat_reschedule(struct hws_path *p)
{
    if (!p->hb_pending && !verifying(p))
        schedule(p);
}

bool hws_heartbeat_request(struct hws_path *p)
{
    if (!allowed(p))
        return false;
    hws_want(p, HWS_WANT_HEARTBEAT);
    return true;
}

/* One that was not answered within an RTO is an error (8.3). False: the association is over. */
static bool unanswered(struct hws_path *p)
{
    p->hb_pending = false;
    p->assoc->engine->stats.timeouts_heartbeat++;
    hws_path_back_off(p);
    return hws_path_error(p, HWS_PATH_FAULT_HEARTBEAT);
}

void hws_heartbeat_timer_expired(struct hws_path *p)
{
    bool answered = !p->hb_pending;
    if (!allowed(p) || (!answered && !unanswered(p)))
        return;
    if (verifying(p))
        verify(p);
    else if (failing(p) || (answered && idle(p)))
        hws_want(p, HWS_WANT_HEARTBEAT);
    else
        schedule(p);
}

bool hws_heartbeat_fill(struct hws_path *p, struct hws_builder *b)
{
    struct hws_engine *e = p->assoc->engine;
    uint8_t info[HWS_HEARTBEAT_INFO_LEN];
    e->config.env.random(e->config.env.ctx, &p->hb_nonce, sizeof p->hb_nonce);
    p->hb_sent_us = e->now_us;
    put_info(p, info);
    if (!hws_heartbeat_encode(b, HWS_CHUNK_HEARTBEAT, info, sizeof info))
        return false;
    p->hb_pending = true;
    hws_queues_trim(p->assoc); /* nothing has been sent there for a while */
    hws_path_timer_start(p, HWS_PATH_TIMER_HEARTBEAT, p->rto.rto_us);
    e->stats.heartbeats_out++;
    return true;
}

/* The path whose HEARTBEAT this answers, NULL when it is none that waits. */
static struct hws_path *answered_path(const struct hws_assoc *a, const struct hws_tlv *chunk)
{
    const uint8_t *info;
    uint32_t len;
    uint8_t sent[HWS_HEARTBEAT_INFO_LEN];
    if (!hws_heartbeat_decode(chunk, &info, &len) || len != sizeof sent || info[0] >= a->path_count)
        return NULL;
    struct hws_path *p = a->paths[info[0]];
    put_info(p, sent);
    return p->hb_pending && memcmp(info, sent, sizeof sent) == 0 ? p : NULL;
}

void hws_heartbeat_ack_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    (void)rx;
    if (hws_pmtud_heartbeat_ack_in(a, chunk))
        return;
    struct hws_path *p = answered_path(a, chunk);
    if (p == NULL) {
        HWS_DROP(a->engine, rx, drop_heartbeat_ack);
        return;
    }
    uint64_t rtt_us = hws_input_round_trip_us(a->engine, p->hb_sent_us);
    p->hb_pending = false;
    p->hb_acked++;
    p->hb_rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us : UINT32_MAX;
    hws_path_confirm(p);
    hws_path_answered(p);
    hws_path_round_trip(p, rtt_us);
    hws_observe_metrics(p);
    schedule(p);
}

/* ---- The peer's ---- */

/* Keeps the chunk's answer: everything in it goes back unchanged (8.3). */
static bool keep_echo(struct hws_path *p, const struct hws_tlv *chunk)
{
    struct hws_pool *pool = &p->assoc->engine->pool;
    uint32_t len = p->echo_len + hws_pad4(chunk->len);
    uint8_t *echo = hws_pool_zalloc(pool, len);
    if (echo == NULL)
        return false;
    if (p->echo_len > 0)
        memcpy(echo, p->echo, p->echo_len);
    memcpy(echo + p->echo_len, chunk->bytes, chunk->len);
    hws_pool_free(pool, p->echo, p->echo_len);
    p->echo = echo;
    p->echo_len = (uint16_t)len;
    return true;
}

void hws_heartbeat_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    const uint8_t *info;
    uint32_t len;
    a->engine->stats.heartbeats_in++;
    struct hws_path *p = rx->path;
    if (p == NULL || !hws_heartbeat_decode(chunk, &info, &len)) {
        HWS_DROP(a->engine, rx, drop_chunk_malformed);
        return;
    }
    /* One may be as long as any packet; together they fill one of the path's. */
    uint32_t most = p->echo_len > 0 ? hws_path_pmdcs(p) : HWS_PACKET_MAX_LEN;
    if (p->echo_len + hws_pad4(chunk->len) > most)
        HWS_DROP(a->engine, rx, drop_bundle);
    else if (!keep_echo(p, chunk))
        HWS_DROP(a->engine, rx, drop_memory);
    else
        hws_want(p, HWS_WANT_HEARTBEAT_ACK);
}

void hws_heartbeat_forget_echoes(struct hws_path *p)
{
    p->wants &= (uint16_t)~HWS_WANT_HEARTBEAT_ACK;
    hws_pool_free(&p->assoc->engine->pool, p->echo, p->echo_len);
    p->echo = NULL;
    p->echo_len = 0;
}

bool hws_heartbeat_fill_ack(struct hws_path *p, struct hws_builder *b)
{
    if (hws_builder_room(b) + 4 < p->echo_len)
        return false;
    struct hws_tlv_iter it = hws_tlv_begin(p->echo, p->echo_len);
    struct hws_tlv chunk;
    while (hws_tlv_next(&it, &chunk))
        hws_chunk_put(b, HWS_CHUNK_HEARTBEAT_ACK, 0, hws_chunk_value(&chunk),
                      hws_chunk_value_len(&chunk));
    hws_heartbeat_forget_echoes(p);
    return true;
}

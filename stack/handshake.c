#include "stack/handshake.h"

#include <string.h>

#include "proto/cause.h"
#include "stack/assoc.h"
#include "stack/endpoint.h"
#include "stack/extension.h"
#include "stack/fault.h"
#include "stack/init_params.h"
#include "stack/observe.h"
#include "stack/reply.h"
#include "stack/timer.h"

/* ---- Beginning ---- */

static void send_on(struct hws_assoc *a, struct hws_path *p, uint16_t want)
{
    uint32_t longest_us = a->params->init_rto_max_us;
    uint32_t rto_us = longest_us > 0 && p->rto.rto_us > longest_us ? longest_us : p->rto.rto_us;
    a->init_path = p->index;
    hws_want(p, want);
    hws_timer_start(a, HWS_TIMER_T1, rto_us); /* each address has its own T1 (5.1) */
}

static void send_init(struct hws_assoc *a, struct hws_path *p)
{
    hws_assoc_enter(a, HWS_STATE_COOKIE_WAIT);
    send_on(a, p, HWS_WANT_INIT);
}

static void send_cookie_echo(struct hws_assoc *a, struct hws_path *p)
{
    hws_assoc_enter(a, HWS_STATE_COOKIE_ECHOED);
    a->cold->cookie_sent_us = a->engine->now_us;
    send_on(a, p, HWS_WANT_COOKIE_ECHO);
}

static bool remotes_ok(const struct hws_endpoint *ep, const struct hws_addr *remotes, size_t count)
{
    if (count == 0 || count > HWS_LIMIT_PATHS)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!hws_locals_uses(ep->locals, &remotes[i]))
            return false;
    return ep->locals->any || hws_locals_source(ep->locals, &remotes[0]) != NULL;
}

int hws_assoc_connect(struct hws_engine *e, hws_endpoint_id endpoint,
                      const struct hws_addr *remotes, size_t remote_count, uint16_t remote_port,
                      uint64_t now_us, hws_assoc_id *out)
{
    hws_engine_enter(e, now_us);
    struct hws_endpoint *ep = hws_idtab_get(&e->endpoints, endpoint);
    if (ep == NULL)
        return HWS_E_NOENT;
    if (!remotes_ok(ep, remotes, remote_count) || remote_port == 0)
        return HWS_E_INVAL;
    if (!hws_shard_has_ports(&e->config.shard, ep->port, remote_port))
        return HWS_E_SHARD;
    for (size_t i = 0; i < remote_count; i++)
        if (hws_assoc_by_addr(e, &remotes[i], NULL, ep->port, remote_port) != NULL)
            return HWS_E_INUSE;
    struct hws_assoc_seed seed = {
        .endpoint = ep,
        .remote_port = remote_port,
        .local_vtag = hws_assoc_draw_vtag(e),
        .remotes = remotes,
        .remote_count = remote_count,
    };
    e->config.env.random(e->config.env.ctx, &seed.local_initial_tsn, 4);
    struct hws_assoc *a = hws_assoc_new(&seed);
    if (a == NULL) {
        hws_assoc_reap(e);
        return HWS_E_NOMEM;
    }
    for (unsigned i = 0; i < a->path_count; i++)
        hws_path_set_confirmed(a->paths[i], true); /* named by the application (5.4, rule 1) */
    send_init(a, a->paths[0]);
    *out = a->id;
    return HWS_OK;
}

/* ---- INIT ACK ---- */

/* Answers the INIT ACK with an ABORT, to where it came from (5.1.2), and gives up. */
static void refuse(struct hws_assoc *a, const struct hws_rx *rx, uint32_t peer_tag,
                   const struct hws_init_refusal *why)
{
    hws_reply_refuse(a->engine, rx, peer_tag, why->cause, why->value, why->value_len);
    hws_assoc_down(a, HWS_E_PROTO, why->cause);
}

/* An INIT ACK without a tag: the ABORT reflects our own (3.3.3). */
static void refuse_reflected(struct hws_assoc *a, const struct hws_rx *rx)
{
    struct hws_reply_builder r;
    hws_reply_open(&r, rx, rx->header.vtag, rx->packet->len);
    hws_chunk_put(&r.b, HWS_CHUNK_ABORT, HWS_FLAG_T, NULL, 0);
    hws_reply_send(a->engine, &r, true);
    hws_assoc_down(a, HWS_E_PROTO, 0);
}

static bool cookie_refused(const struct hws_init_params *params, struct hws_init_refusal *why)
{
    static const uint8_t cookie_missing[] = {0, 0, 0, 1, 0, HWS_PARAM_COOKIE};
    *why = (struct hws_init_refusal){0};
    if (params->cookie == NULL)
        *why = (struct hws_init_refusal){HWS_CAUSE_MISSING_PARAM, cookie_missing,
                                         sizeof cookie_missing};
    else if (params->cookie_len > HWS_LIMIT_COOKIE_BYTES)
        why->cause = HWS_CAUSE_OUT_OF_RESOURCE;
    return why->cause != 0;
}

/* Whether the INIT ACK can be used; otherwise it has been dealt with. */
static bool acceptable(struct hws_assoc *a, const struct hws_rx *rx, const struct hws_init *init,
                       enum hws_init_params_result result, const struct hws_init_params *params)
{
    struct hws_init_refusal why;
    if (init->tag == 0)
        refuse_reflected(a, rx);
    else if (init->a_rwnd < HWS_INIT_MIN_RWND) /* nothing changes for the association (3.3.3) */
        hws_reply_refuse(a->engine, rx, init->tag, HWS_CAUSE_INVALID_PARAM, NULL, 0);
    else if (hws_init_refused(init, result, params, &why) || cookie_refused(params, &why))
        refuse(a, rx, init->tag, &why);
    else
        return true;
    return false;
}

static bool keep_cookie(struct hws_assoc *a, const struct hws_init_params *params)
{
    struct hws_assoc_cold *cold = hws_assoc_need_cold(a);
    uint8_t *cookie =
        cold != NULL ? hws_pool_alloc(&a->engine->pool, params->cookie_len + 1u) : NULL;
    if (cookie == NULL) {
        HWS_DROP(a->engine, a->engine->rx, drop_memory);
        return false;
    }
    memcpy(cookie, params->cookie, params->cookie_len);
    hws_assoc_drop_cookie(a);
    cold->cookie = cookie;
    cold->cookie_len = params->cookie_len;
    return true;
}

/* The peer knows us by the address that INIT came from; an endpoint that is not bound told it no
 * other. So what it cannot reach, paths of another family, cannot be used. */
static void settle_source(struct hws_assoc *a, struct hws_path *answered, const struct hws_rx *rx)
{
    if (a->locals->count > 0)
        return;
    if (hws_addr_same(&answered->remote, &rx->packet->src))
        answered->local = rx->packet->dst;
    for (unsigned i = 0; i < a->path_count; i++) {
        if (a->paths[i]->remote.family == answered->remote.family)
            a->paths[i]->local = answered->local;
        else
            hws_assoc_disown(a->paths[i]);
    }
}

static void add_peer_addresses(struct hws_assoc *a, const struct hws_rx *rx,
                               const struct hws_init_params *params)
{
    if (hws_assoc_path(a, &rx->packet->src) == NULL)
        hws_assoc_add_listed(a, &rx->packet->src);
    for (uint32_t i = 0; i < params->addr_count; i++)
        hws_assoc_add_listed(a, &params->addrs[i]);
}

/* The peer is at the address its INIT ACK comes from and at those it lists, nowhere else (5.1.2).
 */
static void drop_unlisted(struct hws_assoc *a, const struct hws_path *answered,
                          const struct hws_rx *rx, const struct hws_init_params *params)
{
    for (unsigned i = 0; i < a->path_count; i++) {
        struct hws_path *p = a->paths[i];
        bool listed = p == answered || hws_addr_same(&p->remote, &rx->packet->src);
        for (uint32_t k = 0; k < params->addr_count && !listed; k++)
            listed = hws_addr_same(&p->remote, &params->addrs[k]);
        if (!listed && p->owned)
            hws_assoc_disown(p);
    }
}

static void report_unknown(struct hws_path *p, const struct hws_init_params *params)
{
    for (uint32_t i = 0; i < params->unknown_count; i++)
        hws_fault_report(p, HWS_CAUSE_UNRECOGNIZED_PARAMS, params->unknown[i].bytes,
                         params->unknown[i].len);
}

void hws_handshake_init_ack(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    struct hws_init init;
    struct hws_init_params params;
    if (!hws_init_decode(chunk, &init)) {
        HWS_DROP(a->engine, rx, drop_chunk_malformed);
        return;
    }
    enum hws_init_params_result result =
        hws_init_params_read(&a->engine->registry, &init, &rx->packet->src, &params);
    if (a->params->probe) {
        hws_assoc_down(a, HWS_E_EOF, 0); /* the cookie is all the peer has of it: it expires */
        return;
    }
    if (!acceptable(a, rx, &init, result, &params) || !keep_cookie(a, &params))
        return;
    hws_assoc_set_peer(a, init.tag, init.tsn, init.a_rwnd, init.ostreams, init.max_instreams);
    hws_assoc_set_adaptation(a, params.has_adaptation, params.adaptation_indication);
    hws_extensions_agree(a, &params.offers);
    struct hws_path *p = hws_assoc_path(a, &rx->packet->src);
    if (p == NULL || !p->confirmed)
        p = a->paths[a->init_path];
    a->primary = p->index; /* it answers; the ones tried before did not */
    settle_source(a, p, rx);
    drop_unlisted(a, p, rx, &params);
    add_peer_addresses(a, rx, &params);
    report_unknown(p, &params);
    hws_path_answered(p);
    hws_path_forget_back_off(p);
    hws_unwant(a, HWS_WANT_INIT);
    a->init_tries = 0;
    send_cookie_echo(a, p);
}

struct hws_path *hws_handshake_listed_path(struct hws_assoc *a, const struct hws_addr *source,
                                           const struct hws_tlv *chunk)
{
    struct hws_init init;
    struct hws_init_params params;
    if (a->state != HWS_STATE_COOKIE_WAIT || !hws_init_decode(chunk, &init) ||
        hws_init_params_read(&a->engine->registry, &init, source, &params) != HWS_INIT_PARAMS_OK)
        return NULL;
    for (uint32_t i = 0; i < params.addr_count; i++) {
        struct hws_path *p = hws_assoc_path(a, &params.addrs[i]);
        if (p != NULL)
            return p;
    }
    return NULL;
}

/* ---- COOKIE ACK ---- */

void hws_handshake_cookie_ack(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    (void)chunk;
    hws_unwant(a, HWS_WANT_COOKIE_ECHO);
    if (rx->path != NULL)
        hws_path_answered(rx->path);
    hws_tune_set_up(a, a->cold->cookie_sent_us);
    hws_assoc_up(a);
}

/* The life asked for beyond the round trip that proved too long: no more than a second (5.2.6). */
#define HWS_PRESERVATIVE_MARGIN_MS 1000u

void hws_handshake_stale_cookie(struct hws_assoc *a)
{
    hws_unwant(a, HWS_WANT_COOKIE_ECHO);
    uint64_t rtt_us = a->engine->now_us - a->cold->cookie_sent_us;
    a->cold->preservative_ms = (uint32_t)(rtt_us / 1000) + HWS_PRESERVATIVE_MARGIN_MS;
    if (++a->cold->stale_cookies > a->params->max_init_retrans)
        hws_assoc_down(a, HWS_E_TIMEDOUT, HWS_CAUSE_STALE_COOKIE);
    else
        send_init(a, a->paths[a->init_path]);
}

void hws_handshake_t1_expired(struct hws_assoc *a)
{
    a->engine->stats.timeouts_t1++;
    if (++a->init_tries > a->params->max_init_retrans) {
        hws_assoc_down(a, a->no_route ? HWS_E_UNREACH : HWS_E_TIMEDOUT, 0);
        return;
    }
    struct hws_path *tried = a->paths[a->init_path];
    enum hws_path_state before = hws_path_state(tried);
    if (tried->errors < UINT16_MAX)
        tried->errors++;
    hws_observe_path(tried, before);
    hws_path_back_off(tried);
    /* A COOKIE ECHO, whose size the peer chose, goes to no address that it only named (5.4). */
    struct hws_path *next = hws_assoc_next_path(a, a->init_path);
    if (a->state == HWS_STATE_COOKIE_WAIT)
        send_init(a, next);
    else
        send_cookie_echo(a, next);
}

#include "stack/listener.h"

#include <string.h>

#include "proto/cause.h"
#include "stack/assoc.h"
#include "stack/cookie.h"
#include "stack/endpoint.h"
#include "stack/extension.h"
#include "stack/fault.h"
#include "stack/init_params.h"
#include "stack/observe.h"
#include "stack/ootb.h"
#include "stack/reply.h"
#include "stack/retransmit.h"
#include "stack/timer.h"
#include "stack/timewait.h"

/* ---- INIT ---- */

/* The addresses INIT comes from or lists that the existing association does not have
 * (5.2.1, 5.2.2). Returns how many. */
static uint32_t added_addresses(const struct hws_assoc *a, const struct hws_rx *rx,
                                const struct hws_init_params *params,
                                struct hws_addr added[HWS_LIMIT_PATHS + 1])
{
    uint32_t count = 0;
    if (hws_assoc_path(a, &rx->packet->src) == NULL)
        added[count++] = rx->packet->src;
    for (uint32_t i = 0; i < params->addr_count; i++)
        if (!hws_assoc_knows(a, &params->addrs[i]))
            added[count++] = params->addrs[i];
    return count;
}

static void refuse_new_addresses(struct hws_engine *e, const struct hws_rx *rx, uint32_t tag,
                                 const struct hws_addr *added, uint32_t count)
{
    if (!hws_reply_ootb_allowed(e))
        return;
    struct hws_reply_builder r;
    hws_reply_open(&r, rx, tag, rx->packet->len);
    if (hws_builder_open(&r.b, HWS_CHUNK_ABORT, 0)) {
        hws_cause_put_new_addresses(&r.b, added, count);
        hws_reply_close(&r, HWS_CHUNK_ABORT);
    }
    hws_reply_send(e, &r, true);
}

/* Tie-Tags: nonces that let a later cookie prove that it was made while this association existed
 * (5.2.2). They are not the tags themselves, which the cookie would give away. */
static void tie(struct hws_engine *e, struct hws_assoc *a, struct hws_cookie *cookie)
{
    while (a->tie_local == 0)
        e->config.env.random(e->config.env.ctx, &a->tie_local, 4);
    while (a->tie_remote == 0)
        e->config.env.random(e->config.env.ctx, &a->tie_remote, 4);
    cookie->tie_local = a->tie_local;
    cookie->tie_remote = a->tie_remote;
}

static void cookie_addresses(struct hws_cookie *cookie, const struct hws_rx *rx,
                             const struct hws_init_params *params)
{
    cookie->local = rx->packet->dst;
    cookie->remote = rx->packet->src;
    for (uint32_t i = 0; i < params->addr_count; i++)
        if (!hws_addr_same(&params->addrs[i], &rx->packet->src))
            cookie->addrs[cookie->addr_count++] = params->addrs[i];
}

static uint32_t cookie_life_us(const struct hws_params *params, uint32_t extension_ms)
{
    /* A Cookie Preservative may at most double the life (5.2.6 leaves the bound to us). */
    uint64_t extension_us = (uint64_t)extension_ms * 1000;
    if (extension_us > params->cookie_life_us)
        extension_us = params->cookie_life_us;
    uint64_t life_us = params->cookie_life_us + extension_us;
    return life_us < HWS_COOKIE_KEY_LIFE_US ? (uint32_t)life_us : HWS_COOKIE_KEY_LIFE_US;
}

/* What we said or will say of ourselves: an association keeps to its own parameters (5.2.1). */
static const struct hws_params *ours(const struct hws_endpoint *ep, const struct hws_assoc *a)
{
    return a != NULL ? a->params : ep->params;
}

static uint16_t at_most(uint16_t value, uint16_t limit)
{
    return value < limit ? value : limit;
}

static struct hws_cookie make_cookie(struct hws_engine *e, const struct hws_rx *rx,
                                     const struct hws_endpoint *ep, struct hws_assoc *a,
                                     const struct hws_init *init,
                                     const struct hws_init_params *params)
{
    bool ours_is_known = a != NULL && hws_assoc_setting_up(a);
    struct hws_cookie cookie = {
        .made_us = e->now_us,
        .life_us = cookie_life_us(ours(ep, a), params->life_extension_ms),
        .local_vtag = ours_is_known ? a->local_vtag : hws_assoc_draw_vtag(e),
        .remote_vtag = init->tag,
        .remote_tsn = init->tsn,
        .remote_rwnd = init->a_rwnd,
        .remote_ostreams = init->ostreams,
        .remote_max_instreams = init->max_instreams,
        .has_adaptation = params->has_adaptation,
        .adaptation_indication = params->adaptation_indication,
        .offers = params->offers,
        .local_port = rx->header.dst_port,
        .remote_port = rx->header.src_port,
    };
    if (ours_is_known)
        cookie.local_tsn = a->local_initial_tsn;
    else
        e->config.env.random(e->config.env.ctx, &cookie.local_tsn, 4);
    if (a != NULL && a->state != HWS_STATE_COOKIE_WAIT)
        tie(e, a, &cookie);
    cookie_addresses(&cookie, rx, params);
    return cookie;
}

static void echo_unknown(struct hws_builder *b, const struct hws_init_params *params)
{
    for (uint32_t i = 0; i < params->unknown_count; i++) {
        const struct hws_tlv *p = &params->unknown[i];
        if (b->limit - b->len < hws_pad4(p->len) + 8)
            return; /* the reply to a stranger has an upper size */
        uint8_t *v = hws_builder_tlv(b, HWS_PARAM_UNRECOGNIZED, p->len);
        if (v != NULL)
            memcpy(v, p->bytes, p->len);
    }
}

/* An association keeps to the addresses it has told already (5.2.1). */
static void our_addresses(const struct hws_rx *rx, const struct hws_endpoint *ep,
                          const struct hws_assoc *a, struct hws_locals *out)
{
    if (a != NULL)
        *out = *a->locals;
    else
        hws_endpoint_locals(ep, &rx->packet->src, &rx->packet->dst, out);
}

static void send_init_ack(struct hws_engine *e, const struct hws_rx *rx,
                          const struct hws_locals *locals, const struct hws_params *own,
                          const struct hws_cookie *cookie, const struct hws_init_params *params)
{
    uint8_t sealed[HWS_COOKIE_MAX_LEN];
    uint32_t sealed_len = hws_cookie_seal(e, cookie, sealed);
    struct hws_init ack = {
        .tag = cookie->local_vtag,
        .a_rwnd = hws_budget_first(e, own->rcvbuf_bytes),
        .ostreams = at_most(own->ostreams, cookie->remote_max_instreams), /* 3.3.3 */
        .max_instreams = own->max_instreams,
        .tsn = cookie->local_tsn,
    };
    struct hws_reply_builder r;
    hws_reply_open(&r, rx, cookie->remote_vtag, HWS_LIMIT_INIT_ACK_BYTES);
    hws_init_open(&r.b, HWS_CHUNK_INIT_ACK, &ack);
    uint8_t *v = hws_builder_tlv(&r.b, HWS_PARAM_COOKIE, sealed_len);
    if (v != NULL)
        memcpy(v, sealed, sealed_len);
    hws_init_params_put_local(&r.b, locals, own, params->supported);
    hws_extensions_put_offers(&r.b, &e->registry, &cookie->offers);
    echo_unknown(&r.b, params);
    if (hws_builder_close(&r.b))
        hws_reply_send(e, &r, true);
}

/* The INIT meets an association (5.2.1, 5.2.2, 9.2). False: it has been dealt with. */
static bool meets(struct hws_engine *e, struct hws_rx *rx, struct hws_assoc *a,
                  const struct hws_init *init, const struct hws_init_params *params)
{
    if (a->state == HWS_STATE_SHUTDOWN_ACK_SENT) {
        hws_want(hws_assoc_data_path(a), HWS_WANT_SHUTDOWN_ACK);
        return false;
    }
    if (a->state == HWS_STATE_COOKIE_WAIT && hws_assoc_path(a, &rx->packet->src) == NULL) {
        HWS_DROP(e, rx, drop_address); /* our tag is for addresses the application named (5.2.1) */
        return false;
    }
    struct hws_addr added[HWS_LIMIT_PATHS + 1];
    uint32_t count = added_addresses(a, rx, params, added);
    /* The tag of the association itself comes with an INIT that was sent before it was up. */
    if (a->state != HWS_STATE_COOKIE_WAIT && count > 0 && init->tag != a->remote_vtag) {
        refuse_new_addresses(e, rx, init->tag, added, count);
        return false;
    }
    return true;
}

/* The path of an association with that peer address. An address that was only listed and never
 * confirmed names no association: its owner may be somebody else (RFC 5062, 2). */
static struct hws_path *confirmed_path(const struct hws_engine *e, const struct hws_addr *remote,
                                       const struct hws_rx *rx)
{
    struct hws_path *p =
        hws_assoc_by_addr(e, remote, &rx->packet->dst, rx->header.dst_port, rx->header.src_port);
    return p != NULL && p->confirmed ? p : NULL;
}

/* The association that one of the listed addresses belongs to (5.1.2 D, 5.2.2). */
static struct hws_assoc *listed_assoc(const struct hws_engine *e, const struct hws_rx *rx,
                                      const struct hws_init_params *params)
{
    for (uint32_t i = 0; i < params->addr_count; i++) {
        const struct hws_path *p = confirmed_path(e, &params->addrs[i], rx);
        if (p != NULL)
            return p->assoc;
    }
    return NULL;
}

static struct hws_endpoint *listener_of(const struct hws_engine *e, const struct hws_rx *rx)
{
    return hws_endpoint_listener(e, rx->header.dst_port, &rx->packet->dst, &rx->packet->src,
                                 rx->header.src_port);
}

void hws_listener_init(struct hws_engine *e, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    struct hws_init init;
    if (!hws_init_decode(chunk, &init) || init.tag == 0) {
        HWS_DROP(e, rx, drop_chunk_malformed);
        return;
    }
    rx->path = confirmed_path(e, &rx->packet->src, rx);
    struct hws_assoc *a = rx->path != NULL ? rx->path->assoc : NULL;
    struct hws_init_params params;
    enum hws_init_params_result result =
        hws_init_params_read(&e->registry, &init, &rx->packet->src, &params);
    if (a == NULL)
        a = listed_assoc(e, rx, &params);
    struct hws_endpoint *ep = a != NULL ? a->endpoint : listener_of(e, rx);
    if (ep == NULL) {
        hws_ootb_init(e, rx, init.tag);
        return;
    }
    struct hws_init_refusal why;
    if (hws_init_refused(&init, result, &params, &why)) {
        hws_reply_refuse(e, rx, init.tag, why.cause, why.value, why.value_len);
        return;
    }
    if (a != NULL && !meets(e, rx, a, &init, &params))
        return;
    struct hws_cookie cookie = make_cookie(e, rx, ep, a, &init, &params);
    struct hws_locals locals;
    our_addresses(rx, ep, a, &locals);
    send_init_ack(e, rx, &locals, ours(ep, a), &cookie, &params);
}

/* ---- COOKIE ECHO ---- */

/* Tells the peer how stale its cookie is (3.3.10.3). */
static void stale(struct hws_engine *e, const struct hws_rx *rx, const struct hws_cookie *cookie)
{
    HWS_DROP(e, rx, drop_cookie_stale);
    if (hws_ootb_has_abort(rx))
        return;
    uint64_t late_us = e->now_us - cookie->made_us - cookie->life_us;
    struct hws_reply_builder r;
    if (!hws_reply_ootb_allowed(e))
        return;
    hws_reply_open(&r, rx, cookie->remote_vtag, rx->packet->len);
    if (hws_builder_open(&r.b, HWS_CHUNK_ERROR, 0)) {
        hws_cause_put_stale_cookie(&r.b, late_us < UINT32_MAX ? (uint32_t)late_us : UINT32_MAX);
        hws_builder_close(&r.b);
    }
    hws_reply_send(e, &r, true);
}

static bool is_stale(const struct hws_engine *e, const struct hws_cookie *cookie)
{
    return e->now_us > cookie->made_us + cookie->life_us;
}

/* The path to answer on: where the packet came from when that is the peer's, else the primary. */
static struct hws_path *answer_path(const struct hws_assoc *a, const struct hws_rx *rx)
{
    struct hws_path *p = hws_assoc_path(a, &rx->packet->src);
    return p != NULL ? p : a->paths[a->primary];
}

/* To an address not confirmed yet it brings a HEARTBEAT along (5.4). */
static void want_cookie_ack(struct hws_path *p)
{
    hws_want(p, HWS_WANT_COOKIE_ACK);
    if (!p->confirmed)
        hws_want(p, HWS_WANT_HEARTBEAT);
}

static void set_peer(struct hws_assoc *a, const struct hws_cookie *cookie)
{
    hws_assoc_set_peer(a, cookie->remote_vtag, cookie->remote_tsn, cookie->remote_rwnd,
                       cookie->remote_ostreams, cookie->remote_max_instreams);
    hws_assoc_set_adaptation(a, cookie->has_adaptation, cookie->adaptation_indication);
    hws_extensions_agree(a, &cookie->offers);
    hws_tune_set_up(a, cookie->made_us);
}

/* The one that answered the INIT, as long as the same ones listen. */
static struct hws_endpoint *listener_of_cookie(const struct hws_engine *e, const struct hws_rx *rx,
                                               const struct hws_cookie *cookie)
{
    return hws_endpoint_listener(e, cookie->local_port, &rx->packet->dst, &cookie->remote,
                                 cookie->remote_port);
}

static struct hws_assoc *accept_cookie(struct hws_engine *e, struct hws_rx *rx,
                                       const struct hws_cookie *cookie)
{
    struct hws_endpoint *ep = listener_of_cookie(e, rx, cookie);
    if (ep == NULL || hws_ootb_has_abort(rx)) {
        hws_ootb_packet(e, rx);
        return NULL;
    }
    struct hws_path *camper = hws_assoc_by_addr(e, &cookie->remote, &rx->packet->dst,
                                                cookie->local_port, cookie->remote_port);
    if (camper != NULL)
        hws_assoc_disown(camper); /* never confirmed, or this cookie would have met its owner */
    if (hws_hashtab_first(&e->by_vtag, cookie->local_vtag) != NULL ||
        hws_timewait_has_tag(e, cookie->local_vtag)) {
        /* Free when the cookie was made, it is not now: the cookie has come before (5.3.1). */
        HWS_DROP(e, rx, drop_cookie_mismatch);
        return NULL;
    }
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    uint32_t count = 0;
    remotes[count++] = cookie->remote;
    for (unsigned i = 0; i < cookie->addr_count && count < HWS_LIMIT_PATHS; i++)
        remotes[count++] = cookie->addrs[i];
    struct hws_assoc_seed seed = {
        .endpoint = ep,
        .remote_port = cookie->remote_port,
        .local_vtag = cookie->local_vtag,
        .local_initial_tsn = cookie->local_tsn,
        .local = &cookie->local,
        .remotes = remotes,
        .remote_count = count,
        .passive = true,
    };
    struct hws_assoc *a = hws_assoc_new(&seed);
    if (a == NULL) {
        hws_reply_refuse(e, rx, cookie->remote_vtag, HWS_CAUSE_OUT_OF_RESOURCE, NULL, 0);
        return NULL;
    }
    set_peer(a, cookie);
    hws_path_set_confirmed(a->paths[0],
                           true); /* our INIT ACK went there and came back (5.4, rule 2) */
    hws_assoc_up(a);
    want_cookie_ack(answer_path(a, rx));
    return a;
}

/* After a restart everything about the peer is new: windows, round trips, and which addresses have
 * been confirmed (5.4, rule 2: only the one the cookie went to). */
static void restart_paths(struct hws_assoc *a, const struct hws_addr *remote)
{
    for (unsigned i = 0; i < a->path_count; i++) {
        struct hws_path *p = a->paths[i];
        hws_path_restart(p);
        hws_path_set_confirmed(p, hws_addr_same(&p->remote, remote));
        if (p->confirmed)
            a->primary = (uint8_t)i;
    }
}

/* Action A: the peer has restarted (5.2.4). What it never acknowledged is lost; what it sent before
 * and is complete can still be read. */
static void restart(struct hws_assoc *a, const struct hws_cookie *cookie)
{
    struct hws_engine *e = a->engine;
    hws_timer_stop_all(a);
    hws_unwant(a, UINT16_MAX);
    if (cookie->local_vtag != a->local_vtag)
        hws_assoc_set_vtag(a, cookie->local_vtag);
    hws_assoc_reset_transfer(a, cookie->local_tsn);
    set_peer(a, cookie);
    restart_paths(a, &cookie->remote);
    e->stats.assocs_restarted++;
    hws_assoc_tell(a, HWS_EVENT_BIT(RESTART));
    hws_assoc_establish(a);
    hws_retransmit_tell_progress(a);
}

/* INITs that came while it was set up were answered with the tag of its own (5.2.1), each with a
 * cookie. Of a peer that restarted meanwhile the cookie made last counts. */
static void remember_cookie(struct hws_assoc *a, const struct hws_cookie *cookie)
{
    struct hws_assoc_cold *cold = hws_assoc_need_cold(a);
    if (cold != NULL)
        cold->met_us = cookie->made_us;
}

static bool is_of_an_earlier_peer(const struct hws_assoc *a, const struct hws_cookie *cookie)
{
    return a->cold != NULL && cookie->made_us < a->cold->met_us;
}

/* And where it comes when the association is up, its peer knows nothing of what was sent: another
 * TSN tells it from one whose tag alone is new. */
static bool is_of_a_later_peer(const struct hws_assoc *a, const struct hws_cookie *cookie)
{
    return !hws_assoc_setting_up(a) && cookie->remote_tsn != a->peer_initial_tsn;
}

/* Table 12 of section 5.2.4. */
enum cookie_action { ACTION_A, ACTION_B, ACTION_C, ACTION_D, ACTION_DISCARD };

static enum cookie_action table_12(const struct hws_assoc *a, const struct hws_cookie *c)
{
    bool local = c->local_vtag == a->local_vtag;
    bool remote = c->remote_vtag == a->remote_vtag && a->remote_vtag != 0;
    bool ties = a->tie_local != 0 && c->tie_local == a->tie_local && c->tie_remote == a->tie_remote;
    if (local && remote)
        return ACTION_D;
    if (local && is_of_an_earlier_peer(a, c))
        return ACTION_DISCARD;
    if (local)
        return is_of_a_later_peer(a, c) ? ACTION_A : ACTION_B;
    if (!remote && ties)
        return ACTION_A;
    if (remote && c->tie_local == 0 && c->tie_remote == 0)
        return ACTION_C;
    return ACTION_DISCARD;
}

/* Action A while SHUTDOWN ACK is on its way: no new association (5.2.4). */
static void restart_while_shutting_down(struct hws_path *p)
{
    hws_want(p, HWS_WANT_SHUTDOWN_ACK);
    hws_fault_report(p, HWS_CAUSE_COOKIE_IN_SHUTDOWN, NULL, 0);
}

/* Actions B and D: both sides meant the same association. */
static void collide(struct hws_assoc *a, const struct hws_cookie *cookie, enum cookie_action action)
{
    if (action == ACTION_B && hws_assoc_setting_up(a))
        set_peer(a, cookie);
    else
        a->remote_vtag = cookie->remote_vtag;
    hws_assoc_add_listed(a, &cookie->remote);
    for (unsigned i = 0; i < cookie->addr_count; i++)
        hws_assoc_add_listed(a, &cookie->addrs[i]);
    if (action == ACTION_B)
        remember_cookie(a, cookie);
    if (hws_assoc_setting_up(a)) {
        hws_unwant(a, HWS_WANT_INIT | HWS_WANT_COOKIE_ECHO);
        hws_assoc_up(a);
    }
}

static struct hws_assoc *meet_cookie(struct hws_engine *e, struct hws_rx *rx, struct hws_assoc *a,
                                     const struct hws_cookie *cookie)
{
    enum cookie_action action = table_12(a, cookie);
    if (action != ACTION_D && is_stale(e, cookie)) {
        stale(e, rx, cookie);
        return NULL;
    }
    if (action == ACTION_C || action == ACTION_DISCARD) {
        HWS_DROP(e, rx, drop_cookie_mismatch);
        return NULL;
    }
    if (action == ACTION_A && a->state == HWS_STATE_SHUTDOWN_ACK_SENT) {
        restart_while_shutting_down(answer_path(a, rx));
        return NULL;
    }
    /* Nobody is left to be told: a new one begins, unless it would need the same tag. */
    if (action == ACTION_A && a->released && cookie->local_vtag != a->local_vtag) {
        hws_assoc_bury(a);
        return accept_cookie(e, rx, cookie);
    }
    if (action == ACTION_A)
        restart(a, cookie);
    else
        collide(a, cookie, action);
    if (a->over)
        return NULL;
    want_cookie_ack(answer_path(a, rx));
    return a;
}

static struct hws_assoc *find_existing(struct hws_engine *e, const struct hws_rx *rx,
                                       const struct hws_cookie *cookie)
{
    struct hws_assoc *a =
        hws_assoc_by_vtag(e, cookie->local_vtag, cookie->local_port, cookie->remote_port);
    if (a != NULL)
        return a;
    struct hws_path *p = confirmed_path(e, &cookie->remote, rx);
    for (unsigned i = 0; p == NULL && i < cookie->addr_count; i++)
        p = confirmed_path(e, &cookie->addrs[i], rx);
    return p != NULL ? p->assoc : NULL;
}

struct hws_assoc *hws_listener_cookie_echo(struct hws_engine *e, struct hws_rx *rx,
                                           const struct hws_tlv *chunk)
{
    struct hws_cookie cookie;
    if (!hws_cookie_open(e, hws_chunk_value(chunk), hws_chunk_value_len(chunk), &cookie)) {
        HWS_DROP(e, rx, drop_cookie_mac);
        return NULL;
    }
    if (cookie.local_vtag != rx->header.vtag || cookie.local_port != rx->header.dst_port ||
        cookie.remote_port != rx->header.src_port) {
        HWS_DROP(e, rx, drop_vtag);
        return NULL;
    }
    struct hws_assoc *a = find_existing(e, rx, &cookie);
    if (a != NULL)
        return meet_cookie(e, rx, a, &cookie);
    if (is_stale(e, &cookie)) {
        stale(e, rx, &cookie);
        return NULL;
    }
    return accept_cookie(e, rx, &cookie);
}

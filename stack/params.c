#include "stack/params.h"

#include <string.h>

#include "stack/assoc.h"
#include "stack/autoclose.h"
#include "stack/heartbeat.h"
#include "stack/pathsel.h"

#define HWS_RTO_MIN_US 1000u
#define HWS_SACK_DELAY_MAX_US 500000u /* 6.2 */
#define HWS_RCVBUF_MIN_BYTES 4096u
#define HWS_BUF_MAX_BYTES (UINT32_MAX / 4)

void hws_params_default(struct hws_params *params)
{
    *params = (struct hws_params){
        .rto_initial_us = 1000000,
        .rto_min_us = 1000000,
        .rto_max_us = 60000000,
        .rto_alpha_shift = 3,
        .rto_beta_shift = 2,
        .hb_interval_us = 30000000,
        .hb_max_burst = 1,
        .cookie_life_us = 60000000,
        .sack_delay_us = 200000,
        .sack_packets = 2,
        .max_burst_bytes = 65536,
        .slow_start_l = 32,
        .max_init_retrans = 8,
        .assoc_max_retrans = 10,
        .path_max_retrans = 5,
        .pf_max_retrans = 0,
        .ostreams = 10,
        .max_instreams = 65535,
        .rcvbuf_bytes = 1u << 20,
        .rcvbuf_max_bytes = 16u << 20,
        .sndbuf_bytes = 256u << 10,
        .sndbuf_max_bytes = 16u << 20,
        .tail_probe = true,
        .pmtud = true,
        .pmtud_interval_us = HWS_PMTU_RAISE_TIMER_US,
    };
}

/* ---- Ranges ---- */

static bool rto_ok(uint32_t initial_us, uint32_t min_us, uint32_t max_us)
{
    return initial_us > 0 && min_us >= HWS_RTO_MIN_US && min_us <= max_us;
}

static bool mtu_ok(uint32_t mtu)
{
    return mtu == 0 || (mtu >= HWS_LIMIT_MTU_MIN && mtu <= HWS_LIMIT_MTU_MAX);
}

static bool shift_ok(uint8_t shift)
{
    return shift >= 1 && shift <= 8;
}

bool hws_params_ok(const struct hws_engine *e, const struct hws_params *p)
{
    return rto_ok(p->rto_initial_us, p->rto_min_us, p->rto_max_us) &&
           shift_ok(p->rto_alpha_shift) && shift_ok(p->rto_beta_shift) &&
           p->sack_delay_us <= HWS_SACK_DELAY_MAX_US && p->sack_packets > 0 &&
           p->slow_start_l > 0 && p->max_burst_bytes > 0 && p->ostreams > 0 &&
           p->max_instreams > 0 && p->cookie_life_us > 0 &&
           p->rcvbuf_bytes >= HWS_RCVBUF_MIN_BYTES && p->rcvbuf_bytes <= HWS_BUF_MAX_BYTES &&
           p->rcvbuf_max_bytes <= HWS_BUF_MAX_BYTES && p->sndbuf_bytes > 0 &&
           p->sndbuf_bytes <= HWS_BUF_MAX_BYTES && p->sndbuf_max_bytes <= HWS_BUF_MAX_BYTES &&
           p->pd_point_bytes <= p->rcvbuf_bytes && p->pmtud_interval_us > 0 &&
           hws_registry_cc(&e->registry, p->cc) != NULL &&
           hws_registry_sched(&e->registry, p->sched) != NULL &&
           hws_registry_pathsel(&e->registry, p->pathsel) != NULL && mtu_ok(p->mtu) &&
           (p->max_fragment_bytes == 0 || p->max_fragment_bytes >= HWS_LIMIT_FRAGMENT_MIN_BYTES);
}

static bool path_params_ok(const struct hws_path_params *p)
{
    return rto_ok(p->rto_initial_us, p->rto_min_us, p->rto_max_us) && p->pmtud_interval_us > 0 &&
           mtu_ok(p->mtu);
}

/* ---- Sharing ---- */

struct shared {
    uint32_t refs;
    struct hws_params params;
    struct hws_path_params path; /* those of them that a path has of its own */
};

static struct shared *shared_of(const struct hws_params *params)
{
    return HWS_CONTAINER(params, struct shared, params);
}

static struct hws_path_params path_part(const struct hws_params *params)
{
    return (struct hws_path_params){
        .rto_initial_us = params->rto_initial_us,
        .rto_min_us = params->rto_min_us,
        .rto_max_us = params->rto_max_us,
        .hb_interval_us = params->hb_interval_us,
        .no_heartbeats = params->no_heartbeats,
        .mtu = params->mtu,
        .path_max_retrans = params->path_max_retrans,
        .pf_max_retrans = params->pf_max_retrans,
        .pmtud = params->pmtud,
        .pmtud_interval_us = params->pmtud_interval_us,
        .tos = params->tos,
        .ttl = params->ttl,
    };
}

const struct hws_params *hws_params_share(struct hws_pool *pool, const struct hws_params *params)
{
    struct shared *shared = hws_pool_alloc(pool, sizeof *shared);
    if (shared == NULL)
        return NULL;
    *shared = (struct shared){.refs = 1, .params = *params, .path = path_part(params)};
    return &shared->params;
}

const struct hws_params *hws_params_ref(const struct hws_params *params)
{
    shared_of(params)->refs++;
    return params;
}

void hws_params_unref(struct hws_pool *pool, const struct hws_params *params)
{
    if (params != NULL && --shared_of(params)->refs == 0)
        hws_pool_free(pool, shared_of(params), sizeof(struct shared));
}

const struct hws_path_params *hws_params_for_path(const struct hws_params *params)
{
    return &shared_of(params)->path;
}

bool hws_params_own(struct hws_path *p)
{
    if (p->own_params)
        return true;
    struct hws_path_params *own = hws_pool_alloc(&p->assoc->engine->pool, sizeof *own);
    if (own == NULL)
        return false;
    *own = *p->params;
    p->params = own;
    p->own_params = true;
    return true;
}

/* ---- Endpoint ---- */

int hws_endpoint_params(const struct hws_engine *e, hws_endpoint_id id, struct hws_params *out)
{
    const struct hws_endpoint *ep = hws_idtab_get(&e->endpoints, id);
    if (ep == NULL)
        return HWS_E_NOENT;
    *out = *ep->params;
    return HWS_OK;
}

int hws_endpoint_set_params(struct hws_engine *e, hws_endpoint_id id,
                            const struct hws_params *params)
{
    struct hws_endpoint *ep = hws_idtab_get(&e->endpoints, id);
    if (ep == NULL)
        return HWS_E_NOENT;
    if (!hws_params_ok(e, params))
        return HWS_E_INVAL;
    const struct hws_params *shared = hws_params_share(&e->pool, params);
    if (shared == NULL)
        return HWS_E_NOMEM;
    hws_params_unref(&e->pool, ep->params);
    ep->params = shared;
    return HWS_OK;
}

/* ---- Association ---- */

int hws_assoc_params(const struct hws_engine *e, hws_assoc_id id, struct hws_params *out)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    *out = *a->params;
    return HWS_OK;
}

/* What was agreed with the peer, or holds state already, stays. */
static void keep_fixed(struct hws_params *params, const struct hws_params *now)
{
    params->ostreams = now->ostreams;
    params->max_instreams = now->max_instreams;
    if (params->rcvbuf_bytes < now->rcvbuf_bytes) /* the window it began with (3.3.2) */
        params->rcvbuf_bytes = now->rcvbuf_bytes;
    params->probe = now->probe;
    params->cc = now->cc;
    params->sched = now->sched;
    params->pathsel = now->pathsel;
}

/* What was changed for the association is changed for the path; the rest is the path's own. */
static void change_path(struct hws_path *p, const struct hws_path_params *was,
                        const struct hws_path_params *is)
{
    if (!p->own_params) {
        hws_path_configure(p, is);
        return;
    }
    struct hws_path_params next = *p->params;
#define TAKE(field)                                                                                \
    if (is->field != was->field)                                                                   \
    next.field = is->field
    TAKE(rto_initial_us);
    TAKE(rto_min_us);
    TAKE(rto_max_us);
    TAKE(hb_interval_us);
    TAKE(no_heartbeats);
    TAKE(mtu);
    TAKE(path_max_retrans);
    TAKE(pf_max_retrans);
    TAKE(pmtud);
    TAKE(pmtud_interval_us);
    TAKE(tos);
    TAKE(ttl);
#undef TAKE
    if (next.rto_min_us > next.rto_max_us) { /* its own bounds do not fit the new ones */
        next.rto_min_us = is->rto_min_us;
        next.rto_max_us = is->rto_max_us;
    }
    hws_path_configure(p, &next);
}

int hws_assoc_set_params(struct hws_engine *e, hws_assoc_id id, const struct hws_params *params,
                         uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL || a->over)
        return HWS_E_NOENT;
    if (!hws_params_ok(e, params))
        return HWS_E_INVAL;
    struct hws_params next = *params;
    keep_fixed(&next, a->params);
    const struct hws_params *was = a->params, *is = hws_params_share(&e->pool, &next);
    if (is == NULL)
        return HWS_E_NOMEM;
    a->params = is;
    for (unsigned i = 0; i < a->path_count; i++)
        change_path(a->paths[i], hws_params_for_path(was), hws_params_for_path(is));
    hws_params_unref(&e->pool, was);
    hws_autoclose_start(a);
    hws_assoc_tell_writable(a); /* the send buffer may be larger */
    hws_assoc_ready(a);
    return HWS_OK;
}

/* ---- Path ---- */

static struct hws_path *find_path(const struct hws_engine *e, hws_assoc_id id, uint32_t index)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    return a != NULL && !a->over && index < a->path_count ? a->paths[index] : NULL;
}

int hws_path_params(const struct hws_engine *e, hws_assoc_id id, uint32_t index,
                    struct hws_path_params *out)
{
    const struct hws_path *p = find_path(e, id, index);
    if (p == NULL)
        return HWS_E_NOENT;
    *out = *p->params;
    return HWS_OK;
}

int hws_path_set_params(struct hws_engine *e, hws_assoc_id id, uint32_t index,
                        const struct hws_path_params *params, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_path *p = find_path(e, id, index);
    if (p == NULL)
        return HWS_E_NOENT;
    if (!path_params_ok(params))
        return HWS_E_INVAL;
    if (!hws_params_own(p))
        return HWS_E_NOMEM;
    hws_path_configure(p, params);
    return HWS_OK;
}

int hws_path_set_encapsulation(struct hws_engine *e, hws_assoc_id id, uint32_t index,
                               uint16_t udp_port)
{
    struct hws_path *p = find_path(e, id, index);
    if (p == NULL)
        return HWS_E_NOENT;
    hws_path_set_udp_port(p, udp_port);
    return HWS_OK;
}

int hws_assoc_set_primary(struct hws_engine *e, hws_assoc_id id, uint32_t index, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_path *p = find_path(e, id, index);
    if (p == NULL)
        return HWS_E_NOENT;
    if (!p->confirmed || !p->owned)
        return HWS_E_INVAL;
    p->assoc->primary = p->index;
    hws_assoc_ready(p->assoc);
    return HWS_OK;
}

int hws_assoc_heartbeat(struct hws_engine *e, hws_assoc_id id, uint32_t index, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_path *p = find_path(e, id, index);
    if (p == NULL)
        return HWS_E_NOENT;
    return hws_heartbeat_request(p) ? HWS_OK : HWS_E_INVAL;
}

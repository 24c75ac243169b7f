#include "proto/ip.h"
#include "stack/assoc.h"
#include "stack/fault.h"
#include "stack/heartbeat.h"
#include "stack/observe.h"
#include "stack/pacing.h"
#include "stack/params.h"
#include "stack/pathsel.h"
#include "stack/pmtud.h"
#include "stack/timer.h"

#include <string.h>

static void start_cc(struct hws_path *p)
{
    const struct hws_params *params = p->assoc->params;
    struct hws_cc_config config = {
        .pmdcs_bytes = hws_path_pmdcs(p),
        .ipv6 = p->remote.family == HWS_FAMILY_IPV6,
        .slow_start_l = params->slow_start_l,
        .max_burst_bytes = params->max_burst_bytes,
    };
    memset(p->cc_state, 0, p->cc->state_size);
    p->cc->init(p->cc_state, &config);
    hws_pacing_start(p);
}

static struct hws_rto_config rto_config(const struct hws_path *p)
{
    return (struct hws_rto_config){
        .initial_us = p->params->rto_initial_us,
        .min_us = p->params->rto_min_us,
        .max_us = p->params->rto_max_us,
        .alpha_shift = p->assoc->params->rto_alpha_shift,
        .beta_shift = p->assoc->params->rto_beta_shift,
    };
}

static void start_rto(struct hws_path *p)
{
    struct hws_rto_config config = rto_config(p);
    hws_rto_init(&p->rto, &config);
}

void hws_path_round_trip(struct hws_path *p, uint64_t rtt_us)
{
    struct hws_rto_config config = rto_config(p);
    hws_rto_sample(&p->rto, &config, rtt_us);
}

void hws_path_back_off(struct hws_path *p)
{
    struct hws_rto_config config = rto_config(p);
    hws_rto_back_off(&p->rto, &config);
}

void hws_path_forget_back_off(struct hws_path *p)
{
    if (!hws_rto_measured(&p->rto))
        start_rto(p);
}

uint16_t hws_path_packet_len(const struct hws_path *p, uint32_t mtu)
{
    uint32_t overhead = hws_ip_header_len(p->remote.family);
    if (p->remote.udp_port != 0)
        overhead += HWS_UDP_HEADER_LEN;
    uint32_t len = (mtu - overhead) & ~3u;
    return (uint16_t)(len < HWS_PACKET_MAX_LEN ? len : HWS_PACKET_MAX_LEN);
}

struct hws_path *hws_path_new(struct hws_assoc *a, const struct hws_addr *local,
                              const struct hws_addr *remote)
{
    const struct hws_cc_ops *cc = hws_registry_cc(&a->engine->registry, a->params->cc);
    struct hws_path *p = hws_pool_zalloc(&a->engine->pool, sizeof *p + hws_pacing_state_bytes(cc));
    if (p == NULL)
        return NULL;
    p->assoc = a;
    p->cc = cc;
    p->active = true;
    if (local != NULL)
        p->local = *local;
    p->remote = *remote;
    for (int t = 0; t < HWS_PATH_TIMER_COUNT; t++)
        p->deadline_us[t] = HWS_NEVER;
    p->params = hws_params_for_path(a->params);
    hws_pmtud_init(p);
    p->max_packet = hws_path_packet_len(p, p->mtu);
    start_rto(p);
    start_cc(p);
    return p;
}

void hws_path_free(struct hws_path *p)
{
    struct hws_pool *pool = &p->assoc->engine->pool;
    hws_pool_free(pool, p->echo, p->echo_len);
    if (p->own_params)
        hws_pool_free(pool, (void *)p->params, sizeof *p->params);
    hws_pool_free(pool, p, sizeof *p + hws_pacing_state_bytes(p->cc));
}

static void resize(struct hws_path *p)
{
    p->max_packet = hws_path_packet_len(p, p->mtu);
    if (p->cc->mtu != NULL)
        p->cc->mtu(p->cc_state, hws_path_pmdcs(p));
    hws_observe_metrics(p);
}

uint32_t hws_path_refuse_cwnd(const struct hws_path *p, uint32_t cwnd_bytes)
{
    p->assoc->engine->stats.cc_refused++;
    return cwnd_bytes > HWS_EXT_CWND_MAX ? HWS_EXT_CWND_MAX : hws_path_pmdcs(p);
}

void hws_path_set_udp_port(struct hws_path *p, uint16_t port)
{
    bool resized = (port == 0) != (p->remote.udp_port == 0);
    p->remote.udp_port = port;
    if (resized)
        resize(p);
}

void hws_path_set_mtu(struct hws_path *p, uint32_t mtu)
{
    if (mtu == p->mtu)
        return;
    p->mtu = (uint16_t)mtu;
    resize(p);
}

void hws_path_new_route(struct hws_path *p)
{
    start_cc(p);
    p->timing = false;
    hws_observe_metrics(p);
    hws_assoc_ready(p->assoc); /* the old controller's rate holds nothing up any more */
}

void hws_path_restart(struct hws_path *p)
{
    enum hws_path_state before = hws_path_state(p);
    start_rto(p);
    start_cc(p);
    p->timing = false;
    p->one_packet = false;
    p->errors = 0;
    p->active = true;
    p->pmtu_suspected = false;
    p->hb_pending = false;
    hws_path_timer_stop(p, HWS_PATH_TIMER_T3);
    hws_observe_path(p, before);
    hws_pmtud_restart(p);
    hws_observe_metrics(p);
}

uint32_t hws_assoc_amdcs(const struct hws_assoc *a)
{
    uint32_t least = hws_path_pmdcs(a->paths[a->primary]);
    for (unsigned i = 0; a->path_count > 1 && i < a->path_count; i++) {
        const struct hws_path *p = a->paths[i];
        if (p->confirmed && p->owned && hws_pmtud_known(p) && hws_path_pmdcs(p) < least)
            least = hws_path_pmdcs(p);
    }
    return least;
}

/* ---- Reachability (8.1, 8.2; RFC 7829) ---- */

enum hws_path_state hws_path_state(const struct hws_path *p)
{
    if (!p->confirmed)
        return HWS_PATH_UNCONFIRMED;
    if (!p->active)
        return HWS_PATH_INACTIVE;
    return hws_path_potentially_failed(p) ? HWS_PATH_POTENTIALLY_FAILED : HWS_PATH_ACTIVE;
}

const char *hws_path_state_name(enum hws_path_state state)
{
    static const char *const names[] = {
        [HWS_PATH_UNCONFIRMED] = "UNCONFIRMED",
        [HWS_PATH_ACTIVE] = "ACTIVE",
        [HWS_PATH_POTENTIALLY_FAILED] = "POTENTIALLY FAILED",
        [HWS_PATH_INACTIVE] = "INACTIVE",
    };
    return names[state];
}

/* Tells what the path has become since it was `before`; data may have another way now. */
static void tell_change(struct hws_path *p, enum hws_path_state before)
{
    enum hws_path_state now = hws_path_state(p);
    if (now == before)
        return;
    hws_observe_path(p, before);
    hws_pathsel_path_changed(p);
    if (before == HWS_PATH_UNCONFIRMED)
        hws_path_tell(p, HWS_EVENT_BIT(PATH_CONFIRMED));
    else if (now == HWS_PATH_ACTIVE)
        hws_path_tell(p, HWS_EVENT_BIT(PATH_UP));
    else if (now == HWS_PATH_POTENTIALLY_FAILED)
        hws_path_tell(p, HWS_EVENT_BIT(PATH_FAILING));
    else if (now == HWS_PATH_INACTIVE)
        hws_path_tell(p, HWS_EVENT_BIT(PATH_DOWN));
    hws_assoc_ready(p->assoc);
}

void hws_path_answered(struct hws_path *p)
{
    enum hws_path_state before = hws_path_state(p);
    if (p->errors > 0)
        hws_pmtu_recovered(&p->pmtu);
    p->errors = 0;
    p->active = true;
    p->pmtu_suspected = false;
    p->assoc->errors = 0;
    tell_change(p, before);
}

void hws_path_set_confirmed(struct hws_path *p, bool confirmed)
{
    enum hws_path_state before = hws_path_state(p);
    p->confirmed = confirmed;
    hws_observe_path(p, before);
}

void hws_path_confirm(struct hws_path *p)
{
    enum hws_path_state before = hws_path_state(p);
    p->confirmed = true;
    tell_change(p, before);
}

/* An inactive path's errors are counted no further (8.3). */
static void count_error(struct hws_path *p)
{
    enum hws_path_state before = hws_path_state(p);
    if (p->active && p->errors < UINT16_MAX)
        p->errors++;
    if (p->active && p->errors > p->params->path_max_retrans) {
        p->active = false;
        if (!p->confirmed)
            hws_path_tell(p, HWS_EVENT_BIT(PATH_DOWN));
    }
    tell_change(p, before);
}

void hws_path_suspect(struct hws_path *p)
{
    enum hws_path_state before = hws_path_state(p);
    if (p->active && p->errors <= p->params->pf_max_retrans)
        p->errors = (uint16_t)(p->params->pf_max_retrans + 1u);
    tell_change(p, before);
}

bool hws_path_error(struct hws_path *p, enum hws_path_fault fault)
{
    struct hws_assoc *a = p->assoc;
    if (hws_fault_peer_gone(a)) {
        hws_assoc_down(a, HWS_E_RESET, 0);
        return false;
    }
    /* An unconfirmed address never brings the association down (5.4), nor does an idle one that
     * data does not use (8.1). */
    bool counts = p->confirmed && (fault == HWS_PATH_FAULT_TIMEOUT || p == hws_assoc_data_path(a));
    count_error(p);
    if (counts && ++a->errors > a->params->assoc_max_retrans) {
        hws_assoc_down(a, HWS_E_TIMEDOUT, 0);
        return false;
    }
    return true;
}

/* ---- Parameters ---- */

void hws_path_configure(struct hws_path *p, const struct hws_path_params *params)
{
    enum hws_path_state before = hws_path_state(p);
    if (p->own_params)
        *(struct hws_path_params *)p->params = *params;
    else
        p->params = params;
    struct hws_rto_config config = rto_config(p);
    hws_rto_configure(&p->rto, &config);
    hws_pmtud_configure(p);
    if (p->active && p->errors > params->path_max_retrans)
        p->active = false;
    tell_change(p, before);
    hws_heartbeat_reschedule(p);
}

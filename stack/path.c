#include "stack/assoc.h"
#include "stack/fault.h"
#include "stack/timer.h"

#include <string.h>

#define HWS_IPV4_HEADER_LEN 20u
#define HWS_IPV6_HEADER_LEN 40u
#define HWS_UDP_HEADER_LEN 8u

static void start_cc(struct hws_path *p)
{
    const struct hws_params *params = &p->assoc->params;
    struct hws_cc_config config = {
        .pmdcs_bytes = hws_path_pmdcs(p),
        .ipv6 = p->remote.family == HWS_FAMILY_IPV6,
        .slow_start_l = params->slow_start_l,
        .max_burst_bytes = params->max_burst_bytes,
    };
    memset(p->cc_state, 0, p->cc->state_size);
    p->cc->init(p->cc_state, &config);
}

static void start_rto(struct hws_path *p)
{
    const struct hws_params *params = &p->assoc->params;
    hws_rto_init(&p->rto, params->rto_initial_us, params->rto_min_us, params->rto_max_us);
}

static uint32_t max_packet(const struct hws_addr *remote, uint32_t mtu)
{
    uint32_t overhead =
        remote->family == HWS_FAMILY_IPV6 ? HWS_IPV6_HEADER_LEN : HWS_IPV4_HEADER_LEN;
    if (remote->udp_port != 0)
        overhead += HWS_UDP_HEADER_LEN;
    uint32_t len = (mtu - overhead) & ~3u;
    return len < HWS_PACKET_MAX_LEN ? len : HWS_PACKET_MAX_LEN;
}

struct hws_path *hws_path_new(struct hws_assoc *a, const struct hws_addr *local,
                              const struct hws_addr *remote)
{
    const struct hws_cc_ops *cc = hws_cc_find(a->params.cc);
    struct hws_path *p = hws_pool_zalloc(&a->engine->pool, sizeof *p + cc->state_size);
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
    p->mtu = HWS_MTU_DEFAULT;
    p->max_packet = max_packet(remote, p->mtu);
    start_rto(p);
    start_cc(p);
    return p;
}

void hws_path_free(struct hws_path *p)
{
    struct hws_pool *pool = &p->assoc->engine->pool;
    hws_pool_free(pool, p->echo, p->echo_len + 1u);
    hws_pool_free(pool, p, sizeof *p + p->cc->state_size);
}

static void resize(struct hws_path *p)
{
    p->max_packet = max_packet(&p->remote, p->mtu);
    p->cc->mtu(p->cc_state, hws_path_pmdcs(p));
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
    mtu = mtu < HWS_LIMIT_MTU_MIN ? HWS_LIMIT_MTU_MIN : mtu;
    mtu = mtu > HWS_LIMIT_MTU_MAX ? HWS_LIMIT_MTU_MAX : mtu;
    if (mtu == p->mtu)
        return;
    p->mtu = mtu;
    resize(p);
}

void hws_path_restart(struct hws_path *p)
{
    start_rto(p);
    start_cc(p);
    p->timing = false;
    p->one_packet = false;
    p->errors = 0;
    p->active = true;
    p->hb_pending = false;
    hws_path_timer_stop(p, HWS_PATH_TIMER_T3);
}

void hws_path_answered(struct hws_path *p)
{
    p->errors = 0;
    p->assoc->errors = 0;
    if (!p->active) {
        p->active = true;
        hws_path_tell(p, HWS_EVENT_BIT(PATH_UP));
    }
}

void hws_path_confirm(struct hws_path *p)
{
    if (p->confirmed)
        return;
    p->confirmed = true;
    hws_path_tell(p, HWS_EVENT_BIT(PATH_UP));
}

bool hws_path_error(struct hws_path *p)
{
    struct hws_assoc *a = p->assoc;
    if (hws_fault_peer_gone(a)) {
        hws_assoc_down(a, HWS_E_RESET, 0);
        return false;
    }
    if (p->errors < UINT16_MAX)
        p->errors++;
    if (p->active && p->errors > a->params.path_max_retrans) {
        p->active = false;
        hws_path_tell(p, HWS_EVENT_BIT(PATH_DOWN));
    }
    /* An unconfirmed address never brings the association down (5.4). */
    if (p->confirmed && ++a->errors > a->params.assoc_max_retrans) {
        hws_assoc_down(a, HWS_E_TIMEDOUT, 0);
        return false;
    }
    return true;
}

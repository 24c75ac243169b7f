#include "stack/endpoint.h"

#include <string.h>

#define HWS_EPHEMERAL_FIRST 49152u
#define HWS_EPHEMERAL_COUNT 16384u

static uint64_t port_hash(const struct hws_engine *e, uint16_t port)
{
    return hws_siphash(&e->hash_key, &port, sizeof port);
}

bool hws_endpoint_has_local(const struct hws_endpoint *ep, const struct hws_addr *local)
{
    if (ep->local_count == 0 || local == NULL || local->family == HWS_FAMILY_NONE)
        return true;
    for (uint32_t i = 0; i < ep->local_count; i++)
        if (hws_addr_same(&ep->locals[i], local))
            return true;
    return false;
}

static struct hws_endpoint *first_at(const struct hws_engine *e, uint16_t port)
{
    struct hws_hashtab_node *n = hws_hashtab_first(&e->by_port, port_hash(e, port));
    while (n != NULL && HWS_CONTAINER(n, struct hws_endpoint, by_port)->port != port)
        n = hws_hashtab_next(n);
    return n != NULL ? HWS_CONTAINER(n, struct hws_endpoint, by_port) : NULL;
}

static struct hws_endpoint *next_at(const struct hws_endpoint *ep)
{
    struct hws_hashtab_node *n = hws_hashtab_next(&ep->by_port);
    while (n != NULL && HWS_CONTAINER(n, struct hws_endpoint, by_port)->port != ep->port)
        n = hws_hashtab_next(n);
    return n != NULL ? HWS_CONTAINER(n, struct hws_endpoint, by_port) : NULL;
}

struct hws_endpoint *hws_endpoint_find(const struct hws_engine *e, uint16_t port,
                                       const struct hws_addr *local)
{
    for (struct hws_endpoint *ep = first_at(e, port); ep != NULL; ep = next_at(ep))
        if (hws_endpoint_has_local(ep, local))
            return ep;
    return NULL;
}

const struct hws_addr *hws_endpoint_source(const struct hws_endpoint *ep,
                                           const struct hws_addr *remote)
{
    for (uint32_t i = 0; i < ep->local_count; i++)
        if (ep->locals[i].family == remote->family)
            return &ep->locals[i];
    return NULL;
}

static bool overlap(const struct hws_endpoint *ep, const struct hws_endpoint_config *config)
{
    if (ep->local_count == 0 || config->local_count == 0)
        return true;
    for (size_t i = 0; i < config->local_count; i++)
        if (hws_endpoint_has_local(ep, &config->locals[i]))
            return true;
    return false;
}

static bool in_use(const struct hws_engine *e, uint16_t port,
                   const struct hws_endpoint_config *config)
{
    for (struct hws_endpoint *ep = first_at(e, port); ep != NULL; ep = next_at(ep))
        if (overlap(ep, config))
            return true;
    return false;
}

/* A free ephemeral port, starting at an unpredictable one; 0 when all are in use. */
static uint16_t draw_port(struct hws_engine *e, const struct hws_endpoint_config *config)
{
    uint16_t start;
    e->config.env.random(e->config.env.ctx, &start, sizeof start);
    for (uint32_t i = 0; i < HWS_EPHEMERAL_COUNT; i++) {
        uint16_t port = (uint16_t)(HWS_EPHEMERAL_FIRST + (start + i) % HWS_EPHEMERAL_COUNT);
        if (!in_use(e, port, config))
            return port;
    }
    return 0;
}

static bool params_ok(const struct hws_params *p)
{
    return p->rto_min_us >= 1000 && p->rto_min_us <= p->rto_max_us && p->sack_delay_us <= 500000 &&
           p->sack_packets > 0 && p->slow_start_l > 0 && p->max_burst_bytes > 0 &&
           p->ostreams > 0 && p->max_instreams > 0 && p->cookie_life_us > 0 &&
           p->rcvbuf_bytes >= 4096 && p->rcvbuf_bytes <= UINT32_MAX / 4 && p->sndbuf_bytes > 0 &&
           p->sndbuf_bytes <= UINT32_MAX / 4 && hws_cc_find(p->cc) != NULL &&
           hws_sched_find(p->sched) != NULL;
}

static struct hws_endpoint *make(struct hws_engine *e, const struct hws_endpoint_config *config,
                                 const struct hws_params *params, uint16_t port)
{
    struct hws_endpoint *ep = hws_pool_zalloc(&e->pool, sizeof *ep);
    if (ep == NULL)
        return NULL;
    ep->engine = e;
    ep->port = port;
    ep->listening = config->listening;
    ep->params = *params;
    ep->local_count = (uint32_t)config->local_count;
    for (size_t i = 0; i < config->local_count; i++)
        ep->locals[i] = config->locals[i];
    ep->id = hws_idtab_add(&e->endpoints, ep);
    if (ep->id != 0 && hws_hashtab_add(&e->by_port, &ep->by_port, port_hash(e, port)))
        return ep;
    if (ep->id != 0)
        hws_idtab_remove(&e->endpoints, ep->id);
    hws_pool_free(&e->pool, ep, sizeof *ep);
    return NULL;
}

int hws_endpoint_new(struct hws_engine *e, const struct hws_endpoint_config *config,
                     hws_endpoint_id *out)
{
    struct hws_params defaults;
    hws_params_default(&defaults);
    const struct hws_params *params = config->params != NULL ? config->params : &defaults;
    if (config->local_count > HWS_LIMIT_PATHS || !params_ok(params))
        return HWS_E_INVAL;
    uint16_t port = config->port != 0 ? config->port : draw_port(e, config);
    if (port == 0 || in_use(e, port, config))
        return HWS_E_INUSE;
    struct hws_endpoint *ep = make(e, config, params, port);
    if (ep == NULL)
        return HWS_E_NOMEM;
    *out = ep->id;
    return HWS_OK;
}

uint16_t hws_endpoint_port(const struct hws_engine *e, hws_endpoint_id id)
{
    const struct hws_endpoint *ep = hws_idtab_get(&e->endpoints, id);
    return ep != NULL ? ep->port : 0;
}

int hws_endpoint_listen(struct hws_engine *e, hws_endpoint_id id, bool listening)
{
    struct hws_endpoint *ep = hws_idtab_get(&e->endpoints, id);
    if (ep == NULL)
        return HWS_E_NOENT;
    ep->listening = listening;
    return HWS_OK;
}

void hws_endpoint_free(struct hws_endpoint *ep)
{
    struct hws_engine *e = ep->engine;
    hws_hashtab_remove(&e->by_port, &ep->by_port);
    if (!ep->released)
        hws_idtab_remove(&e->endpoints, ep->id);
    hws_pool_free(&e->pool, ep, sizeof *ep);
}

void hws_endpoint_reap(struct hws_endpoint *ep)
{
    if (ep->released && ep->assoc_count == 0)
        hws_endpoint_free(ep);
}

int hws_endpoint_release(struct hws_engine *e, hws_endpoint_id id)
{
    struct hws_endpoint *ep = hws_idtab_get(&e->endpoints, id);
    if (ep == NULL)
        return HWS_E_NOENT;
    hws_idtab_remove(&e->endpoints, id);
    ep->listening = false;
    ep->released = true;
    hws_endpoint_reap(ep);
    return HWS_OK;
}

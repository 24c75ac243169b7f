#include "stack/endpoint.h"

#include <string.h>

#include "stack/params.h"

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

static unsigned common_prefix_bits(const struct hws_addr *a, const struct hws_addr *b)
{
    unsigned byte = 0;
    while (byte < sizeof a->ip && a->ip[byte] == b->ip[byte])
        byte++;
    if (byte == sizeof a->ip)
        return 8 * byte;
    unsigned differ = a->ip[byte] ^ b->ip[byte];
    return 8 * byte + (unsigned)__builtin_clz(differ) - 24;
}

const struct hws_addr *hws_endpoint_source(const struct hws_endpoint *ep,
                                           const struct hws_addr *remote)
{
    const struct hws_addr *best = NULL;
    for (uint32_t i = 0; i < ep->local_count; i++) {
        const struct hws_addr *local = &ep->locals[i];
        if (local->family == remote->family &&
            (best == NULL || common_prefix_bits(local, remote) > common_prefix_bits(best, remote)))
            best = local;
    }
    return best;
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
    if (config->local_count > HWS_LIMIT_PATHS || !hws_params_ok(params))
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

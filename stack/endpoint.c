#include "stack/endpoint.h"

#include <string.h>

#include "proto/bytes.h"
#include "stack/params.h"

static uint64_t port_hash(const struct hws_engine *e, uint16_t port)
{
    return hws_siphash(&e->hash_key, &port, sizeof port);
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
        if (hws_locals_take(ep->locals, local))
            return ep;
    return NULL;
}

static bool listens(const struct hws_endpoint *ep, const struct hws_addr *local)
{
    return ep->listening && hws_locals_take(ep->locals, local);
}

static uint64_t peer_hash(const struct hws_engine *e, const struct hws_addr *remote,
                          uint16_t remote_port)
{
    uint8_t key[sizeof remote->ip + sizeof remote_port];
    memcpy(key, remote->ip, sizeof remote->ip);
    hws_put16(key + sizeof remote->ip, remote_port);
    return hws_siphash(&e->hash_key, key, sizeof key);
}

struct hws_endpoint *hws_endpoint_listener(const struct hws_engine *e, uint16_t port,
                                           const struct hws_addr *local,
                                           const struct hws_addr *remote, uint16_t remote_port)
{
    uint32_t count = 0;
    for (struct hws_endpoint *ep = first_at(e, port); ep != NULL; ep = next_at(ep))
        count += listens(ep, local);
    if (count == 0)
        return NULL;
    uint32_t skip = count > 1 ? (uint32_t)(peer_hash(e, remote, remote_port) % count) : 0;
    struct hws_endpoint *ep = first_at(e, port);
    while (!listens(ep, local) || skip-- > 0)
        ep = next_at(ep);
    return ep;
}

static bool in_use(const struct hws_engine *e, uint16_t port, const struct hws_locals *locals,
                   bool reuse, const struct hws_endpoint *itself)
{
    for (struct hws_endpoint *ep = first_at(e, port); ep != NULL; ep = next_at(ep))
        if (ep != itself && !(reuse && ep->reuse) && hws_locals_overlap(ep->locals, locals))
            return true;
    return false;
}

/* A free ephemeral port, starting at an unpredictable one; 0 when all are in use. Nobody shares one
 * without having asked for it by number. */
static uint16_t draw_port(struct hws_engine *e, const struct hws_locals *locals,
                          uint16_t remote_port)
{
    uint16_t start;
    e->config.env.random(e->config.env.ctx, &start, sizeof start);
    for (uint32_t i = 0; i < HWS_EPHEMERAL_COUNT; i++) {
        uint16_t port = (uint16_t)(HWS_EPHEMERAL_FIRST + (start + i) % HWS_EPHEMERAL_COUNT);
        bool fits = remote_port == 0 || hws_shard_has_ports(&e->config.shard, port, remote_port);
        if (fits && !in_use(e, port, locals, false, NULL))
            return port;
    }
    return 0;
}

static bool enter_tables(struct hws_endpoint *ep)
{
    struct hws_engine *e = ep->engine;
    ep->id = hws_idtab_add(&e->endpoints, ep);
    if (ep->id == 0)
        return false;
    if (hws_hashtab_add(&e->by_port, &ep->by_port, port_hash(e, ep->port)))
        return true;
    hws_idtab_remove(&e->endpoints, ep->id);
    return false;
}

static struct hws_endpoint *make(struct hws_engine *e, const struct hws_endpoint_config *config,
                                 const struct hws_params *params, const struct hws_locals *locals,
                                 uint16_t port)
{
    struct hws_endpoint *ep = hws_pool_zalloc(&e->pool, sizeof *ep);
    if (ep == NULL)
        return NULL;
    ep->engine = e;
    ep->port = port;
    ep->listening = config->listening;
    ep->reuse = config->reuse;
    ep->host_addresses = config->host_addresses;
    ep->params = hws_params_share(&e->pool, params);
    ep->locals = hws_locals_copy(&e->pool, locals);
    if (ep->params != NULL && ep->locals != NULL && enter_tables(ep))
        return ep;
    hws_params_unref(&e->pool, ep->params);
    hws_locals_unref(&e->pool, ep->locals);
    hws_pool_free(&e->pool, ep, sizeof *ep);
    return NULL;
}

int hws_endpoint_new(struct hws_engine *e, const struct hws_endpoint_config *config,
                     hws_endpoint_id *out)
{
    struct hws_params defaults;
    struct hws_locals locals;
    hws_params_default(&defaults);
    const struct hws_params *params = config->params != NULL ? config->params : &defaults;
    if (!hws_locals_ok(config->locals, config->local_count, config->families) ||
        !hws_params_ok(e, params))
        return HWS_E_INVAL;
    hws_locals_init(&locals, config->locals, config->local_count, config->families);
    uint16_t port = config->port != 0 ? config->port : draw_port(e, &locals, config->remote_port);
    if (port == 0 || in_use(e, port, &locals, config->reuse, NULL))
        return HWS_E_INUSE;
    struct hws_endpoint *ep = make(e, config, params, &locals, port);
    if (ep == NULL)
        return HWS_E_NOMEM;
    *out = ep->id;
    return HWS_OK;
}

int hws_endpoint_set_locals(struct hws_engine *e, hws_endpoint_id id, const struct hws_addr *addrs,
                            size_t count)
{
    struct hws_endpoint *ep = hws_idtab_get(&e->endpoints, id);
    if (ep == NULL)
        return HWS_E_NOENT;
    struct hws_locals locals;
    if (!hws_locals_ok(addrs, count, ep->locals->families))
        return HWS_E_INVAL;
    hws_locals_init(&locals, addrs, count, ep->locals->families);
    if (in_use(e, ep->port, &locals, ep->reuse, ep))
        return HWS_E_INUSE;
    struct hws_locals *copy = hws_locals_copy(&e->pool, &locals);
    if (copy == NULL)
        return HWS_E_NOMEM;
    hws_locals_unref(&e->pool, ep->locals);
    ep->locals = copy;
    return HWS_OK;
}

void hws_endpoint_locals(const struct hws_endpoint *ep, const struct hws_addr *remote,
                         const struct hws_addr *local, struct hws_locals *out)
{
    const struct hws_engine *e = ep->engine;
    if (ep->locals->any && ep->host_addresses)
        hws_locals_scope(out, ep->locals, e->host_addrs, e->host_addr_count, remote, local);
    else
        *out = *ep->locals;
}

struct hws_locals *hws_endpoint_share_locals(const struct hws_endpoint *ep,
                                             const struct hws_addr *remote,
                                             const struct hws_addr *local)
{
    struct hws_locals locals;
    hws_endpoint_locals(ep, remote, local, &locals);
    if (locals.count == ep->locals->count)
        return hws_locals_ref(ep->locals);
    return hws_locals_copy(&ep->engine->pool, &locals);
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
    hws_locals_unref(&e->pool, ep->locals);
    hws_params_unref(&e->pool, ep->params);
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

/* Local addresses and ports of sockets. */
#include <errno.h>

#include "api/sock/socket_internal.h"

/* Ports that are tried before giving up. */
#define EPHEMERAL_TRIES 64u

/* ---- What may be bound ---- */

bool hws_sock_any_wildcard(const struct hws_addr *addrs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (addrs[i].family == HWS_FAMILY_NONE)
            return true;
    }
    return false;
}

static unsigned families(const struct hws_sock *sock)
{
    if (sock->family == AF_INET)
        return HWS_ENDPOINT_IPV4;
    return sock->options.v6only ? HWS_ENDPOINT_IPV6 : HWS_ENDPOINT_IPV4 | HWS_ENDPOINT_IPV6;
}

bool hws_sock_families_ok(const struct hws_sock *sock, const struct hws_addr *addrs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        unsigned family = addrs[i].family == HWS_FAMILY_IPV4   ? HWS_ENDPOINT_IPV4
                          : addrs[i].family == HWS_FAMILY_IPV6 ? HWS_ENDPOINT_IPV6
                                                               : families(sock);
        if ((family & families(sock)) == 0)
            return false;
    }
    return true;
}

static int check_port(const struct hws_sock *sock, uint16_t port)
{
    const struct hws_sockets_host *host = &sock->sockets->host;
    return host->check_port != NULL ? host->check_port(host->arg, port) : 0;
}

int hws_sock_check_port(const struct hws_sock *sock)
{
    return check_port(sock, hws_sock_port(sock));
}

static int check_locals(const struct hws_sock *sock, const struct hws_addr *locals, uint32_t count)
{
    const struct hws_sockets_host *host = &sock->sockets->host;
    if (count > HWS_LIMIT_PATHS || !hws_sock_families_ok(sock, locals, count))
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        if (locals[i].family == HWS_FAMILY_NONE)
            continue;
        int rc = hws_addr_unicast(&locals[i]) ? host->check_local(host->arg, &locals[i])
                                              : -EADDRNOTAVAIL;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- The engine's endpoint ---- */

struct hws_sock *hws_sock_by_endpoint(const struct hws_sockets *sockets, hws_endpoint_id id)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sockets->by_endpoint, id);
    return node != NULL ? HWS_SOCK_CONTAINER(node, struct hws_sock, by_endpoint) : NULL;
}

/* As in the kernel an address where another socket listens is shared with SO_REUSEPORT only. */
static bool may_share(const struct hws_sock *sock, uint16_t number)
{
    const struct hws_sock_options *options = &sock->options;
    struct hws_hashtab_node *node = hws_hashtab_first(&sock->sockets->ports, number);
    if (options->reuse_port)
        return true;
    return (options->reuse_address || options->sctp_reuse_port) &&
           (node == NULL || HWS_SOCK_CONTAINER(node, struct hws_sock_port, node)->listeners == 0);
}

static int make_endpoint(struct hws_sock *sock, uint16_t port)
{
    struct hws_sockets *sockets = sock->sockets;
    struct hws_endpoint_config config = {.port = port,
                                         .locals = sock->locals,
                                         .local_count = sock->local_count,
                                         .families = families(sock),
                                         .reuse = may_share(sock, port),
                                         .host_addresses = true,
                                         .params = &sock->params};
    int rc = hws_endpoint_new(sockets->engine, &config, &sock->endpoint);
    if (rc < 0) {
        sock->endpoint = 0;
        return -hws_sock_errno(rc);
    }
    if (hws_hashtab_add(&sockets->by_endpoint, &sock->by_endpoint, sock->endpoint))
        return 0;
    hws_endpoint_release(sockets->engine, sock->endpoint);
    sock->endpoint = 0;
    return -ENOMEM;
}

void hws_sock_drop_endpoint(struct hws_sock *sock)
{
    if (sock->endpoint == 0)
        return;
    hws_hashtab_remove(&sock->sockets->by_endpoint, &sock->by_endpoint);
    hws_endpoint_release(sock->sockets->engine, sock->endpoint);
    sock->endpoint = 0;
}

/* ---- bind ---- */

static int bind_port(struct hws_sock *sock, uint16_t port)
{
    int rc = make_endpoint(sock, port);
    if (rc < 0)
        return rc;
    rc = hws_sock_port_get(sock->sockets, port, &sock->port);
    if (rc < 0)
        hws_sock_drop_endpoint(sock);
    return rc;
}

static bool fits(const struct hws_sock *sock, uint16_t port, uint16_t remote_port)
{
    return hws_shard_has_ports(&sock->sockets->host.shard, port, remote_port);
}

/* The first port from the drawn one on that leads to this shard together with the peer's. */
static uint16_t fitting_port(const struct hws_sock *sock, uint32_t draw, uint16_t remote_port)
{
    uint16_t port;
    uint32_t steps = 0;
    do {
        port = (uint16_t)(HWS_EPHEMERAL_FIRST + (draw + steps) % HWS_EPHEMERAL_COUNT);
    } while (remote_port != 0 && !fits(sock, port, remote_port) && ++steps < HWS_EPHEMERAL_COUNT);
    return port;
}

/* Ports are drawn at random, so that they are hard to guess (RFC 6056), and one that any socket of
 * ours uses is stepped over, whatever its addresses are. */
static int bind_ephemeral(struct hws_sock *sock, uint16_t remote_port)
{
    const struct hws_env *env = sock->sockets->env;
    int rc = -EADDRINUSE;
    for (uint32_t i = 0; i < EPHEMERAL_TRIES && rc == -EADDRINUSE; i++) {
        uint32_t draw;
        env->random(env->ctx, &draw, sizeof(draw));
        uint16_t port = fitting_port(sock, draw, remote_port);
        if (hws_hashtab_first(&sock->sockets->ports, port) == NULL)
            rc = bind_port(sock, port);
    }
    sock->port_drawn = rc == 0;
    return rc;
}

/* With port 0 one is drawn, for a peer's port unless that is 0. */
static int bind_to(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                   uint16_t port, uint16_t remote_port)
{
    if (sock->state != HWS_SOCK_NEW)
        return -EINVAL;
    int rc = check_locals(sock, locals, count);
    if (rc == 0 && port != 0)
        rc = check_port(sock, port);
    if (rc < 0)
        return rc;
    sock->local_count = hws_sock_any_wildcard(locals, count) ? 0 : count;
    for (uint32_t i = 0; i < sock->local_count; i++)
        sock->locals[i] = locals[i];
    rc = port != 0 ? bind_port(sock, port) : bind_ephemeral(sock, remote_port);
    if (rc == 0)
        sock->state = HWS_SOCK_BOUND;
    else
        sock->local_count = 0;
    return rc;
}

int hws_sock_bind(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                  uint16_t port)
{
    return bind_to(sock, locals, count, port, 0);
}

int hws_sock_bind_if_new(struct hws_sock *sock)
{
    return sock->state == HWS_SOCK_NEW ? hws_sock_bind(sock, NULL, 0, 0) : 0;
}

/* Nobody named the port that does not lead here, nor does an association have it. */
static bool may_draw_again(const struct hws_sock *sock, uint16_t remote_port)
{
    return sock->state == HWS_SOCK_BOUND && sock->port_drawn && sock->member_count == 0 &&
           !fits(sock, hws_sock_port(sock), remote_port);
}

int hws_sock_bind_to_connect(struct hws_sock *sock, uint16_t remote_port)
{
    if (sock->state == HWS_SOCK_NEW)
        return bind_to(sock, NULL, 0, 0, remote_port);
    int rc = hws_sock_check_port(sock);
    if (rc < 0 || !may_draw_again(sock, remote_port))
        return rc;
    hws_sock_drop_endpoint(sock);
    hws_sock_port_put(sock->sockets, sock->port);
    sock->port = NULL;
    rc = bind_ephemeral(sock, remote_port);
    if (rc < 0) {
        sock->state = HWS_SOCK_NEW;
        sock->local_count = 0;
    }
    return rc;
}

/* ---- bindx ---- */

static uint32_t find_local(const struct hws_addr *locals, uint32_t count,
                           const struct hws_addr *local)
{
    uint32_t i = 0;
    while (i < count && !hws_addr_same(&locals[i], local))
        i++;
    return i;
}

static bool port_differs(const struct hws_sock *sock, uint16_t port)
{
    return port != 0 && port != hws_sock_port(sock);
}

static int store_locals(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count)
{
    int rc = hws_endpoint_set_locals(sock->sockets->engine, sock->endpoint, locals, count);
    if (rc < 0)
        return -hws_sock_errno(rc);
    for (uint32_t i = 0; i < count; i++)
        sock->locals[i] = locals[i];
    sock->local_count = count;
    return 0;
}

/* Adds to `all`; a wildcard goes with nothing else, and nothing is bound twice. */
static int add_locals(struct hws_addr *all, uint32_t *all_count, const struct hws_addr *locals,
                      uint32_t count)
{
    if (hws_sock_any_wildcard(locals, count))
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        if (*all_count == HWS_LIMIT_PATHS || find_local(all, *all_count, &locals[i]) < *all_count)
            return -EINVAL;
        all[(*all_count)++] = locals[i];
    }
    return 0;
}

int hws_sock_bindx_add(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                       uint16_t port)
{
    struct hws_addr all[HWS_LIMIT_PATHS];
    uint32_t all_count = 0;
    if (count == 0)
        return -EINVAL;
    if (sock->state == HWS_SOCK_NEW) {
        int rc = count == 1 ? 0 : add_locals(all, &all_count, locals, count);
        return rc < 0 ? rc : hws_sock_bind(sock, locals, count, port);
    }
    if (sock->endpoint == 0 || port_differs(sock, port) || sock->local_count == 0)
        return -EINVAL;
    int rc = check_locals(sock, locals, count);
    for (uint32_t i = 0; i < sock->local_count; i++)
        all[all_count++] = sock->locals[i];
    if (rc == 0)
        rc = add_locals(all, &all_count, locals, count);
    return rc < 0 ? rc : store_locals(sock, all, all_count);
}

int hws_sock_bindx_rem(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                       uint16_t port)
{
    struct hws_addr left[HWS_LIMIT_PATHS];
    uint32_t left_count = sock->local_count;
    if (count == 0)
        return -EINVAL;
    for (uint32_t i = 0; i < left_count; i++)
        left[i] = sock->locals[i];
    for (uint32_t i = 0; i < count; i++) {
        if (left_count <= 1)
            return -EBUSY;
        if (locals[i].family == HWS_FAMILY_NONE)
            return -EADDRNOTAVAIL;
        uint32_t at = find_local(left, left_count, &locals[i]);
        if (sock->endpoint == 0 || port_differs(sock, port) || at == left_count)
            return -EINVAL;
        left_count--;
        for (; at < left_count; at++)
            left[at] = left[at + 1];
    }
    return store_locals(sock, left, left_count);
}

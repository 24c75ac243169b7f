/* All sockets of an engine, and the life of one. */
#include "api/sock/socket.h"

#include <errno.h>

#include "api/sock/socket_internal.h"

int hws_sock_errno(int error)
{
    static const int errnos[] = {
#define ROW(symbol, value) [HWS_E_##symbol - HWS_E_BASE - 1] = value
        ROW(AGAIN, EAGAIN),         ROW(NOMEM, ENOMEM),     ROW(NOENT, EBADF),
        ROW(INVAL, EINVAL),         ROW(MSGSIZE, EMSGSIZE), ROW(NOTCONN, ENOTCONN),
        ROW(SHUTDOWN, EPIPE),       ROW(INUSE, EADDRINUSE), ROW(REFUSED, ECONNREFUSED),
        ROW(TIMEDOUT, ETIMEDOUT),   ROW(RESET, ECONNRESET), ROW(ABORTED, ECONNABORTED),
        ROW(UNREACH, EHOSTUNREACH), ROW(PROTO, EPROTO),     ROW(EOF, 0),
        ROW(SHARD, EADDRNOTAVAIL),
#undef ROW
    };
    int index = error - HWS_E_BASE - 1;
    if (error == HWS_OK)
        return 0;
    return index >= 0 && (size_t)index < sizeof(errnos) / sizeof(errnos[0]) ? errnos[index]
                                                                            : EINVAL;
}

/* ---- All sockets ---- */

void hws_sockets_init(struct hws_sockets *sockets, struct hws_engine *engine, struct hws_env *env,
                      const struct hws_sockets_host *host)
{
    *sockets = (struct hws_sockets){
        .engine = engine, .env = env, .host = *host, .last_id = SCTP_ALL_ASSOC};
    env->random(env->ctx, &sockets->peer_key, sizeof(sockets->peer_key));
    hws_pool_init(&sockets->pool, env, true);
    hws_hashtab_init(&sockets->by_assoc, &sockets->pool);
    hws_hashtab_init(&sockets->by_id, &sockets->pool);
    hws_hashtab_init(&sockets->by_peer, &sockets->pool);
    hws_hashtab_init(&sockets->by_endpoint, &sockets->pool);
    hws_hashtab_init(&sockets->ports, &sockets->pool);
    TAILQ_INIT(&sockets->all);
    TAILQ_INIT(&sockets->changed);
    TAILQ_INIT(&sockets->lent);
    TAILQ_INIT(&sockets->released);
}

void hws_sockets_fini(struct hws_sockets *sockets, uint64_t now_us)
{
    while (!TAILQ_EMPTY(&sockets->all))
        hws_sock_destroy(TAILQ_FIRST(&sockets->all), now_us);
    hws_lent_fini(sockets);
    hws_hashtab_fini(&sockets->by_assoc);
    hws_hashtab_fini(&sockets->by_id);
    hws_hashtab_fini(&sockets->by_peer);
    hws_hashtab_fini(&sockets->by_endpoint);
    hws_hashtab_fini(&sockets->ports);
    hws_pool_fini(&sockets->pool);
}

uint32_t hws_sockets_orphans(const struct hws_sockets *sockets)
{
    return sockets->orphans;
}

void hws_sockets_visit_paths(struct hws_sockets *sockets,
                             void (*visit)(void *arg, hws_assoc_id assoc,
                                           const struct hws_addr *remote),
                             void *arg)
{
    const struct hws_sock *sock;
    const struct hws_member *member;
    TAILQ_FOREACH(sock, &sockets->all, in_all)
    {
        TAILQ_FOREACH(member, &sock->members, in_sock)
        {
            for (uint32_t i = 0; i < member->peer_count; i++)
                visit(arg, member->assoc, &member->peers[i].remote);
        }
    }
}

/* ---- One socket ---- */

/* What later steps of an association need and could not undo when there is no memory for it. */
static bool reserve(struct hws_sockets *sockets)
{
    return hws_hashtab_reserve(&sockets->by_assoc) && hws_hashtab_reserve(&sockets->by_id) &&
           hws_hashtab_reserve(&sockets->by_peer) && hws_hashtab_reserve(&sockets->by_endpoint) &&
           hws_hashtab_reserve(&sockets->ports);
}

struct hws_sock *hws_sock_open(struct hws_sockets *sockets, int family, enum hws_sock_style style)
{
    if (!reserve(sockets))
        return NULL;
    struct hws_sock *sock = hws_pool_zalloc(&sockets->pool, sizeof(*sock));
    if (sock == NULL)
        return NULL;
    sock->sockets = sockets;
    sock->number = ++sockets->last_number;
    sock->family = family;
    sock->style = style;
    hws_params_default(&sock->params);
    if (sockets->profile_params != NULL)
        sockets->profile_params(&sock->params);
    hws_sock_options_init(sock);
    TAILQ_INIT(&sock->members);
    TAILQ_INIT(&sock->ready);
    TAILQ_INIT(&sock->queue);
    TAILQ_INSERT_TAIL(&sockets->all, sock, in_all);
    return sock;
}

static void forget_changed(struct hws_sock *sock)
{
    if (!sock->changed)
        return;
    sock->changed = false;
    TAILQ_REMOVE(&sock->sockets->changed, sock, in_changed);
}

void hws_sock_destroy(struct hws_sock *sock, uint64_t now_us)
{
    struct hws_sockets *sockets = sock->sockets;
    forget_changed(sock);
    while (!TAILQ_EMPTY(&sock->members))
        hws_member_free(TAILQ_FIRST(&sock->members), now_us);
    hws_sock_unlisten(sock);
    hws_sock_drop_endpoint(sock);
    hws_sock_port_put(sockets, sock->port);
    sockets->orphans -= sock->orphaned;
    TAILQ_REMOVE(&sockets->all, sock, in_all);
    hws_pool_free(&sockets->pool, sock, sizeof(*sock));
}

int hws_sock_take_error(struct hws_sock *sock)
{
    int error = sock->error;
    sock->error = 0;
    return error;
}

uint16_t hws_sock_port(const struct hws_sock *sock)
{
    return sock->port != NULL ? sock->port->port : 0;
}

/* ---- Callbacks ---- */

void hws_sock_changed(struct hws_sock *sock)
{
    if (sock->changed || sock->callback == NULL)
        return;
    sock->changed = true;
    TAILQ_INSERT_TAIL(&sock->sockets->changed, sock, in_changed);
}

void hws_sock_arrived(struct hws_sock *sock)
{
    sock->arrivals++;
    hws_sock_changed(sock);
}

bool hws_sockets_dispatch(struct hws_sockets *sockets)
{
    bool called = false;
    struct hws_sock *sock;
    while ((sock = TAILQ_FIRST(&sockets->changed)) != NULL) {
        forget_changed(sock);
        sock->callback(sock, hws_sock_ready(sock), sock->callback_arg);
        called = true;
    }
    return called;
}

void hws_sock_set_callback(struct hws_sock *sock, hws_sock_callback callback, void *arg)
{
    forget_changed(sock);
    sock->callback = callback;
    sock->callback_arg = arg;
    if (hws_sock_ready(sock) != 0)
        hws_sock_changed(sock);
}

/* Associations that this side begins: by connect, or by sending. */
#include <errno.h>

#include "api/sock/socket_internal.h"

/* One address that can be reached is enough; otherwise the first one's error. */
static int check_routes(const struct hws_sockets *sockets, const struct hws_addr *remotes,
                        uint32_t count)
{
    int first = 0;
    for (uint32_t i = 0; i < count; i++) {
        int rc = sockets->host.check_route(sockets->host.arg, &remotes[i]);
        if (rc == 0)
            return 0;
        if (i == 0)
            first = rc;
    }
    return first;
}

/* What the peer's addresses say already: a second association with one host is none. */
static int check_remotes(const struct hws_sock *sock, const struct hws_sock_send *to)
{
    if (to->remote_count == 0 || to->remote_count > HWS_LIMIT_PATHS || to->remote_port == 0 ||
        hws_sock_any_wildcard(to->remotes, to->remote_count) ||
        !hws_sock_families_ok(sock, to->remotes, to->remote_count))
        return -EINVAL;
    for (uint32_t i = 0; i < to->remote_count; i++) {
        if (!hws_addr_unicast(&to->remotes[i]))
            return -EINVAL;
        const struct hws_member *member =
            hws_sock_member_at(sock, &to->remotes[i], to->remote_port);
        if (member != NULL)
            return member->state == HWS_MEMBER_CONNECTING ? -EALREADY : -EISCONN;
    }
    return check_routes(sock->sockets, to->remotes, to->remote_count);
}

static void apply_init(const struct sctp_initmsg *init, struct hws_params *params)
{
    if (init->sinit_num_ostreams != 0)
        params->ostreams = init->sinit_num_ostreams;
    if (init->sinit_max_instreams != 0)
        params->max_instreams = init->sinit_max_instreams;
    if (init->sinit_max_attempts != 0)
        params->max_init_retrans = init->sinit_max_attempts;
    if (init->sinit_max_init_timeo != 0)
        params->init_rto_max_us = init->sinit_max_init_timeo * 1000u;
}

/* An association begins with its endpoint's parameters: for SCTP_INIT (RFC 6458, 5.3.1) they are
 * others for this moment. */
static int engine_connect(struct hws_sock *sock, const struct hws_sock_send *to, uint64_t now_us,
                          hws_assoc_id *out)
{
    struct hws_engine *engine = sock->sockets->engine;
    struct hws_params params = sock->params;
    int rc = HWS_OK;
    if (to->init != NULL) {
        apply_init(to->init, &params);
        rc = hws_endpoint_set_params(engine, sock->endpoint, &params);
    }
    if (rc == HWS_OK)
        rc = hws_assoc_connect(engine, sock->endpoint, to->remotes, to->remote_count,
                               to->remote_port, now_us, out);
    if (to->init != NULL)
        hws_endpoint_set_params(engine, sock->endpoint, &sock->params);
    return rc == HWS_E_INUSE ? -EADDRNOTAVAIL : -hws_sock_errno(rc);
}

/* A one-to-one socket whose association never came up can try again. */
static void forget_failed(struct hws_sock *sock, uint64_t now_us)
{
    if (sock->style == HWS_SOCK_ONE_TO_MANY || sock->state != HWS_SOCK_OVER)
        return;
    while (!TAILQ_EMPTY(&sock->members))
        hws_member_free(TAILQ_FIRST(&sock->members), now_us);
    sock->state = HWS_SOCK_BOUND;
}

int hws_sock_begin(struct hws_sock *sock, const struct hws_sock_send *to, uint64_t now_us,
                   struct hws_member **out)
{
    hws_assoc_id assoc;
    int rc = check_remotes(sock, to);
    if (rc == 0 && sock->member_count - sock->live_count >= HWS_SOCK_OVER_MAX)
        rc = -ENOBUFS;
    if (rc == 0)
        rc = hws_sock_bind_to_connect(sock, to->remote_port);
    if (rc < 0)
        return rc;
    forget_failed(sock, now_us);
    rc = engine_connect(sock, to, now_us, &assoc);
    if (rc < 0)
        return rc;
    struct hws_member *member = hws_member_new(sock, assoc);
    if (member == NULL) {
        hws_assoc_release(sock->sockets->engine, assoc, now_us);
        return -ENOMEM;
    }
    hws_member_keep_failed(member, now_us);
    if (sock->style == HWS_SOCK_ONE_TO_ONE) {
        sock->state = HWS_SOCK_CONNECTING;
        sock->error = 0;
    }
    *out = member;
    return 0;
}

static int may_connect(const struct hws_sock *sock)
{
    const struct hws_member *member = hws_sock_only_member(sock);
    if (sock->style == HWS_SOCK_ONE_TO_MANY)
        return 0;
    switch (sock->state) {
    case HWS_SOCK_CONNECTING:
        return -EALREADY;
    case HWS_SOCK_LISTENING:
    case HWS_SOCK_CONNECTED:
        return -EISCONN;
    case HWS_SOCK_OVER:
        return member->was_up ? -EISCONN : 0;
    default:
        return 0;
    }
}

int hws_sock_connect(struct hws_sock *sock, const struct hws_addr *remotes, uint32_t count,
                     uint16_t port, bool awaited, sctp_assoc_t *id, uint64_t now_us)
{
    const struct hws_sock_send to = {
        .remotes = remotes, .remote_count = count, .remote_port = port};
    struct hws_member *member;
    int rc = may_connect(sock);
    if (rc == 0)
        rc = hws_sock_begin(sock, &to, now_us, &member);
    if (rc < 0)
        return rc;
    member->awaited = awaited;
    if (id != NULL)
        *id = member->id;
    return -EINPROGRESS;
}

int hws_sock_connect_result(struct hws_sock *sock)
{
    if (sock->state == HWS_SOCK_CONNECTED)
        return 0;
    if (sock->state == HWS_SOCK_CONNECTING)
        return -EINPROGRESS;
    int error = hws_sock_take_error(sock);
    if (sock->state != HWS_SOCK_OVER)
        return -ENOTCONN;
    return error != 0 ? -error : sock->params.probe ? 0 : -ENOTCONN;
}

static struct hws_member *find_awaited(const struct hws_sock *sock, sctp_assoc_t id)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sock->sockets->by_id, (uint32_t)id);
    if (node == NULL)
        return NULL;
    struct hws_member *member = HWS_SOCK_CONTAINER(node, struct hws_member, by_id);
    return member->awaited && member->sock == sock ? member : NULL;
}

int hws_sock_connect_result_of(struct hws_sock *sock, sctp_assoc_t id, uint64_t now_us)
{
    struct hws_member *member = find_awaited(sock, id);
    if (member == NULL)
        return -ENOTCONN;
    if (member->state == HWS_MEMBER_CONNECTING)
        return -EINPROGRESS;
    int rc = member->was_up ? 0 : -member->error;
    member->awaited = false;
    if (rc < 0 && sock->style != HWS_SOCK_ONE_TO_MANY)
        sock->error = 0;
    hws_member_reap(member, now_us);
    return rc;
}

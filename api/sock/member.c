/* The associations of sockets: their names, their parameters, their end. */
#include <errno.h>
#include <string.h>

#include "api/sock/socket_internal.h"

/* ---- Ids ---- */

static struct hws_member *by_id(const struct hws_sockets *sockets, sctp_assoc_t id)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sockets->by_id, (uint32_t)id);
    return node != NULL ? HWS_SOCK_CONTAINER(node, struct hws_member, by_id) : NULL;
}

/* One after another, so that an id is not used again before all others were. */
static sctp_assoc_t draw_id(struct hws_sockets *sockets)
{
    do {
        sockets->last_id = sockets->last_id < INT32_MAX ? sockets->last_id + 1 : SCTP_ALL_ASSOC + 1;
    } while (by_id(sockets, sockets->last_id) != NULL);
    return sockets->last_id;
}

struct hws_member *hws_member_by_assoc(const struct hws_sockets *sockets, hws_assoc_id assoc)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sockets->by_assoc, assoc);
    return node != NULL ? HWS_SOCK_CONTAINER(node, struct hws_member, by_assoc) : NULL;
}

/* ---- The peer's addresses ---- */

/* Many sockets may have associations with one peer: each has keys of its own. */
static uint64_t peer_hash(const struct hws_sock *sock, const struct hws_addr *remote, uint16_t port)
{
    struct {
        uint64_t sock;
        uint8_t ip[16];
        uint32_t scope_id;
        uint16_t port;
        uint16_t family;
    } key = {
        .sock = sock->number, .scope_id = remote->scope_id, .port = port, .family = remote->family};
    memcpy(key.ip, remote->ip, sizeof(key.ip));
    return hws_siphash(&sock->sockets->peer_key, &key, sizeof(key));
}

struct hws_member_peer *hws_member_peer(struct hws_member *member, const struct hws_addr *remote)
{
    for (uint32_t i = 0; i < member->peer_count; i++) {
        if (hws_addr_same(&member->peers[i].remote, remote))
            return &member->peers[i];
    }
    return NULL;
}

static void add_peer(struct hws_member *member, const struct hws_addr *remote)
{
    struct hws_sockets *sockets = member->sock->sockets;
    if (member->peer_count == HWS_LIMIT_PATHS || hws_member_peer(member, remote) != NULL)
        return;
    struct hws_member_peer *peer = &member->peers[member->peer_count];
    *peer = (struct hws_member_peer){.member = member, .remote = *remote};
    if (hws_hashtab_add(&sockets->by_peer, &peer->by_peer,
                        peer_hash(member->sock, remote, member->remote_port)))
        member->peer_count++;
}

void hws_member_add_peers(struct hws_member *member)
{
    const struct hws_engine *engine = member->sock->sockets->engine;
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (member->state == HWS_MEMBER_OVER ||
        hws_assoc_status(engine, member->assoc, &status) != HWS_OK)
        return;
    member->remote_port = status.remote_port;
    for (uint32_t i = 0; i < status.path_count; i++) {
        if (hws_assoc_path_status(engine, member->assoc, i, &path) == HWS_OK)
            add_peer(member, &path.remote);
    }
}

static void remove_peers(struct hws_member *member)
{
    for (uint32_t i = 0; i < member->peer_count; i++)
        hws_hashtab_remove(&member->sock->sockets->by_peer, &member->peers[i].by_peer);
    member->peer_count = 0;
}

struct hws_member *hws_sock_member_at(const struct hws_sock *sock, const struct hws_addr *remote,
                                      uint16_t port)
{
    const struct hws_sockets *sockets = sock->sockets;
    struct hws_hashtab_node *node =
        hws_hashtab_first(&sockets->by_peer, peer_hash(sock, remote, port));
    for (; node != NULL; node = hws_hashtab_next(node)) {
        const struct hws_member_peer *peer =
            HWS_SOCK_CONTAINER(node, struct hws_member_peer, by_peer);
        if (peer->member->sock == sock && peer->member->remote_port == port &&
            hws_addr_same(&peer->remote, remote))
            return peer->member;
    }
    return NULL;
}

/* ---- Paths ---- */

int hws_sock_primary_path(const struct hws_sockets *sockets, hws_assoc_id assoc,
                          struct hws_assoc_status *status, struct hws_path_status *path)
{
    int rc = hws_assoc_status(sockets->engine, assoc, status);
    return rc == HWS_OK ? hws_assoc_path_status(sockets->engine, assoc, status->primary, path) : rc;
}

bool hws_sock_find_path(const struct hws_sockets *sockets, hws_assoc_id assoc,
                        const struct hws_addr *remote, uint32_t *index)
{
    struct hws_path_status path;
    for (uint32_t i = 0; i < HWS_LIMIT_PATHS; i++) {
        if (hws_assoc_path_status(sockets->engine, assoc, i, &path) == HWS_OK &&
            hws_addr_same(&path.remote, remote)) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* ---- Life ---- */

static bool is_many(const struct hws_sock *sock)
{
    return sock->style == HWS_SOCK_ONE_TO_MANY;
}

static void join(struct hws_member *member, struct hws_sock *sock)
{
    member->sock = sock;
    TAILQ_INSERT_TAIL(&sock->members, member, in_sock);
    sock->member_count++;
    sock->live_count += member->state != HWS_MEMBER_OVER;
    sock->blocked_count += member->blocked;
    if (!is_many(sock))
        sock->assoc = member->assoc;
}

static void leave(struct hws_member *member)
{
    struct hws_sock *sock = member->sock;
    if (member->readable)
        TAILQ_REMOVE(&sock->ready, member, in_ready);
    member->readable = false;
    if (sock->partial == member)
        sock->partial = NULL;
    TAILQ_REMOVE(&sock->members, member, in_sock);
    sock->member_count--;
    sock->live_count -= member->state != HWS_MEMBER_OVER;
    sock->blocked_count -= member->blocked;
    sock->assoc = 0;
}

struct hws_member *hws_member_new(struct hws_sock *sock, hws_assoc_id assoc)
{
    struct hws_sockets *sockets = sock->sockets;
    struct hws_member *member = hws_pool_zalloc(&sockets->pool, sizeof(*member));
    if (member == NULL)
        return NULL;
    member->assoc = assoc;
    member->id = draw_id(sockets);
    member->options = sock->options.future;
    TAILQ_INIT(&member->notes);
    bool named = hws_hashtab_add(&sockets->by_assoc, &member->by_assoc, assoc);
    if (!named || !hws_hashtab_add(&sockets->by_id, &member->by_id, (uint32_t)member->id)) {
        if (named)
            hws_hashtab_remove(&sockets->by_assoc, &member->by_assoc);
        hws_pool_free(&sockets->pool, member, sizeof(*member));
        return NULL;
    }
    join(member, sock);
    hws_member_add_peers(member);
    return member;
}

void hws_member_free(struct hws_member *member, uint64_t now_us)
{
    struct hws_sockets *sockets = member->sock->sockets;
    hws_note_free_all(member);
    hws_pool_free(&sockets->pool, member->parts, member->parts_capacity);
    remove_peers(member);
    leave(member);
    hws_hashtab_remove(&sockets->by_assoc, &member->by_assoc);
    hws_hashtab_remove(&sockets->by_id, &member->by_id);
    hws_assoc_release(sockets->engine, member->assoc, now_us);
    hws_pool_free(&sockets->pool, member, sizeof(*member));
}

void hws_member_set_blocked(struct hws_member *member, bool blocked)
{
    member->sock->blocked_count += (uint32_t)blocked - (uint32_t)member->blocked;
    member->blocked = blocked;
}

void hws_member_over(struct hws_member *member, int reason)
{
    struct hws_sock *sock = member->sock;
    if (member->state == HWS_MEMBER_OVER)
        return;
    member->error = hws_sock_errno(reason);
    if (!member->was_up && member->error == 0 && !sock->params.probe)
        member->error = ECONNREFUSED;
    member->state = HWS_MEMBER_OVER;
    member->shut = true;
    sock->live_count--;
    hws_member_set_blocked(member, false);
    remove_peers(member);
}

void hws_member_reap(struct hws_member *member, uint64_t now_us)
{
    if (is_many(member->sock) && member->state == HWS_MEMBER_OVER && !member->readable &&
        !member->awaited)
        hws_member_free(member, now_us);
}

void hws_member_move(struct hws_member *member, struct hws_sock *to)
{
    bool readable = member->readable;
    bool partial = member->sock->partial == member;
    remove_peers(member);
    leave(member);
    join(member, to);
    hws_member_add_peers(member);
    if (readable) {
        TAILQ_INSERT_TAIL(&to->ready, member, in_ready);
        member->readable = true;
    }
    if (partial)
        to->partial = member;
}

/* ---- Finding them ---- */

struct hws_member *hws_sock_only_member(const struct hws_sock *sock)
{
    return is_many(sock) ? NULL : TAILQ_FIRST(&sock->members);
}

struct hws_member *hws_sock_member(const struct hws_sock *sock, sctp_assoc_t id)
{
    struct hws_member *member =
        is_many(sock) ? by_id(sock->sockets, id) : hws_sock_only_member(sock);
    bool known = member != NULL && member->sock == sock && member->state != HWS_MEMBER_OVER;
    if (!is_many(sock) && sock->state != HWS_SOCK_CONNECTED)
        known = false;
    return known ? member : NULL;
}

static struct hws_member *skip_over(struct hws_member *member)
{
    while (member != NULL && member->state == HWS_MEMBER_OVER)
        member = TAILQ_NEXT(member, in_sock);
    return member;
}

struct hws_member *hws_sock_first_member(const struct hws_sock *sock)
{
    return skip_over(TAILQ_FIRST(&sock->members));
}

struct hws_member *hws_sock_next_member(const struct hws_member *member)
{
    return skip_over(TAILQ_NEXT(member, in_sock));
}

/* ---- Parameters ---- */

int hws_sock_set_future_params(struct hws_sock *sock, const struct hws_params *params)
{
    int rc = HWS_OK;
    if (sock->endpoint != 0)
        rc = hws_endpoint_set_params(sock->sockets->engine, sock->endpoint, params);
    if (rc == HWS_OK)
        sock->params = *params;
    return -hws_sock_errno(rc);
}

/* ---- Addresses ---- */

static const struct hws_member *member_of(const struct hws_sock *sock, sctp_assoc_t id)
{
    return is_many(sock) ? hws_sock_member(sock, id) : hws_sock_only_member(sock);
}

int hws_sock_peers(const struct hws_sock *sock, sctp_assoc_t id, struct hws_addr *out,
                   uint16_t *port)
{
    const struct hws_engine *engine = sock->sockets->engine;
    const struct hws_member *member = member_of(sock, id);
    struct hws_assoc_status status;
    struct hws_path_status path;
    int count = 0;
    if (member == NULL || hws_assoc_status(engine, member->assoc, &status) != HWS_OK)
        return -EINVAL;
    *port = status.remote_port;
    for (uint32_t i = 0; i < status.path_count && count < (int)HWS_LIMIT_PATHS; i++) {
        if (hws_assoc_path_status(engine, member->assoc, i, &path) == HWS_OK)
            out[count++] = path.remote;
    }
    return count;
}

static int bound_locals(const struct hws_sock *sock, struct hws_addr *out)
{
    for (uint32_t i = 0; i < sock->local_count; i++)
        out[i] = sock->locals[i];
    return (int)sock->local_count;
}

int hws_sock_locals(const struct hws_sock *sock, sctp_assoc_t id, struct hws_addr *out,
                    uint16_t *port)
{
    const struct hws_member *member = member_of(sock, id);
    size_t count = 0;
    *port = hws_sock_port(sock);
    if (member == NULL && is_many(sock) && id != SCTP_FUTURE_ASSOC)
        return -EINVAL;
    if (member == NULL ||
        hws_assoc_locals(sock->sockets->engine, member->assoc, out, HWS_LIMIT_PATHS, &count) !=
            HWS_OK ||
        count == 0)
        return bound_locals(sock, out);
    return count < HWS_LIMIT_PATHS ? (int)count : (int)HWS_LIMIT_PATHS;
}

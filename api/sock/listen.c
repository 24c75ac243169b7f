/* Listening, the queue of associations that wait to be accepted, and accepting. */
#include <errno.h>

#include "api/sock/socket_internal.h"

/* ---- listen ---- */

bool hws_sock_may_accept(const struct hws_sock *sock)
{
    return sock->state == HWS_SOCK_LISTENING && (sock->shutdown & HWS_SOCK_SHUT_RECV) == 0;
}

static bool overlap(const struct hws_sock *a, const struct hws_sock *b)
{
    if (a->local_count == 0 || b->local_count == 0)
        return true;
    for (uint32_t i = 0; i < a->local_count; i++) {
        for (uint32_t k = 0; k < b->local_count; k++) {
            if (hws_addr_same(&a->locals[i], &b->locals[k]))
                return true;
        }
    }
    return false;
}

/* Sockets that share a port by SO_REUSEADDR cannot all listen there (as in the kernel). */
static bool another_listens(const struct hws_sock *sock)
{
    const struct hws_sock *other;
    if (sock->port->listeners == 0)
        return false;
    TAILQ_FOREACH(other, &sock->sockets->all, in_all)
    {
        if (other->port == sock->port && other->state == HWS_SOCK_LISTENING &&
            !(other->options.reuse_port && sock->options.reuse_port) && overlap(sock, other))
            return true;
    }
    return false;
}

void hws_sock_unlisten(struct hws_sock *sock)
{
    if (sock->state != HWS_SOCK_LISTENING)
        return;
    hws_endpoint_listen(sock->sockets->engine, sock->endpoint, false);
    sock->port->listeners--;
    sock->state = HWS_SOCK_BOUND;
}

static int start(struct hws_sock *sock)
{
    int rc = hws_sock_bind_if_new(sock);
    if (rc == 0 && another_listens(sock))
        rc = -EADDRINUSE;
    if (rc == 0)
        rc = -hws_sock_errno(hws_endpoint_listen(sock->sockets->engine, sock->endpoint, true));
    if (rc < 0)
        return rc;
    sock->port->listeners++;
    sock->state = HWS_SOCK_LISTENING;
    return 0;
}

int hws_sock_listen(struct hws_sock *sock, int backlog)
{
    if (sock->style == HWS_SOCK_PEELED || sock->state > HWS_SOCK_LISTENING)
        return -EINVAL;
    if (backlog < 0 || backlog > HWS_SOCK_BACKLOG_MAX)
        backlog = HWS_SOCK_BACKLOG_MAX;
    if (backlog == 0) {
        if (sock->state != HWS_SOCK_LISTENING)
            return -EINVAL;
        hws_sock_unlisten(sock);
        hws_sock_changed(sock);
        return 0;
    }
    sock->backlog = (uint32_t)backlog;
    return sock->state == HWS_SOCK_LISTENING ? 0 : start(sock);
}

/* ---- A peer's association is up ---- */

static struct hws_sock *make_child(struct hws_sock *listener)
{
    struct hws_sock *child =
        hws_sock_open(listener->sockets, listener->family, HWS_SOCK_ONE_TO_ONE);
    if (child == NULL)
        return NULL;
    child->port = listener->port;
    child->port->refs++;
    hws_sock_options_inherit(child, listener);
    child->local_count = listener->local_count;
    for (uint32_t i = 0; i < child->local_count; i++)
        child->locals[i] = listener->locals[i];
    child->state = HWS_SOCK_CONNECTED;
    return child;
}

static struct hws_member *queue_child(struct hws_sock *listener, hws_assoc_id assoc,
                                      uint64_t now_us)
{
    if (listener->queued > listener->backlog)
        return NULL;
    struct hws_sock *child = make_child(listener);
    if (child == NULL)
        return NULL;
    struct hws_member *member = hws_member_new(child, assoc);
    if (member == NULL) {
        hws_sock_destroy(child, now_us);
        return NULL;
    }
    child->listener = listener;
    TAILQ_INSERT_TAIL(&listener->queue, child, in_queue);
    listener->queued++;
    hws_sock_arrived(listener);
    return member;
}

static struct hws_member *take_in(struct hws_sock *listener, hws_assoc_id assoc, uint64_t now_us)
{
    if (listener == NULL || listener->state != HWS_SOCK_LISTENING)
        return NULL;
    if (listener->style == HWS_SOCK_ONE_TO_ONE)
        return queue_child(listener, assoc, now_us);
    if (listener->member_count - listener->live_count >= HWS_SOCK_OVER_MAX)
        return NULL;
    return hws_member_new(listener, assoc);
}

static void refuse(struct hws_sockets *sockets, hws_assoc_id assoc, uint64_t now_us)
{
    static const char reason[] = "backlog full";
    hws_assoc_abort(sockets->engine, assoc, reason, sizeof(reason) - 1, now_us);
    hws_assoc_release(sockets->engine, assoc, now_us);
}

void hws_sock_passive_up(struct hws_sockets *sockets, const struct hws_event *event,
                         uint64_t now_us)
{
    struct hws_sock *listener = hws_sock_by_endpoint(sockets, event->endpoint);
    struct hws_member *member = take_in(listener, event->assoc, now_us);
    if (member == NULL) {
        refuse(sockets, event->assoc, now_us);
        return;
    }
    member->state = HWS_MEMBER_UP;
    member->was_up = true;
    hws_member_keep_failed(member, now_us);
    hws_notify_up(member, event);
    hws_member_refresh(member, now_us);
    member->sock->arrivals += member->readable;
    hws_sock_changed(member->sock);
}

/* ---- accept ---- */

void hws_sock_leave_queue(struct hws_sock *child)
{
    TAILQ_REMOVE(&child->listener->queue, child, in_queue);
    child->listener->queued--;
    child->listener = NULL;
}

int hws_sock_accept(struct hws_sock *sock, struct hws_sock **out)
{
    if (sock->style != HWS_SOCK_ONE_TO_ONE)
        return -EOPNOTSUPP;
    if (!hws_sock_may_accept(sock))
        return -EINVAL;
    struct hws_sock *child = TAILQ_FIRST(&sock->queue);
    if (child == NULL)
        return -EAGAIN;
    hws_sock_leave_queue(child);
    hws_sock_options_inherit(child, sock); /* those set since it came are meant, too */
    *out = child;
    return 0;
}

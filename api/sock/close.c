/* The end: shutdown, abort, close in the background, and peeling off. */
#include <errno.h>

#include "api/sock/socket_internal.h"

/* ---- shutdown ---- */

static void end_gracefully(struct hws_member *member, uint64_t now_us)
{
    member->shut = true;
    (void)hws_assoc_shutdown(member->sock->sockets->engine, member->assoc, now_us);
    hws_sock_changed(member->sock); /* who waits for room waits in vain */
}

int hws_sock_shutdown(struct hws_sock *sock, uint64_t now_us)
{
    struct hws_member *member = hws_sock_only_member(sock);
    if (sock->state != HWS_SOCK_CONNECTED || member == NULL)
        return -ENOTCONN;
    end_gracefully(member, now_us);
    return 0;
}

static void end_reception(struct hws_sock *sock, uint64_t now_us)
{
    struct hws_member *member;
    TAILQ_FOREACH(member, &sock->members, in_sock)
    {
        hws_member_end_reception(member, now_us);
    }
    hws_sock_arrived(sock);
}

/* Only receiving can be ended: accept answers EINVAL then. */
static int shutdown_listener(struct hws_sock *sock, unsigned directions)
{
    if ((directions & HWS_SOCK_SHUT_RECV) == 0)
        return 0;
    if (sock->style == HWS_SOCK_ONE_TO_MANY)
        return -EOPNOTSUPP;
    sock->shutdown |= HWS_SOCK_SHUT_RECV;
    return 0;
}

int hws_sock_shutdown_how(struct hws_sock *sock, int how, uint64_t now_us)
{
    struct hws_member *member = hws_sock_only_member(sock);
    unsigned directions = (unsigned)how + 1;
    int rc = 0;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return -EINVAL;
    if (sock->state == HWS_SOCK_LISTENING) {
        rc = shutdown_listener(sock, directions);
    } else {
        sock->shutdown |= directions;
        bool was_up = member != NULL && member->was_up;
        if (sock->style == HWS_SOCK_ONE_TO_ONE && (directions & HWS_SOCK_SHUT_SEND) != 0 && was_up)
            end_gracefully(member, now_us);
        rc = was_up ? 0 : -ENOTCONN;
    }
    if ((directions & HWS_SOCK_SHUT_RECV) != 0)
        end_reception(sock, now_us);
    return rc;
}

/* ---- abort ---- */

int hws_sock_abort(struct hws_sock *sock, const void *reason, size_t reason_len, uint64_t now_us)
{
    if (sock->state != HWS_SOCK_CONNECTING && sock->state != HWS_SOCK_CONNECTED)
        return -ENOTCONN;
    return -hws_sock_errno(
        hws_assoc_abort(sock->sockets->engine, sock->assoc, reason, reason_len, now_us));
}

/* ---- close ---- */

/* The kernel's rule: unread data of any association aborts all. */
static bool must_abort(struct hws_sock *sock, uint64_t now_us)
{
    struct hws_member *member;
    if (sock->linger.l_onoff != 0 && sock->linger.l_linger == 0)
        return true;
    TAILQ_FOREACH(member, &sock->members, in_sock)
    {
        if (hws_member_has_unread(member, now_us))
            return true;
    }
    return false;
}

static bool ends_in_background(struct hws_member *member, uint64_t now_us)
{
    return member->state == HWS_MEMBER_UP &&
           hws_assoc_shutdown(member->sock->sockets->engine, member->assoc, now_us) == HWS_OK;
}

static void end_members(struct hws_sock *sock, bool abort, uint64_t now_us)
{
    struct hws_member *member, *next;
    for (member = TAILQ_FIRST(&sock->members); member != NULL; member = next) {
        next = TAILQ_NEXT(member, in_sock);
        if (abort && member->state != HWS_MEMBER_OVER)
            (void)hws_assoc_abort(sock->sockets->engine, member->assoc, NULL, 0, now_us);
        if (abort || !ends_in_background(member, now_us))
            hws_member_free(member, now_us);
    }
}

/* Nobody asks any more; the memory is not needed until the association has ended. */
static void forget_notes(struct hws_sock *sock)
{
    struct hws_member *member;
    TAILQ_FOREACH(member, &sock->members, in_sock)
    {
        hws_note_free_all(member);
    }
}

/* Associations that wait to be accepted are the listener's, so one rule holds for all. */
static bool must_abort_queued(struct hws_sock *listener, uint64_t now_us)
{
    struct hws_sock *child;
    bool abort = must_abort(listener, now_us);
    TAILQ_FOREACH(child, &listener->queue, in_queue)
    {
        abort = abort || must_abort(child, now_us);
    }
    return abort;
}

static void close_queued(struct hws_sock *listener, uint64_t now_us)
{
    struct hws_sock *child;
    bool abort = must_abort_queued(listener, now_us);
    while ((child = TAILQ_FIRST(&listener->queue)) != NULL) {
        hws_sock_leave_queue(child);
        if (abort)
            child->linger = (struct linger){.l_onoff = 1};
        hws_sock_close(child, now_us);
    }
}

void hws_sock_close(struct hws_sock *sock, uint64_t now_us)
{
    if (sock->listener != NULL)
        hws_sock_leave_queue(sock);
    close_queued(sock, now_us);
    hws_sock_set_callback(sock, NULL, NULL);
    hws_sock_unlisten(sock);
    end_members(sock, must_abort(sock, now_us), now_us);
    if (sock->member_count == 0) {
        hws_sock_destroy(sock, now_us);
        return;
    }
    forget_notes(sock);
    sock->orphaned = true;
    sock->sockets->orphans++;
}

/* ---- peeloff ---- */

int hws_sock_peeloff(struct hws_sock *sock, sctp_assoc_t id, struct hws_sock **out, uint64_t now_us)
{
    struct hws_member *member = hws_sock_member(sock, id);
    if (member == NULL || sock->style != HWS_SOCK_ONE_TO_MANY)
        return -EINVAL;
    struct hws_sock *peeled = hws_sock_open(sock->sockets, sock->family, HWS_SOCK_PEELED);
    if (peeled == NULL)
        return -ENOMEM;
    peeled->port = sock->port;
    peeled->port->refs++;
    hws_sock_options_inherit(peeled, sock);
    peeled->local_count = sock->local_count;
    for (uint32_t i = 0; i < peeled->local_count; i++)
        peeled->locals[i] = sock->locals[i];
    hws_member_move(member, peeled);
    peeled->state = member->state == HWS_MEMBER_UP ? HWS_SOCK_CONNECTED : HWS_SOCK_CONNECTING;
    hws_member_refresh(member, now_us);
    hws_sock_changed(sock); /* what the association's begun message held back is received now */
    *out = peeled;
    return 0;
}

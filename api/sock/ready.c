/* What a socket is ready for. */
#include <poll.h>

#include "api/sock/socket_internal.h"

/* Between the parts of a message nothing else is received at interleave level 0 (RFC 6458, 8.1.20).
 */
static bool readable(const struct hws_sock *sock)
{
    if (sock->partial != NULL && !sock->options.fragment_interleave)
        return sock->partial->readable;
    return !TAILQ_EMPTY(&sock->ready);
}

/* The send buffer is one association's, the readiness the socket's: it is writable when no
 * association is known to have no room. */
static bool has_room(const struct hws_sock *sock)
{
    return sock->blocked_count == 0;
}

static bool is_shut(const struct hws_sock *sock)
{
    const struct hws_member *member = TAILQ_FIRST(&sock->members);
    return member == NULL || member->shut;
}

static unsigned ready_for_data(const struct hws_sock *sock)
{
    switch (sock->state) {
    case HWS_SOCK_CONNECTED:
        return (readable(sock) || (sock->shutdown & HWS_SOCK_SHUT_RECV) ? HWS_SOCK_READABLE : 0) |
               (has_room(sock) && !is_shut(sock) ? HWS_SOCK_WRITABLE : 0);
    case HWS_SOCK_OVER:
        return HWS_SOCK_READABLE | HWS_SOCK_CLOSED;
    default:
        return readable(sock) ? HWS_SOCK_READABLE : 0;
    }
}

unsigned hws_sock_ready(const struct hws_sock *sock)
{
    unsigned events = (sock->error != 0 ? HWS_SOCK_ERROR : 0) |
                      (sock->shutdown & HWS_SOCK_SHUT_RECV ? HWS_SOCK_READ_SHUT : 0);
    if (sock->style == HWS_SOCK_ONE_TO_MANY)
        return events | (readable(sock) ? HWS_SOCK_READABLE : 0) |
               (has_room(sock) ? HWS_SOCK_WRITABLE : 0);
    if (sock->state == HWS_SOCK_LISTENING)
        return sock->queued > 0 ? HWS_SOCK_READABLE : 0;
    return events | ready_for_data(sock);
}

static bool was_up(const struct hws_sock *sock)
{
    const struct hws_member *member = hws_sock_only_member(sock);
    return member != NULL && member->was_up;
}

/* The kernel's sctp_poll: a socket that is not connected is not writable, and one that was stays
 * so, since a send would not wait but fail. */
short hws_sock_poll(const struct hws_sock *sock)
{
    bool many = sock->style == HWS_SOCK_ONE_TO_MANY;
    if (!many && sock->state == HWS_SOCK_LISTENING)
        return sock->queued > 0 ? POLLIN | POLLRDNORM : 0;
    bool over = !many && sock->state == HWS_SOCK_OVER && was_up(sock);
    int mask = sock->error != 0 ? POLLERR : 0;
    if (over || (sock->shutdown & HWS_SOCK_SHUT_RECV))
        mask |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (sock->shutdown == (HWS_SOCK_SHUT_RECV | HWS_SOCK_SHUT_SEND))
        mask |= POLLHUP;
    if (readable(sock))
        mask |= POLLIN | POLLRDNORM;
    if ((many || over || sock->state == HWS_SOCK_CONNECTED) && has_room(sock))
        mask |= POLLOUT | POLLWRNORM;
    return (short)mask;
}

/* send and recv of one-to-one sockets in the engine's terms. */
#include <arpa/inet.h>
#include <errno.h>

#include "api/sock/socket_internal.h"

static int may_send(struct hws_sock *sock)
{
    const struct hws_member *member = hws_sock_only_member(sock);
    if (sock->state < HWS_SOCK_CONNECTING)
        return -ENOTCONN;
    if (sock->state != HWS_SOCK_OVER && !member->shut)
        return 0;
    int error = hws_sock_take_error(sock);
    return error != 0 ? -error : -EPIPE;
}

int hws_sock_send(struct hws_sock *sock, const struct hws_sndinfo *info,
                  const struct hws_iovec *iov, size_t iov_count, uint64_t now_us)
{
    int rc = may_send(sock);
    if (rc < 0)
        return rc;
    rc = hws_assoc_send(sock->sockets->engine, sock->assoc, info, iov, iov_count, now_us);
    if (rc == HWS_E_AGAIN)
        hws_member_set_blocked(hws_sock_only_member(sock), true);
    return -hws_sock_errno(rc);
}

int hws_sock_recv(struct hws_sock *sock, void *buf, size_t capacity, size_t *len,
                  struct hws_rcvinfo *info, uint64_t now_us)
{
    const struct hws_sock_iovec iov = {buf, capacity};
    struct hws_sock_recv msg = {.iov = &iov, .iov_count = 1};
    *len = 0;
    if (sock->state < HWS_SOCK_CONNECTED)
        return -ENOTCONN;
    int rc;
    do { /* these calls know no notifications */
        rc = hws_sock_recvmsg(sock, &msg, now_us);
    } while (rc == 0 && (msg.flags & MSG_NOTIFICATION) != 0);
    if (rc == 0 && msg.len == 0 && sock->state != HWS_SOCK_OVER)
        return -EAGAIN; /* the peer has shut down; the end comes when it is over */
    if (rc == -EAGAIN && sock->state == HWS_SOCK_OVER)
        return 0; /* it never was up */
    *len = msg.len;
    *info = (struct hws_rcvinfo){
        .sid = msg.rcv.rcv_sid,
        .ssn = msg.rcv.rcv_ssn,
        .flags = (uint16_t)((msg.rcv.rcv_flags & SCTP_UNORDERED ? HWS_RECV_UNORDERED : 0) |
                            (msg.flags & MSG_EOR ? HWS_RECV_EOR : 0)),
        .ppid = ntohl(msg.rcv.rcv_ppid),
        .tsn = msg.rcv.rcv_tsn,
    };
    return rc;
}

/* Receiving: waiting for a message, and control data of RFC 6458, 5.3 out. */
#include "api/hawser/socket.h"

#include <stdlib.h>
#include <string.h>

#include "api/fd/posix.h"
#include "api/runtime/env.h"

#define MAX_IOV 1024

/* ---- Waiting ---- */

typedef int (*take_fn)(struct hws_sock *sock, struct hws_sock_recv *msg, void *arg,
                       uint64_t now_us);

static int receive_or_wait(struct hws_handle *handle, struct hws_sock_recv *msg, int flags,
                           take_fn take, void *arg)
{
    struct hws_fd_patience patience = hws_fd_patience(handle->sock->rcvtimeo_us);
    int rc;
    do {
        rc = take(handle->sock, msg, arg, hws_env_now_us());
        handle->asked = true;
        if (rc != -EAGAIN || !hws_fd_may_wait(handle, flags))
            return rc;
        rc = hws_sock_may_wait(handle->sock);
        if (rc == 0)
            rc = hws_fd_wait(handle, HWS_IN, &patience, -EAGAIN);
    } while (rc == 0);
    return rc;
}

static int copy_out(struct hws_sock *sock, struct hws_sock_recv *msg, void *arg, uint64_t now_us)
{
    (void)arg;
    return hws_sock_recvmsg(sock, msg, now_us);
}

/* ---- Control data ---- */

static void put_control(struct msghdr *msg, size_t *used, int level, int type, const void *data,
                        size_t len)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    size_t room = msg->msg_control != NULL ? msg->msg_controllen - *used : 0;
    uint8_t *at = (uint8_t *)msg->msg_control + *used;
    if (room < CMSG_LEN(len))
        msg->msg_flags |= MSG_CTRUNC;
    if (room < sizeof(header))
        return;
    if (room < CMSG_LEN(len)) /* as the kernel: what fits */
        header.cmsg_len = room;
    memcpy(at, &header, sizeof(header));
    memcpy(at + CMSG_LEN(0), data, header.cmsg_len - CMSG_LEN(0));
    *used += room < CMSG_SPACE(len) ? room : CMSG_SPACE(len);
}

static void old_info(const struct hws_sock_recv *from, struct sctp_sndrcvinfo *info)
{
    *info = (struct sctp_sndrcvinfo){.sinfo_stream = from->rcv.rcv_sid,
                                     .sinfo_ssn = from->rcv.rcv_ssn,
                                     .sinfo_flags = from->rcv.rcv_flags,
                                     .sinfo_ppid = from->rcv.rcv_ppid,
                                     .sinfo_context = from->rcv.rcv_context,
                                     .sinfo_tsn = from->rcv.rcv_tsn,
                                     .sinfo_cumtsn = from->rcv.rcv_cumtsn,
                                     .sinfo_assoc_id = from->rcv.rcv_assoc_id};
}

static void put_timestamp(const struct hws_sock_recv *from, struct msghdr *msg, size_t *used)
{
    if (from->rx_time_us == 0)
        return;
    struct timespec stamp = hws_env_realtime(from->rx_time_us);
    put_control(msg, used, SOL_SOCKET, SCM_TIMESTAMPNS, &stamp, sizeof(stamp));
}

/* SCTP_SNDRCV is asked for by SCTP_EVENTS, the others by options of their own. */
static void put_controls(const struct hws_sock *sock, const struct hws_sock_recv *from,
                         struct msghdr *msg)
{
    const struct hws_sock_options *options = &sock->options;
    struct sctp_sndrcvinfo info;
    size_t used = 0;
    bool data = (from->flags & MSG_NOTIFICATION) == 0 && from->len > 0;
    put_timestamp(from, msg, &used);
    if (data && options->receive_nxtinfo && from->has_next)
        put_control(msg, &used, IPPROTO_SCTP, SCTP_NXTINFO, &from->next, sizeof(from->next));
    if (data && options->receive_rcvinfo)
        put_control(msg, &used, IPPROTO_SCTP, SCTP_RCVINFO, &from->rcv, sizeof(from->rcv));
    if (data && hws_assoc_options_want(&options->future, SCTP_DATA_IO_EVENT)) {
        old_info(from, &info);
        put_control(msg, &used, IPPROTO_SCTP, SCTP_SNDRCV, &info, sizeof(info));
    }
    msg->msg_controllen = used;
}

/* ---- hws_recvmsg ---- */

static int take_iov(struct hws_sock_iovec parts[MAX_IOV], const struct iovec *iov, size_t iovcnt)
{
    if (iovcnt > MAX_IOV)
        return -EMSGSIZE;
    if (iovcnt > 0 && iov == NULL)
        return -EFAULT;
    size_t sum = 0;
    for (size_t i = 0; i < iovcnt; i++) {
        parts[i] = (struct hws_sock_iovec){iov[i].iov_base, iov[i].iov_len};
        int rc = hws_fd_add_length(&sum, &parts[i].len);
        if (rc < 0)
            return rc;
        if (iov[i].iov_base == NULL && iov[i].iov_len > 0)
            return -EFAULT;
    }
    return 0;
}

static void give_name(struct hws_handle *handle, const struct hws_sock_recv *from,
                      struct msghdr *msg)
{
    if (msg->msg_name == NULL)
        return;
    if (from->from.family == HWS_FAMILY_NONE)
        msg->msg_namelen = 0;
    else
        hws_fd_give_address(handle, &from->from, from->from_port, msg->msg_name, &msg->msg_namelen);
}

static int receive(struct hws_handle *handle, const struct hws_sock_iovec *iov, size_t iovcnt,
                   int flags, struct hws_sock_recv *from)
{
    if ((flags & MSG_ERRQUEUE) != 0) /* there is none */
        return -EAGAIN;
    *from =
        (struct hws_sock_recv){.iov = iov, .iov_count = iovcnt, .peek = (flags & MSG_PEEK) != 0};
    return receive_or_wait(handle, from, flags, copy_out, NULL);
}

static ssize_t finish(struct hws_handle *handle, int rc, size_t len)
{
    if (rc == 0 && len == 0) /* the end */
        hws_handle_leave_in_turn(handle);
    else
        hws_handle_leave(handle, rc == 0);
    return hws_posix(rc < 0 ? rc : (ssize_t)len);
}

ssize_t hws_recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct hws_handle *handle;
    struct hws_sock_iovec parts[MAX_IOV];
    struct hws_sock_recv from = {0};
    if (msg == NULL)
        return hws_posix(-EFAULT);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return hws_posix(rc);
    rc = take_iov(parts, msg->msg_iov, msg->msg_iovlen);
    if (rc == 0)
        rc = receive(handle, parts, msg->msg_iovlen, flags, &from);
    if (rc == 0) {
        msg->msg_flags = from.flags;
        give_name(handle, &from, msg);
        put_controls(handle->sock, &from, msg);
    }
    return finish(handle, rc, from.len);
}

ssize_t hws_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *from,
                     socklen_t *fromlen)
{
    struct iovec iov = {.iov_base = buf, .iov_len = hws_fd_length(len)};
    struct msghdr msg = {.msg_name = fromlen != NULL ? from : NULL,
                         .msg_namelen = fromlen != NULL ? *fromlen : 0,
                         .msg_iov = &iov,
                         .msg_iovlen = 1};
    ssize_t got = hws_recvmsg(fd, &msg, flags);
    if (got >= 0 && from != NULL && fromlen != NULL)
        *fromlen = msg.msg_namelen;
    return got;
}

ssize_t hws_recv(int fd, void *buf, size_t len, int flags)
{
    return hws_recvfrom(fd, buf, len, flags, NULL, NULL);
}

/* ---- hws_recvv ---- */

static void give(const void *data, size_t len, void *info, socklen_t *infolen)
{
    if (info != NULL && infolen != NULL) {
        memcpy(info, data, len < *infolen ? len : *infolen);
        *infolen = (socklen_t)len;
    }
}

/* The structure is what the options ask for (RFC 6458, 9.13), and has room. */
static unsigned give_info(const struct hws_sock *sock, const struct hws_sock_recv *from, void *info,
                          socklen_t *infolen)
{
    const struct hws_sock_options *options = &sock->options;
    bool data = (from->flags & MSG_NOTIFICATION) == 0 && from->len > 0;
    bool next = data && options->receive_nxtinfo && from->has_next;
    socklen_t room = info != NULL && infolen != NULL ? *infolen : 0;
    if (data && options->receive_rcvinfo && next && room >= sizeof(struct sctp_recvv_rn)) {
        const struct sctp_recvv_rn both = {from->rcv, from->next};
        give(&both, sizeof(both), info, infolen);
        return SCTP_RECVV_RN;
    }
    if (data && options->receive_rcvinfo && room >= sizeof(from->rcv)) {
        give(&from->rcv, sizeof(from->rcv), info, infolen);
        return SCTP_RECVV_RCVINFO;
    }
    if (next && room >= sizeof(from->next)) {
        give(&from->next, sizeof(from->next), info, infolen);
        return SCTP_RECVV_NXTINFO;
    }
    return SCTP_RECVV_NOINFO; /* `infolen` stays: libsctp's callers do not set it again */
}

ssize_t hws_recvv(int fd, const struct iovec *iov, int iovcnt, struct sockaddr *from,
                  socklen_t *fromlen, void *info, socklen_t *infolen, unsigned *infotype,
                  int *flags)
{
    struct hws_handle *handle;
    struct hws_sock_iovec parts[MAX_IOV];
    struct hws_sock_recv got = {0};
    if (flags == NULL || infotype == NULL || iovcnt < 0)
        return hws_posix(iovcnt < 0 ? -EINVAL : -EFAULT);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return hws_posix(rc);
    rc = take_iov(parts, iov, (size_t)iovcnt);
    if (rc == 0)
        rc = receive(handle, parts, (size_t)iovcnt, *flags, &got);
    if (rc == 0) {
        *flags = got.flags;
        *infotype = give_info(handle->sock, &got, info, infolen);
        if (got.from.family != HWS_FAMILY_NONE)
            hws_fd_give_address(handle, &got.from, got.from_port, from, fromlen);
    }
    return finish(handle, rc, got.len);
}

/* ---- The older call ---- */

ssize_t hws_sctp_recvmsg(int fd, void *buf, size_t len, struct sockaddr *from, socklen_t *fromlen,
                         struct sctp_sndrcvinfo *info, int *flags)
{
    struct hws_handle *handle;
    struct hws_sock_iovec part = {buf, hws_fd_length(len)};
    struct hws_sock_recv got = {0};
    if (buf == NULL && len > 0)
        return hws_posix(-EFAULT);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return hws_posix(rc);
    rc = receive(handle, &part, 1, flags != NULL ? *flags : 0, &got);
    if (rc == 0) {
        if (flags != NULL)
            *flags = got.flags;
        if (got.from.family != HWS_FAMILY_NONE)
            hws_fd_give_address(handle, &got.from, got.from_port, from, fromlen);
        if (info != NULL &&
            hws_assoc_options_want(&handle->sock->options.future, SCTP_DATA_IO_EVENT))
            old_info(&got, info);
    }
    return finish(handle, rc, got.len);
}

/* ---- Views ---- */

struct view {
    struct hws_sock_view view;
    struct iovec iov[HWS_RECV_VIEW_PARTS];
};

static int take_view(struct hws_sock *sock, struct hws_sock_recv *msg, void *arg, uint64_t now_us)
{
    return hws_sock_recv_view(sock, msg, &((struct view *)arg)->view, now_us);
}

static void show(struct hws_view *out, struct hws_runtime *runtime, struct view *view,
                 const struct hws_sock_recv *from)
{
    const struct hws_recv_view *data = &view->view.data;
    for (size_t i = 0; i < data->iov_count; i++)
        view->iov[i] = (struct iovec){.iov_base = (void *)(uintptr_t)data->iov[i].base,
                                      .iov_len = data->iov[i].len};
    *out = (struct hws_view){.iov = view->iov,
                             .iovcnt = (int)data->iov_count,
                             .len = from->len,
                             .flags = from->flags,
                             .info = from->rcv,
                             .opaque = {runtime, view}};
    hws_runtime_ref(runtime);
}

ssize_t hws_recv_view(int fd, struct hws_view *view, int flags)
{
    struct hws_handle *handle;
    struct hws_sock_recv got = {0};
    if (view == NULL)
        return hws_posix(-EFAULT);
    *view = (struct hws_view){0};
    struct view *held = calloc(1, sizeof(*held));
    int rc = held != NULL ? hws_handle_enter(fd, &handle) : -ENOMEM;
    if (rc < 0) {
        free(held);
        return hws_posix(rc);
    }
    rc = receive_or_wait(handle, &got, flags, take_view, held);
    if (rc == 0 && got.len > 0)
        show(view, handle->runtime, held, &got);
    else
        free(held);
    return finish(handle, rc, got.len);
}

void hws_view_release(struct hws_view *view)
{
    if (view == NULL || view->opaque[0] == NULL)
        return;
    struct hws_runtime *runtime = view->opaque[0];
    struct view *held = view->opaque[1];
    *view = (struct hws_view){0};
    hws_call_begin();
    if (runtime->process == hws_process_id()) {
        hws_driving_lock(&runtime->driving);
        if (!runtime->over) {
            hws_sock_view_release(&runtime->sockets, &held->view);
            hws_runtime_work(runtime, false, false);
        }
        hws_runtime_leave(runtime);
    }
    free(held);
    hws_runtime_unref(runtime);
    hws_call_end();
}

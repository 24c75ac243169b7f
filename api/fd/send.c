/* Sending: addresses and control data of RFC 6458, 5.3 in, and waiting for room. */
#include "api/hawser/socket.h"

#include <signal.h>
#include <string.h>

#include "api/fd/posix.h"
#include "api/runtime/env.h"

#define MAX_IOV 1024

#define SEND_FLAGS                                                                                 \
    (SCTP_UNORDERED | SCTP_ADDR_OVER | SCTP_SACK_IMMEDIATELY | SCTP_SENDALL | SCTP_ABORT | SCTP_EOF)

/* A message on its way down, and what its pointers point to. */
struct sending {
    struct hws_sock_send msg;
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    struct sctp_initmsg init;
    size_t len, taken;
    sctp_assoc_t begun; /* the association that the call began and waits for */
    bool has_sndinfo;
};

/* ---- Control data ---- */

static void use_sndinfo(struct sending *sending, const struct sctp_sndinfo *info)
{
    struct hws_sock_send *msg = &sending->msg;
    msg->has_info = true;
    msg->sid = info->snd_sid;
    msg->flags = (uint16_t)(info->snd_flags & SEND_FLAGS);
    msg->ppid = info->snd_ppid;
    msg->context = info->snd_context;
    msg->assoc_id = info->snd_assoc_id;
}

/* Policies of PR-SCTP are taken and mean nothing, as to a peer that does not know them. */
static int check_flags(uint16_t flags)
{
    return (flags & ~(SEND_FLAGS | SCTP_PR_SCTP_MASK)) != 0 ? -EINVAL : 0;
}

static int read_sndinfo(struct sending *sending, const void *data)
{
    struct sctp_sndinfo info;
    memcpy(&info, data, sizeof(info));
    sending->has_sndinfo = true;
    use_sndinfo(sending, &info);
    return check_flags(info.snd_flags);
}

static int use_sndrcvinfo(struct sending *sending, const struct sctp_sndrcvinfo *old)
{
    const struct sctp_sndinfo info = {.snd_sid = old->sinfo_stream,
                                      .snd_flags = old->sinfo_flags,
                                      .snd_ppid = old->sinfo_ppid,
                                      .snd_context = old->sinfo_context,
                                      .snd_assoc_id = old->sinfo_assoc_id};
    if (!sending->has_sndinfo) /* SCTP_SNDINFO counts, whichever comes first */
        use_sndinfo(sending, &info);
    return check_flags(old->sinfo_flags);
}

static int read_sndrcvinfo(struct sending *sending, const void *data)
{
    struct sctp_sndrcvinfo info;
    memcpy(&info, data, sizeof(info));
    return use_sndrcvinfo(sending, &info);
}

static int read_init(struct sending *sending, const void *data)
{
    memcpy(&sending->init, data, sizeof(sending->init));
    sending->msg.init = &sending->init;
    return 0;
}

static int check_prinfo(const struct sctp_prinfo *info)
{
    return (info->pr_policy & ~SCTP_PR_SCTP_MASK) != 0 ? -EINVAL : 0;
}

static int read_prinfo(struct sending *sending, const void *data)
{
    struct sctp_prinfo info;
    (void)sending;
    memcpy(&info, data, sizeof(info));
    return check_prinfo(&info);
}

/* Keys count where the association authenticates DATA (RFC 4895): not here. */
static int read_authinfo(struct sending *sending, const void *data)
{
    (void)sending;
    (void)data;
    return 0;
}

static int add_remote(struct sending *sending, uint8_t family, const void *ip)
{
    struct hws_sock_send *msg = &sending->msg;
    if (msg->remote_count == 0 || msg->remote_count == HWS_LIMIT_PATHS)
        return -EINVAL;
    struct hws_addr *remote = &sending->remotes[msg->remote_count++];
    *remote = (struct hws_addr){.family = family, .udp_port = sending->remotes[0].udp_port};
    memcpy(remote->ip, ip, family == HWS_FAMILY_IPV4 ? 4 : 16);
    return 0;
}

static int read_dstaddrv4(struct sending *sending, const void *data)
{
    return add_remote(sending, HWS_FAMILY_IPV4, data);
}

static int read_dstaddrv6(struct sending *sending, const void *data)
{
    return add_remote(sending, HWS_FAMILY_IPV6, data);
}

static const struct {
    size_t len;
    int (*read)(struct sending *sending, const void *data);
} controls[] = {
    [SCTP_INIT] = {sizeof(struct sctp_initmsg), read_init},
    [SCTP_SNDRCV] = {sizeof(struct sctp_sndrcvinfo), read_sndrcvinfo},
    [SCTP_SNDINFO] = {sizeof(struct sctp_sndinfo), read_sndinfo},
    [SCTP_PRINFO] = {sizeof(struct sctp_prinfo), read_prinfo},
    [SCTP_AUTHINFO] = {sizeof(struct sctp_authinfo), read_authinfo},
    [SCTP_DSTADDRV4] = {sizeof(struct in_addr), read_dstaddrv4},
    [SCTP_DSTADDRV6] = {sizeof(struct in6_addr), read_dstaddrv6},
};

static int read_control(struct sending *sending, const struct cmsghdr *cmsg)
{
    size_t type = (size_t)cmsg->cmsg_type;
    if (cmsg->cmsg_level != IPPROTO_SCTP)
        return 0;
    if (type >= sizeof(controls) / sizeof(controls[0]) || controls[type].read == NULL ||
        cmsg->cmsg_len != CMSG_LEN(controls[type].len))
        return -EINVAL;
    return controls[type].read(sending, CMSG_DATA(cmsg));
}

/* CMSG_NXTHDR alone believes the lengths that the caller wrote. */
static bool fits(const struct msghdr *msg, const struct cmsghdr *cmsg)
{
    size_t at = (size_t)((const char *)cmsg - (const char *)msg->msg_control);
    return cmsg->cmsg_len >= sizeof(*cmsg) && cmsg->cmsg_len <= msg->msg_controllen - at;
}

static int read_controls(struct sending *sending, const struct msghdr *msg)
{
    struct msghdr copy = *msg;
    int rc = 0;
    if (msg->msg_control == NULL)
        return msg->msg_controllen > 0 ? -EFAULT : 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c != NULL && rc == 0; c = CMSG_NXTHDR(&copy, c))
        rc = fits(&copy, c) ? read_control(sending, c) : -EINVAL;
    return rc;
}

/* ---- Waiting ---- */

static int wait_to_send(struct hws_handle *handle, const struct hws_sock_send *msg, int flags)
{
    struct hws_fd_patience patience = hws_fd_patience(handle->sock->sndtimeo_us);
    int rc;
    do {
        rc = hws_sock_sendmsg(handle->sock, msg, hws_env_now_us());
        if (rc != -EAGAIN || !hws_fd_may_wait(handle, flags))
            return rc;
        rc = hws_fd_wait(handle, HWS_OUT, &patience, rc);
    } while (rc == 0);
    return rc;
}

/* As the kernel: a message that begins an association waits until it is up. The message is taken
 * in any case, so why it failed is left to the next call. */
static void wait_for_begun(struct hws_handle *handle, sctp_assoc_t begun)
{
    int rc = hws_fd_wait_connected(handle, begun);
    struct hws_sock *sock = handle->sock;
    if (rc < 0 && rc != -EINPROGRESS && sock != NULL && sock->style == HWS_SOCK_ONE_TO_ONE)
        sock->error = -rc;
}

static int send_or_wait(struct hws_handle *handle, struct sending *sending, int flags)
{
    sending->msg.taken = &sending->taken;
    if (hws_fd_may_wait(handle, flags))
        sending->msg.begun = &sending->begun;
    int rc = wait_to_send(handle, &sending->msg, flags);
    if (rc == 0 && sending->begun != 0)
        wait_for_begun(handle, sending->begun);
    return rc;
}

static int take_iov(struct sending *sending, struct hws_iovec parts[MAX_IOV],
                    const struct iovec *iov, size_t iovcnt)
{
    if (iovcnt > MAX_IOV)
        return -EMSGSIZE;
    if (iovcnt > 0 && iov == NULL)
        return -EFAULT;
    for (size_t i = 0; i < iovcnt; i++) {
        parts[i] = (struct hws_iovec){iov[i].iov_base, iov[i].iov_len};
        int rc = hws_fd_add_length(&sending->len, &parts[i].len);
        if (rc < 0)
            return rc;
        if (iov[i].iov_base == NULL && iov[i].iov_len > 0)
            return -EFAULT;
    }
    sending->msg.iov = parts;
    sending->msg.iov_count = iovcnt;
    return 0;
}

static void start(struct hws_handle *handle, struct sending *sending, int flags)
{
    bool more = handle->sock->options.explicit_eor && (flags & MSG_EOR) == 0;
    *sending = (struct sending){.msg.more = more};
    sending->msg.remotes = sending->remotes;
}

/* As the kernel: SIGPIPE goes to the calling thread. */
static ssize_t finish(struct hws_handle *handle, int rc, size_t len, int flags)
{
    hws_handle_leave(handle, true);
    if (rc == -EPIPE && (flags & MSG_NOSIGNAL) == 0)
        raise(SIGPIPE);
    return hws_posix(rc < 0 ? rc : (ssize_t)len);
}

static int read_name(struct hws_handle *handle, struct sending *sending,
                     const struct sockaddr *name, socklen_t len)
{
    if (name == NULL || len == 0)
        return 0;
    sending->msg.remote_count = 1;
    int rc =
        hws_fd_read_address(handle, name, len, &sending->remotes[0], &sending->msg.remote_port);
    hws_fd_are_peers(handle, sending->remotes, 1);
    return rc;
}

/* ---- The calls ---- */

ssize_t hws_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct hws_handle *handle;
    struct hws_iovec parts[MAX_IOV];
    struct sending sending;
    if (msg == NULL)
        return hws_posix(-EFAULT);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return hws_posix(rc);
    start(handle, &sending, flags);
    rc = take_iov(&sending, parts, msg->msg_iov, msg->msg_iovlen);
    if (rc == 0)
        rc = read_name(handle, &sending, msg->msg_name, msg->msg_namelen);
    if (rc == 0)
        rc = read_controls(&sending, msg);
    if (rc == 0)
        rc = send_or_wait(handle, &sending, flags);
    return finish(handle, rc, sending.taken, flags);
}

ssize_t hws_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
                   socklen_t tolen)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = hws_fd_length(len)};
    const struct msghdr msg = {.msg_name = (void *)(uintptr_t)to,
                               .msg_namelen = to != NULL ? tolen : 0,
                               .msg_iov = &iov,
                               .msg_iovlen = 1};
    return hws_sendmsg(fd, &msg, flags);
}

ssize_t hws_send(int fd, const void *buf, size_t len, int flags)
{
    return hws_sendto(fd, buf, len, flags, NULL, 0);
}

static int read_spa(struct sending *sending, const struct sctp_sendv_spa *spa)
{
    int rc = 0;
    if ((spa->sendv_flags & SCTP_SEND_SNDINFO_VALID) != 0)
        rc = read_sndinfo(sending, &spa->sendv_sndinfo);
    if (rc == 0 && (spa->sendv_flags & SCTP_SEND_PRINFO_VALID) != 0)
        rc = read_prinfo(sending, &spa->sendv_prinfo);
    if (rc == 0 && (spa->sendv_flags & SCTP_SEND_AUTHINFO_VALID) != 0)
        rc = read_authinfo(sending, &spa->sendv_authinfo);
    return rc;
}

static int read_info(struct sending *sending, const void *info, socklen_t len, unsigned type)
{
    static const socklen_t lens[] = {[SCTP_SENDV_SNDINFO] = sizeof(struct sctp_sndinfo),
                                     [SCTP_SENDV_PRINFO] = sizeof(struct sctp_prinfo),
                                     [SCTP_SENDV_AUTHINFO] = sizeof(struct sctp_authinfo),
                                     [SCTP_SENDV_SPA] = sizeof(struct sctp_sendv_spa)};
    if (type > SCTP_SENDV_SPA || len != lens[type])
        return -EINVAL;
    if (type != SCTP_SENDV_NOINFO && info == NULL)
        return -EFAULT;
    switch (type) {
    case SCTP_SENDV_SNDINFO:
        return read_sndinfo(sending, info);
    case SCTP_SENDV_PRINFO:
        return read_prinfo(sending, info);
    case SCTP_SENDV_AUTHINFO:
        return read_authinfo(sending, info);
    case SCTP_SENDV_SPA:
        return read_spa(sending, info);
    default:
        return 0;
    }
}

static socklen_t packed_len(const struct sockaddr *sa)
{
    return sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* As the kernel: the first one's port is that of all. */
static int read_remotes(struct hws_handle *handle, struct sending *sending,
                        const struct sockaddr *addrs, int count)
{
    struct hws_sock_send *msg = &sending->msg;
    uint16_t port;
    if (count > (int)HWS_LIMIT_PATHS)
        return -EINVAL;
    for (int i = 0; i < count; i++) {
        int rc = hws_fd_read_addresses(handle, addrs, 1, &sending->remotes[i], &port);
        if (rc < 0)
            return rc;
        if (i == 0)
            msg->remote_port = port;
        addrs = (const void *)((const uint8_t *)addrs + packed_len(addrs));
    }
    msg->remote_count = (uint32_t)count;
    hws_fd_are_peers(handle, sending->remotes, msg->remote_count);
    return 0;
}

ssize_t hws_sendv(int fd, const struct iovec *iov, int iovcnt, struct sockaddr *addrs, int count,
                  void *info, socklen_t infolen, unsigned infotype, int flags)
{
    struct hws_handle *handle;
    struct hws_iovec parts[MAX_IOV];
    struct sending sending;
    if (iovcnt < 0 || count < 0)
        return hws_posix(-EINVAL);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return hws_posix(rc);
    start(handle, &sending, flags);
    rc = take_iov(&sending, parts, iov, (size_t)iovcnt);
    if (rc == 0)
        rc = read_remotes(handle, &sending, addrs, count);
    if (rc == 0)
        rc = read_info(&sending, info, infolen, infotype);
    if (rc == 0)
        rc = send_or_wait(handle, &sending, flags);
    return finish(handle, rc, sending.taken, flags);
}

ssize_t hws_send_lent(int fd, const struct iovec *iov, int iovcnt, const struct sctp_sndinfo *info,
                      int flags, void (*release)(void *arg), void *arg)
{
    struct hws_handle *handle;
    struct hws_iovec parts[MAX_IOV];
    struct sending sending;
    if (iovcnt < 0 || release == NULL)
        return hws_posix(release == NULL ? -EFAULT : -EINVAL);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return hws_posix(rc);
    start(handle, &sending, flags);
    sending.msg.release = release;
    sending.msg.release_arg = arg;
    rc = take_iov(&sending, parts, iov, (size_t)iovcnt);
    if (rc == 0 && info != NULL)
        rc = read_sndinfo(&sending, info);
    if (rc == 0)
        rc = send_or_wait(handle, &sending, flags);
    return finish(handle, rc, sending.taken, flags);
}

/* ---- The older calls ---- */

static ssize_t send_old(int fd, const void *buf, size_t len, const struct sockaddr *to,
                        socklen_t tolen, const struct sctp_sndrcvinfo *info, int flags)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = hws_fd_length(len)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(*info))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(*info)),
                            .cmsg_level = IPPROTO_SCTP,
                            .cmsg_type = SCTP_SNDRCV}};
    struct msghdr msg = {.msg_name = (void *)(uintptr_t)to,
                         .msg_namelen = to != NULL ? tolen : 0,
                         .msg_iov = &iov,
                         .msg_iovlen = 1};
    if (info != NULL) {
        memcpy(CMSG_DATA(&control.header), info, sizeof(*info));
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
    }
    return hws_sendmsg(fd, &msg, flags);
}

ssize_t hws_sctp_send(int fd, const void *buf, size_t len, const struct sctp_sndrcvinfo *info,
                      int flags)
{
    return send_old(fd, buf, len, NULL, 0, info, flags);
}

ssize_t hws_sctp_sendmsg(int fd, const void *buf, size_t len, const struct sockaddr *to,
                         socklen_t tolen, uint32_t ppid, uint32_t flags, uint16_t stream,
                         uint32_t timetolive_ms, uint32_t context)
{
    const struct sctp_sndrcvinfo info = {.sinfo_stream = stream,
                                         .sinfo_flags = (uint16_t)flags,
                                         .sinfo_ppid = ppid,
                                         .sinfo_context = context,
                                         .sinfo_timetolive = timetolive_ms};
    return send_old(fd, buf, len, to, tolen, &info, 0);
}

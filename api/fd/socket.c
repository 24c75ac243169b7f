/* Making, naming, connecting and ending sockets. */
#include "api/hawser/socket.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "api/fd/posix.h"
#include "api/fd/table.h"
#include "api/runtime/env.h"

/* ---- Making sockets ---- */

static int check_kind(int domain, int type, int protocol)
{
    int style = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (domain != AF_INET && domain != AF_INET6)
        return -EAFNOSUPPORT;
    if (style < 0 || style > SOCK_PACKET)
        return -EINVAL;
    if (style == SOCK_DGRAM)
        return -EPROTONOSUPPORT;
    if (style != SOCK_STREAM && style != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    return protocol != 0 && protocol != IPPROTO_SCTP ? -EPROTONOSUPPORT : 0;
}

static int open_sock(struct hws_runtime *runtime, struct hws_handle *handle, bool nonblocking)
{
    int rc = hws_runtime_start(runtime);
    if (rc < 0)
        return rc;
    struct hws_sock *sock =
        hws_sock_open(&runtime->sockets, handle->domain,
                      handle->type == SOCK_STREAM ? HWS_SOCK_ONE_TO_ONE : HWS_SOCK_ONE_TO_MANY);
    if (sock == NULL)
        return -ENOMEM;
    sock->nonblocking = nonblocking;
    hws_handle_bind(handle, sock);
    return 0;
}

static int make_socket(struct hws_runtime *runtime, int domain, int type)
{
    struct hws_handle *handle;
    if (runtime->process != hws_process_id())
        return -ESTALE;
    int rc = hws_handle_open(runtime, domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), &handle);
    if (rc < 0)
        return rc;
    int fd = handle->level.fd;
    hws_driving_lock(&runtime->driving);
    rc = open_sock(runtime, handle, (type & SOCK_NONBLOCK) != 0);
    hws_runtime_leave(runtime);
    if (rc < 0) {
        hws_handle_drop(handle);
        return rc;
    }
    rc = hws_handle_publish(handle);
    return rc < 0 ? rc : fd;
}

int hws_runtime_socket(struct hws_runtime *runtime, int domain, int type, int protocol)
{
    int rc = runtime == NULL ? -EFAULT : check_kind(domain, type, protocol);
    if (rc < 0)
        return (int)hws_posix(rc);
    hws_call_begin();
    rc = make_socket(runtime, domain, type);
    hws_call_end();
    return (int)hws_posix(rc);
}

int hws_socket(int domain, int type, int protocol)
{
    int rc = check_kind(domain, type, protocol);
    if (rc < 0)
        return (int)hws_posix(rc);
    struct hws_runtime *runtime = hws_runtime_default();
    return runtime == NULL ? -1 : hws_runtime_socket(runtime, domain, type, protocol);
}

/* ---- Binding and listening ---- */

static int bind_one(struct hws_handle *handle, const struct sockaddr *addr, socklen_t len)
{
    struct hws_addr local;
    uint16_t port;
    if (addr != NULL && len >= sizeof(addr->sa_family) && addr->sa_family != AF_INET &&
        addr->sa_family != AF_INET6)
        return -EAFNOSUPPORT;
    int rc = hws_fd_read_address(handle, addr, len, &local, &port);
    return rc < 0 ? rc : hws_sock_bind(handle->sock, &local, 1, port);
}

int hws_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = bind_one(handle, addr, len);
    hws_handle_leave(handle, false);
    return (int)hws_posix(rc);
}

static int bind_many(struct hws_handle *handle, const struct sockaddr *addrs, int count, int flags)
{
    struct hws_addr locals[HWS_LIMIT_PATHS];
    uint16_t port;
    int rc = hws_fd_read_addresses(handle, addrs, count, locals, &port);
    if (rc < 0)
        return rc;
    if (flags == SCTP_BINDX_ADD_ADDR)
        return hws_sock_bindx_add(handle->sock, locals, (uint32_t)count, port);
    return hws_sock_bindx_rem(handle->sock, locals, (uint32_t)count, port);
}

int hws_bindx(int fd, struct sockaddr *addrs, int count, int flags)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = flags == SCTP_BINDX_ADD_ADDR || flags == SCTP_BINDX_REM_ADDR
             ? bind_many(handle, addrs, count, flags)
             : -EINVAL;
    hws_handle_leave(handle, false);
    return (int)hws_posix(rc);
}

int hws_listen(int fd, int backlog)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = hws_sock_listen(handle->sock, backlog);
    hws_handle_leave(handle, true);
    return (int)hws_posix(rc);
}

/* ---- Accepting ---- */

/* The primary path's address, after the end as well. False: there never was a peer. */
static bool peer_name(struct hws_handle *handle, struct sockaddr *addr, socklen_t *len)
{
    const struct hws_sock *sock = handle->sock;
    const struct hws_member *member = hws_sock_only_member(sock);
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (member == NULL || !member->was_up ||
        hws_sock_primary_path(sock->sockets, member->assoc, &status, &path) < 0)
        return false;
    hws_fd_give_address(handle, &path.remote, status.remote_port, addr, len);
    return true;
}

/* The descriptor comes first: without one what waits goes on waiting. */
static int take_waiting(struct hws_handle *listener, int flags, struct hws_handle **out)
{
    struct hws_handle *handle;
    struct hws_sock *sock;
    listener->asked = true;
    if (listener->sock->queued == 0 && hws_sock_may_accept(listener->sock))
        return -EAGAIN;
    int rc = hws_handle_open(listener->runtime, listener->domain, SOCK_STREAM, &handle);
    if (rc < 0)
        return rc;
    rc = hws_sock_accept(listener->sock, &sock);
    if (rc < 0) {
        hws_handle_drop(handle);
        return rc;
    }
    sock->nonblocking = (flags & SOCK_NONBLOCK) != 0;
    hws_handle_bind(handle, sock);
    *out = handle;
    return 0;
}

static int accept_or_wait(struct hws_handle *listener, int flags, struct hws_handle **out)
{
    struct hws_fd_patience patience = hws_fd_patience(listener->sock->rcvtimeo_us);
    int rc;
    do {
        rc = take_waiting(listener, flags, out);
        if (rc != -EAGAIN || listener->sock->nonblocking)
            return rc;
        rc = hws_fd_wait(listener, HWS_IN, &patience, rc);
    } while (rc == 0);
    return rc;
}

static int accept_one(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct hws_handle *listener, *handle;
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0)
        return -EINVAL;
    int rc = hws_handle_enter(fd, &listener);
    if (rc < 0)
        return rc;
    if (addr != NULL && len == NULL) {
        hws_handle_leave(listener, false);
        return -EFAULT;
    }
    rc = listener->type == SOCK_STREAM ? accept_or_wait(listener, flags, &handle) : -EOPNOTSUPP;
    if (rc == 0)
        (void)peer_name(handle, addr, len);
    int accepted = rc == 0 ? handle->level.fd : -1;
    hws_handle_leave(listener, rc == 0);
    if (rc == 0)
        rc = hws_handle_publish(handle);
    return rc < 0 ? rc : accepted;
}

int hws_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    return (int)hws_posix(accept_one(fd, addr, len, flags));
}

int hws_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    return hws_accept4(fd, addr, len, 0);
}

int hws_peeloff_flags(int fd, sctp_assoc_t id, unsigned flags)
{
    struct hws_handle *many, *handle = NULL;
    struct hws_sock *sock;
    if ((flags & ~(unsigned)(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0)
        return (int)hws_posix(-EINVAL);
    int rc = hws_handle_enter(fd, &many);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = hws_handle_open(many->runtime, many->domain, SOCK_STREAM, &handle);
    int peeled = rc == 0 ? handle->level.fd : -1;
    if (rc == 0)
        rc = hws_sock_peeloff(many->sock, id, &sock, hws_env_now_us());
    if (rc == 0) {
        sock->nonblocking = (flags & SOCK_NONBLOCK) != 0;
        hws_handle_bind(handle, sock);
    }
    hws_handle_leave(many, rc == 0);
    if (rc < 0 && handle != NULL)
        hws_handle_drop(handle);
    if (rc == 0)
        rc = hws_handle_publish(handle);
    return (int)hws_posix(rc < 0 ? rc : peeled);
}

int hws_peeloff(int fd, sctp_assoc_t id)
{
    return hws_peeloff_flags(fd, id, 0);
}

/* ---- Connecting ---- */

/* Nobody asks any more how it ends: SO_ERROR will tell. */
static int stop_waiting(struct hws_handle *handle, sctp_assoc_t id, int rc)
{
    struct hws_member *member = handle->sock != NULL ? hws_sock_member(handle->sock, id) : NULL;
    if (member != NULL)
        member->awaited = false;
    return rc;
}

int hws_fd_wait_connected(struct hws_handle *handle, sctp_assoc_t id)
{
    struct hws_fd_patience patience = hws_fd_patience(handle->sock->sndtimeo_us);
    int rc;
    hws_runtime_work(handle->runtime, false, false);
    do {
        rc = hws_sock_connect_result_of(handle->sock, id, hws_env_now_us());
        if (rc != -EINPROGRESS)
            return rc;
        rc = hws_fd_wait(handle, HWS_OUT, &patience, rc);
    } while (rc == 0);
    return stop_waiting(handle, id, rc);
}

static int connect_to(struct hws_handle *handle, struct hws_addr *remotes, uint32_t count,
                      uint16_t port, sctp_assoc_t *id)
{
    hws_fd_are_peers(handle, remotes, count);
    bool wait = !handle->sock->nonblocking;
    int rc = hws_sock_connect(handle->sock, remotes, count, port, wait, id, hws_env_now_us());
    if (rc == -EINPROGRESS && handle->level.hup)
        hws_level_renew(&handle->level);
    return rc == -EINPROGRESS && wait ? hws_fd_wait_connected(handle, *id) : rc;
}

int hws_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct hws_handle *handle;
    struct hws_addr remote;
    sctp_assoc_t id = 0;
    uint16_t port;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = addr != NULL && len >= sizeof(addr->sa_family) && addr->sa_family == AF_UNSPEC
             ? -EOPNOTSUPP
             : hws_fd_read_address(handle, addr, len, &remote, &port);
    if (rc == 0)
        rc = connect_to(handle, &remote, 1, port, &id);
    hws_handle_leave_in_turn(handle);
    return (int)hws_posix(rc);
}

int hws_connectx(int fd, struct sockaddr *addrs, int count, sctp_assoc_t *id)
{
    struct hws_handle *handle;
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    sctp_assoc_t made = 0;
    uint16_t port;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = hws_fd_read_addresses(handle, addrs, count, remotes, &port);
    if (rc == 0)
        rc = connect_to(handle, remotes, (uint32_t)count, port, &made);
    hws_handle_leave_in_turn(handle);
    if (id != NULL && (rc == 0 || rc == -EINPROGRESS))
        *id = made;
    return (int)hws_posix(rc);
}

/* ---- Ending ---- */

int hws_shutdown(int fd, int how)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = hws_sock_shutdown_how(handle->sock, how, hws_env_now_us());
    hws_handle_leave_in_turn(handle);
    return (int)hws_posix(rc);
}

/* The child's copies of the descriptors go; what is behind them is the parent's. */
static int close_inherited(struct hws_handle *handle)
{
    hws_level_close_own(&handle->level);
    close(handle->level.fd);
    return -ESTALE;
}

/* The graceful end begins before the socket goes, so that there is something to wait for; what
 * waits on the socket is sent away first. As the kernel: a signal ends the wait. */
static void linger(struct hws_handle *handle)
{
    struct hws_sock *sock = handle->sock;
    uint64_t now_us = hws_env_now_us();
    if (sock->linger.l_onoff == 0 || sock->linger.l_linger <= 0 ||
        hws_sock_shutdown(sock, now_us) < 0)
        return;
    uint64_t until_us = now_us + (uint64_t)sock->linger.l_linger * 1000000u;
    int waited = 0;
    hws_handle_send_away(handle);
    hws_runtime_work(handle->runtime, false, false);
    while (waited >= 0 && handle->sock != NULL && sock->state != HWS_SOCK_OVER &&
           hws_env_now_us() < until_us)
        waited = hws_handle_sleep(handle, HWS_OUT, until_us);
}

static int close_own(struct hws_handle *handle)
{
    struct hws_runtime *runtime = handle->runtime;
    bool ours = hws_level_is_ours(&handle->level);
    hws_driving_lock(&runtime->driving);
    if (handle->sock != NULL)
        linger(handle);
    if (handle->sock != NULL)
        hws_handle_close(handle, hws_env_now_us());
    handle->closed = true;
    hws_runtime_leave(runtime);
    if (ours)
        close(handle->level.fd);
    return ours ? 0 : -EBADF;
}

int hws_close(int fd)
{
    struct hws_handle *handle = hws_table_take(fd);
    if (handle == NULL)
        return (int)hws_posix(-EBADF);
    hws_call_begin();
    int rc = handle->process == hws_process_id() ? close_own(handle) : close_inherited(handle);
    hws_handle_unref(handle);
    hws_call_end();
    return (int)hws_posix(rc);
}

/* ---- Names ---- */

/* As long as the network chooses the source address the path does not have one either. */
int hws_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    const struct hws_sock *sock = handle->sock;
    struct hws_path_status path = {0};
    struct hws_assoc_status status;
    if (sock->assoc == 0 || hws_sock_primary_path(sock->sockets, sock->assoc, &status, &path) < 0)
        path.local = sock->local_count > 0 ? sock->locals[0] : (struct hws_addr){0};
    if (addr == NULL || len == NULL)
        rc = -EFAULT;
    else if ((int)*len < 0)
        rc = -EINVAL;
    else
        hws_fd_give_address(handle, &path.local, hws_sock_port(sock), addr, len);
    hws_handle_leave(handle, false);
    return (int)hws_posix(rc);
}

int hws_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    if (addr == NULL || len == NULL)
        rc = -EFAULT;
    else if ((int)*len < 0)
        rc = -EINVAL;
    else if (!peer_name(handle, addr, len))
        rc = -ENOTCONN;
    hws_handle_leave(handle, false);
    return (int)hws_posix(rc);
}

/* ---- fcntl ---- */

static int control(struct hws_handle *handle, int cmd, int arg)
{
    switch (cmd) {
    case F_GETFL:
        return O_RDWR | (handle->sock->nonblocking ? O_NONBLOCK : 0);
    case F_SETFL:
        handle->sock->nonblocking = (arg & O_NONBLOCK) != 0;
        return 0;
    case F_GETFD:
    case F_SETFD: {
        int rc = fcntl(handle->level.fd, cmd, arg);
        return rc < 0 ? -errno : rc;
    }
    default:
        return -EINVAL;
    }
}

int hws_fcntl(int fd, int cmd, ...)
{
    struct hws_handle *handle;
    va_list args;
    va_start(args, cmd);
    int arg = cmd == F_SETFL || cmd == F_SETFD ? va_arg(args, int) : 0;
    va_end(args);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = control(handle, cmd, arg);
    hws_handle_leave(handle, false);
    return (int)hws_posix(rc);
}

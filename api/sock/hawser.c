/* The public calls: addresses and structures of the operating system in, the socket layer's answer
 * as POSIX gives it out, and waiting by running the loop. */
#include "api/hawser/hawser.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"
#include "api/sock/sockaddr.h"
#include "api/sock/socket.h"
#include "api/sock/sockopt.h"

#define MAX_IOV 64

_Static_assert(HWS_READABLE == HWS_SOCK_READABLE && HWS_WRITABLE == HWS_SOCK_WRITABLE &&
                   HWS_CLOSED == HWS_SOCK_CLOSED && HWS_PATH_EVENT == HWS_SOCK_PATH_EVENT,
               "the public readiness flags are the socket layer's");
_Static_assert(HWS_ERROR_MAX >= HWS_LINK_ERROR_MAX, "a link's text fits");

const char *hws_version(void)
{
    return HWS_VERSION;
}

/* 0 and above as it is, a negative errno as -1 and errno. */
static int posix(int rc)
{
    if (rc >= 0)
        return rc;
    errno = -rc;
    return -1;
}

static struct hws_runtime *runtime_of(const struct hws_sock *sock)
{
    return sock->sockets->host.arg;
}

/* ---- Runtimes ---- */

void hws_runtime_config_init(struct hws_runtime_config *config)
{
    *config = (struct hws_runtime_config){
        .protocol = HWS_PROTO_SCTP, .peer_udp_port = HWS_UDP_PORT, .ipv4 = true, .ipv6 = true};
}

static int open_link(const struct hws_runtime_config *config, struct hws_link **link, char *error)
{
    if (config->udp) {
        const struct hws_link_udp_config udp = {
            .port = config->udp_port, .ipv4 = config->ipv4, .ipv6 = config->ipv6};
        return hws_link_udp_open(&udp, link, error);
    }
    const struct hws_link_raw_config raw = {.protocol = config->protocol,
                                            .ipv4 = config->ipv4,
                                            .ipv6 = config->ipv6,
                                            .interface = config->interface,
                                            .own_host = config->own_host};
    return hws_link_raw_open(&raw, link, error);
}

static void describe_link(const struct hws_runtime_config *config, struct hws_sockets_link *link)
{
    link->encapsulates = config->udp;
    link->peer_udp_port = config->udp ? config->peer_udp_port : 0;
    if (!config->udp && config->interface != NULL)
        snprintf(link->interface, sizeof(link->interface), "%s", config->interface);
}

static int runtime_new(const struct hws_runtime_config *config, char *error,
                       struct hws_runtime **out)
{
    struct hws_link *link;
    if (!config->ipv4 && !config->ipv6) {
        snprintf(error, HWS_ERROR_MAX, "neither IPv4 nor IPv6 is wanted: allow one of them");
        return -EINVAL;
    }
    int rc = open_link(config, &link, error);
    if (rc < 0)
        return rc;
    rc = hws_runtime_open(config->loop, link, config->own_host, out);
    if (rc < 0)
        snprintf(error, HWS_ERROR_MAX, "cannot set up the event loop: %s", strerror(-rc));
    else
        describe_link(config, &(*out)->sockets.link);
    if (rc == 0)
        (*out)->caller_drives = config->drive == HWS_DRIVE_CALLER;
    return rc;
}

struct hws_runtime *hws_runtime_new(const struct hws_runtime_config *config, char *error)
{
    struct hws_runtime_config defaults;
    char scrap[HWS_ERROR_MAX];
    struct hws_runtime *runtime;
    hws_runtime_config_init(&defaults);
    int rc =
        runtime_new(config != NULL ? config : &defaults, error != NULL ? error : scrap, &runtime);
    return posix(rc) < 0 ? NULL : runtime;
}

static void on_poll_timeout(uv_timer_t *timer)
{
    uv_stop(timer->loop); /* it may have run before the loop sleeps */
}

static void on_poll_timer_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

int hws_runtime_poll(struct hws_runtime *runtime, int timeout_ms)
{
    uv_timer_t timer;
    bool closed = false;
    if (timeout_ms < 0)
        return posix(hws_runtime_wait(runtime));
    if (runtime->running)
        return posix(-EDEADLK);
    uv_timer_init(runtime->loop, &timer);
    timer.data = &closed;
    uv_update_time(runtime->loop);
    uv_timer_start(&timer, on_poll_timeout, (uint64_t)timeout_ms, 0);
    hws_runtime_wait(runtime);
    uv_close((uv_handle_t *)&timer, on_poll_timer_closed);
    while (!closed)
        uv_run(runtime->loop, UV_RUN_NOWAIT);
    return 0;
}

#define ROW(name, what) {#name, what},
static const struct {
    const char *name, *what;
} engine_counters[] = {HWS_STATS(ROW)}, link_counters[] = {HWS_LINK_STATS(ROW)};
#undef ROW

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int read_counter(const struct hws_runtime *runtime, size_t index,
                        struct hws_counter *counter)
{
    struct hws_link *link = runtime->driver.link;
    if (index < COUNT(engine_counters)) {
        const uint64_t *values = (const uint64_t *)(const void *)hws_engine_stats(runtime->engine);
        *counter = (struct hws_counter){"engine", engine_counters[index].name,
                                        engine_counters[index].what, values[index]};
        return 0;
    }
    index -= COUNT(engine_counters);
    if (index >= COUNT(link_counters))
        return -ENOENT;
    const uint64_t *values = (const uint64_t *)(const void *)link->ops->stats(link);
    *counter = (struct hws_counter){"link", link_counters[index].name, link_counters[index].what,
                                    values[index]};
    return 0;
}

int hws_runtime_counter(const struct hws_runtime *runtime, size_t index,
                        struct hws_counter *counter)
{
    struct hws_driving *driving = &((struct hws_runtime *)(uintptr_t)runtime)->driving;
    if (runtime->process != hws_process_id())
        return posix(-ESTALE);
    hws_driving_lock(driving);
    int rc = read_counter(runtime, index, counter);
    hws_driving_unlock(driving);
    return posix(rc);
}

/* ---- Sockets ---- */

struct hws_sock *hws_one_socket(struct hws_runtime *runtime)
{
    struct hws_sock *sock = hws_sock_new(&runtime->sockets);
    if (sock == NULL)
        errno = ENOMEM;
    return sock;
}

void hws_one_set_nonblocking(struct hws_sock *sock, bool nonblocking)
{
    sock->nonblocking = nonblocking;
}

int hws_one_bind(struct hws_sock *sock, const struct sockaddr *addr, socklen_t len)
{
    struct hws_addr local;
    uint16_t port;
    int rc = hws_sockaddr_read(addr, len, &local, &port);
    return posix(rc < 0 ? rc : hws_sock_bind(sock, &local, 1, port));
}

int hws_one_bindx(struct hws_sock *sock, const struct sockaddr *addrs, int count, int flags)
{
    struct hws_addr locals[HWS_LIMIT_PATHS];
    uint16_t port;
    if (flags != SCTP_BINDX_ADD_ADDR)
        return posix(-EOPNOTSUPP);
    int rc = hws_sockaddr_read_packed(addrs, count, locals, HWS_LIMIT_PATHS, &port);
    return posix(rc < 0 ? rc : hws_sock_bind(sock, locals, (uint32_t)count, port));
}

int hws_one_listen(struct hws_sock *sock, int backlog)
{
    return posix(hws_sock_listen(sock, backlog > 0 ? (uint32_t)backlog : 1));
}

static void write_address(const struct hws_addr *from, uint16_t port, struct sockaddr *addr,
                          socklen_t *len)
{
    struct sockaddr_storage storage;
    socklen_t need = hws_sockaddr_write(from, port, &storage);
    memcpy(addr, &storage, need < *len ? need : *len);
    *len = need;
}

static bool primary_path(const struct hws_sock *sock, struct hws_assoc_status *status,
                         struct hws_path_status *path)
{
    const struct hws_engine *engine = sock->sockets->engine;
    return sock->assoc != 0 && hws_assoc_status(engine, sock->assoc, status) == 0 &&
           hws_assoc_path_status(engine, sock->assoc, status->primary, path) == 0;
}

/* As long as the network chooses the source address the path does not have one either. */
int hws_one_getsockname(const struct hws_sock *sock, struct sockaddr *addr, socklen_t *len)
{
    struct hws_assoc_status status;
    struct hws_path_status path = {0};
    const struct hws_addr *local = &path.local;
    if (sock->port == NULL)
        return posix(-EINVAL);
    if (!primary_path(sock, &status, &path) && sock->local_count > 0)
        local = &sock->locals[0];
    write_address(local, hws_sock_port(sock), addr, len);
    return 0;
}

static int peer_name(const struct hws_sock *sock, struct sockaddr *addr, socklen_t *len)
{
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (!primary_path(sock, &status, &path))
        return -ENOTCONN;
    write_address(&path.remote, status.remote_port, addr, len);
    return 0;
}

int hws_one_getpeername(const struct hws_sock *sock, struct sockaddr *addr, socklen_t *len)
{
    return posix(peer_name(sock, addr, len));
}

static int accept_or_wait(struct hws_sock *sock, struct hws_sock **out)
{
    for (;;) {
        int rc = hws_sock_accept(sock, out);
        if (rc != -EAGAIN || sock->nonblocking)
            return rc;
        rc = hws_runtime_wait(runtime_of(sock));
        if (rc < 0)
            return rc;
    }
}

struct hws_sock *hws_one_accept(struct hws_sock *sock, struct sockaddr *addr, socklen_t *len)
{
    struct hws_sock *accepted;
    if (posix(accept_or_wait(sock, &accepted)) < 0)
        return NULL;
    if (addr != NULL && len != NULL)
        peer_name(accepted, addr, len);
    return accepted;
}

static int connect_or_wait(struct hws_sock *sock, struct hws_addr *remotes, uint32_t count,
                           uint16_t port)
{
    struct hws_runtime *runtime = runtime_of(sock);
    uint64_t now_us = hws_env_now_us();
    for (uint32_t i = 0; i < count; i++)
        remotes[i].udp_port = hws_sock_peer_udp_port(sock);
    int rc = hws_sock_connect(sock, remotes, count, port, now_us);
    if (rc == -EINPROGRESS)
        hws_runtime_kick(runtime, now_us);
    /* The end may have come with the first packet sent: ask before each wait. */
    while (rc == -EINPROGRESS && !sock->nonblocking) {
        rc = hws_sock_connect_result(sock);
        if (rc == -EINPROGRESS)
            rc = hws_runtime_wait(runtime) == 0 ? -EINPROGRESS : -EDEADLK;
    }
    return rc;
}

int hws_one_connect(struct hws_sock *sock, const struct sockaddr *addr, socklen_t len)
{
    struct hws_addr remote;
    uint16_t port;
    int rc = hws_sockaddr_read(addr, len, &remote, &port);
    return posix(rc < 0 ? rc : connect_or_wait(sock, &remote, 1, port));
}

int hws_one_connectx(struct hws_sock *sock, const struct sockaddr *addrs, int count)
{
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    uint16_t port;
    int rc = hws_sockaddr_read_packed(addrs, count, remotes, HWS_LIMIT_PATHS, &port);
    return posix(rc < 0 ? rc : connect_or_wait(sock, remotes, (uint32_t)count, port));
}

/* ---- Data ---- */

static bool may_wait(const struct hws_sock *sock, int flags)
{
    return !sock->nonblocking && (flags & MSG_DONTWAIT) == 0;
}

static int send_or_wait(struct hws_sock *sock, const struct hws_sndinfo *info,
                        const struct hws_iovec *iov, size_t iov_count, int flags)
{
    struct hws_runtime *runtime = runtime_of(sock);
    for (;;) {
        uint64_t now_us = hws_env_now_us();
        int rc = hws_sock_send(sock, info, iov, iov_count, now_us);
        if (rc == 0)
            hws_runtime_kick(runtime, now_us);
        if (rc != -EAGAIN || !may_wait(sock, flags))
            return rc;
        rc = hws_runtime_wait(runtime);
        if (rc < 0)
            return rc;
    }
}

static int read_sndinfo(const struct sctp_sndinfo *in, struct hws_sndinfo *out)
{
    const unsigned known = SCTP_UNORDERED | SCTP_SACK_IMMEDIATELY;
    *out = (struct hws_sndinfo){0};
    if (in == NULL)
        return 0;
    if ((in->snd_flags & ~known) != 0)
        return -EINVAL;
    out->sid = in->snd_sid;
    out->ppid = ntohl(in->snd_ppid);
    if ((in->snd_flags & SCTP_UNORDERED) != 0)
        out->flags |= HWS_SEND_UNORDERED;
    if ((in->snd_flags & SCTP_SACK_IMMEDIATELY) != 0)
        out->flags |= HWS_SEND_SACK_IMMEDIATELY;
    return 0;
}

ssize_t hws_one_sendv(struct hws_sock *sock, const struct iovec *iov, int iovcnt,
                      const struct sctp_sndinfo *info, int flags)
{
    struct hws_iovec parts[MAX_IOV];
    struct hws_sndinfo sndinfo;
    size_t len = 0;
    if (iovcnt < 1 || iovcnt > MAX_IOV || (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) != 0 ||
        read_sndinfo(info, &sndinfo) < 0)
        return posix(-EINVAL);
    for (int i = 0; i < iovcnt; i++) {
        parts[i] = (struct hws_iovec){iov[i].iov_base, iov[i].iov_len};
        len += iov[i].iov_len;
    }
    int rc = send_or_wait(sock, &sndinfo, parts, (size_t)iovcnt, flags);
    return rc < 0 ? posix(rc) : (ssize_t)len;
}

ssize_t hws_one_send(struct hws_sock *sock, const void *buf, size_t len, int flags)
{
    const struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
    return hws_one_sendv(sock, &iov, 1, NULL, flags);
}

/* Fills `iov` from one message. */
static int recv_parts(struct hws_sock *sock, const struct iovec *iov, int iovcnt, size_t *len,
                      struct hws_rcvinfo *info, uint64_t now_us)
{
    *len = 0;
    for (int i = 0; i < iovcnt; i++) {
        struct hws_rcvinfo part = {0};
        size_t got;
        int rc = hws_sock_recv(sock, iov[i].iov_base, iov[i].iov_len, &got, &part, now_us);
        if (rc < 0)
            return i > 0 ? 0 : rc;
        *len += got;
        *info = part;
        if (got < iov[i].iov_len || (part.flags & HWS_RECV_EOR) != 0)
            return 0;
    }
    return 0;
}

static int recv_or_wait(struct hws_sock *sock, const struct iovec *iov, int iovcnt, size_t *len,
                        struct hws_rcvinfo *info, int flags)
{
    struct hws_runtime *runtime = runtime_of(sock);
    for (;;) {
        uint64_t now_us = hws_env_now_us();
        int rc = recv_parts(sock, iov, iovcnt, len, info, now_us);
        if (rc == 0) /* a window update may be due */
            hws_runtime_kick(runtime, now_us);
        if (rc != -EAGAIN || !may_wait(sock, flags))
            return rc;
        rc = hws_runtime_wait(runtime);
        if (rc < 0)
            return rc;
    }
}

static void write_rcvinfo(const struct hws_rcvinfo *in, struct sctp_rcvinfo *out)
{
    *out = (struct sctp_rcvinfo){
        .rcv_sid = in->sid,
        .rcv_ssn = in->ssn,
        .rcv_flags = (in->flags & HWS_RECV_UNORDERED) != 0 ? SCTP_UNORDERED : 0,
        .rcv_ppid = htonl(in->ppid),
        .rcv_tsn = in->tsn,
    };
}

ssize_t hws_one_recvv(struct hws_sock *sock, const struct iovec *iov, int iovcnt,
                      struct sctp_rcvinfo *info, int *flags)
{
    struct hws_rcvinfo rcvinfo = {0};
    size_t len;
    if (iovcnt < 1 || iov[0].iov_len == 0 || (*flags & ~MSG_DONTWAIT) != 0)
        return posix(-EINVAL);
    int rc = recv_or_wait(sock, iov, iovcnt, &len, &rcvinfo, *flags);
    if (rc < 0)
        return posix(rc);
    if (info != NULL)
        write_rcvinfo(&rcvinfo, info);
    *flags = (rcvinfo.flags & HWS_RECV_EOR) != 0 ? MSG_EOR : 0;
    return (ssize_t)len;
}

ssize_t hws_one_recv(struct hws_sock *sock, void *buf, size_t len, int flags)
{
    const struct iovec iov = {.iov_base = buf, .iov_len = len};
    return hws_one_recvv(sock, &iov, 1, NULL, &flags);
}

/* ---- The end ---- */

int hws_one_shutdown(struct hws_sock *sock, int how)
{
    if (how != SHUT_WR && how != SHUT_RDWR)
        return posix(-EINVAL);
    uint64_t now_us = hws_env_now_us();
    int rc = hws_sock_shutdown(sock, now_us);
    if (rc == 0)
        hws_runtime_kick(runtime_of(sock), now_us);
    return posix(rc);
}

int hws_one_abort(struct hws_sock *sock, const void *reason, size_t reason_len)
{
    uint64_t now_us = hws_env_now_us();
    int rc = hws_sock_abort(sock, reason, reason_len, now_us);
    if (rc == 0)
        hws_runtime_kick(runtime_of(sock), now_us);
    return posix(rc);
}

void hws_one_close(struct hws_sock *sock)
{
    if (sock == NULL)
        return;
    struct hws_runtime *runtime = runtime_of(sock);
    uint64_t now_us = hws_env_now_us();
    hws_sock_close(sock, now_us);
    hws_runtime_kick(runtime, now_us);
}

/* ---- Options and callbacks ---- */

int hws_one_setsockopt(struct hws_sock *sock, int level, int option, const void *value,
                       socklen_t len)
{
    uint64_t now_us = hws_env_now_us();
    int rc = hws_sockopt_set(sock, level, option, value, len, now_us);
    if (rc == 0) /* a HEARTBEAT may be due, or data may go another way */
        hws_runtime_kick(runtime_of(sock), now_us);
    return posix(rc);
}

int hws_one_getsockopt(struct hws_sock *sock, int level, int option, void *value, socklen_t *len)
{
    return posix(hws_sockopt_get(sock, level, option, value, len));
}

void hws_one_set_callback(struct hws_sock *sock, hws_ready_callback callback, void *arg)
{
    hws_sock_set_callback(sock, callback, arg);
    runtime_of(sock)->pending = true;
}

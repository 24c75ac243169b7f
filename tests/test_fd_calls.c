/* Calls on descriptors: what they answer, how they wait, how they are woken. */
#include "tests/fd_tool.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
/* A timestamp is in whole microseconds, through two conversions. */
#define MARGIN_NS 200000

static void messages_cross(void **state)
{
    struct fd_world *w = *state;
    char buf[64];
    int there, here = fd_connect(w, &there);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(hws_send(here, &i, sizeof(i), 0), sizeof(i));
        assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), sizeof(i));
        assert_memory_equal(buf, &i, sizeof(i));
        assert_int_equal(hws_send(there, buf, sizeof(i), 0), sizeof(i));
        assert_int_equal(hws_recv(here, buf, sizeof(buf), 0), sizeof(i));
    }
    assert_int_equal(hws_close(here), 0);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 0);
    assert_int_equal(hws_close(there), 0);
}

static void names_of_both_ends(void **state)
{
    struct fd_world *w = *state;
    struct sockaddr_in sin;
    struct sockaddr *addrs;
    socklen_t len = sizeof(sin);
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_getpeername(here, (struct sockaddr *)&sin, &len), 0);
    assert_int_equal(ntohs(sin.sin_port), PORT);
    assert_int_equal(hws_getsockname(here, (struct sockaddr *)&sin, &len), 0);
    uint16_t port = sin.sin_port;
    assert_int_equal(hws_getpeername(there, (struct sockaddr *)&sin, &len), 0);
    assert_int_equal(sin.sin_port, port);
    assert_int_equal(hws_getpaddrs(here, 0, &addrs), 1);
    assert_int_equal(((struct sockaddr_in *)addrs)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    hws_freepaddrs(addrs);
    assert_int_equal(hws_getladdrs(w->server, 0, &addrs), 1);
    assert_int_equal(((struct sockaddr_in *)addrs)->sin_port, htons(PORT));
    hws_freeladdrs(addrs);
    assert_fails(hws_getpeername(w->server, (struct sockaddr *)&sin, &len), ENOTCONN);
    hws_close(here);
    hws_close(there);
}

static void ipv4_is_mapped_on_ipv6_sockets(void **state)
{
    struct fd_world *w = *state;
    const struct sockaddr_in sin = fd_address(PORT);
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)}, peer;
    socklen_t len = sizeof(peer);
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6.sin6_addr);
    int fd = hws_runtime_socket(w->b, AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(hws_connect(fd, (struct sockaddr *)&sin6, sizeof(sin6)), 0);
    assert_int_equal(hws_getpeername(fd, (struct sockaddr *)&peer, &len), 0);
    assert_int_equal(len, sizeof(peer));
    assert_memory_equal(&peer.sin6_addr, &sin6.sin6_addr, sizeof(peer.sin6_addr));
    hws_close(fd);
    fd = hws_runtime_socket(w->b, AF_INET, SOCK_STREAM, 0);
    assert_fails(hws_connect(fd, (struct sockaddr *)&sin6, sizeof(sin6)), EINVAL);
    assert_fails(hws_connect(fd, (const struct sockaddr *)&sin, 8), EINVAL);
    assert_fails(hws_connect(fd, NULL, 8), EFAULT);
    hws_close(fd);
}

static void kinds_of_sockets(void **state)
{
    struct fd_world *w = *state;
    assert_fails(hws_runtime_socket(w->a, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
    assert_fails(hws_runtime_socket(w->a, AF_INET, SOCK_DGRAM, 0), EPROTONOSUPPORT);
    assert_fails(hws_runtime_socket(w->a, AF_INET, SOCK_STREAM, IPPROTO_TCP), EPROTONOSUPPORT);
    assert_fails(hws_runtime_socket(w->a, AF_INET, 99, 0), EINVAL);
    int fd = hws_runtime_socket(w->a, AF_INET, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(hws_fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_int_equal(hws_fcntl(fd, F_SETFL, 0), 0);
    assert_int_equal(hws_fcntl(fd, F_GETFL), O_RDWR);
    assert_int_equal(hws_fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(hws_fcntl(fd, F_SETFD, 0), 0);
    assert_int_equal(fcntl(fd, F_GETFD), 0);
    assert_fails(hws_fcntl(fd, F_DUPFD, 0), EINVAL);
    assert_fails(hws_accept(fd, NULL, NULL), EOPNOTSUPP);
    assert_int_equal(hws_close(fd), 0);
}

static void bad_descriptors(void **state)
{
    struct fd_world *w = *state;
    struct sockaddr_in sin = fd_address(PORT);
    socklen_t len = sizeof(sin);
    struct iovec iov = {.iov_base = &sin, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct sockaddr *addrs;
    int closed = hws_runtime_socket(w->a, AF_INET, SOCK_STREAM, 0), pipes[2];
    assert_int_equal(hws_close(closed), 0);
    assert_int_equal(pipe(pipes), 0);
    const int bad[] = {-1, 1 << 30, closed + 100, pipes[0]};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = bad[i], option = 0, error = fd == pipes[0] ? ENOTSOCK : EBADF;
        assert_fails(hws_bind(fd, (struct sockaddr *)&sin, len), error);
        assert_fails(hws_listen(fd, 1), error);
        assert_fails(hws_accept(fd, NULL, NULL), error);
        assert_fails(hws_connect(fd, (struct sockaddr *)&sin, len), error);
        assert_fails(hws_send(fd, "x", 1, 0), error);
        assert_fails(hws_recv(fd, &sin, 1, 0), error);
        assert_fails(hws_sendmsg(fd, &msg, 0), error);
        assert_fails(hws_recvmsg(fd, &msg, 0), error);
        assert_fails(hws_shutdown(fd, SHUT_WR), error);
        assert_fails(hws_peeloff(fd, 3), error);
        assert_fails(hws_getpaddrs(fd, 0, &addrs), error);
        assert_fails(hws_getladdrs(fd, 0, &addrs), error);
        assert_fails(hws_getsockname(fd, (struct sockaddr *)&sin, &len), error);
        assert_fails(hws_getsockopt(fd, SOL_SOCKET, SO_ERROR, &option, &len), error);
        assert_fails(hws_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &option, sizeof(option)), error);
        assert_fails(hws_fcntl(fd, F_GETFL), error);
        assert_fails(hws_close(fd), EBADF);
    }
    assert_int_equal(fcntl(pipes[0], F_GETFD), 0); /* left alone */
    close(pipes[0]);
    close(pipes[1]);
}

static void bad_pointers(void **state)
{
    struct fd_world *w = *state;
    struct msghdr msg = {.msg_iovlen = 1};
    struct iovec iov = {.iov_base = NULL, .iov_len = 1};
    int there, here = fd_connect(w, &there);
    assert_fails(hws_send(here, NULL, 1, 0), EFAULT);
    assert_fails(hws_recv(here, NULL, 1, 0), EFAULT);
    assert_fails(hws_sendmsg(here, NULL, 0), EFAULT);
    assert_fails(hws_recvmsg(here, NULL, 0), EFAULT);
    assert_fails(hws_sendmsg(here, &msg, 0), EFAULT);
    msg.msg_iov = &iov;
    assert_fails(hws_sendmsg(here, &msg, 0), EFAULT);
    assert_fails(hws_getpaddrs(here, 0, NULL), EFAULT);
    assert_fails(hws_getsockname(here, NULL, NULL), EFAULT);
    assert_fails(hws_getsockopt(here, SOL_SOCKET, SO_ERROR, NULL, NULL), EFAULT);
    assert_fails(hws_recv_view(here, NULL, 0), EFAULT);
    assert_fails(hws_send_lent(here, &iov, 1, NULL, 0, NULL, NULL), EFAULT);
    hws_view_release(NULL);
    hws_close(here);
    hws_close(there);
}

/* ---- Control data ---- */

static ssize_t send_control(int fd, int level, int type, const void *data, size_t len,
                            size_t claimed)
{
    union {
        struct cmsghdr header;
        char bytes[256];
    } control = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t) "hello", .iov_len = 5};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = CMSG_SPACE(len)};
    control.header =
        (struct cmsghdr){.cmsg_len = CMSG_LEN(claimed), .cmsg_level = level, .cmsg_type = type};
    memcpy(CMSG_DATA(&control.header), data, len);
    return hws_sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static void control_data_of_sends(void **state)
{
    struct fd_world *w = *state;
    struct sctp_sndinfo info = {.snd_sid = 3, .snd_ppid = htonl(77), .snd_flags = SCTP_UNORDERED};
    struct sctp_sndrcvinfo old = {.sinfo_stream = 4, .sinfo_ppid = htonl(78)};
    struct sctp_prinfo pr = {.pr_policy = SCTP_PR_SCTP_TTL, .pr_value = 100};
    struct sctp_rcvinfo got;
    struct hws_view view;
    const size_t size = sizeof(info);
    int there, here = fd_connect(w, &there);
    assert_int_equal(send_control(here, IPPROTO_SCTP, SCTP_SNDINFO, &info, size, size), 5);
    assert_int_equal(hws_recv_view(there, &view, 0), 5);
    got = view.info;
    assert_int_equal(view.flags, MSG_EOR);
    assert_memory_equal(view.iov[0].iov_base, "hello", 5);
    assert_int_equal(got.rcv_sid, 3);
    assert_int_equal(got.rcv_ppid, htonl(77));
    assert_int_equal(got.rcv_flags, SCTP_UNORDERED);
    hws_view_release(&view);
    hws_view_release(&view);
    assert_int_equal(send_control(here, IPPROTO_SCTP, SCTP_SNDRCV, &old, sizeof(old), sizeof(old)),
                     5);
    assert_int_equal(hws_recv_view(there, &view, 0), 5);
    assert_int_equal(view.info.rcv_sid, 4);
    hws_view_release(&view);
    assert_int_equal(send_control(here, IPPROTO_SCTP, SCTP_PRINFO, &pr, sizeof(pr), sizeof(pr)), 5);
    assert_int_equal(send_control(here, SOL_SOCKET, 1, &pr, sizeof(pr), sizeof(pr)), 5);
    pr.pr_policy = 1;
    assert_fails(send_control(here, IPPROTO_SCTP, SCTP_PRINFO, &pr, sizeof(pr), sizeof(pr)),
                 EINVAL);
    assert_fails(send_control(here, IPPROTO_SCTP, SCTP_SNDINFO, &info, size, size - 1), EINVAL);
    assert_fails(send_control(here, IPPROTO_SCTP, SCTP_SNDINFO, &info, size, 200), EINVAL);
    assert_fails(send_control(here, IPPROTO_SCTP, SCTP_RCVINFO, &info, size, size), EINVAL);
    assert_fails(send_control(here, IPPROTO_SCTP, 99, &info, size, size), EINVAL);
    info.snd_flags = 0x4000;
    assert_fails(send_control(here, IPPROTO_SCTP, SCTP_SNDINFO, &info, size, size), EINVAL);
    info = (struct sctp_sndinfo){.snd_sid = 9999};
    assert_fails(send_control(here, IPPROTO_SCTP, SCTP_SNDINFO, &info, size, size), EINVAL);
    hws_close(here);
    hws_close(there);
}

static void control_data_of_receives(void **state)
{
    struct fd_world *w = *state;
    const int on = 1;
    char control[256], buf[16];
    struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_setsockopt(there, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on)), 0);
    assert_int_equal(hws_setsockopt(there, IPPROTO_SCTP, SCTP_RECVNXTINFO, &on, sizeof(on)), 0);
    assert_int_equal(hws_send(here, "one", 3, 0), 3);
    assert_int_equal(hws_send(here, "four", 4, 0), 4);
    fd_await_acknowledged(here);
    assert_int_equal(hws_recvmsg(there, &msg, 0), 3);
    assert_int_equal(msg.msg_flags, MSG_EOR);
    struct cmsghdr *first = CMSG_FIRSTHDR(&msg), *second = CMSG_NXTHDR(&msg, first);
    assert_int_equal(first->cmsg_type, SCTP_NXTINFO);
    assert_int_equal(((struct sctp_nxtinfo *)(void *)CMSG_DATA(first))->nxt_length, 4);
    assert_int_equal(second->cmsg_type, SCTP_RCVINFO);
    assert_int_equal(second->cmsg_len, CMSG_LEN(sizeof(struct sctp_rcvinfo)));
    msg.msg_controllen = sizeof(struct cmsghdr) + 4;
    assert_int_equal(hws_recvmsg(there, &msg, 0), 4);
    assert_int_equal(msg.msg_flags, MSG_EOR | MSG_CTRUNC);
    hws_close(here);
    hws_close(there);
}

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Receives "x" and whether its timestamp lies between `from_ns` and now, in whole microseconds. */
static void expect_timestamp(int fd, bool asked, int64_t from_ns)
{
    char control[256], byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct timespec stamp;
    assert_int_equal(hws_recvmsg(fd, &msg, 0), 1);
    if (!asked) {
        assert_int_equal(msg.msg_controllen, 0);
        return;
    }
    const struct cmsghdr *first = CMSG_FIRSTHDR(&msg);
    assert_int_equal(first->cmsg_level, SOL_SOCKET);
    assert_int_equal(first->cmsg_type, SCM_TIMESTAMPNS);
    assert_int_equal(first->cmsg_len, CMSG_LEN(sizeof(stamp)));
    memcpy(&stamp, CMSG_DATA(first), sizeof(stamp));
    int64_t stamp_ns = stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
    assert_true(stamp_ns > from_ns - MARGIN_NS && stamp_ns < realtime_ns() + MARGIN_NS);
}

static void timestamps_of_receives(void **state)
{
    struct fd_world *w = *state;
    const int on = 1, off = 0;
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_send(here, "x", 1, 0), 1);
    expect_timestamp(there, false, 0);
    assert_int_equal(hws_setsockopt(there, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)), 0);
    int64_t begin_ns = realtime_ns();
    assert_int_equal(hws_send(here, "x", 1, 0), 1);
    fd_expect(there, POLLIN | POLLOUT);
    expect_timestamp(there, true, begin_ns);
    assert_int_equal(hws_setsockopt(there, SOL_SOCKET, SO_TIMESTAMPNS, &off, sizeof(off)), 0);
    assert_int_equal(hws_send(here, "x", 1, 0), 1);
    expect_timestamp(there, false, 0);
    hws_close(here);
    hws_close(there);
}

static void vectors_with_their_structures(void **state)
{
    struct fd_world *w = *state;
    const int on = 1;
    struct iovec out[] = {{.iov_base = (void *)(uintptr_t) "ab", .iov_len = 2},
                          {.iov_base = (void *)(uintptr_t) "cde", .iov_len = 3}};
    char one[3], two[8];
    struct iovec in[] = {{.iov_base = one, .iov_len = 3}, {.iov_base = two, .iov_len = 8}};
    struct sctp_sendv_spa spa = {.sendv_flags = SCTP_SEND_SNDINFO_VALID,
                                 .sendv_sndinfo = {.snd_sid = 2}};
    struct sctp_rcvinfo info;
    socklen_t infolen = sizeof(info);
    unsigned infotype;
    int flags = 0, there, here = fd_connect(w, &there);
    assert_int_equal(hws_setsockopt(there, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on)), 0);
    assert_int_equal(hws_sendv(here, out, 2, NULL, 0, &spa, sizeof(spa), SCTP_SENDV_SPA, 0), 5);
    assert_int_equal(hws_recvv(there, in, 2, NULL, NULL, &info, &infolen, &infotype, &flags), 5);
    assert_int_equal(infotype, SCTP_RECVV_RCVINFO);
    assert_int_equal(info.rcv_sid, 2);
    assert_int_equal(flags, MSG_EOR);
    assert_memory_equal(one, "abc", 3);
    assert_memory_equal(two, "de", 2);
    assert_fails(hws_sendv(here, out, 2, NULL, 0, &spa, 1, SCTP_SENDV_SPA, 0), EINVAL);
    assert_fails(hws_sendv(here, out, 2, NULL, 0, NULL, sizeof(spa), SCTP_SENDV_SPA, 0), EFAULT);
    assert_fails(hws_sendv(here, out, 2, NULL, 0, &spa, sizeof(spa), 9, 0), EINVAL);
    assert_fails(hws_sendv(here, out, -1, NULL, 0, NULL, 0, SCTP_SENDV_NOINFO, 0), EINVAL);
    assert_int_equal(hws_sctp_sendmsg(here, "old", 3, NULL, 0, htonl(5), 0, 1, 0, 0), 3);
    assert_int_equal(hws_sctp_recvmsg(there, two, sizeof(two), NULL, NULL, NULL, &flags), 3);
    assert_int_equal(flags, MSG_EOR);
    hws_close(here);
    hws_close(there);
}

/* ---- Lent bytes ---- */

static void count_release(void *arg)
{
    __atomic_add_fetch((int *)arg, 1, __ATOMIC_SEQ_CST);
}

static void lent_bytes_come_back_once(void **state)
{
    struct fd_world *w = *state;
    static char lent[100000];
    char buf[1000];
    int released = 0, there, here = fd_connect(w, &there);
    struct iovec iov = {.iov_base = lent, .iov_len = sizeof(lent)};
    for (int i = 0; i < 5; i++)
        assert_int_equal(hws_send_lent(here, &iov, 1, NULL, 0, count_release, &released),
                         sizeof(lent));
    for (size_t got = 0; got < 5 * sizeof(lent);)
        got += (size_t)hws_recv(there, buf, sizeof(buf), 0);
    uint64_t until_ms = fd_now_ms() + 10000;
    while (__atomic_load_n(&released, __ATOMIC_SEQ_CST) < 5 && fd_now_ms() < until_ms)
        usleep(1000);
    assert_int_equal(__atomic_load_n(&released, __ATOMIC_SEQ_CST), 5);
    hws_close(here);
    assert_fails(hws_send_lent(here, &iov, 1, NULL, 0, count_release, &released), EBADF);
    assert_int_equal(released, 5);
    hws_close(there);
}

/* ---- Waiting ---- */

static void timeouts(void **state)
{
    struct fd_world *w = *state;
    const struct timeval timeout = {.tv_usec = 20000};
    static char big[1 << 20];
    char buf[16];
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_setsockopt(here, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    assert_int_equal(hws_setsockopt(here, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)), 0);
    assert_int_equal(hws_setsockopt(w->server, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)),
                     0);
    uint64_t before = fd_now_ms();
    assert_fails(hws_recv(here, buf, sizeof(buf), 0), EAGAIN);
    assert_true(fd_now_ms() - before >= 19);
    assert_fails(hws_accept(w->server, NULL, NULL), EAGAIN);
    ssize_t rc;
    while ((rc = hws_send(here, big, sizeof(big), 0)) > 0)
        ;
    assert_int_equal(rc, -1);
    assert_int_equal(errno, EAGAIN);
    hws_close(here);
    hws_close(there);
}

static void without_waiting(void **state)
{
    struct fd_world *w = *state;
    char buf[16];
    int there, here = fd_connect(w, &there);
    assert_fails(hws_recv(here, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
    assert_int_equal(hws_fcntl(here, F_SETFL, O_NONBLOCK), 0);
    assert_fails(hws_recv(here, buf, sizeof(buf), 0), EAGAIN);
    assert_int_equal(hws_fcntl(w->server, F_SETFL, O_NONBLOCK), 0);
    assert_fails(hws_accept(w->server, NULL, NULL), EAGAIN);
    hws_close(here);
    hws_close(there);
}

struct blocked {
    pthread_t thread;
    int fd;
    ssize_t rc;
    int error;
    bool ended; /* atomic */
};

static void *block_in_recv(void *arg)
{
    struct blocked *blocked = arg;
    char buf[16];
    blocked->rc = hws_recv(blocked->fd, buf, sizeof(buf), 0);
    blocked->error = errno;
    __atomic_store_n(&blocked->ended, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *block_in_accept(void *arg)
{
    struct blocked *blocked = arg;
    blocked->rc = hws_accept(blocked->fd, NULL, NULL);
    blocked->error = errno;
    return NULL;
}

static void close_wakes_calls(void **state)
{
    struct fd_world *w = *state;
    int there, here = fd_connect(w, &there);
    struct blocked blocked[] = {
        {.fd = here}, {.fd = here}, {.fd = here}, {.fd = there}, {.fd = w->server}};
    for (size_t i = 0; i < 5; i++)
        pthread_create(&blocked[i].thread, NULL, i < 4 ? block_in_recv : block_in_accept,
                       &blocked[i]);
    fd_await_waiters(here, HWS_IN, 3);
    fd_await_waiters(there, HWS_IN, 1);
    fd_await_waiters(w->server, HWS_IN, 1);
    assert_int_equal(hws_close(here), 0);
    assert_int_equal(hws_close(w->server), 0);
    for (size_t i = 0; i < 5; i++)
        pthread_join(blocked[i].thread, NULL);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(blocked[i].rc, i == 3 ? 0 : -1);
        if (i != 3)
            assert_int_equal(blocked[i].error, EBADF);
    }
    hws_close(there);
}

static void *block_in_send(void *arg)
{
    static char piece[1 << 16];
    struct blocked *blocked = arg;
    do
        blocked->rc = hws_send(blocked->fd, piece, sizeof(piece), MSG_NOSIGNAL);
    while (blocked->rc > 0);
    blocked->error = errno;
    return NULL;
}

/* As the kernel: accept waits in vain where nothing can come, and send where nothing may leave. */
static void shutdown_wakes_calls(void **state)
{
    struct fd_world *w = *state;
    int there, here = fd_connect(w, &there);
    struct blocked accepts[] = {{.fd = w->server}, {.fd = w->server}}, sends = {.fd = here};
    for (size_t i = 0; i < 2; i++)
        pthread_create(&accepts[i].thread, NULL, block_in_accept, &accepts[i]);
    pthread_create(&sends.thread, NULL, block_in_send, &sends);
    fd_await_waiters(w->server, HWS_IN, 2);
    fd_await_waiters(here, HWS_OUT, 1);
    assert_int_equal(hws_shutdown(w->server, SHUT_RD), 0);
    assert_int_equal(hws_shutdown(here, SHUT_WR), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(accepts[i].thread, NULL);
        assert_int_equal(accepts[i].rc, -1);
        assert_int_equal(accepts[i].error, EINVAL);
    }
    pthread_join(sends.thread, NULL);
    assert_int_equal(sends.rc, -1);
    assert_int_equal(sends.error, ESHUTDOWN);
    assert_fails(hws_accept4(w->server, NULL, NULL, 0), EINVAL);
    hws_close(there);
    hws_close(here);
}

static void not_to_listen_wakes_calls(void **state)
{
    struct fd_world *w = *state;
    struct blocked blocked = {.fd = w->server};
    pthread_create(&blocked.thread, NULL, block_in_accept, &blocked);
    fd_await_waiters(w->server, HWS_IN, 1);
    assert_int_equal(hws_listen(w->server, 0), 0);
    pthread_join(blocked.thread, NULL);
    assert_int_equal(blocked.rc, -1);
    assert_int_equal(blocked.error, EINVAL);
}

/* The first one that waits is told why, the others that nothing comes any more. */
static void a_failed_connect_wakes_all(void **state)
{
    struct fd_world *w = *state;
    const struct sockaddr_in deaf = fd_address(PORT + 1);
    struct blocked blocked[3] = {{0}};
    int refused = 0, fd = hws_runtime_socket(w->b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int bound = hws_runtime_socket(w->a, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(hws_bind(bound, (const struct sockaddr *)&deaf, sizeof(deaf)), 0);
    hws_driving_lock(&w->a->driving); /* no answer comes before all wait */
    assert_fails(hws_connect(fd, (const struct sockaddr *)&deaf, sizeof(deaf)), EINPROGRESS);
    assert_int_equal(hws_fcntl(fd, F_SETFL, 0), 0);
    for (size_t i = 0; i < 3; i++) {
        blocked[i].fd = fd;
        pthread_create(&blocked[i].thread, NULL, block_in_recv, &blocked[i]);
    }
    fd_await_waiters(fd, HWS_IN, 3);
    hws_driving_unlock(&w->a->driving);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(blocked[i].thread, NULL);
        assert_int_equal(blocked[i].rc, -1);
        refused += blocked[i].error == ECONNREFUSED;
        assert_true(blocked[i].error == ECONNREFUSED || blocked[i].error == ENOTCONN);
    }
    assert_int_equal(refused, 1);
    hws_close(bound);
    hws_close(fd);
}

static int handled;

static void on_signal(int number)
{
    (void)number;
    __atomic_store_n(&handled, 1, __ATOMIC_SEQ_CST);
}

static void begin_to_receive(struct blocked *blocked, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_create(&blocked[i].thread, NULL, block_in_recv, &blocked[i]);
    fd_await_waiters(blocked[0].fd, HWS_IN, (unsigned)count);
}

/* A signal that is handled just before the call sleeps does not end it. */
static void interrupt(struct blocked *blocked)
{
    while (!__atomic_load_n(&blocked->ended, __ATOMIC_SEQ_CST)) {
        pthread_kill(blocked->thread, SIGUSR1);
        usleep(1000);
    }
    pthread_join(blocked->thread, NULL);
}

/* Three threads: one of them leads, the others follow. */
static void signals_interrupt(void **state)
{
    struct fd_world *w = *state;
    struct sigaction action = {.sa_handler = on_signal}, before;
    int there, here = fd_connect(w, &there);
    struct blocked blocked[] = {{.fd = here}, {.fd = here}, {.fd = here}};
    sigaction(SIGUSR1, &action, &before);
    begin_to_receive(blocked, 3);
    for (size_t i = 0; i < 3; i++) {
        interrupt(&blocked[i]);
        assert_int_equal(blocked[i].rc, -1);
        assert_int_equal(blocked[i].error, EINTR);
    }
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    begin_to_receive(blocked, 3);
    for (size_t i = 0; i < 3; i++)
        pthread_kill(blocked[i].thread, SIGUSR1);
    usleep(50000); /* they have come, mostly; whenever they come, no call ends */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(hws_send(there, "x", 1, 0), 1);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(blocked[i].thread, NULL);
        assert_int_equal(blocked[i].rc, 1);
    }
    sigaction(SIGUSR1, &before, NULL);
    hws_close(here);
    hws_close(there);
}

static void sigpipe_unless_not_wanted(void **state)
{
    struct fd_world *w = *state;
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigaction(SIGPIPE, &action, &before);
    int fd = hws_runtime_socket(w->b, AF_INET, SOCK_STREAM, 0);
    handled = 0;
    assert_fails(hws_send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    assert_int_equal(handled, 0);
    assert_fails(hws_send(fd, "x", 1, 0), EPIPE);
    assert_int_equal(handled, 1);
    sigaction(SIGPIPE, &before, NULL);
    hws_close(fd);
}

static void lingering(void **state)
{
    struct fd_world *w = *state;
    struct linger linger = {.l_onoff = 1, .l_linger = 10};
    char buf[16];
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_setsockopt(here, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    assert_int_equal(hws_send(here, "bye", 3, 0), 3);
    assert_int_equal(hws_close(here), 0); /* waits for the other side's SHUTDOWN ACK */
    assert_int_equal(hws_recv(there, buf, sizeof(buf), MSG_DONTWAIT), 3);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), MSG_DONTWAIT), 0);
    hws_close(there);
    here = fd_connect(w, &there);
    linger.l_linger = 0;
    assert_int_equal(hws_setsockopt(here, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    assert_int_equal(hws_close(here), 0);
    assert_fails(hws_recv(there, buf, sizeof(buf), 0), ECONNRESET);
    hws_close(there);
}

/* A cancelled thread goes when its call has ended, and leaves nothing of it behind. */
static void *receive_until_cancelled(void *arg)
{
    char buf[16];
    while (hws_recv(*(int *)arg, buf, sizeof(buf), 0) > 0)
        pthread_testcancel();
    return NULL;
}

static void cancelled_while_it_waits(void **state)
{
    struct fd_world *w = *state;
    pthread_t thread;
    char buf[16];
    int there, here = fd_connect(w, &there);
    pthread_create(&thread, NULL, receive_until_cancelled, &there);
    assert_int_equal(hws_send(here, "one", 3, 0), 3);
    pthread_cancel(thread);
    assert_int_equal(hws_send(here, "two", 3, 0), 3); /* ends a call that waits */
    pthread_join(thread, NULL);
    assert_int_equal(hws_send(here, "three", 5, 0), 5);
    while (hws_recv(there, buf, sizeof(buf), 0) == 3)
        ;
    assert_memory_equal(buf, "three", 5);
    hws_close(here);
    hws_close(there);
}

static void success_leaves_errno_alone(void **state)
{
    struct fd_world *w = *state;
    char buf[16];
    int there, here = fd_connect(w, &there);
    assert_fails(hws_recv(there, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
    errno = 0;
    assert_int_equal(hws_send(here, "one", 3, 0), 3);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 3);
    assert_int_equal(hws_shutdown(here, SHUT_WR), 0);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 0);
    assert_int_equal(hws_close(here), 0);
    assert_int_equal(hws_close(there), 0);
    assert_int_equal(errno, 0);
}

static void lengths_beyond_all_measure(void **state)
{
    struct fd_world *w = *state;
    char buf[16];
    struct iovec iov[2] = {{buf, (size_t)SSIZE_MAX + 1}, {buf, (size_t)SSIZE_MAX + 1}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_send(here, "one", 3, 0), 3);
    assert_fails(hws_recvmsg(there, &msg, 0), EINVAL);
    assert_fails(hws_sendmsg(here, &msg, 0), EINVAL);
    iov[0].iov_len = iov[1].iov_len = SSIZE_MAX;
    assert_fails(hws_sendmsg(here, &msg, 0), EMSGSIZE);
    assert_fails(hws_send(here, buf, SIZE_MAX, 0), EMSGSIZE);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 3);
    hws_close(here);
    hws_close(there);
}

/* ---- One-to-many ---- */

static void one_to_many_and_peeling_off(void **state)
{
    struct fd_world *w = *state;
    struct sockaddr_in sin = fd_address(PORT + 1), from;
    socklen_t len = sizeof(from);
    char buf[64];
    struct hws_view view;
    int server = fd_listen(w->a, SOCK_SEQPACKET, PORT + 1);
    int client = hws_runtime_socket(w->b, AF_INET, SOCK_SEQPACKET, 0);
    assert_int_equal(hws_sendto(client, "hi", 2, 0, (struct sockaddr *)&sin, sizeof(sin)), 2);
    assert_int_equal(hws_recvfrom(server, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 2);
    assert_int_equal(hws_sendto(server, "ho", 2, 0, (struct sockaddr *)&from, len), 2);
    assert_int_equal(hws_recv_view(client, &view, 0), 2);
    sctp_assoc_t id = view.info.rcv_assoc_id;
    hws_view_release(&view);
    assert_fails(hws_peeloff(client, id + 1), EINVAL);
    assert_fails(hws_peeloff_flags(client, id, 1), EINVAL);
    int peeled = hws_peeloff(client, id);
    assert_true(peeled >= 0);
    assert_int_equal(hws_send(peeled, "me", 2, 0), 2);
    assert_int_equal(hws_recv(server, buf, sizeof(buf), 0), 2);
    hws_close(peeled);
    hws_close(client);
    hws_close(server);
}

/* One association has the stream, the other one does not: the bytes are in use all the same. */
static void lent_to_all_of_which_one_refuses(void **state)
{
    struct fd_world *w = *state;
    static char lent[100];
    struct iovec iov = {.iov_base = lent, .iov_len = sizeof(lent)};
    const struct sctp_initmsg one_stream = {.sinit_max_instreams = 1};
    const struct sctp_sndinfo info = {.snd_sid = 5, .snd_flags = SCTP_SENDALL};
    int released = 0;
    char buf[200];
    int client = hws_runtime_socket(w->b, AF_INET, SOCK_SEQPACKET, 0);
    int wide = fd_listen(w->a, SOCK_SEQPACKET, PORT + 1);
    int narrow = hws_runtime_socket(w->a, AF_INET, SOCK_SEQPACKET, 0);
    struct sockaddr_in to_wide = fd_address(PORT + 1), to_narrow = fd_address(PORT + 2);
    assert_int_equal(
        hws_setsockopt(narrow, IPPROTO_SCTP, SCTP_INITMSG, &one_stream, sizeof(one_stream)), 0);
    assert_int_equal(hws_bind(narrow, (struct sockaddr *)&to_narrow, sizeof(to_narrow)), 0);
    assert_int_equal(hws_listen(narrow, 1), 0);
    assert_int_equal(hws_connect(client, (struct sockaddr *)&to_wide, sizeof(to_wide)), 0);
    assert_int_equal(hws_connect(client, (struct sockaddr *)&to_narrow, sizeof(to_narrow)), 0);
    assert_int_equal(hws_send_lent(client, &iov, 1, &info, 0, count_release, &released),
                     sizeof(lent));
    assert_int_equal(hws_recv(wide, buf, sizeof(buf), 0), sizeof(lent));
    hws_close(client);
    hws_close(wide);
    hws_close(narrow);
    hws_runtime_free(w->b); /* gives back what has not come yet */
    w->b = NULL;
    assert_int_equal(released, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fd_setup, fd_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_cross),
        TEST(names_of_both_ends),
        TEST(ipv4_is_mapped_on_ipv6_sockets),
        TEST(kinds_of_sockets),
        TEST(bad_descriptors),
        TEST(bad_pointers),
        TEST(control_data_of_sends),
        TEST(control_data_of_receives),
        TEST(timestamps_of_receives),
        TEST(vectors_with_their_structures),
        TEST(lent_bytes_come_back_once),
        TEST(timeouts),
        TEST(without_waiting),
        TEST(close_wakes_calls),
        TEST(shutdown_wakes_calls),
        TEST(not_to_listen_wakes_calls),
        TEST(a_failed_connect_wakes_all),
        TEST(signals_interrupt),
        TEST(sigpipe_unless_not_wanted),
        TEST(lingering),
        TEST(cancelled_while_it_waits),
        TEST(success_leaves_errno_alone),
        TEST(lengths_beyond_all_measure),
        TEST(one_to_many_and_peeling_off),
        TEST(lent_to_all_of_which_one_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

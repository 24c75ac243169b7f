/* What descriptors show in poll, select, epoll and uv_poll_t. */
#include "tests/fd_tool.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include <uv.h>

static int unconnected(struct fd_world *w, int type)
{
    int fd = hws_runtime_socket(w->b, AF_INET, type | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    return fd;
}

static void before_there_is_an_association(void **state)
{
    struct fd_world *w = *state;
    int one = unconnected(w, SOCK_STREAM), many = unconnected(w, SOCK_SEQPACKET);
    fd_expect(one, 0);
    fd_expect(many, POLLOUT);
    fd_expect(w->server, 0);
    hws_close(one);
    hws_close(many);
}

static void connecting_without_waiting(void **state)
{
    struct fd_world *w = *state;
    const struct sockaddr_in sin = fd_address(PORT);
    int error = -1, fd = unconnected(w, SOCK_STREAM);
    socklen_t len = sizeof(error);
    assert_fails(hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    fd_expect(fd, POLLOUT);
    assert_int_equal(hws_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, 0);
    fd_expect(w->server, POLLIN);
    int there = hws_accept(w->server, NULL, NULL);
    fd_expect(w->server, 0);
    fd_expect(there, POLLOUT);
    hws_close(there);
    hws_close(fd);
}

static void messages_make_readable(void **state)
{
    struct fd_world *w = *state;
    char buf[8];
    int there, here = fd_connect(w, &there);
    fd_expect(there, POLLOUT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hws_send(here, "x", 1, 0), 1);
    for (int i = 0; i < 3; i++) {
        fd_expect(there, POLLIN | POLLOUT);
        assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 1);
    }
    fd_expect(there, POLLOUT);
    assert_int_equal(hws_send(here, "long", 4, 0), 4);
    fd_expect(there, POLLIN | POLLOUT);
    assert_int_equal(hws_recv(there, buf, 2, MSG_PEEK), 2);
    assert_int_equal(hws_recv(there, buf, 2, 0), 2);
    fd_expect(there, POLLIN | POLLOUT);
    assert_int_equal(hws_recv(there, buf, 8, 0), 2);
    fd_expect(there, POLLOUT);
    hws_close(here);
    hws_close(there);
}

/* Sends until nothing more is taken. What the peer acknowledges meanwhile makes room again, until
 * its window is full, too. How many bytes that are. */
static size_t send_until_full(int fd)
{
    static char piece[1 << 20];
    size_t sent = 0;
    do {
        while (hws_send(fd, piece, sizeof(piece), MSG_DONTWAIT) > 0)
            sent += sizeof(piece);
        assert_int_equal(errno, EAGAIN);
    } while (fd_poll(fd, POLLOUT, 100) != 0);
    return sent;
}

static void receive_all(int fd, size_t len)
{
    static char piece[1 << 20];
    while (len > 0) {
        ssize_t got = hws_recv(fd, piece, sizeof(piece), 0);
        assert_true(got > 0);
        len -= (size_t)got;
    }
}

static void a_full_send_buffer_is_not_writable(void **state)
{
    struct fd_world *w = *state;
    int there, here = fd_connect(w, &there);
    for (int round = 0; round < 3; round++) {
        receive_all(there, send_until_full(here));
        fd_expect(here, POLLOUT);
    }
    hws_close(here);
    hws_close(there);
}

static void ends(void **state)
{
    struct fd_world *w = *state;
    char buf[8];
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_shutdown(here, SHUT_WR), 0);
    while ((fd_poll(there, POLLIN | POLLRDHUP, 1000) & POLLRDHUP) == 0)
        ;
    assert_true((fd_poll(there, POLLIN, 0) & POLLIN) != 0);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 0);
    assert_int_equal(hws_recv(here, buf, sizeof(buf), 0), 0);
    assert_int_equal(fd_poll(there, POLLIN, 0) & POLLHUP, 0);
    hws_close(here);
    hws_close(there);
    here = fd_connect(w, &there); /* HUP: both directions were ended here */
    assert_int_equal(hws_shutdown(here, SHUT_RDWR), 0);
    while ((fd_poll(here, POLLIN, 1000) & POLLHUP) == 0)
        ;
    hws_close(here);
    hws_close(there);
}

static void an_abort_is_an_error(void **state)
{
    struct fd_world *w = *state;
    const struct linger linger = {.l_onoff = 1};
    int error = 0, there, here = fd_connect(w, &there);
    socklen_t len = sizeof(error);
    assert_int_equal(hws_setsockopt(here, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    hws_close(here);
    while ((fd_poll(there, POLLIN, 1000) & POLLERR) == 0)
        ;
    assert_true((fd_poll(there, POLLIN, 0) & POLLIN) != 0);
    assert_int_equal(hws_getsockopt(there, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, ECONNRESET);
    assert_int_equal(fd_poll(there, POLLIN, 0) & POLLERR, 0);
    hws_close(there);
}

/* After an error the socket connects again under the same number. */
static void connecting_again(void **state)
{
    struct fd_world *w = *state;
    struct sockaddr_in sin = fd_address(PORT);
    const struct sctp_initmsg quick = {.sinit_max_attempts = 1, .sinit_max_init_timeo = 100};
    char buf[8];
    int fd = unconnected(w, SOCK_STREAM);
    assert_int_equal(hws_setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &quick, sizeof(quick)), 0);
    sin.sin_port = htons(PORT + 9);
    assert_fails(hws_connect(fd, (struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    while ((fd_poll(fd, POLLIN, 1000) & POLLERR) == 0)
        ;
    assert_fails(hws_recv(fd, buf, sizeof(buf), MSG_DONTWAIT), ETIMEDOUT);
    sin.sin_port = htons(PORT);
    assert_fails(hws_connect(fd, (struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    fd_expect(fd, POLLOUT);
    int there = hws_accept(w->server, NULL, NULL);
    assert_int_equal(hws_send(there, "x", 1, 0), 1);
    fd_expect(fd, POLLIN | POLLOUT);
    hws_close(there);
    hws_close(fd);
}

/* The call that waited has told the error: the descriptor shows none. */
static void a_failed_connect_that_waited(void **state)
{
    struct fd_world *w = *state;
    const struct sockaddr_in sin = fd_address(PORT + 9);
    const struct sctp_initmsg quick = {.sinit_max_attempts = 1, .sinit_max_init_timeo = 100};
    int fd = hws_runtime_socket(w->b, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(hws_setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &quick, sizeof(quick)), 0);
    assert_fails(hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)), ETIMEDOUT);
    fd_expect(fd, 0);
    hws_close(fd);
}

static void in_select(void **state)
{
    struct fd_world *w = *state;
    int there, here = fd_connect(w, &there);
    fd_set in, out;
    struct timeval none = {0};
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(there, &in);
    FD_SET(there, &out);
    assert_int_equal(select(there + 1, &in, &out, NULL, &none), 1);
    assert_true(FD_ISSET(there, &out) && !FD_ISSET(there, &in));
    assert_int_equal(hws_send(here, "x", 1, 0), 1);
    FD_ZERO(&out);
    FD_SET(there, &in);
    assert_int_equal(select(there + 1, &in, NULL, NULL, NULL), 1);
    hws_close(here);
    hws_close(there);
}

/* ---- Edges ---- */

static uint32_t edge(int epoll, int timeout_ms)
{
    struct epoll_event event = {0};
    return epoll_wait(epoll, &event, 1, timeout_ms) == 1 ? event.events : 0;
}

static void edges_of_room(void **state)
{
    struct fd_world *w = *state;
    int there, here = fd_connect(w, &there), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET};
    epoll_ctl(epoll, EPOLL_CTL_ADD, here, &event);
    assert_int_equal(edge(epoll, 0), EPOLLOUT);
    for (int round = 0; round < 3; round++) {
        size_t sent = send_until_full(here);
        assert_int_equal(edge(epoll, 0), 0);
        receive_all(there, sent);
        assert_int_equal(edge(epoll, 10000), EPOLLOUT);
    }
    close(epoll);
    hws_close(here);
    hws_close(there);
}

/* ---- libuv ---- */

static void on_uv_readable(uv_poll_t *poll, int status, int events)
{
    char buf[8];
    assert_int_equal(status, 0);
    assert_int_equal(events, UV_READABLE);
    assert_int_equal(hws_recv(*(int *)poll->data, buf, sizeof(buf), MSG_DONTWAIT), 1);
    uv_poll_stop(poll);
}

static void in_uv_poll(void **state)
{
    struct fd_world *w = *state;
    uv_loop_t loop;
    uv_poll_t handle;
    int there, here = fd_connect(w, &there);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_poll_init(&loop, &handle, there), 0);
    handle.data = &there;
    uv_poll_start(&handle, UV_READABLE, on_uv_readable);
    assert_int_equal(hws_send(here, "x", 1, 0), 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&handle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_fails(hws_recv(there, &loop, 1, MSG_DONTWAIT), EAGAIN);
    hws_close(here);
    hws_close(there);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fd_setup, fd_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(before_there_is_an_association),
        TEST(connecting_without_waiting),
        TEST(messages_make_readable),
        TEST(a_full_send_buffer_is_not_writable),
        TEST(ends),
        TEST(an_abort_is_an_error),
        TEST(connecting_again),
        TEST(a_failed_connect_that_waited),
        TEST(in_select),
        TEST(edges_of_room),
        TEST(in_uv_poll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

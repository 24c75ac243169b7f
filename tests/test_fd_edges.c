/* Edges that come within the call that waits for them. Two runtimes over memory in one thread, so
 * that what the other one sent is received by the next call and not before. */
#include "tests/fd_tool.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "api/runtime/runtime.h"

struct pair {
    struct hws_runtime *a, *b;
    int listener, there; /* in a */
    int here;            /* in b, connected, non-blocking */
    int epoll;           /* edges of `here` */
};

static char piece[64 << 10];

static void drive(struct pair *p)
{
    for (int i = 0; i < 20; i++) {
        assert_int_equal(hws_runtime_run(p->a), 0);
        assert_int_equal(hws_runtime_run(p->b), 0);
    }
}

static struct hws_runtime *open_runtime(struct hws_link *link)
{
    const struct hws_runtime_part part = {.own_host = true};
    struct hws_runtime *runtime;
    assert_int_equal(hws_runtime_open(NULL, link, &part, &runtime), 0);
    runtime->caller_drives = true;
    return runtime;
}

static void connect_pair(struct pair *p)
{
    struct sockaddr_in sin = fd_address(PORT);
    inet_pton(AF_INET, "192.0.2.1", &sin.sin_addr);
    p->listener = hws_runtime_socket(p->a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    assert_int_equal(hws_bind(p->listener, (const struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(hws_listen(p->listener, 1), 0);
    p->here = hws_runtime_socket(p->b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_fails(hws_connect(p->here, (struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    drive(p);
    p->there = hws_accept(p->listener, NULL, NULL);
    assert_true(p->there >= 0);
    assert_int_equal(hws_fcntl(p->there, F_SETFL, O_NONBLOCK), 0);
}

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));
    struct hws_link *a, *b;
    assert_non_null(p);
    assert_int_equal(hws_link_memory_pair(9000, &a, &b), 0);
    p->a = open_runtime(a);
    p->b = open_runtime(b);
    connect_pair(p);
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    close(p->epoll);
    hws_close(p->here);
    hws_close(p->there);
    hws_close(p->listener);
    hws_runtime_free(p->b);
    hws_runtime_free(p->a);
    free(p);
    return 0;
}

static void watch(struct pair *p, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET};
    assert_int_equal(epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->here, &event), 0);
}

static uint32_t edge(const struct pair *p)
{
    struct epoll_event event = {0};
    return epoll_wait(p->epoll, &event, 1, 0) == 1 ? event.events : 0;
}

static void read_all(int fd)
{
    while (hws_recv(fd, piece, sizeof(piece), 0) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

/* A call that finds the buffer full receives the SACK of what was in it before it returns: room
 * that came so is an edge like any other. */
static void room(void **state)
{
    const int one_piece = sizeof(piece);
    struct pair *p = *state;
    int refused_with_room = 0;
    assert_int_equal(hws_setsockopt(p->here, SOL_SOCKET, SO_SNDBUF, &one_piece, sizeof(one_piece)),
                     0);
    watch(p, EPOLLOUT);
    assert_int_equal(edge(p), EPOLLOUT);
    for (int i = 0; i < 1000; i++) {
        ssize_t sent = hws_send(p->here, piece, sizeof(piece), 0);
        int shown = fd_poll(p->here, POLLOUT, 0);
        if (sent < 0) {
            assert_int_equal(errno, EAGAIN);
            assert_int_equal(edge(p), shown);
            refused_with_room += shown == POLLOUT;
        }
        assert_int_equal(hws_runtime_run(p->a), 0);
        read_all(p->there);
    }
    assert_true(refused_with_room > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Edges, and wake-ups, that come within the call that waits for them or that no packet brings. Two
 * runtimes over memory in one thread, so that what the other one sent is received by the next call
 * and not before. */
#include "tests/fd_tool.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/runtime/runtime.h"

struct pair {
    struct hws_runtime *a, *b;
    int listener, there; /* in a */
    int here;            /* in b, connected, non-blocking */
    int epoll;           /* edges of what is watched */
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

static int open_listener(struct hws_runtime *runtime, int type, uint16_t port)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = hws_runtime_socket(runtime, AF_INET, type | SOCK_NONBLOCK, 0);
    assert_int_equal(hws_bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(hws_listen(fd, 5), 0);
    return fd;
}

static int begin(struct pair *p, uint16_t port)
{
    struct sockaddr_in sin = fd_address(port);
    inet_pton(AF_INET, "192.0.2.1", &sin.sin_addr);
    int fd = hws_runtime_socket(p->b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_fails(hws_connect(fd, (struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    return fd;
}

static void connect_pair(struct pair *p)
{
    p->listener = open_listener(p->a, SOCK_STREAM, PORT);
    p->here = begin(p, PORT);
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

static void watch(struct pair *p, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET};
    assert_int_equal(epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event), 0);
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

static void send_here(struct pair *p)
{
    assert_int_equal(hws_send(p->there, "x", 1, 0), 1);
    drive(p);
}

static void receive_one(struct pair *p)
{
    assert_int_equal(hws_recv(p->here, piece, sizeof(piece), 0), 1);
}

static void arrivals(void **state)
{
    struct pair *p = *state;
    const int on = 1;
    assert_int_equal(hws_setsockopt(p->there, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)), 0);
    watch(p, p->here, EPOLLIN);
    assert_int_equal(edge(p), 0);
    send_here(p);
    assert_int_equal(edge(p), EPOLLIN);
    send_here(p);
    assert_int_equal(edge(p), 0); /* nobody has tried to receive since the last one */
    /* One read, one left, and one more comes: a new edge, although it was readable all the time. */
    receive_one(p);
    assert_int_equal(edge(p), 0);
    send_here(p);
    assert_int_equal(edge(p), EPOLLIN);
    /* Read until EAGAIN: the next one is an edge again. */
    receive_one(p);
    receive_one(p);
    assert_fails(hws_recv(p->here, piece, sizeof(piece), 0), EAGAIN);
    assert_int_equal(edge(p), 0);
    send_here(p);
    assert_int_equal(edge(p), EPOLLIN);
}

static void set_send_buffer(int fd, int bytes)
{
    assert_int_equal(hws_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
}

/* A call that finds the buffer full receives the SACK of what was in it before it returns: room
 * that came so is an edge like any other. */
static void room(void **state)
{
    struct pair *p = *state;
    int refused_with_room = 0;
    set_send_buffer(p->here, sizeof(piece));
    watch(p, p->here, EPOLLOUT);
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

/* Who was refused can send once the buffer is larger (as the kernel: sk_write_space). */
static void room_of_a_larger_buffer(void **state)
{
    struct pair *p = *state;
    set_send_buffer(p->here, sizeof(piece));
    watch(p, p->here, EPOLLOUT);
    while (hws_send(p->here, piece, sizeof(piece), 0) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
    edge(p);
    assert_int_equal(fd_poll(p->here, POLLOUT, 0), 0);
    set_send_buffer(p->here, 4 * sizeof(piece));
    assert_int_equal(edge(p), EPOLLOUT);
    assert_int_equal(hws_send(p->here, piece, sizeof(piece), 0), sizeof(piece));
}

static void accept_without_numbers(int listener)
{
    struct rlimit before, none;
    int next = dup(STDERR_FILENO);
    assert_true(next >= 0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int rc = hws_accept(listener, NULL, NULL), error = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(error, EMFILE);
}

/* The descriptor stays readable, and who could not accept tries again when the next one comes. */
static void an_association_after_one_that_found_no_number(void **state)
{
    struct pair *p = *state;
    int first = begin(p, PORT), second;
    watch(p, p->listener, EPOLLIN);
    drive(p);
    assert_int_equal(edge(p), EPOLLIN);
    second = begin(p, PORT);
    accept_without_numbers(p->listener);
    assert_int_equal(edge(p), 0);
    drive(p);
    assert_int_equal(edge(p), EPOLLIN);
    for (int i = 0; i < 2; i++)
        assert_int_equal(hws_close(hws_accept(p->listener, NULL, NULL)), 0);
    hws_close(first);
    hws_close(second);
}

/* That an association is up is an arrival, also beside other notifications. */
static void associations_that_begin(void **state)
{
    struct pair *p = *state;
    const struct sctp_event event = {.se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
    int fds[3], many = open_listener(p->a, SOCK_SEQPACKET, PORT + 1);
    assert_int_equal(hws_setsockopt(many, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)), 0);
    watch(p, many, EPOLLIN);
    edge(p);
    for (int i = 0; i < 3; i++) {
        fds[i] = begin(p, PORT + 1);
        drive(p);
        assert_int_equal(edge(p), EPOLLIN);
        assert_true(hws_recv(many, piece, i == 0 ? 1 : sizeof(piece), 0) > 0);
    }
    for (int i = 0; i < 3; i++)
        hws_close(fds[i]);
    hws_close(many);
}

/* What calls of a turn left to its end is done before a call sleeps, and may bring what it waits
 * for. */
static void a_message_within_the_call_that_waits(void **state)
{
    struct pair *p = *state;
    int idle = open_listener(p->b, SOCK_STREAM, PORT);
    assert_int_equal(hws_send(p->there, "x", 1, 0), 1); /* the SACK of the next one is delayed */
    drive(p);
    assert_int_equal(hws_recv(p->here, piece, sizeof(piece), 0), 1);
    assert_int_equal(hws_fcntl(p->here, F_SETFL, 0), 0);
    assert_true(hws_runtime_timeout_ms(p->b) >= -1);
    assert_int_equal(hws_runtime_run(p->b), 0);
    assert_int_equal(hws_send(p->there, "x", 1, 0), 1);
    assert_int_equal(hws_shutdown(idle, SHUT_RD), 0);
    assert_true(p->b->more);
    assert_int_equal(hws_recv(p->here, piece, sizeof(piece), 0), 1);
    assert_int_equal(p->b->driving.lead_until_us, 0); /* nobody slept */
    hws_close(idle);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(arrivals),
                                       TEST(room),
                                       TEST(room_of_a_larger_buffer),
                                       TEST(an_association_after_one_that_found_no_number),
                                       TEST(associations_that_begin),
                                       TEST(a_message_within_the_call_that_waits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

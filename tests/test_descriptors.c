/* A server that echoes 10^5 messages to a client which sends as fast as it can and reads slowly, so
 * that all buffers fill and drain again and again: with poll, select, epoll level and edge
 * triggered, and uv_poll_t. A wake-up that is lost ends in the test's timeout. Then nothing happens
 * for a while, which may cost no CPU time. */
#include "tests/fd_tool.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#ifdef __SANITIZE_THREAD__ /* which is fifty times slower */
#define MESSAGES 5000u
#else
#define MESSAGES 100000u
#endif
#define MESSAGE_BYTES 100
#define BUFFER_BYTES 65536
#define IDLE_MS 300
#define SLEEPS_MAX 20 /* ThreadSanitizer has a thread that sleeps, too; every 5 ms would be 60 */
#define SPINNING_MS 40

struct server {
    int fd;
    int epoll;
    uv_loop_t loop;
    uv_poll_t poll;
    int uv_events;
    char message[MESSAGE_BYTES]; /* received and not echoed yet when `pending` */
    bool pending;
    uint32_t echoed;
    uint64_t wakes;
};

struct way {
    const char *name;
    uint32_t burst; /* messages at one wake-up; 0: until EAGAIN */
    void (*open)(struct server *server);
    /** Waits for `events`; POLL* that hold, 0: the time is over. */
    int (*wait)(struct server *server, short events, int timeout_ms);
    void (*close)(struct server *server);
};

/* ---- The five ways ---- */

static void nothing(struct server *server)
{
    (void)server;
}

static int wait_poll(struct server *server, short events, int timeout_ms)
{
    return fd_poll(server->fd, events, timeout_ms);
}

static int wait_select(struct server *server, short events, int timeout_ms)
{
    fd_set in, out;
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    FD_ZERO(&in);
    FD_ZERO(&out);
    if ((events & POLLIN) != 0)
        FD_SET(server->fd, &in);
    if ((events & POLLOUT) != 0)
        FD_SET(server->fd, &out);
    assert_true(select(server->fd + 1, &in, &out, NULL, timeout_ms < 0 ? NULL : &timeout) >= 0);
    return (FD_ISSET(server->fd, &in) ? POLLIN : 0) | (FD_ISSET(server->fd, &out) ? POLLOUT : 0);
}

static void open_epoll(struct server *server)
{
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->fd, &event), 0);
}

static void open_edge(struct server *server)
{
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->fd, &event), 0);
}

static int wait_edge(struct server *server, short events, int timeout_ms)
{
    struct epoll_event event = {0};
    (void)events;
    return epoll_wait(server->epoll, &event, 1, timeout_ms) == 1 ? (int)event.events : 0;
}

static int wait_epoll(struct server *server, short events, int timeout_ms)
{
    struct epoll_event event = {.events = (uint32_t)events};
    assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->fd, &event), 0);
    return wait_edge(server, events, timeout_ms);
}

static void close_epoll(struct server *server)
{
    close(server->epoll);
}

static void open_uv(struct server *server)
{
    assert_int_equal(uv_loop_init(&server->loop), 0);
    assert_int_equal(uv_poll_init(&server->loop, &server->poll, server->fd), 0);
    server->poll.data = server;
}

static void on_uv(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    assert_int_equal(status, 0);
    server->uv_events = (events & UV_READABLE ? POLLIN : 0) | (events & UV_WRITABLE ? POLLOUT : 0);
}

static void on_uv_timeout(uv_timer_t *timer)
{
    (void)timer;
}

static int wait_uv(struct server *server, short events, int timeout_ms)
{
    uv_timer_t timer;
    server->uv_events = 0;
    uv_timer_init(&server->loop, &timer);
    if (timeout_ms >= 0)
        uv_timer_start(&timer, on_uv_timeout, (uint64_t)timeout_ms, 0);
    uv_poll_start(&server->poll,
                  (events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0),
                  on_uv);
    uv_run(&server->loop, UV_RUN_ONCE);
    uv_poll_stop(&server->poll);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&server->loop, UV_RUN_NOWAIT);
    return server->uv_events;
}

static void close_uv(struct server *server)
{
    uv_close((uv_handle_t *)&server->poll, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&server->loop), 0);
}

static const struct way ways[] = {
    {"poll", 8, nothing, wait_poll, nothing},
    {"select", 8, nothing, wait_select, nothing},
    {"epoll, level triggered", 8, open_epoll, wait_epoll, close_epoll},
    {"epoll, edge triggered", 0, open_edge, wait_edge, close_epoll},
    {"uv_poll_t", 8, open_uv, wait_uv, close_uv},
};

/* ---- The server ---- */

static bool echo_pending(struct server *server)
{
    if (!server->pending)
        return true;
    ssize_t sent = hws_send(server->fd, server->message, MESSAGE_BYTES, MSG_DONTWAIT);
    if (sent < 0) {
        assert_int_equal(errno, EAGAIN);
        return false;
    }
    server->pending = false;
    server->echoed++;
    return true;
}

static void serve(struct server *server, uint32_t burst)
{
    for (uint32_t i = 0; burst == 0 || i < burst; i++) {
        if (!echo_pending(server))
            return;
        ssize_t got = hws_recv(server->fd, server->message, MESSAGE_BYTES, MSG_DONTWAIT);
        if (got < 0) {
            assert_int_equal(errno, EAGAIN);
            return;
        }
        assert_int_equal(got, MESSAGE_BYTES);
        server->pending = true;
    }
}

/* ---- The client ---- */

static void *send_all(void *arg)
{
    char message[MESSAGE_BYTES] = {0};
    for (uint32_t i = 0; i < MESSAGES; i++) {
        memcpy(message, &i, sizeof(i));
        assert_int_equal(hws_send(*(int *)arg, message, sizeof(message), 0), sizeof(message));
    }
    return NULL;
}

static void *receive_all(void *arg)
{
    const struct timespec pause = {.tv_nsec = 200000};
    char message[MESSAGE_BYTES];
    for (uint32_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(hws_recv(*(int *)arg, message, sizeof(message), 0), sizeof(message));
        assert_memory_equal(message, &i, sizeof(i));
        if (i % 100 == 0)
            nanosleep(&pause, NULL);
    }
    return NULL;
}

/* ---- The test ---- */

static void limit_buffers(int fd)
{
    const int bytes = BUFFER_BYTES;
    assert_int_equal(hws_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
    assert_int_equal(hws_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
}

static long sleeps(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

/* Delayed SACKs and the like come first: what is due with nothing to do is no more than that.
 * Whoever looks every few milliseconds sleeps too often; whoever never sleeps takes all the time
 * there is, of which a busy machine gives a part. */
static void check_idle(const struct way *way, struct server *server)
{
    while (way->wait(server, POLLIN, IDLE_MS) != 0)
        serve(server, 0);
    clock_t before = clock();
    long slept_before = sleeps();
    assert_int_equal(way->wait(server, POLLIN, IDLE_MS), 0);
    double used_ms = (double)(clock() - before) * 1000 / CLOCKS_PER_SEC;
    long slept = sleeps() - slept_before;
    printf("%s: %u messages, %llu wake-ups; %d ms idle: slept %ld times, %.1f ms of CPU time\n",
           way->name, server->echoed, (unsigned long long)server->wakes, IDLE_MS, slept, used_ms);
    assert_true(slept <= SLEEPS_MAX);
    assert_true(used_ms < SPINNING_MS);
}

static void run(struct fd_world *w, const struct way *way)
{
    struct server server = {0};
    pthread_t sender, receiver;
    const struct sockaddr_in sin = fd_address(PORT);
    int client = hws_runtime_socket(w->b, AF_INET, SOCK_STREAM, 0);
    limit_buffers(client);
    assert_int_equal(hws_connect(client, (const struct sockaddr *)&sin, sizeof(sin)), 0);
    server.fd = hws_accept(w->server, NULL, NULL);
    way->open(&server);
    pthread_create(&sender, NULL, send_all, &client);
    pthread_create(&receiver, NULL, receive_all, &client);
    while (server.echoed < MESSAGES) {
        if (way->wait(&server, server.pending ? POLLOUT : POLLIN, -1) == 0)
            continue;
        server.wakes++;
        serve(&server, way->burst);
    }
    pthread_join(sender, NULL);
    pthread_join(receiver, NULL);
    check_idle(way, &server);
    way->close(&server);
    hws_close(client);
    hws_close(server.fd);
}

static void every_way(void **state)
{
    struct fd_world *w = *state;
    limit_buffers(w->server);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        run(w, &ways[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_way, fd_setup, fd_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* hawser's sockets in the program's own epoll loop, driven by the caller: one thread, defaults. */
#include "bench/knock.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/hawser_runtime.h"

#define EVENTS 128
#define BACKLOG 1024

const char knock_name[] = "hawser";

static struct {
    struct hws_runtime *runtime;
    struct sockaddr_in remote;
    bool client;
    int epoll, listener;
    uint64_t ended, failed;
} knock = {.listener = -1};

static bool watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(knock.epoll, operation, fd, &event) == 0;
}

static bool connect_one(void)
{
    int fd = hws_runtime_socket(knock.runtime, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP);
    if (fd < 0)
        return false;
    if (hws_connect(fd, (const struct sockaddr *)&knock.remote, sizeof knock.remote) != 0 &&
        errno != EINPROGRESS)
        return false;
    return watch(EPOLL_CTL_ADD, fd, EPOLLOUT);
}

static bool listen_at(const struct sockaddr_in *local)
{
    knock.listener =
        hws_runtime_socket(knock.runtime, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP);
    return knock.listener >= 0 &&
           hws_bind(knock.listener, (const struct sockaddr *)local, sizeof *local) == 0 &&
           hws_listen(knock.listener, BACKLOG) == 0 &&
           watch(EPOLL_CTL_ADD, knock.listener, EPOLLIN);
}

bool knock_start(const struct sockaddr_in *local, const struct sockaddr_in *remote)
{
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.drive = HWS_DRIVE_CALLER;
    config.ipv6 = false;
    knock.epoll = epoll_create1(0);
    knock.runtime = bench_hawser_runtime(&config);
    if (knock.runtime == NULL || !watch(EPOLL_CTL_ADD, hws_runtime_fd(knock.runtime), EPOLLIN))
        return false;
    if (local != NULL)
        return listen_at(local);
    knock.client = true;
    knock.remote = *remote;
    for (unsigned i = 0; i < KNOCK_IN_FLIGHT; i++)
        if (!connect_one())
            return false;
    return true;
}

static bool accept_all(void)
{
    int fd;
    while ((fd = hws_accept4(knock.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        if (!watch(EPOLL_CTL_ADD, fd, EPOLLIN))
            return false;
    return errno == EAGAIN || errno == ECONNABORTED;
}

static void is_up(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (hws_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0 &&
        hws_shutdown(fd, SHUT_WR) == 0) {
        watch(EPOLL_CTL_MOD, fd, EPOLLIN);
        return;
    }
    knock.failed++;
    hws_close(fd);
}

static bool is_readable(int fd)
{
    uint8_t byte;
    ssize_t len = hws_recv(fd, &byte, sizeof byte, 0);
    if (len < 0 && errno == EAGAIN)
        return true;
    knock.ended += len == 0;
    knock.failed += len != 0;
    hws_close(fd);
    return !knock.client || connect_one();
}

static bool handle(const struct epoll_event *event)
{
    int fd = event->data.fd;
    if (fd == hws_runtime_fd(knock.runtime))
        return true;
    if (fd == knock.listener)
        return accept_all();
    if ((event->events & EPOLLIN) == 0 && (event->events & EPOLLOUT) != 0) {
        is_up(fd);
        return true;
    }
    return is_readable(fd);
}

bool knock_turn(int wait_ms)
{
    struct epoll_event events[EVENTS];
    int due_ms = hws_runtime_timeout_ms(knock.runtime);
    int timeout_ms = due_ms >= 0 && due_ms < wait_ms ? due_ms : wait_ms;
    int count = epoll_wait(knock.epoll, events, EVENTS, timeout_ms);
    if (hws_runtime_run(knock.runtime) != 0)
        return false;
    for (int i = 0; i < count; i++)
        if (!handle(&events[i]))
            return false;
    return true;
}

uint64_t knock_ended(void)
{
    return knock.ended;
}

uint64_t knock_failed(void)
{
    return knock.failed;
}

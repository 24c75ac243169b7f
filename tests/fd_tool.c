#include "tests/fd_tool.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#define UDP_PORT 29801

struct hws_runtime *fd_runtime(uint16_t udp_port, uint16_t peer_port, enum hws_drive drive)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX] = "";
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = udp_port;
    config.peer_udp_port = peer_port;
    config.ipv6 = false;
    config.drive = drive;
    if (getenv("HWS_TEST_SPIN_US") != NULL)
        config.spin_us = (uint32_t)atoi(getenv("HWS_TEST_SPIN_US"));
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fail_msg("%s", error);
    return runtime;
}

struct sockaddr_in fd_address(uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sin;
}

int fd_listen(struct hws_runtime *runtime, int type, uint16_t port)
{
    struct sockaddr_in sin = fd_address(port);
    int fd = hws_runtime_socket(runtime, AF_INET, type, IPPROTO_SCTP);
    assert_true(fd >= 0);
    assert_int_equal(hws_bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    assert_int_equal(hws_listen(fd, 5), 0);
    return fd;
}

int fd_setup(void **state)
{
    struct fd_world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->a = fd_runtime(UDP_PORT, UDP_PORT, HWS_DRIVE_THREAD);
    w->b = fd_runtime(0, UDP_PORT, HWS_DRIVE_THREAD);
    w->server = fd_listen(w->a, SOCK_STREAM, PORT);
    *state = w;
    return 0;
}

int fd_teardown(void **state)
{
    struct fd_world *w = *state;
    hws_close(w->server);
    hws_runtime_free(w->b);
    hws_runtime_free(w->a);
    free(w);
    return 0;
}

int fd_connect(struct fd_world *w, int *there)
{
    const struct sockaddr_in sin = fd_address(PORT);
    int fd = hws_runtime_socket(w->b, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    assert_true(fd >= 0);
    assert_int_equal(hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)), 0);
    *there = hws_accept(w->server, NULL, NULL);
    assert_true(*there >= 0);
    return fd;
}

static unsigned count_waiters(int fd, enum hws_direction direction)
{
    struct hws_handle *handle;
    const struct hws_waiter *waiter;
    unsigned count = 0;
    assert_int_equal(hws_handle_enter(fd, &handle), 0);
    TAILQ_FOREACH(waiter, &handle->waiters[direction], in_socket)
    count++;
    hws_handle_leave(handle, false);
    return count;
}

void fd_await_waiters(int fd, enum hws_direction direction, unsigned count)
{
    uint64_t until_ms = fd_now_ms() + 10000;
    while (count_waiters(fd, direction) != count && fd_now_ms() < until_ms)
        poll(NULL, 0, 1);
    assert_int_equal(count_waiters(fd, direction), count);
}

static bool is_acknowledged(int fd)
{
    struct sctp_status status;
    socklen_t len = sizeof(status);
    assert_int_equal(hws_getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &len), 0);
    return status.sstat_unackdata == 0 && status.sstat_penddata == 0;
}

void fd_await_acknowledged(int fd)
{
    uint64_t until_ms = fd_now_ms() + 10000;
    while (!is_acknowledged(fd) && fd_now_ms() < until_ms)
        poll(NULL, 0, 1);
    assert_true(is_acknowledged(fd));
}

int fd_poll(int fd, short events, int timeout_ms)
{
    struct pollfd entry = {.fd = fd, .events = events};
    assert_true(poll(&entry, 1, timeout_ms) >= 0);
    return entry.revents;
}

void fd_expect(int fd, int want)
{
    const short all = POLLIN | POLLOUT | POLLRDHUP;
    uint64_t until_ms = fd_now_ms() + 10000;
    while (fd_poll(fd, all, 0) != want && fd_now_ms() < until_ms)
        poll(NULL, 0, 1);
    assert_int_equal(fd_poll(fd, all, 0), want);
}

uint64_t fd_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

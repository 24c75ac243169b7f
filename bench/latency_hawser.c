/* hawser's sockets with blocking calls and defaults everywhere, the library's thread included. */
#include <errno.h>
#include <string.h>

#include "bench/hawser_runtime.h"
#include "bench/latency.h"

#define BUFFER_BYTES 2048u
#define NS_PER_S 1000000000u
/* Longer than what it waits for takes. */
#define SPIN_US 200u

const char bench_latency_name[] = "hawser";

static struct hws_runtime *runtime;
static int sock = -1;
static uint8_t buffer[BUFFER_BYTES];

bool bench_latency_start(bool listening, bool spin)
{
    struct hws_runtime_config config;
    (void)listening;
    hws_runtime_config_init(&config);
    config.spin_us = spin ? SPIN_US : 0;
    sock = bench_hawser_socket(&config, &runtime);
    return sock >= 0;
}

bool bench_latency_accept(const struct sockaddr_in *local)
{
    int listener = sock, on = 1;
    if (hws_setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
        hws_bind(sock, (const struct sockaddr *)local, sizeof *local) != 0 ||
        hws_listen(sock, 1) != 0)
        return false;
    bench_latency_ready();
    sock = hws_accept(listener, NULL, NULL);
    hws_close(listener);
    return sock >= 0;
}

bool bench_latency_connect(const struct sockaddr_in *remote)
{
    int on = 1;
    return hws_connect(sock, (const struct sockaddr *)remote, sizeof *remote) == 0 &&
           hws_setsockopt(sock, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) == 0;
}

bool bench_latency_send(const void *message, size_t len)
{
    return hws_send(sock, message, len, 0) == (ssize_t)len;
}

static ssize_t receive(void)
{
    return hws_recv(sock, buffer, sizeof buffer, 0);
}

bool bench_latency_echo(void)
{
    ssize_t len;
    while ((len = receive()) > 0)
        if (!bench_latency_send(buffer, (size_t)len))
            return false;
    return len == 0;
}

bool bench_latency_ping(const void *message, size_t len)
{
    do {
        if (!bench_latency_send(message, len) || receive() != (ssize_t)len)
            return false;
    } while (bench_latency_went_round());
    return true;
}

static bool read_timestamp(struct msghdr *msg, uint64_t *stamp_ns)
{
    struct timespec stamp;
    const struct cmsghdr *control = CMSG_FIRSTHDR(msg);
    if (control == NULL || control->cmsg_type != SCM_TIMESTAMPNS)
        return false;
    memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
    *stamp_ns = (uint64_t)stamp.tv_sec * NS_PER_S + (uint64_t)stamp.tv_nsec;
    return true;
}

bool bench_latency_take(void)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec iov = {.iov_base = buffer, .iov_len = sizeof buffer};
    ssize_t len;
    do {
        struct msghdr msg = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
        uint64_t stamp_ns;
        len = hws_recvmsg(sock, &msg, 0);
        if (len > 0 && !read_timestamp(&msg, &stamp_ns))
            return false;
        if (len > 0)
            bench_latency_arrived(stamp_ns);
    } while (len > 0);
    return len == 0;
}

/* Once the peer has all of it: runtimes that end abort what is still up. */
void bench_latency_end(void)
{
    hws_shutdown(sock, SHUT_WR);
    while (receive() > 0)
        ;
    hws_close(sock);
    hws_runtime_free(runtime);
}

/* The bare part: one raw socket of protocol 132 and packets as large as SCTP's are with one message
 * and a SACK; nothing in them is made or looked at. A packet without a message ends the exchange.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/latency.h"

/* Common header, DATA chunk header, SACK (RFC 9260, 3). */
#define OVERHEAD_BYTES (12u + 16u + 16u)
#define IP_HEADER_BYTES 20u
#define BUFFER_BYTES 2048u

const char bench_latency_name[] = "limit";

static int sock = -1;
static int wait_flags;
static struct sockaddr_in peer;
static uint8_t buffer[BUFFER_BYTES];

bool bench_latency_start(bool listening, bool spin)
{
    int on = 1;
    wait_flags = spin ? MSG_DONTWAIT : 0;
    sock = socket(AF_INET, SOCK_RAW, IPPROTO_SCTP);
    return sock >= 0 &&
           (!listening || setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0);
}

static ssize_t receive(uint64_t *stamp_ns)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    socklen_t unused = sizeof peer;
    struct iovec iov = {.iov_base = buffer, .iov_len = sizeof buffer};
    struct msghdr msg = {.msg_name = &peer,
                         .msg_namelen = unused,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    ssize_t len;
    do
        len = recvmsg(sock, &msg, wait_flags);
    while (len < 0 && errno == EAGAIN);
    const struct cmsghdr *stamp = len >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (stamp != NULL && stamp_ns != NULL) {
        struct timespec time;
        memcpy(&time, CMSG_DATA(stamp), sizeof time);
        *stamp_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    }
    return len - (ssize_t)(IP_HEADER_BYTES + OVERHEAD_BYTES);
}

static bool transmit(size_t len)
{
    size_t bytes = OVERHEAD_BYTES + len;
    return sendto(sock, buffer, bytes, 0, (struct sockaddr *)&peer, sizeof peer) == (ssize_t)bytes;
}

bool bench_latency_accept(const struct sockaddr_in *local)
{
    (void)local;
    bench_latency_ready();
    return true;
}

bool bench_latency_connect(const struct sockaddr_in *remote)
{
    peer = *remote;
    peer.sin_port = 0;
    return true;
}

bool bench_latency_echo(void)
{
    ssize_t len;
    while ((len = receive(NULL)) > 0)
        if (!transmit((size_t)len))
            return false;
    return true;
}

bool bench_latency_ping(const void *message, size_t len)
{
    (void)message;
    do {
        if (!transmit(len) || receive(NULL) != (ssize_t)len)
            return false;
    } while (bench_latency_went_round());
    return transmit(0);
}

bool bench_latency_take(void)
{
    uint64_t stamp_ns = 0;
    while (receive(&stamp_ns) > 0)
        bench_latency_arrived(stamp_ns);
    return true;
}

bool bench_latency_send(const void *message, size_t len)
{
    (void)message;
    return transmit(len);
}

void bench_latency_end(void)
{
    transmit(0);
    close(sock);
}

/* UDP with trains: UDP_SEGMENT and UDP_GRO. */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include <netinet/udp.h>

#include "bench/bare.h"

#define UDP_HEADER 8u
#define TRAIN_MAX (BARE_PACKET_MAX - BARE_IPV4_HEADER - UDP_HEADER)
/* The kernel's UDP_MAX_SEGMENTS was this for long. */
#define SEGMENTS_MAX 64u
/* Trains in one call. */
#define BATCH 4u

static uint8_t payload[TRAIN_MAX], buffers[BATCH][BARE_PACKET_MAX];
static struct mmsghdr batch[BATCH];
static struct iovec iov[BATCH];
static int sock = -1;

int bare_open_source(const struct bare_options *options)
{
    static struct sockaddr_in to;
    int segment = (int)(options->packet_bytes - BARE_IPV4_HEADER - UDP_HEADER);
    size_t segments = TRAIN_MAX / (size_t)segment;
    size_t train = (segments < SEGMENTS_MAX ? segments : SEGMENTS_MAX) * (size_t)segment;
    to = options->sink;
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0 || setsockopt(sock, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0)
        return -1;
    bare_set_buffers(sock);
    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){payload, train};
        batch[i].msg_hdr = (struct msghdr){
            .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov[i], .msg_iovlen = 1};
    }
    return sock;
}

int bare_open_sink(const struct bare_options *options)
{
    int on = 1;
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0 || setsockopt(sock, IPPROTO_UDP, UDP_GRO, &on, sizeof on) != 0 ||
        bind(sock, (const struct sockaddr *)&options->sink, sizeof options->sink) != 0)
        return -1;
    bare_set_buffers(sock);
    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){buffers[i], sizeof buffers[i]};
        batch[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    return sock;
}

ssize_t bare_send(void)
{
    int count = sendmmsg(sock, batch, BATCH, MSG_DONTWAIT);
    if (count < 0)
        return errno == EAGAIN || errno == ENOBUFS ? 0 : -1;
    return count * (ssize_t)iov[0].iov_len;
}

ssize_t bare_receive(void)
{
    ssize_t bytes = 0;
    int count = recvmmsg(sock, batch, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0)
        return errno == EAGAIN ? 0 : -1;
    for (int i = 0; i < count; i++)
        bytes += (ssize_t)batch[i].msg_len;
    return bytes;
}

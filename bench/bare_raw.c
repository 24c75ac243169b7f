/* Raw sockets, IP protocol 132: sendmmsg and recvmmsg, neither end connected, as a stack has to use
 * them that has many peers. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <netinet/ip.h>

#include "bench/bare.h"

#define BATCH_MAX 64u
/* A batch of large packets would leave the cache. */
#define BATCH_BYTES (512u << 10)

static uint8_t payload[BARE_PACKET_MAX], buffers[BATCH_BYTES + BARE_PACKET_MAX];
static struct mmsghdr batch[BATCH_MAX];
static struct iovec iov[BATCH_MAX];
static struct sockaddr_in sink_address;
static unsigned batch_count;
static size_t header_bytes; /* of the IP header, where it is ours */
static int sock = -1;

static bool open_socket(const struct bare_options *options)
{
    int mode = IP_PMTUDISC_PROBE;
    sink_address = options->sink;
    sink_address.sin_port = 0;
    sock = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP);
    if (sock < 0)
        return false;
    bare_set_buffers(sock);
    size_t count = BATCH_BYTES / options->packet_bytes;
    batch_count = count < BATCH_MAX ? (unsigned)count : BATCH_MAX;
    return setsockopt(sock, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof mode) == 0;
}

/* The kernel fills in length, identification, source address and checksum. */
static bool set_own_header(void)
{
    const struct iphdr header = {.version = 4,
                                 .ihl = BARE_IPV4_HEADER / 4,
                                 .ttl = IPDEFTTL,
                                 .protocol = IPPROTO_SCTP,
                                 .daddr = sink_address.sin_addr.s_addr};
    int on = 1;
    memcpy(payload, &header, sizeof header);
    header_bytes = BARE_IPV4_HEADER;
    return setsockopt(sock, IPPROTO_IP, IP_HDRINCL, &on, sizeof on) == 0;
}

int bare_open_source(const struct bare_options *options)
{
    if (!open_socket(options) || (options->own_header && !set_own_header()))
        return -1;
    for (unsigned i = 0; i < batch_count; i++) {
        iov[i] = (struct iovec){payload, options->packet_bytes - BARE_IPV4_HEADER + header_bytes};
        batch[i].msg_hdr = (struct msghdr){.msg_name = &sink_address,
                                           .msg_namelen = sizeof sink_address,
                                           .msg_iov = &iov[i],
                                           .msg_iovlen = 1};
    }
    return sock;
}

int bare_open_sink(const struct bare_options *options)
{
    if (!open_socket(options))
        return -1;
    for (unsigned i = 0; i < batch_count; i++) {
        iov[i] = (struct iovec){buffers + i * options->packet_bytes, options->packet_bytes};
        batch[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    return sock;
}

ssize_t bare_send(void)
{
    int count = sendmmsg(sock, batch, batch_count, MSG_DONTWAIT);
    if (count < 0)
        return errno == EAGAIN || errno == ENOBUFS ? 0 : -1;
    return count * (ssize_t)(iov[0].iov_len - header_bytes);
}

/* A raw socket of IPv4 delivers the IP header, too. */
ssize_t bare_receive(void)
{
    ssize_t bytes = 0;
    int count = recvmmsg(sock, batch, batch_count, MSG_DONTWAIT, NULL);
    if (count < 0)
        return errno == EAGAIN ? 0 : -1;
    for (int i = 0; i < count; i++)
        bytes += (ssize_t)batch[i].msg_len - (ssize_t)BARE_IPV4_HEADER;
    return bytes;
}

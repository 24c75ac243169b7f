/* SCTP over UDP (RFC 6951). A train leaves as one message that the kernel or the device cuts
 * (UDP_SEGMENT), and packets of one sender arrive joined in one buffer (UDP_GRO). */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/link/link.h"
#include "api/link/link_inet_linux.h"
#include "api/link/port_claim_linux.h"
#include "api/link/shard_filter_linux.h"
#include "api/link/shard_group_linux.h"
#include "api/link/socket_linux.h"
#include "api/sock/sockaddr.h"

/* A port that the kernel picked for IPv4 may be taken for IPv6: how often to try another. */
#define EPHEMERAL_TRIES 16

struct udp_link {
    struct hws_link_inet inet; /* first: what the operations of both links take */
    uint16_t port;
    struct hws_shard shard;  /* of those that share the port; alone otherwise */
    bool joined_group;       /* that holds the shards' sockets */
    struct hws_rxmsg joined; /* the message being cut into packets; buf NULL: none */
    uint32_t joined_offset;
    uint32_t joined_share; /* memory that each of its packets answers for */
};

/* ---- Receiving ---- */

static void begin_message(struct udp_link *udp, const struct hws_rxmsg *msg)
{
    uint32_t packets = (msg->len + msg->segment_len - 1) / msg->segment_len;
    udp->joined = *msg;
    udp->joined.dst.udp_port = udp->port;
    udp->joined_offset = 0;
    udp->joined_share = (msg->buf->size + packets - 1) / packets;
}

/* The next packet of the message. Its last one inherits the message's own reference. */
static struct hws_packet_in cut_packet(struct udp_link *udp)
{
    struct hws_rxmsg *msg = &udp->joined;
    uint32_t left = msg->len - udp->joined_offset;
    uint32_t len = left < msg->segment_len ? left : msg->segment_len;
    struct hws_packet_in packet = {.data = msg->buf->data + udp->joined_offset,
                                   .len = len,
                                   .truesize = udp->joined_share,
                                   .buf = msg->buf,
                                   .src = msg->src,
                                   .dst = msg->dst,
                                   .rx_time_us = msg->rx_time_us};
    udp->joined_offset += len;
    if (len < left)
        hws_buf_ref(msg->buf);
    else
        msg->buf = NULL;
    return packet;
}

/* Makes the next message of the batch the one to cut; false when there is none. Empty datagrams
 * carry nothing. */
static bool next_message(struct udp_link *udp, struct hws_rxbatch *batch)
{
    struct hws_rxmsg msg;
    enum hws_rxbatch_result result;
    while ((result = hws_rxbatch_take(batch, &msg)) != HWS_RXBATCH_EMPTY) {
        if (result == HWS_RXBATCH_TRUNCATED) {
            udp->inet.stats.rx_truncated++;
        } else if (msg.len == 0) {
            udp->inet.stats.rx_foreign++;
            hws_buf_unref(msg.buf);
        } else {
            begin_message(udp, &msg);
            return true;
        }
    }
    return false;
}

/* What is left of a message or a batch, when it held more packets than the caller took, comes
 * first the next time. */
static size_t receive_socket(struct udp_link *udp, const struct hws_inet_socket *sock,
                             struct hws_packet_in *packets, size_t max)
{
    size_t count = 0;
    bool drained = hws_link_inet_is_quiet(&udp->inet, sock);
    while (count < max) {
        if (udp->joined.buf != NULL)
            packets[count++] = cut_packet(udp);
        else if (next_message(udp, sock->batch))
            continue;
        else if (drained)
            break;
        else if (hws_rxbatch_fill(sock->batch, sock->fd, max - count, &drained) > 0)
            udp->inet.stats.rx_calls++;
    }
    return count;
}

static size_t udp_receive(struct hws_link *link, struct hws_packet_in *packets, size_t max)
{
    struct udp_link *udp = (struct udp_link *)link;
    size_t count = 0;
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++) {
        const struct hws_inet_socket *sock =
            &udp->inet.sockets[(udp->inet.turn + i) % HWS_INET_SOCKETS];
        if (sock->fd >= 0)
            count += receive_socket(udp, sock, packets + count, max - count);
    }
    udp->inet.turn++;
    udp->inet.stats.rx_packets += count;
    return count;
}

/* ---- Ports: the UDP port is ours alone, so every SCTP port behind it is. ---- */

static int udp_add_port(struct hws_link *link, uint16_t port)
{
    (void)link;
    (void)port;
    return 0;
}

static void udp_remove_port(struct hws_link *link, uint16_t port)
{
    (void)link;
    (void)port;
}

static uint16_t udp_encapsulation_port(struct hws_link *link)
{
    return ((struct udp_link *)link)->port;
}

/* ---- Opening and closing ---- */

static void udp_close(struct hws_link *link)
{
    struct udp_link *udp = (struct udp_link *)link;
    if (udp->joined.buf != NULL)
        hws_buf_unref(udp->joined.buf);
    hws_link_inet_finish(&udp->inet);
    if (udp->joined_group)
        hws_shard_group_leave(IPPROTO_UDP, udp->port, &udp->shard);
    free(udp);
}

static const struct hws_link_ops udp_ops = {
    .name = "udp",
    .add_port = udp_add_port,
    .remove_port = udp_remove_port,
    .receive = udp_receive,
    .net_event = hws_link_inet_net_event,
    .train = hws_link_inet_train,
    .submit = hws_link_inet_submit,
    .flush = hws_link_inet_flush,
    .fds = hws_link_inet_fds,
    .route = hws_link_inet_route,
    .encapsulation_port = udp_encapsulation_port,
    .stats = hws_link_inet_stats,
    .close = udp_close,
};

/* UDP_GRO is an optimisation; without it each datagram is a message. With it the kernel joins
 * datagrams of one sender that are for several shards, and gives them all to the first one's. */
static int set_udp_options(int fd, enum hws_family family, bool shared)
{
    int on = 1;
    if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, shared ? &(int){0} : &on, sizeof(on)) != 0 && shared)
        return -errno;
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
        return -errno;
    int result = family == HWS_FAMILY_IPV4
                     ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on))
                     : setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return result == 0 ? 0 : -errno;
}

static int bind_any(int fd, enum hws_family family, uint16_t port, uint16_t *bound)
{
    struct hws_addr any = {.family = (uint8_t)family};
    struct sockaddr_storage name;
    socklen_t len = hws_sockaddr_write(&any, port, &name);
    if (bind(fd, (const struct sockaddr *)&name, len) != 0)
        return -errno;
    len = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
        return -errno;
    return hws_sockaddr_read((const struct sockaddr *)&name, len, &any, bound);
}

/* Opens and binds one family; one that the kernel lacks is left out. */
static int open_family(struct udp_link *udp, enum hws_family family, uint16_t port)
{
    int result = hws_link_inet_open_socket(&udp->inet, family, 0);
    if (result == -EAFNOSUPPORT)
        return 0;
    int fd = udp->inet.sockets[family == HWS_FAMILY_IPV6].fd;
    if (result == 0)
        result = set_udp_options(fd, family, udp->shard.count > 1);
    return result != 0 ? result : bind_any(fd, family, port, &udp->port);
}

/* Both families share one port number. */
static int open_families(struct udp_link *udp, const struct hws_link_udp_config *config)
{
    int result = 0;
    udp->port = config->port;
    if (config->ipv4)
        result = open_family(udp, HWS_FAMILY_IPV4, udp->port);
    if (result == 0 && config->ipv6)
        result = open_family(udp, HWS_FAMILY_IPV6, udp->port);
    bool none = udp->inet.sockets[0].fd < 0 && udp->inet.sockets[1].fd < 0;
    return result == 0 && none ? -EAFNOSUPPORT : result;
}

static int open_ports(struct udp_link *udp, const struct hws_link_udp_config *config)
{
    int tries = config->port == 0 ? EPHEMERAL_TRIES : 1;
    int result;
    while ((result = open_families(udp, config)) == -EADDRINUSE && --tries > 0)
        hws_link_inet_close_sockets(&udp->inet);
    return result != 0 ? result : hws_link_inet_start(&udp->inet, IPPROTO_UDP);
}

/* ---- Shards: their sockets are opened in one go, since the kernel numbers them as they are bound,
 * and closed in one go, since it would number them anew. ---- */

static uint32_t group_fd(const struct hws_shard *shard, uint32_t family)
{
    return 1 + family * shard->count + shard->index;
}

static int open_member(const struct hws_link_udp_config *config, uint32_t index,
                       int fds[HWS_SHARD_GROUP_FDS])
{
    struct udp_link member = {.shard = {.count = config->shard.count, .index = index}};
    hws_link_inet_init(&member.inet, &udp_ops, true, NULL);
    int result = open_families(&member, config);
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++) {
        int fd = member.inet.sockets[i].fd;
        fds[group_fd(&member.shard, i)] = fd;
        if (result == 0 && fd >= 0 && index == 0)
            result = hws_shard_filter_attach_reuseport(fd, member.shard.count);
    }
    return result;
}

/* The claim keeps other processes out that share ports, too. */
static int open_group(void *arg, int fds[HWS_SHARD_GROUP_FDS])
{
    const struct hws_link_udp_config *config = arg;
    fds[0] = hws_port_claim(IPPROTO_UDP, config->port);
    int result = fds[0] < 0 ? fds[0] : 0;
    for (uint32_t i = 0; result == 0 && i < config->shard.count; i++)
        result = open_member(config, i, fds);
    return result;
}

static int join_group(struct udp_link *udp, const struct hws_link_udp_config *config)
{
    struct hws_link_udp_config shared = *config;
    const int *fds;
    int result =
        hws_shard_group_join(IPPROTO_UDP, config->port, &config->shard, open_group, &shared, &fds);
    if (result != 0)
        return result;
    udp->port = config->port;
    udp->shard = config->shard;
    udp->joined_group = true;
    for (uint32_t i = 0; result == 0 && i < HWS_INET_SOCKETS; i++) {
        int fd = fds[group_fd(&udp->shard, i)];
        if (fd < 0)
            continue;
        hws_socket_drain(fd); /* what came before the shard was there */
        udp->inet.sockets[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        result = udp->inet.sockets[i].fd >= 0 ? 0 : -errno;
    }
    return result != 0 ? result : hws_link_inet_start(&udp->inet, IPPROTO_UDP);
}

static void explain(const struct hws_link_udp_config *config, int result,
                    char error[HWS_LINK_ERROR_MAX])
{
    if (result == -EADDRINUSE)
        snprintf(error, HWS_LINK_ERROR_MAX,
                 "UDP port %u is in use: choose another one (--udp=PORT), or stop the program that "
                 "has it (ss -ulnp shows which)",
                 config->port);
    else
        snprintf(error, HWS_LINK_ERROR_MAX, "cannot open UDP port %u: %s", config->port,
                 strerror(-result));
}

int hws_link_udp_open(const struct hws_link_udp_config *config, struct hws_link **out,
                      char error[HWS_LINK_ERROR_MAX])
{
    struct udp_link *udp = calloc(1, sizeof(*udp));
    if (udp == NULL) {
        explain(config, -ENOMEM, error);
        return -ENOMEM;
    }
    hws_link_inet_init(&udp->inet, &udp_ops, true, NULL);
    bool shared = config->port != 0 && config->shard.count > 1;
    int result = shared ? join_group(udp, config) : open_ports(udp, config);
    if (result != 0) {
        explain(config, result, error);
        udp_close(&udp->inet.link);
        return result;
    }
    *out = &udp->inet.link;
    return 0;
}

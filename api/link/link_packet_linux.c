/* SCTP over IP by AF_PACKET sockets, which hand over and take whole IP packets: IP's own work,
 * routing and filtering, is left out on both ways. Sockets of one protocol (ETH_P_IP, ETH_P_IPV6)
 * are given packets where IP is, behind bridges, VLANs and the ingress hooks, and never our own.
 *
 * Packets are received by recvmmsg into pooled buffers and not by a TPACKET_V3 ring: its blocks are
 * handed over full or after a millisecond, which every lone packet would wait, and a block of which
 * the engine keeps one packet could not be reused. They are sent by sendmmsg straight from the
 * train's buffer: into a TX ring they would have to be copied. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/link_layer2_linux.h"
#include "api/link/raw_filter_linux.h"
#include "api/link/rxbatch_linux.h"
#include "api/link/socket_linux.h"

#define RCVBUF_BYTES (16 << 20)
#define SNDBUF_BYTES (4 << 20)
#define BATCH_MAX 64u /* messages of one sendmmsg */
#define SOCKETS 2u

struct packet_socket {
    int fd; /* -1: the family is not open */
    enum hws_family family;
    struct hws_rxbatch *batch;
};

struct packet_link {
    struct hws_link_layer2 l2;             /* first: what its operations take */
    struct packet_socket sockets[SOCKETS]; /* IPv4, IPv6 */
    uint32_t turn;                         /* the socket that receives first next time */
    struct hws_raw_filter filter;          /* room to compile in */
};

static uint32_t open_count(const struct packet_link *packet_link)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SOCKETS; i++)
        count += packet_link->sockets[i].fd >= 0;
    return count;
}

/* ---- Receiving ---- */

static size_t take_batch(struct packet_link *packet_link, struct hws_rxbatch *batch,
                         struct hws_packet_in *packets)
{
    struct hws_link_layer2 *l2 = &packet_link->l2;
    struct hws_rxmsg msg;
    size_t count = 0;
    enum hws_rxbatch_result result;
    while ((result = hws_rxbatch_take(batch, &msg)) != HWS_RXBATCH_EMPTY) {
        if (result == HWS_RXBATCH_TRUNCATED) {
            l2->stats.rx_truncated++;
        } else if (hws_link_layer2_accept(l2, msg.buf, msg.len, msg.interface, &packets[count])) {
            packets[count++].rx_time_us = msg.rx_time_us;
        }
    }
    return count;
}

/* Whether poll has told that there is nothing. */
static bool is_quiet(const struct packet_link *packet_link, const struct packet_socket *sock)
{
    const struct packet_socket *first = &packet_link->sockets[0];
    uint32_t number = sock != first && first->fd >= 0;
    return (packet_link->l2.link.quiet_fds >> number & 1) != 0;
}

static size_t receive_socket(struct packet_link *packet_link, const struct packet_socket *sock,
                             struct hws_packet_in *packets, size_t max)
{
    size_t count = 0;
    bool drained = sock->fd < 0 || is_quiet(packet_link, sock);
    while (count < max && !drained) {
        if (hws_rxbatch_fill(sock->batch, sock->fd, max - count, &drained) > 0)
            packet_link->l2.stats.rx_calls++;
        count += take_batch(packet_link, sock->batch, packets + count);
    }
    return count;
}

static size_t packet_receive(struct hws_link *link, struct hws_packet_in *packets, size_t max)
{
    struct packet_link *packet_link = (struct packet_link *)link;
    struct hws_link *raw = packet_link->l2.raw;
    size_t count = 0;
    for (uint32_t i = 0; i < SOCKETS; i++) {
        const struct packet_socket *sock = &packet_link->sockets[(packet_link->turn + i) % SOCKETS];
        count += receive_socket(packet_link, sock, packets + count, max - count);
    }
    packet_link->turn++;
    packet_link->l2.stats.rx_packets += count;
    raw->quiet_fds = (uint8_t)(link->quiet_fds >> open_count(packet_link));
    return count < max ? count + raw->ops->receive(raw, packets + count, max - count) : count;
}

/* ---- Sending ---- */

struct batch {
    struct mmsghdr headers[BATCH_MAX];
    struct iovec iov[BATCH_MAX][2];
    uint8_t ip[BATCH_MAX][HWS_IP_HEADER_MAX];
    uint32_t count;
};

static void batch_train(struct batch *batch, struct hws_layer2_train *t)
{
    uint32_t offset = t->offset;
    while (offset < t->train.len && batch->count < BATCH_MAX) {
        uint32_t i = batch->count++, len = hws_layer2_packet_len(t, offset);
        batch->iov[i][0] = (struct iovec){.iov_base = batch->ip[i],
                                          .iov_len = hws_ip_write(&t->ip, len, batch->ip[i])};
        batch->iov[i][1] = (struct iovec){.iov_base = t->buffer + offset, .iov_len = len};
        batch->headers[i].msg_hdr = (struct msghdr){.msg_name = &t->hop.link,
                                                    .msg_namelen = sizeof(t->hop.link),
                                                    .msg_iov = batch->iov[i],
                                                    .msg_iovlen = 2};
        offset += len;
    }
}

/* Packets of one batch leave through one socket. */
static void fill_batch(struct hws_link_layer2 *l2, struct batch *batch)
{
    const struct hws_layer2_train *first = hws_link_layer2_waiting(l2, 0);
    struct hws_layer2_train *t;
    batch->count = 0;
    for (uint32_t i = 0; batch->count < BATCH_MAX && (t = hws_link_layer2_waiting(l2, i)) != NULL;
         i++) {
        if (!t->fast || t->ip.dst.family != first->ip.dst.family)
            return;
        batch_train(batch, t);
    }
}

static bool send_fast(struct packet_link *packet_link)
{
    struct hws_link_layer2 *l2 = &packet_link->l2;
    bool ipv6 = hws_link_layer2_waiting(l2, 0)->ip.dst.family == HWS_FAMILY_IPV6;
    struct batch batch;
    fill_batch(l2, &batch);
    int sent = sendmmsg(packet_link->sockets[ipv6].fd, batch.headers, batch.count, MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) {
        l2->stats.tx_blocked++;
        return false;
    }
    if (sent < 0 && errno != EINTR)
        hws_link_layer2_refused(l2);
    l2->stats.tx_calls++;
    for (int i = 0; i < sent; i++)
        hws_link_layer2_sent(l2);
    return true;
}

static bool packet_flush(struct hws_link *link)
{
    struct packet_link *packet_link = (struct packet_link *)link;
    struct hws_link_layer2 *l2 = &packet_link->l2;
    const struct hws_layer2_train *t;
    bool sent = true, taken = true;
    while (sent && taken && (t = hws_link_layer2_waiting(l2, 0)) != NULL)
        if (t->fast)
            sent = send_fast(packet_link);
        else
            taken = hws_link_layer2_send_slowly(l2);
    return hws_link_layer2_flush_raw(l2, open_count(packet_link), sent, taken);
}

/* ---- Ports ---- */

static int attach_filters(struct packet_link *packet_link)
{
    struct hws_link_layer2 *l2 = &packet_link->l2;
    int result = 0;
    for (uint32_t i = 0; i < SOCKETS && result == 0; i++) {
        const struct packet_socket *sock = &packet_link->sockets[i];
        if (sock->fd < 0)
            continue;
        hws_raw_filter_compile_packet(&packet_link->filter, sock->family, l2->protocol, &l2->shard,
                                      l2->own_host ? NULL : &l2->ports);
        result = hws_raw_filter_attach(&packet_link->filter, sock->fd);
    }
    return result;
}

/* A port that the filter lets through already, or may go on letting through, costs no new one. */
static int packet_set_port(struct hws_link_layer2 *l2, uint16_t port, bool on)
{
    struct packet_link *packet_link = (struct packet_link *)l2;
    bool stays = on ? hws_raw_filter_passes(&packet_link->filter, port)
                    : !hws_raw_filter_narrows(&packet_link->filter, &l2->ports);
    return stays ? 0 : attach_filters(packet_link);
}

/* ---- What it is polled by and counts ---- */

static size_t packet_fds(struct hws_link *link, int fds[HWS_LINK_MAX_FDS])
{
    struct packet_link *packet_link = (struct packet_link *)link;
    struct hws_link *raw = packet_link->l2.raw;
    size_t count = 0;
    for (uint32_t i = 0; i < SOCKETS; i++)
        if (packet_link->sockets[i].fd >= 0)
            fds[count++] = packet_link->sockets[i].fd;
    return count + raw->ops->fds(raw, fds + count);
}

static const struct hws_link_stats *packet_stats(struct hws_link *link)
{
    struct packet_link *packet_link = (struct packet_link *)link;
    struct hws_link_stats *stats = &packet_link->l2.stats;
    stats->rx_socket_drops = stats->rx_buffer_bytes = 0;
    for (uint32_t i = 0; i < SOCKETS; i++)
        if (packet_link->sockets[i].fd >= 0)
            hws_socket_add_memory(packet_link->sockets[i].fd, stats);
    return hws_link_layer2_sum(&packet_link->l2);
}

/* ---- Opening and closing ---- */

static void packet_close(struct hws_link *link)
{
    struct packet_link *packet_link = (struct packet_link *)link;
    for (uint32_t i = 0; i < SOCKETS; i++) {
        if (packet_link->sockets[i].fd >= 0)
            close(packet_link->sockets[i].fd);
        hws_rxbatch_free(packet_link->sockets[i].batch);
    }
    hws_link_layer2_finish(&packet_link->l2);
    free(packet_link);
}

static const struct hws_link_ops packet_ops = {
    .name = "packet",
    .add_port = hws_link_layer2_add_port,
    .remove_port = hws_link_layer2_remove_port,
    .receive = packet_receive,
    .net_event = hws_link_layer2_net_event,
    .train = hws_link_layer2_train,
    .submit = hws_link_layer2_submit,
    .flush = packet_flush,
    .fds = packet_fds,
    .route = hws_link_layer2_route,
    .encapsulation_port = hws_link_layer2_encapsulation_port,
    .stats = packet_stats,
    .close = packet_close,
};

static int open_socket(struct packet_link *packet_link, enum hws_family family)
{
    struct packet_socket *sock = &packet_link->sockets[family == HWS_FAMILY_IPV6];
    sock->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock->fd < 0)
        return -errno;
    const int on = 1;
    if (setsockopt(sock->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0)
        return -errno;
    hws_socket_set_buffers(sock->fd, RCVBUF_BYTES, SNDBUF_BYTES);
    sock->batch = hws_rxbatch_new(packet_link->l2.pool);
    return sock->batch != NULL ? 0 : -ENOMEM;
}

/* It receives from here on, with its filter already there. */
static int bind_socket(const struct packet_socket *sock, const char *interface)
{
    const struct sockaddr_ll name = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(sock->family == HWS_FAMILY_IPV6 ? ETH_P_IPV6 : ETH_P_IP),
        .sll_ifindex = interface != NULL ? (int)if_nametoindex(interface) : 0};
    if (sock->fd < 0)
        return 0;
    return bind(sock->fd, (const struct sockaddr *)&name, sizeof(name)) == 0 ? 0 : -errno;
}

/* The families are those that the raw link could open. */
static int open_sockets(struct packet_link *packet_link, const struct hws_link_raw_config *config)
{
    int result = config->ipv4 ? open_socket(packet_link, HWS_FAMILY_IPV4) : 0;
    if (result == 0 && config->ipv6)
        result = open_socket(packet_link, HWS_FAMILY_IPV6);
    if (result == 0)
        result = attach_filters(packet_link);
    for (uint32_t i = 0; i < SOCKETS && result == 0; i++)
        result = bind_socket(&packet_link->sockets[i], config->interface);
    return result;
}

int hws_link_packet_open(const struct hws_link_raw_config *config, struct hws_link **out,
                         char error[HWS_LINK_ERROR_MAX])
{
    struct hws_link_raw_config rest = *config;
    rest.rest = true;
    struct packet_link *packet_link = calloc(1, sizeof(*packet_link));
    if (packet_link == NULL) {
        snprintf(error, HWS_LINK_ERROR_MAX, "there is no memory for the link");
        return -ENOMEM;
    }
    packet_link->sockets[0] = (struct packet_socket){.fd = -1, .family = HWS_FAMILY_IPV4};
    packet_link->sockets[1] = (struct packet_socket){.fd = -1, .family = HWS_FAMILY_IPV6};
    int result =
        hws_link_layer2_start(&packet_link->l2, &packet_ops, packet_set_port, &rest, error);
    if (result == 0) {
        result = open_sockets(packet_link, config);
        if (result != 0)
            snprintf(error, HWS_LINK_ERROR_MAX,
                     "cannot open AF_PACKET sockets: %s; the raw link does without them",
                     strerror(-result));
    }
    if (result != 0) {
        packet_close(&packet_link->l2.link);
        return result;
    }
    *out = &packet_link->l2.link;
    return 0;
}

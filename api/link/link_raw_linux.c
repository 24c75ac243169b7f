/* SCTP directly over IP: raw sockets, neither bound nor connected, since the kernel answers
 * "protocol unreachable" for every address that no raw socket takes packets for. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/link.h"
#include "api/link/link_inet_linux.h"
#include "api/link/port_claim_linux.h"
#include "api/link/raw_filter_linux.h"
#include "api/link/socket_linux.h"
#include "proto/bytes.h"
#include "proto/ip.h"

#define PORTS_LEN 4u
#define LARGE_BUFFER_BYTES (8 << 20)

struct raw_link {
    struct hws_link_inet inet; /* first: what the operations of both links take */
    uint8_t protocol;
    bool own_host;
    bool rest;
    struct hws_shard shard;
    int silent[HWS_INET_SOCKETS]; /* descriptor + 1 of the socket that keeps the kernel quiet, or 0
                                   */
    struct hws_port_set ports;
    struct hws_raw_filter filter; /* room to compile in */
    int claims[65536];            /* by port: descriptor + 1 of the claim, 0: none */
};

/* ---- Receiving ---- */

/* IPv4 delivers the IP header, and perhaps bytes behind the packet's end. */
static bool strip_ipv4(const struct hws_rxmsg *msg, struct hws_packet_in *packet)
{
    const uint8_t *ip = msg->buf->data;
    if (msg->len < HWS_IPV4_HEADER_LEN || ip[0] >> 4 != 4)
        return false;
    uint32_t header_len = 4u * (ip[0] & 0x0fu);
    uint32_t total_len = hws_get16(ip + 2);
    if (header_len < HWS_IPV4_HEADER_LEN || header_len > total_len || total_len > msg->len)
        return false;
    packet->data = ip + header_len;
    packet->len = total_len - header_len;
    packet->dst = (struct hws_addr){.family = HWS_FAMILY_IPV4};
    memcpy(packet->dst.ip, ip + 16, 4);
    return true;
}

/* The kernel's filter may let through more than our ports: what was queued before it was changed,
 * and what lies between ports of a very large set. */
static bool is_ours(const struct raw_link *raw, const uint8_t *sctp, uint32_t len)
{
    return len >= PORTS_LEN &&
           (raw->own_host || hws_port_set_has(&raw->ports, hws_get16(sctp + 2)));
}

static bool accept_message(struct raw_link *raw, const struct hws_rxmsg *msg,
                           struct hws_packet_in *packet)
{
    *packet = (struct hws_packet_in){.data = msg->buf->data,
                                     .len = msg->len,
                                     .truesize = msg->buf->size,
                                     .buf = msg->buf,
                                     .src = msg->src,
                                     .dst = msg->dst,
                                     .rx_time_us = msg->rx_time_us};
    packet->src.udp_port = 0;
    if (msg->src.family == HWS_FAMILY_IPV4 && !strip_ipv4(msg, packet))
        return false;
    return is_ours(raw, packet->data, packet->len);
}

/* Turns the messages of the batch into packets; those that are not ours give their buffer back. */
static size_t take_batch(struct raw_link *raw, struct hws_rxbatch *batch,
                         struct hws_packet_in *packets)
{
    struct hws_rxmsg msg;
    size_t count = 0;
    enum hws_rxbatch_result result;
    while ((result = hws_rxbatch_take(batch, &msg)) != HWS_RXBATCH_EMPTY) {
        if (result == HWS_RXBATCH_TRUNCATED) {
            raw->inet.stats.rx_truncated++;
        } else if (accept_message(raw, &msg, &packets[count])) {
            count++;
        } else {
            raw->inet.stats.rx_foreign++;
            hws_buf_unref(msg.buf);
        }
    }
    return count;
}

static size_t receive_socket(struct raw_link *raw, const struct hws_inet_socket *sock,
                             struct hws_packet_in *packets, size_t max)
{
    size_t count = 0;
    bool drained = hws_link_inet_is_quiet(&raw->inet, sock);
    while (count < max && !drained) {
        if (hws_rxbatch_fill(sock->batch, sock->fd, max - count, &drained) > 0)
            raw->inet.stats.rx_calls++;
        count += take_batch(raw, sock->batch, packets + count);
    }
    return count;
}

static size_t raw_receive(struct hws_link *link, struct hws_packet_in *packets, size_t max)
{
    struct raw_link *raw = (struct raw_link *)link;
    size_t count = 0;
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++) {
        const struct hws_inet_socket *sock =
            &raw->inet.sockets[(raw->inet.turn + i) % HWS_INET_SOCKETS];
        if (sock->fd >= 0)
            count += receive_socket(raw, sock, packets + count, max - count);
    }
    raw->inet.turn++;
    raw->inet.stats.rx_packets += count;
    return count;
}

/* While a socket sends packets that come with their IP header (IP_HDRINCL), the system quotes the
 * header, too. What begins with our protocol and the remote address in their places is one. */
static void strip_quoted_ipv4(const struct raw_link *raw, struct hws_net_event *event)
{
    const uint8_t *ip = event->quoted;
    if (event->remote.family != HWS_FAMILY_IPV4 || event->quoted_len < HWS_IPV4_HEADER_LEN ||
        ip[0] >> 4 != 4 || ip[9] != raw->protocol || memcmp(ip + 16, event->remote.ip, 4) != 0)
        return;
    uint32_t header_len = 4u * (ip[0] & 0x0fu);
    if (header_len < HWS_IPV4_HEADER_LEN || header_len > event->quoted_len)
        return;
    event->quoted += header_len;
    event->quoted_len -= header_len;
}

/* ICMP messages bypass the filter: those about packets of other stacks on this host come, too. */
static bool is_about_us(const struct raw_link *raw, const struct hws_net_event *event)
{
    return raw->own_host || (event->quoted_len >= PORTS_LEN &&
                             hws_port_set_has(&raw->ports, hws_get16(event->quoted)));
}

static bool raw_net_event(struct hws_link *link, struct hws_net_event *event)
{
    const struct raw_link *raw = (const struct raw_link *)link;
    while (hws_link_inet_net_event(link, event)) {
        if (event->kind != HWS_NET_UNREACHABLE && event->kind != HWS_NET_TOO_BIG)
            return true;
        strip_quoted_ipv4(raw, event);
        if (is_about_us(raw, event))
            return true;
    }
    return false;
}

/* ---- Ports ---- */

/* Whether not all packets of the protocol are received. */
static bool is_filtered(const struct raw_link *raw)
{
    return raw->rest || !raw->own_host || raw->shard.count > 1;
}

static int attach_filters(struct raw_link *raw)
{
    int result = 0;
    const struct hws_port_set *ports = raw->own_host ? NULL : &raw->ports;
    for (uint32_t i = 0; i < HWS_INET_SOCKETS && result == 0 && is_filtered(raw); i++) {
        const struct hws_inet_socket *sock = &raw->inet.sockets[i];
        if (sock->fd < 0)
            continue;
        if (raw->rest)
            hws_raw_filter_compile_rest(&raw->filter, sock->family, raw->protocol, &raw->shard,
                                        ports);
        else
            hws_raw_filter_compile(&raw->filter, sock->family, &raw->shard, ports);
        result = hws_raw_filter_attach(&raw->filter, sock->fd);
    }
    return result;
}

static void give_port(struct raw_link *raw, uint16_t port)
{
    hws_port_give(raw->protocol, port, &raw->shard, raw->claims[port] - 1);
    raw->claims[port] = 0;
}

static void raw_remove_port(struct hws_link *link, uint16_t port)
{
    struct raw_link *raw = (struct raw_link *)link;
    if (!hws_port_set_has(&raw->ports, port))
        return;
    hws_port_set_remove(&raw->ports, port);
    if (hws_raw_filter_narrows(&raw->filter, &raw->ports))
        attach_filters(raw);
    give_port(raw, port);
}

static int raw_add_port(struct hws_link *link, uint16_t port)
{
    struct raw_link *raw = (struct raw_link *)link;
    if (hws_port_set_has(&raw->ports, port))
        return 0;
    int claim;
    int result = hws_port_take(raw->protocol, port, &raw->shard, &claim);
    if (result != 0)
        return result;
    raw->claims[port] = claim + 1;
    hws_port_set_add(&raw->ports, port);
    result = hws_raw_filter_passes(&raw->filter, port) ? 0 : attach_filters(raw);
    if (result != 0)
        raw_remove_port(link, port);
    return result;
}

static uint16_t raw_encapsulation_port(struct hws_link *link)
{
    (void)link;
    return 0;
}

/* ---- Opening and closing ---- */

static void raw_close(struct hws_link *link)
{
    struct raw_link *raw = (struct raw_link *)link;
    for (uint32_t port = 0; port < 65536; port++)
        if (raw->claims[port] != 0)
            give_port(raw, (uint16_t)port);
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++)
        if (raw->silent[i] != 0)
            close(raw->silent[i] - 1);
    hws_link_inet_finish(&raw->inet);
    free(raw);
}

static const struct hws_link_ops raw_ops = {
    .name = "raw",
    .add_port = raw_add_port,
    .remove_port = raw_remove_port,
    .receive = raw_receive,
    .net_event = raw_net_event,
    .train = hws_link_inet_train,
    .submit = hws_link_inet_submit,
    .flush = hws_link_inet_flush,
    .fds = hws_link_inet_fds,
    .route = hws_link_inet_route,
    .encapsulation_port = raw_encapsulation_port,
    .stats = hws_link_inet_stats,
    .close = raw_close,
};

/* Whether the kernel granted a buffer that bursts will not fill. */
static bool has_large_buffer(int fd)
{
    int bytes = 0;
    socklen_t len = sizeof(bytes);
    return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len) == 0 && bytes >= LARGE_BUFFER_BYTES;
}

/* Newer kernels do not count a raw socket whose buffer is full as one that takes packets: for every
 * packet it drops they answer "protocol unreachable", which ends the peer's association. A socket
 * whose filter lets nothing in is never full. It costs a copy of each packet's descriptor, so it is
 * opened only where the buffer is small. */
static int keep_kernel_quiet(struct raw_link *raw, enum hws_family family)
{
    int domain = family == HWS_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    int fd = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, raw->protocol);
    if (fd < 0)
        return -errno;
    raw->silent[family == HWS_FAMILY_IPV6] = fd + 1;
    const struct hws_port_set none = {0};
    struct hws_raw_filter silence;
    hws_raw_filter_compile(&silence, family, &(const struct hws_shard){0}, &none);
    int result = hws_raw_filter_attach(&silence, fd);
    if (result == 0)
        hws_socket_drain(fd); /* what came before there was a filter */
    return result;
}

static int open_family(struct raw_link *raw, enum hws_family family)
{
    int result = hws_link_inet_open_socket(&raw->inet, family, raw->protocol);
    if (result != 0)
        return result;
    int fd = raw->inet.sockets[family == HWS_FAMILY_IPV6].fd;
    int no_checksum = -1; /* SCTP has its own; the kernel would write over two bytes */
    if (family == HWS_FAMILY_IPV6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &no_checksum, sizeof(no_checksum)) != 0)
        return -errno;
    result = attach_filters(raw);
    if (result == 0 && is_filtered(raw))
        hws_socket_drain(fd); /* what came before there was a filter */
    if (result == 0 && !has_large_buffer(fd))
        result = keep_kernel_quiet(raw, family);
    return result;
}

static bool is_unsupported(int result)
{
    return result == -EAFNOSUPPORT || result == -EPROTONOSUPPORT;
}

/* Opens what there is: a kernel may lack IPv6. */
static int open_families(struct raw_link *raw, const struct hws_link_raw_config *config)
{
    int ipv4 = config->ipv4 ? open_family(raw, HWS_FAMILY_IPV4) : -EAFNOSUPPORT;
    if (ipv4 != 0 && !is_unsupported(ipv4))
        return ipv4;
    int ipv6 = config->ipv6 ? open_family(raw, HWS_FAMILY_IPV6) : -EAFNOSUPPORT;
    if (ipv6 != 0 && !is_unsupported(ipv6))
        return ipv6;
    return ipv4 == 0 || ipv6 == 0 ? 0 : ipv6;
}

static void explain(const struct hws_link_raw_config *config, int result,
                    char error[HWS_LINK_ERROR_MAX])
{
    if (result == -EPERM || result == -EACCES)
        snprintf(error, HWS_LINK_ERROR_MAX,
                 "raw sockets (IP protocol %u) need the capability CAP_NET_RAW, which this process "
                 "lacks: run it through sudo, give it to the program with \"setcap cap_net_raw+ep "
                 "PROGRAM\", or use UDP encapsulation (--udp), which needs none",
                 config->protocol);
    else if (result == -ENODEV)
        snprintf(error, HWS_LINK_ERROR_MAX, "there is no interface \"%s\" to bind to",
                 config->interface);
    else
        snprintf(error, HWS_LINK_ERROR_MAX, "cannot open a raw socket for IP protocol %u: %s",
                 config->protocol, strerror(-result));
}

int hws_link_raw_open(const struct hws_link_raw_config *config, struct hws_link **out,
                      char error[HWS_LINK_ERROR_MAX])
{
    struct raw_link *raw = calloc(1, sizeof(*raw));
    if (raw == NULL) {
        explain(config, -ENOMEM, error);
        return -ENOMEM;
    }
    hws_link_inet_init(&raw->inet, &raw_ops, false, config->interface);
    raw->protocol = config->protocol;
    raw->own_host = config->own_host;
    raw->rest = config->rest;
    raw->shard = config->shard;
    int result = open_families(raw, config);
    if (result == 0)
        result = hws_link_inet_start(&raw->inet, raw->protocol);
    if (result != 0) {
        explain(config, result, error);
        raw_close(&raw->inet.link);
        return result;
    }
    *out = &raw->inet.link;
    return 0;
}

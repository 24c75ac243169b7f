#include "api/link/link_layer2_linux.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/clock_linux.h"
#include "api/link/socket_linux.h"
#include "proto/bytes.h"
#include "proto/packet.h"

#define PORTS_LEN 4u
#define LOOPBACK_INTERFACE 1u /* the index of lo in every network namespace */
#define PACKETS_MAX 64u       /* of a train */

/* ---- Opening and closing ---- */

/* What the system's own sockets send with. */
static uint8_t system_ttl(enum hws_family family)
{
    int domain = family == HWS_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    int fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint8_t ttl = hws_socket_ttl(fd, family);
    if (fd >= 0)
        close(fd);
    return ttl;
}

static bool allocate_trains(struct hws_link_layer2 *l2)
{
    for (uint32_t i = 0; i < HWS_LAYER2_TRAINS; i++) {
        l2->trains[i].buffer = malloc(HWS_PACKET_MAX_LEN);
        if (l2->trains[i].buffer == NULL)
            return false;
        l2->free[l2->free_count++] = &l2->trains[i];
    }
    return true;
}

int hws_link_layer2_start(struct hws_link_layer2 *l2, const struct hws_link_ops *ops,
                          hws_layer2_set_port set_port, const struct hws_link_raw_config *config,
                          char error[HWS_LINK_ERROR_MAX])
{
    l2->link.ops = ops;
    l2->set_port = set_port;
    l2->protocol = config->protocol;
    l2->own_host = config->own_host;
    l2->shard = config->shard;
    l2->ttl4 = system_ttl(HWS_FAMILY_IPV4);
    l2->ttl6 = system_ttl(HWS_FAMILY_IPV6);
    int result = hws_link_raw_open(config, &l2->raw, error);
    if (result != 0)
        return result;
    l2->link.ipv4 = l2->raw->ipv4;
    l2->link.ipv6 = l2->raw->ipv6;
    result = hws_nexthops_new(config->interface, &l2->nexthops);
    if (result != 0) {
        snprintf(error, HWS_LINK_ERROR_MAX, "cannot ask the system for routes: %s",
                 strerror(-result));
        return result;
    }
    l2->pool = hws_rxpool_new();
    l2->reassembly = l2->pool != NULL ? hws_reassembly6_new(l2->pool) : NULL;
    if (allocate_trains(l2) && l2->reassembly != NULL)
        return 0;
    snprintf(error, HWS_LINK_ERROR_MAX, "there is no memory for the link's buffers");
    return -ENOMEM;
}

void hws_link_layer2_finish(struct hws_link_layer2 *l2)
{
    if (l2->raw != NULL)
        l2->raw->ops->close(l2->raw);
    hws_nexthops_free(l2->nexthops);
    hws_reassembly6_free(l2->reassembly);
    if (l2->pool != NULL)
        hws_rxpool_close(l2->pool);
    for (uint32_t i = 0; i < HWS_LAYER2_TRAINS; i++)
        free(l2->trains[i].buffer);
}

/* ---- Sending ---- */

bool hws_link_layer2_train(struct hws_link *link, struct hws_train *train)
{
    struct hws_link_layer2 *l2 = (struct hws_link_layer2 *)link;
    if (l2->free_count == 0)
        return false;
    train->data = l2->free[l2->free_count - 1]->buffer;
    train->capacity = HWS_PACKET_MAX_LEN;
    train->max_packets = PACKETS_MAX;
    return true;
}

/* Whether the train's packets can go straight to a neighbour, and how. */
static bool find_way(struct hws_link_layer2 *l2, struct hws_layer2_train *t)
{
    const struct hws_train *train = &t->train;
    bool ipv6 = train->dst.family == HWS_FAMILY_IPV6;
    if (train->may_fragment)
        return false;
    const struct hws_nexthop *hop =
        hws_nexthops_find(l2->nexthops, &train->dst, &train->src, hws_clock_coarse_us());
    if (hop == NULL || train->segment_len + hws_ip_header_len(train->dst.family) > hop->mtu)
        return false;
    t->hop = *hop;
    t->ip = (struct hws_ip){.src = hop->source,
                            .dst = train->dst,
                            .protocol = l2->protocol,
                            .tos = train->tos,
                            .ttl = train->ttl != 0 ? train->ttl
                                   : ipv6          ? l2->ttl6
                                                   : l2->ttl4};
    return true;
}

void hws_link_layer2_submit(struct hws_link *link, const struct hws_train *train)
{
    struct hws_link_layer2 *l2 = (struct hws_link_layer2 *)link;
    struct hws_layer2_train *t = l2->free[--l2->free_count];
    t->train = *train;
    t->offset = 0;
    t->fast = find_way(l2, t);
    l2->waiting[(l2->head + l2->count++) % HWS_LAYER2_TRAINS] = t;
}

struct hws_layer2_train *hws_link_layer2_waiting(struct hws_link_layer2 *l2, uint32_t i)
{
    return i < l2->count ? l2->waiting[(l2->head + i) % HWS_LAYER2_TRAINS] : NULL;
}

uint32_t hws_layer2_packet_len(const struct hws_layer2_train *t, uint32_t offset)
{
    uint32_t left = t->train.len - offset;
    return left < t->train.segment_len ? left : t->train.segment_len;
}

static void drop_head(struct hws_link_layer2 *l2)
{
    l2->free[l2->free_count++] = l2->waiting[l2->head];
    l2->head = (l2->head + 1) % HWS_LAYER2_TRAINS;
    l2->count--;
}

void hws_link_layer2_sent(struct hws_link_layer2 *l2)
{
    struct hws_layer2_train *t = l2->waiting[l2->head];
    t->offset += hws_layer2_packet_len(t, t->offset);
    l2->stats.tx_packets++;
    if (t->offset == t->train.len)
        drop_head(l2);
}

bool hws_link_layer2_send_slowly(struct hws_link_layer2 *l2)
{
    struct hws_layer2_train *t = l2->waiting[l2->head];
    struct hws_train train = t->train, room;
    const struct hws_link_ops *ops = l2->raw->ops;
    if (!ops->train(l2->raw, &room) && !(ops->flush(l2->raw) && ops->train(l2->raw, &room)))
        return false;
    train.data = room.data;
    train.len -= t->offset;
    memcpy(train.data, t->buffer + t->offset, train.len);
    train.packets = (train.len + train.segment_len - 1) / train.segment_len;
    ops->submit(l2->raw, &train);
    drop_head(l2);
    return true;
}

void hws_link_layer2_refused(struct hws_link_layer2 *l2)
{
    l2->waiting[l2->head]->fast = false;
    hws_nexthops_forget(l2->nexthops);
}

bool hws_link_layer2_flush_raw(struct hws_link_layer2 *l2, uint32_t fd_count, bool sent, bool taken)
{
    uint32_t own = (1u << fd_count) - 1u;
    bool raw_sent = l2->raw->ops->flush(l2->raw);
    uint32_t raw_not_blocking = raw_sent ? (taken ? UINT32_MAX : 0) : l2->raw->not_blocking;
    l2->link.not_blocking = (sent ? own : 0) | raw_not_blocking << fd_count;
    return sent && raw_sent && taken;
}

/* ---- Receiving ---- */

static bool is_loopback(const struct hws_addr *addr)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    return addr->family == HWS_FAMILY_IPV4 ? addr->ip[0] == 127
                                           : memcmp(addr->ip, loopback6, sizeof(loopback6)) == 0;
}

/* What IP would have looked at: the address is this host's, which may be a router, and loopback
 * addresses come from lo only. */
static bool is_for_host(struct hws_link_layer2 *l2, const struct hws_ip_packet *ip,
                        uint32_t interface)
{
    bool foreign_loopback =
        interface != LOOPBACK_INTERFACE && (is_loopback(&ip->src) || is_loopback(&ip->dst));
    return !foreign_loopback &&
           hws_nexthops_is_local(l2->nexthops, &ip->dst, hws_clock_coarse_us());
}

static void set_scope(struct hws_addr *addr, uint32_t interface)
{
    if (addr->family == HWS_FAMILY_IPV6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80)
        addr->scope_id = interface;
}

/* The packet that a fragment completes takes its place, and its buffer's. */
static bool reassemble(struct hws_link_layer2 *l2, struct hws_buf **buf, struct hws_ip_packet *ip)
{
    struct hws_buf *whole = hws_reassembly6_add(l2->reassembly, ip, l2->protocol,
                                                hws_clock_coarse_us(), &ip->payload_len);
    hws_buf_unref(*buf);
    *buf = whole;
    if (whole != NULL)
        ip->payload = whole->data;
    return whole != NULL;
}

static bool is_ours(struct hws_link_layer2 *l2, const struct hws_ip_packet *ip, uint32_t interface)
{
    return ip->payload_len >= PORTS_LEN &&
           (l2->own_host || hws_port_set_has(&l2->ports, hws_get16(ip->payload + 2))) &&
           is_for_host(l2, ip, interface);
}

static bool refuse(struct hws_link_layer2 *l2, struct hws_buf *buf)
{
    l2->stats.rx_foreign++;
    hws_buf_unref(buf);
    return false;
}

bool hws_link_layer2_accept(struct hws_link_layer2 *l2, struct hws_buf *buf, uint32_t len,
                            uint32_t interface, struct hws_packet_in *packet)
{
    struct hws_ip_packet ip;
    if (!hws_ip_read(buf->data, len, &ip))
        return refuse(l2, buf);
    set_scope(&ip.src, interface);
    set_scope(&ip.dst, interface);
    bool fragment = ip.src.family == HWS_FAMILY_IPV6 && ip.protocol == HWS_IPV6_FRAGMENT;
    if (fragment && !reassemble(l2, &buf, &ip))
        return false;
    if ((!fragment && ip.protocol != l2->protocol) || !is_ours(l2, &ip, interface))
        return refuse(l2, buf);
    *packet = (struct hws_packet_in){.data = ip.payload,
                                     .len = ip.payload_len,
                                     .truesize = buf->size,
                                     .buf = buf,
                                     .src = ip.src,
                                     .dst = ip.dst};
    return true;
}

/* ---- Ports ---- */

void hws_link_layer2_remove_port(struct hws_link *link, uint16_t port)
{
    struct hws_link_layer2 *l2 = (struct hws_link_layer2 *)link;
    if (!hws_port_set_has(&l2->ports, port))
        return;
    hws_port_set_remove(&l2->ports, port);
    l2->set_port(l2, port, false);
    l2->raw->ops->remove_port(l2->raw, port);
}

int hws_link_layer2_add_port(struct hws_link *link, uint16_t port)
{
    struct hws_link_layer2 *l2 = (struct hws_link_layer2 *)link;
    if (hws_port_set_has(&l2->ports, port))
        return 0;
    int result = l2->raw->ops->add_port(l2->raw, port);
    if (result != 0)
        return result;
    hws_port_set_add(&l2->ports, port);
    result = l2->set_port(l2, port, true);
    if (result != 0)
        hws_link_layer2_remove_port(link, port);
    return result;
}

/* ---- Other operations ---- */

bool hws_link_layer2_net_event(struct hws_link *link, struct hws_net_event *event)
{
    struct hws_link *raw = ((struct hws_link_layer2 *)link)->raw;
    raw->no_errors = link->no_errors;
    bool any = raw->ops->net_event(raw, event);
    link->icmp = raw->icmp;
    return any;
}

int hws_link_layer2_route(struct hws_link *link, const struct hws_addr *remote,
                          struct hws_addr *local, uint32_t *mtu)
{
    struct hws_link *raw = ((struct hws_link_layer2 *)link)->raw;
    return raw->ops->route(raw, remote, local, mtu);
}

uint16_t hws_link_layer2_encapsulation_port(struct hws_link *link)
{
    (void)link;
    return 0;
}

const struct hws_link_stats *hws_link_layer2_sum(struct hws_link_layer2 *l2)
{
    uint64_t buffer_bytes = l2->stats.rx_buffer_bytes;
    l2->all_stats = *l2->raw->ops->stats(l2->raw);
#define X(name, what) l2->all_stats.name += l2->stats.name;
    HWS_LINK_STATS(X)
#undef X
    l2->all_stats.rx_buffer_bytes -= buffer_bytes;
    if (buffer_bytes != 0 && buffer_bytes < l2->all_stats.rx_buffer_bytes)
        l2->all_stats.rx_buffer_bytes = buffer_bytes;
    return &l2->all_stats;
}

#include "api/link/txqueue_linux.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/link/fragment_linux.h"
#include "api/link/socket_linux.h"
#include "api/sock/sockaddr.h"
#include "proto/ip.h"
#include "proto/packet.h"

#define TRAINS 32u      /* that may wait; 64 KB of address space each */
#define BATCH_MAX 64u   /* messages of one sendmmsg */
#define EVENTS 32u      /* failures that wait to be told */
#define PACKETS_MAX 64u /* of a train: UDP_MAX_SEGMENTS of older kernels */
#define UDP_BYTES_MAX                                                                              \
    65487                  /* of one message with UDP_SEGMENT: IP's length, IPv6 and UDP header    \
                            */
#define CONTROL_BYTES 128u /* a packet info, TOS, TTL and UDP_SEGMENT */

/* Smaller packets cost more when they come with their header: measured up to 9000 bytes and at
 * 65,535. What lies in between is the most that the kernel keeps in one piece otherwise. */
#define INCLUDED_MIN_BYTES 16384u

/* What a socket is set to, since none of it can be told packet by packet. */
enum mode {
    HEADER,   /* the system makes the IP header, with DF */
    FRAGMENT, /* the same without DF: what is larger than the MTU goes in fragments */
    INCLUDED, /* packets come with their IP header: the system copies them in one piece and adds no
                 checksum of its own; large ones cost half */
};

struct entry {
    struct hws_train train;
    uint8_t *buffer;
    enum mode mode;
    uint8_t ip[HWS_IP_HEADER_MAX]; /* INCLUDED: of all its packets, HWS_IPV4_HEADER_LEN bytes */
    uint32_t offset;               /* bytes sent or given up */
    uint32_t segments_max;         /* packets of one message: 1 without UDP_SEGMENT */
    bool retried;                  /* the message at `offset` failed once */
    struct sockaddr_storage name;
    socklen_t name_len;
    size_t control_len;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
};

struct hws_txqueue {
    struct hws_txqueue_fds fds;
    uint8_t protocol; /* of IP */
    bool udp;
    enum mode modes[2]; /* of the sockets for IPv4 and IPv6 */
    uint8_t ttl;        /* the system's, of IPv4 */
    struct hws_fragment6 fragment6;
    struct hws_link_stats *stats;
    struct entry *waiting[TRAINS]; /* a ring */
    uint32_t head, count;
    struct entry *free[TRAINS]; /* last in, first out: the buffer in the cache comes first */
    uint32_t free_count;
    struct hws_net_event events[EVENTS];
    uint32_t event_head, event_count;
    struct entry entries[TRAINS];
};

struct batch {
    struct mmsghdr headers[BATCH_MAX];
    struct iovec iov[BATCH_MAX][2]; /* IP header, if included, and packet */
    size_t count;
};

static bool allocate_buffers(struct hws_txqueue *q)
{
    for (uint32_t i = 0; i < TRAINS; i++) {
        q->entries[i].buffer = malloc(HWS_PACKET_MAX_LEN);
        if (q->entries[i].buffer == NULL)
            return false;
        q->free[q->free_count++] = &q->entries[i];
    }
    return true;
}

struct hws_txqueue *hws_txqueue_new(struct hws_txqueue_fds fds, uint8_t protocol,
                                    struct hws_link_stats *stats)
{
    struct hws_txqueue *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return NULL;
    q->fds = fds;
    q->protocol = protocol;
    q->udp = protocol == IPPROTO_UDP;
    q->stats = stats;
    q->ttl = hws_socket_ttl(fds.ipv4, HWS_FAMILY_IPV4);
    hws_fragment6_init(&q->fragment6);
    if (allocate_buffers(q))
        return q;
    hws_txqueue_free(q);
    return NULL;
}

void hws_txqueue_free(struct hws_txqueue *q)
{
    if (q == NULL)
        return;
    for (uint32_t i = 0; i < TRAINS; i++)
        free(q->entries[i].buffer);
    hws_fragment6_fini(&q->fragment6);
    free(q);
}

bool hws_txqueue_train(struct hws_txqueue *q, struct hws_train *train)
{
    if (q->free_count == 0)
        return false;
    train->data = q->free[q->free_count - 1]->buffer;
    train->capacity = HWS_PACKET_MAX_LEN;
    train->max_packets = PACKETS_MAX;
    return true;
}

/* ---- One train's address and control messages ---- */

static void add_control(struct entry *e, int level, int type, const void *data, size_t len)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    memcpy(e->control + e->control_len, &header, sizeof(header));
    memcpy(e->control + e->control_len + CMSG_LEN(0), data, len);
    e->control_len += CMSG_SPACE(len);
}

static void add_source(struct entry *e, const struct hws_addr *src)
{
    if (src->family == HWS_FAMILY_IPV4) {
        struct in_pktinfo info = {.ipi_ifindex = 0};
        memcpy(&info.ipi_spec_dst, src->ip, 4);
        add_control(e, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else if (src->family == HWS_FAMILY_IPV6) {
        struct in6_pktinfo info = {.ipi6_ifindex = src->scope_id};
        memcpy(&info.ipi6_addr, src->ip, 16);
        add_control(e, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
}

/* Only what is not the socket's own setting: most packets carry none of it. */
static void add_ip_options(struct entry *e)
{
    bool ipv6 = e->train.dst.family == HWS_FAMILY_IPV6;
    int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int tos = e->train.tos, ttl = e->train.ttl;
    if (tos != 0)
        add_control(e, level, ipv6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
    if (ttl != 0)
        add_control(e, level, ipv6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof(ttl));
}

static uint32_t segments_max(const struct hws_train *train)
{
    uint32_t fit = UDP_BYTES_MAX / train->segment_len;
    return fit == 0 ? 1 : fit < PACKETS_MAX ? fit : PACKETS_MAX;
}

static enum mode mode_of(const struct hws_txqueue *q, const struct hws_train *train)
{
    if (train->may_fragment)
        return FRAGMENT;
    bool large = train->segment_len >= INCLUDED_MIN_BYTES;
    return large && !q->udp && train->dst.family == HWS_FAMILY_IPV4 ? INCLUDED : HEADER;
}

/* Length, checksum, identification, and the source address, which the control message or its
 * routes tell it, the system puts in. */
static void write_ip(const struct hws_txqueue *q, struct entry *e)
{
    const struct hws_train *train = &e->train;
    const struct hws_ip ip = {.dst = train->dst,
                              .protocol = q->protocol,
                              .tos = train->tos,
                              .ttl = train->ttl != 0 ? train->ttl : q->ttl};
    hws_ip_write(&ip, train->segment_len, e->ip);
}

static void prepare(const struct hws_txqueue *q, struct entry *e)
{
    const struct hws_train *train = &e->train;
    bool udp = q->udp;
    e->name_len = hws_sockaddr_write(&train->dst, udp ? train->dst.udp_port : 0, &e->name);
    e->mode = mode_of(q, train);
    if (e->mode == INCLUDED)
        write_ip(q, e);
    e->offset = 0;
    e->retried = false;
    e->segments_max = 1;
    e->control_len = 0;
    add_source(e, &train->src);
    add_ip_options(e);
    if (udp && train->packets > 1) {
        uint16_t segment_len = (uint16_t)train->segment_len;
        e->segments_max = segments_max(train);
        add_control(e, IPPROTO_UDP, UDP_SEGMENT, &segment_len, sizeof(segment_len));
    }
}

void hws_txqueue_submit(struct hws_txqueue *q, const struct hws_train *train)
{
    struct entry *e = q->free[--q->free_count];
    e->train = *train;
    prepare(q, e);
    q->waiting[(q->head + q->count++) % TRAINS] = e;
}

/* Sends what is left of the train packet by packet. UDP_SEGMENT's control message is the last. */
static void stop_segmenting(struct entry *e)
{
    e->segments_max = 1;
    e->control_len -= CMSG_SPACE(sizeof(uint16_t));
}

/* ---- Failures ---- */

static enum hws_send_failure failure_of(int error)
{
    switch (error) {
    case EMSGSIZE:
        return HWS_SEND_TOO_BIG;
    case EPERM:
    case EACCES:
        return HWS_SEND_FILTERED;
    case ENOBUFS:
    case ENOMEM:
        return HWS_SEND_BUSY;
    default:
        return HWS_SEND_UNREACHABLE;
    }
}

static bool same_failure(const struct hws_net_event *a, const struct hws_net_event *b)
{
    return a->reason == b->reason && a->local_port == b->local_port &&
           a->remote_port == b->remote_port && a->packet_len == b->packet_len &&
           hws_addr_same(&a->remote, &b->remote) && hws_addr_same(&a->local, &b->local);
}

/* When nobody asks for events the newest ones are lost; they are counted all the same. */
static void report(struct hws_txqueue *q, const struct hws_train *train, int error)
{
    struct hws_net_event event = {.kind = HWS_NET_SEND_FAILED,
                                  .local = train->src,
                                  .remote = train->dst,
                                  .local_port = hws_get16(train->data),
                                  .remote_port = hws_get16(train->data + 2),
                                  .packet_len = train->segment_len,
                                  .reason = failure_of(error)};
    uint32_t last = (q->event_head + q->event_count - 1) % EVENTS;
    if (q->event_count > 0 && same_failure(&q->events[last], &event))
        return;
    if (q->event_count < EVENTS)
        q->events[(q->event_head + q->event_count++) % EVENTS] = event;
}

bool hws_txqueue_net_event(struct hws_txqueue *q, struct hws_net_event *event)
{
    if (q->event_count == 0)
        return false;
    *event = q->events[q->event_head];
    q->event_head = (q->event_head + 1) % EVENTS;
    q->event_count--;
    return true;
}

/* ---- Sending ---- */

static int fd_for(const struct hws_txqueue *q, const struct hws_train *train)
{
    return train->dst.family == HWS_FAMILY_IPV6 ? q->fds.ipv6 : q->fds.ipv4;
}

int hws_txqueue_head_fd(const struct hws_txqueue *q)
{
    return q->count > 0 ? fd_for(q, &q->waiting[q->head]->train) : -1;
}

/* Bytes of the message that begins at `offset`. */
static uint32_t message_len(const struct entry *e, uint32_t offset)
{
    uint32_t left = e->train.len - offset;
    uint32_t most = e->segments_max * e->train.segment_len;
    return left < most ? left : most;
}

static uint32_t packets_in(const struct entry *e, uint32_t len)
{
    return (len + e->train.segment_len - 1) / e->train.segment_len;
}

/* Adds the train's messages to the batch, as many as it takes. */
static void batch_train(struct batch *batch, struct entry *e)
{
    uint32_t offset = e->offset;
    while (offset < e->train.len && batch->count < BATCH_MAX) {
        uint32_t len = message_len(e, offset);
        bool included = e->mode == INCLUDED;
        struct iovec *iov = batch->iov[batch->count];
        iov[0] = (struct iovec){.iov_base = e->ip, .iov_len = HWS_IPV4_HEADER_LEN};
        iov[1] = (struct iovec){.iov_base = e->buffer + offset, .iov_len = len};
        batch->headers[batch->count++].msg_hdr = (struct msghdr){
            .msg_name = &e->name,
            .msg_namelen = e->name_len,
            .msg_iov = included ? iov : iov + 1,
            .msg_iovlen = included ? 2 : 1,
            .msg_control = e->control_len != 0 ? e->control : NULL,
            .msg_controllen = e->control_len,
        };
        offset += len;
    }
}

/* Trains of one batch leave through one socket, in one setting of it. */
static bool go_together(const struct entry *a, const struct entry *b)
{
    return a->train.dst.family == b->train.dst.family && a->mode == b->mode;
}

static void fill_batch(struct hws_txqueue *q, struct batch *batch)
{
    batch->count = 0;
    for (uint32_t i = 0; i < q->count && batch->count < BATCH_MAX; i++) {
        struct entry *e = q->waiting[(q->head + i) % TRAINS];
        if (!go_together(q->waiting[q->head], e))
            return;
        batch_train(batch, e);
    }
}

static void set_ipv4_mode(int fd, enum mode mode, enum mode before)
{
    int included = mode == INCLUDED;
    int discover = mode == FRAGMENT ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE;
    if ((mode == INCLUDED) != (before == INCLUDED))
        setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &included, sizeof(included));
    if ((mode == FRAGMENT) != (before == FRAGMENT))
        setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover));
}

static void set_ipv6_mode(int fd, enum mode mode)
{
    int discover = mode == FRAGMENT ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE;
    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discover, sizeof(discover));
}

/* All but the usual mode are rare, so the one socket is switched; a second one would be given a
 * copy of everything received. */
static void set_mode(struct hws_txqueue *q, const struct entry *e)
{
    bool ipv6 = e->train.dst.family == HWS_FAMILY_IPV6;
    if (q->modes[ipv6] == e->mode)
        return;
    if (ipv6)
        set_ipv6_mode(q->fds.ipv6, e->mode);
    else
        set_ipv4_mode(q->fds.ipv4, e->mode, q->modes[0]);
    q->modes[ipv6] = e->mode;
}

/* Moves past one message of the train at the head, which is done when that was its last. */
static void advance(struct hws_txqueue *q, uint64_t *counter)
{
    struct entry *e = q->waiting[q->head];
    uint32_t len = message_len(e, e->offset);
    *counter += packets_in(e, len);
    e->offset += len;
    e->retried = false;
    if (e->offset < e->train.len)
        return;
    q->free[q->free_count++] = e;
    q->head = (q->head + 1) % TRAINS;
    q->count--;
}

/* Whether an error may stem from an earlier packet: ICMP leaves one on the socket, and the next
 * call reports it instead of sending. Only the host's own refusals are about this packet for sure.
 */
static bool may_be_stale(int error)
{
    return error != EPERM && error != ENOBUFS && error != ENOMEM;
}

/* A packet with its IP header is copied into one piece of the system's memory: there may be none of
 * that size when there are smaller ones. */
static bool lacks_one_piece(const struct entry *e, int error)
{
    return e->mode == INCLUDED && (error == ENOBUFS || error == ENOMEM);
}

/* Deals with the error of the message at the head: tries it again, without segmentation when it
 * cannot pass with it (EIO: the device lacks checksum offload; EINVAL, EMSGSIZE: a packet exceeds
 * the MTU), or reports it and goes on with the next. */
static void message_failed(struct hws_txqueue *q, int error)
{
    struct entry *e = q->waiting[q->head];
    if (!e->retried && may_be_stale(error)) {
        e->retried = true;
    } else if (e->segments_max > 1 && may_be_stale(error)) {
        stop_segmenting(e);
    } else if (lacks_one_piece(e, error)) {
        e->mode = HEADER;
    } else {
        report(q, &e->train, error);
        advance(q, &q->stats->tx_failed);
    }
}

/* Whether the train at the head goes in IPv6 fragments made here. In UDP, whose checksum takes a
 * source address that only the system knows, they are left to it. */
static bool in_fragments(const struct hws_txqueue *q)
{
    const struct hws_train *train = &q->waiting[q->head]->train;
    return train->may_fragment && train->dst.family == HWS_FAMILY_IPV6 && !q->udp;
}

static void send_in_fragments(struct hws_txqueue *q)
{
    struct entry *e = q->waiting[q->head];
    struct batch batch = {.count = 0};
    batch_train(&batch, e);
    int error =
        hws_fragment6_send(&q->fragment6, q->fds.ipv6, &batch.headers[0].msg_hdr, e->train.mtu);
    q->stats->tx_calls++;
    if (error != 0)
        report(q, &e->train, error == EAGAIN ? ENOBUFS : error);
    advance(q, error == 0 ? &q->stats->tx_packets : &q->stats->tx_failed);
}

bool hws_txqueue_flush(struct hws_txqueue *q)
{
    while (q->count > 0) {
        if (in_fragments(q)) {
            send_in_fragments(q);
            continue;
        }
        struct batch batch;
        const struct entry *e = q->waiting[q->head];
        fill_batch(q, &batch);
        set_mode(q, e);
        int sent =
            sendmmsg(fd_for(q, &e->train), batch.headers, (unsigned)batch.count, MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            q->stats->tx_blocked++;
            return false;
        }
        if (sent < 0 && errno != EINTR)
            message_failed(q, errno);
        q->stats->tx_calls++;
        for (int i = 0; i < sent; i++)
            advance(q, &q->stats->tx_packets);
    }
    return true;
}

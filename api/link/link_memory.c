/* Two links back to back in one process. What one sends lies in the other's queue once it is
 * flushed: whoever drives both receives there next; there is no descriptor to poll.
 *
 * A train is handed over in the buffer it was built in, and each of its packets refers to that
 * buffer, so bulk data is not copied. A train that fills little of its buffer is copied into one
 * that fits, so that a few bytes waiting for an application do not pin 64 KB. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/link/link.h"
#include "api/link/rxpool.h"
#include "proto/ip.h"
#include "proto/packet.h"

#define QUEUE_TRAINS 64u /* on the way to one end */
#define EVENTS 32u
#define PACKETS_MAX 64u

struct transit {
    struct hws_train train;
    struct hws_buf *buf;
    uint32_t offset; /* bytes taken by the receiver */
};

/* A ring; indices count up and are taken modulo its size. */
struct ring {
    struct transit trains[QUEUE_TRAINS];
    uint32_t head, tail;
};

struct memory_link {
    struct hws_link link;
    struct memory_link *peer; /* NULL: closed */
    struct hws_rxpool *pool;  /* of the buffers this end builds trains in */
    struct hws_buf *building; /* the buffer that train() gave last; NULL: none */
    struct ring outgoing;     /* submitted and not flushed */
    struct ring incoming;     /* flushed by the peer */
    struct hws_net_event events[EVENTS];
    uint32_t event_head, event_tail;
    uint32_t mtu;
    uint8_t host; /* last byte of this end's addresses */
    struct hws_link_stats stats;
};

static bool ring_full(const struct ring *ring)
{
    return ring->tail - ring->head == QUEUE_TRAINS;
}

static bool ring_empty(const struct ring *ring)
{
    return ring->tail == ring->head;
}

static struct transit *ring_first(struct ring *ring)
{
    return &ring->trains[ring->head % QUEUE_TRAINS];
}

static void ring_add(struct ring *ring, const struct transit *transit)
{
    ring->trains[ring->tail++ % QUEUE_TRAINS] = *transit;
}

static void ring_drop_first(struct ring *ring)
{
    hws_buf_unref(ring_first(ring)->buf);
    ring->head++;
}

/* ---- Addresses: those for documentation (RFC 5737, RFC 3849), .1 and .2 ---- */

static struct hws_addr own_address(const struct memory_link *end, uint8_t family)
{
    static const uint8_t prefix4[4] = {192, 0, 2, 0};
    static const uint8_t prefix6[4] = {0x20, 0x01, 0x0d, 0xb8};
    struct hws_addr addr = {.family = family};
    bool ipv6 = family == HWS_FAMILY_IPV6;
    memcpy(addr.ip, ipv6 ? prefix6 : prefix4, 4);
    addr.ip[ipv6 ? 15 : 3] = end->host;
    return addr;
}

static int memory_route(struct hws_link *link, const struct hws_addr *remote,
                        struct hws_addr *local, uint32_t *mtu)
{
    struct memory_link *end = (struct memory_link *)link;
    if (hws_addr_len(remote) == 0)
        return -EAFNOSUPPORT;
    if (local != NULL)
        *local = own_address(end, remote->family);
    if (mtu != NULL)
        *mtu = end->mtu;
    return 0;
}

/* ---- Sending ---- */

static bool memory_train(struct hws_link *link, struct hws_train *train)
{
    struct memory_link *end = (struct memory_link *)link;
    if (ring_full(&end->outgoing))
        return false;
    if (end->building == NULL)
        end->building = hws_rxpool_get(end->pool, HWS_RX_LARGE);
    if (end->building == NULL)
        return false;
    train->data = end->building->data;
    train->capacity = HWS_PACKET_MAX_LEN;
    train->max_packets = PACKETS_MAX;
    return true;
}

/* The buffer to hand over: a smaller one with a copy when the train fits in it. */
static struct hws_buf *fitting_buffer(struct memory_link *end, uint32_t len)
{
    enum hws_rxclass size = hws_rxpool_fit(len);
    struct hws_buf *small = size < HWS_RX_LARGE ? hws_rxpool_get(end->pool, size) : NULL;
    if (small != NULL) {
        memcpy(small->data, end->building->data, len);
        return small;
    }
    struct hws_buf *whole = end->building;
    end->building = NULL;
    return whole;
}

static void memory_submit(struct hws_link *link, const struct hws_train *train)
{
    struct memory_link *end = (struct memory_link *)link;
    struct transit transit = {.train = *train, .buf = fitting_buffer(end, train->len)};
    if (train->src.family == HWS_FAMILY_NONE)
        transit.train.src = own_address(end, train->dst.family);
    ring_add(&end->outgoing, &transit);
}

static bool fits_mtu(const struct memory_link *end, const struct hws_train *train)
{
    uint32_t header = hws_ip_header_len(train->dst.family);
    uint32_t longest = train->len < train->segment_len ? train->len : train->segment_len;
    return train->may_fragment || longest + header <= end->mtu;
}

static void report_too_big(struct memory_link *end, const struct hws_train *train)
{
    end->stats.tx_failed += train->packets;
    if (end->event_tail - end->event_head == EVENTS)
        return;
    end->events[end->event_tail++ % EVENTS] =
        (struct hws_net_event){.kind = HWS_NET_SEND_FAILED,
                               .local = train->src,
                               .remote = train->dst,
                               .local_port = hws_get16(train->data),
                               .remote_port = hws_get16(train->data + 2),
                               .packet_len = train->segment_len,
                               .reason = HWS_SEND_TOO_BIG};
}

/* To an end that is closed packets go as to a host that is off: they are lost. */
static void send_first(struct memory_link *end)
{
    struct transit *transit = ring_first(&end->outgoing);
    if (!fits_mtu(end, &transit->train)) {
        report_too_big(end, &transit->train);
    } else {
        end->stats.tx_calls++;
        end->stats.tx_packets += transit->train.packets;
        if (end->peer != NULL) {
            hws_buf_ref(transit->buf);
            ring_add(&end->peer->incoming, transit);
        }
    }
    ring_drop_first(&end->outgoing);
}

static bool memory_flush(struct hws_link *link)
{
    struct memory_link *end = (struct memory_link *)link;
    while (!ring_empty(&end->outgoing)) {
        if (end->peer != NULL && ring_full(&end->peer->incoming)) {
            end->stats.tx_blocked++;
            return false;
        }
        send_first(end);
    }
    return true;
}

/* ---- Receiving ---- */

static struct hws_packet_in cut_packet(struct transit *transit)
{
    const struct hws_train *train = &transit->train;
    uint32_t left = train->len - transit->offset;
    uint32_t packets = train->packets;
    struct hws_packet_in packet = {
        .data = transit->buf->data + transit->offset,
        .len = left < train->segment_len ? left : train->segment_len,
        .truesize = (transit->buf->size + packets - 1) / packets,
        .buf = hws_buf_ref(transit->buf),
        .src = train->src,
        .dst = train->dst,
    };
    transit->offset += packet.len;
    return packet;
}

static size_t memory_receive(struct hws_link *link, struct hws_packet_in *packets, size_t max)
{
    struct memory_link *end = (struct memory_link *)link;
    size_t count = 0;
    while (count < max && !ring_empty(&end->incoming)) {
        struct transit *transit = ring_first(&end->incoming);
        packets[count++] = cut_packet(transit);
        if (transit->offset == transit->train.len)
            ring_drop_first(&end->incoming);
    }
    end->stats.rx_calls += count > 0;
    end->stats.rx_packets += count;
    return count;
}

static bool memory_net_event(struct hws_link *link, struct hws_net_event *event)
{
    struct memory_link *end = (struct memory_link *)link;
    if (end->event_head == end->event_tail)
        return false;
    *event = end->events[end->event_head++ % EVENTS];
    return true;
}

/* ---- The rest ---- */

static int memory_add_port(struct hws_link *link, uint16_t port)
{
    (void)link;
    (void)port;
    return 0;
}

static void memory_remove_port(struct hws_link *link, uint16_t port)
{
    (void)link;
    (void)port;
}

static size_t memory_fds(struct hws_link *link, int fds[HWS_LINK_MAX_FDS])
{
    (void)link;
    (void)fds;
    return 0;
}

static uint16_t memory_encapsulation_port(struct hws_link *link)
{
    (void)link;
    return 0;
}

static const struct hws_link_stats *memory_stats(struct hws_link *link)
{
    return &((struct memory_link *)link)->stats;
}

static void memory_close(struct hws_link *link)
{
    struct memory_link *end = (struct memory_link *)link;
    if (end->peer != NULL)
        end->peer->peer = NULL;
    while (!ring_empty(&end->outgoing))
        ring_drop_first(&end->outgoing);
    while (!ring_empty(&end->incoming))
        ring_drop_first(&end->incoming);
    if (end->building != NULL)
        hws_buf_unref(end->building);
    hws_rxpool_close(end->pool);
    free(end);
}

static const struct hws_link_ops memory_ops = {
    .name = "memory",
    .add_port = memory_add_port,
    .remove_port = memory_remove_port,
    .receive = memory_receive,
    .net_event = memory_net_event,
    .train = memory_train,
    .submit = memory_submit,
    .flush = memory_flush,
    .fds = memory_fds,
    .route = memory_route,
    .encapsulation_port = memory_encapsulation_port,
    .stats = memory_stats,
    .close = memory_close,
};

static struct memory_link *new_end(uint32_t mtu, uint8_t host)
{
    struct memory_link *end = calloc(1, sizeof(*end));
    if (end == NULL)
        return NULL;
    end->link.ops = &memory_ops;
    end->mtu = mtu;
    end->host = host;
    end->pool = hws_rxpool_new();
    if (end->pool != NULL)
        return end;
    free(end);
    return NULL;
}

int hws_link_memory_pair(uint32_t mtu, struct hws_link **a, struct hws_link **b)
{
    struct memory_link *first = new_end(mtu, 1);
    struct memory_link *second = new_end(mtu, 2);
    if (first == NULL || second == NULL) {
        if (first != NULL)
            memory_close(&first->link);
        if (second != NULL)
            memory_close(&second->link);
        return -ENOMEM;
    }
    first->peer = second;
    second->peer = first;
    *a = &first->link;
    *b = &second->link;
    return 0;
}

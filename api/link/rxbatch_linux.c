#include "api/link/rxbatch_linux.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/link/clock_linux.h"
#include "api/link/rxclock.h"
#include "api/sock/sockaddr.h"

/* Room for the control messages that our sockets ask for: one packet info, UDP_GRO, a timestamp. */
#define CONTROL_BYTES 128u

/* Where the last call emptied the socket, the next one makes ready for so many. */
#define FEW 16u

/* What one call receives is to be in the cache still when it is looked at, and acknowledged before
 * the sender's window is used up: so many messages that this holds them if they are as long as the
 * last ones, and a few at least. */
#define BATCH_BYTES (256u << 10)
#define LEAST 2u

/* A message lies in a chain of buffers, one of each class, so that it pins no larger one than it
 * needs; what is longer than the first is copied together. While messages of this size come on
 * average they are received into a large buffer alone, and it is small ones that are copied. */
#define HUGE_BYTES (16u << 10)

struct message {
    struct hws_buf *bufs[HWS_RX_CLASSES];
    struct iovec iov[HWS_RX_CLASSES]; /* the chain, or the large buffer alone */
    bool huge;
    struct sockaddr_storage name;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
};

struct hws_rxbatch {
    struct hws_rxpool *pool;
    size_t room;        /* messages that the next call makes ready for */
    size_t count, next; /* messages received, and taken of them */
    bool emptied;       /* they were all there was */
    bool huge;          /* so are they on average */
    struct hws_rxclock clock;
    bool prepared[HWS_RXBATCH_MAX];
    struct mmsghdr headers[HWS_RXBATCH_MAX];
    struct message messages[HWS_RXBATCH_MAX];
};

/* Where something came between both readings it seems that a clock was set: they are read again. */
static void note_received(struct hws_rxclock *clock)
{
    int tries = 4;
    uint64_t realtime_ns, monotonic_ns;
    do {
        realtime_ns = hws_clock_ns(CLOCK_REALTIME);
        monotonic_ns = hws_clock_ns(CLOCK_MONOTONIC);
    } while (hws_rxclock_jumps(clock, realtime_ns, monotonic_ns) && --tries > 0);
    hws_rxclock_received(clock, realtime_ns, monotonic_ns);
}

struct hws_rxbatch *hws_rxbatch_new(struct hws_rxpool *pool)
{
    struct hws_rxbatch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL)
        return NULL;
    batch->pool = pool;
    batch->room = FEW;
    hws_rxclock_init(&batch->clock, hws_clock_ns(CLOCK_REALTIME), hws_clock_ns(CLOCK_MONOTONIC));
    return batch;
}

void hws_rxbatch_free(struct hws_rxbatch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < HWS_RXBATCH_MAX; i++)
        for (size_t c = 0; c < HWS_RX_CLASSES; c++)
            if (batch->messages[i].bufs[c] != NULL)
                hws_buf_unref(batch->messages[i].bufs[c]);
    free(batch);
}

/* The offset at which a message's bytes begin to lie in the buffer of this class. */
static uint32_t class_start(size_t size)
{
    return size == HWS_RX_SMALL ? 0 : hws_rxpool_capacity((enum hws_rxclass)(size - 1));
}

/* Puts buffers where the last message took them away. */
static bool provide_buffers(struct hws_rxpool *pool, struct message *message)
{
    for (size_t c = 0; c < HWS_RX_CLASSES; c++) {
        if (message->bufs[c] == NULL)
            message->bufs[c] = hws_rxpool_get(pool, (enum hws_rxclass)c);
        if (message->bufs[c] == NULL)
            return false;
    }
    return true;
}

/* How many there are. */
static size_t set_iovecs(struct message *message)
{
    size_t first = message->huge ? HWS_RX_LARGE : HWS_RX_SMALL;
    for (size_t c = first; c < HWS_RX_CLASSES; c++) {
        uint32_t start = message->huge ? 0 : class_start(c);
        message->iov[c - first] = (struct iovec){
            .iov_base = message->bufs[c]->data + start,
            .iov_len = hws_rxpool_capacity((enum hws_rxclass)c) - start,
        };
    }
    return HWS_RX_CLASSES - first;
}

/* Most calls receive a few messages only: the others are left as they were. */
static bool prepare(struct hws_rxbatch *batch, size_t i)
{
    struct message *message = &batch->messages[i];
    if (batch->prepared[i])
        return true;
    if (!provide_buffers(batch->pool, message))
        return false;
    batch->prepared[i] = true;
    message->huge = batch->huge;
    batch->headers[i].msg_hdr = (struct msghdr){.msg_name = &message->name,
                                                .msg_namelen = sizeof(message->name),
                                                .msg_iov = message->iov,
                                                .msg_iovlen = set_iovecs(message),
                                                .msg_control = message->control,
                                                .msg_controllen = sizeof(message->control)};
    return true;
}

/* An ICMP error leaves an error on the socket that the next call reports once instead of
 * receiving; the error queue tells what it was. */
static int receive_batch(struct hws_rxbatch *batch, int fd, size_t count)
{
    int received;
    int tries = 8;
    do
        received = recvmmsg(fd, batch->headers, (unsigned)count, MSG_DONTWAIT, NULL);
    while (received < 0 && errno != EAGAIN && --tries > 0);
    return received;
}

static size_t received_bytes(const struct hws_rxbatch *batch)
{
    size_t bytes = 0;
    for (size_t i = 0; i < batch->count; i++)
        bytes += batch->headers[i].msg_len;
    return bytes;
}

static size_t next_room(const struct hws_rxbatch *batch, size_t bytes)
{
    size_t most = batch->emptied ? FEW : HWS_RXBATCH_MAX;
    size_t held = bytes > 0 ? BATCH_BYTES * batch->count / bytes : most;
    held = held > LEAST ? held : LEAST;
    return held < most ? held : most;
}

size_t hws_rxbatch_fill(struct hws_rxbatch *batch, int fd, size_t max, bool *drained)
{
    size_t count = 0, most = max < batch->room ? max : batch->room;
    while (count < most && prepare(batch, count))
        count++;
    if (batch->emptied)
        hws_rxclock_emptied(&batch->clock);
    int received = count == 0 ? 0 : receive_batch(batch, fd, count);
    batch->count = received > 0 ? (size_t)received : 0;
    batch->next = 0;
    batch->emptied = batch->count < count;
    size_t bytes = received_bytes(batch);
    batch->room = next_room(batch, bytes);
    if (batch->count > 0)
        batch->huge = bytes / batch->count >= HUGE_BYTES;
    *drained = batch->emptied || count == 0 || bytes > BATCH_BYTES / 2;
    if (received > 0)
        note_received(&batch->clock);
    return batch->count;
}

/* Copies what lies in the chain's smaller buffers. */
static void join_chain(const struct message *message, enum hws_rxclass size)
{
    uint8_t *whole = message->bufs[size]->data;
    for (size_t c = HWS_RX_SMALL; c < (size_t)size; c++) {
        uint32_t start = class_start(c);
        memcpy(whole + start, message->bufs[c]->data + start, class_start(c + 1) - start);
    }
}

/* Makes a message of `len` bytes contiguous in a buffer of its class, and takes that away. */
static struct hws_buf *gather(struct message *message, uint32_t len)
{
    enum hws_rxclass size = hws_rxpool_fit(len);
    struct hws_buf *buf = message->bufs[size];
    if (!message->huge)
        join_chain(message, size);
    else if (size != HWS_RX_LARGE)
        memcpy(buf->data, message->bufs[HWS_RX_LARGE]->data, len);
    message->bufs[size] = NULL;
    return buf;
}

static void read_pktinfo4(const struct cmsghdr *cmsg, struct hws_rxmsg *out)
{
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
    out->dst = (struct hws_addr){.family = HWS_FAMILY_IPV4};
    memcpy(out->dst.ip, &info.ipi_addr, 4);
}

static void read_pktinfo6(const struct cmsghdr *cmsg, struct hws_rxmsg *out)
{
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
    out->dst = (struct hws_addr){.family = HWS_FAMILY_IPV6};
    memcpy(out->dst.ip, &info.ipi6_addr, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
        out->dst.scope_id = info.ipi6_ifindex;
}

static void read_segment_len(const struct cmsghdr *cmsg, struct hws_rxmsg *out)
{
    int segment_len;
    memcpy(&segment_len, CMSG_DATA(cmsg), sizeof(segment_len));
    if (segment_len > 0)
        out->segment_len = (uint32_t)segment_len;
}

static void read_stamp(const struct hws_rxclock *clock, const struct cmsghdr *cmsg,
                       struct hws_rxmsg *out)
{
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(cmsg), sizeof(stamp));
    out->rx_time_us = hws_rxclock_us(clock, hws_clock_to_ns(stamp));
}

static void read_control(const struct hws_rxclock *clock, struct msghdr *header,
                         struct hws_rxmsg *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            read_pktinfo4(c, out);
        else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
            read_pktinfo6(c, out);
        else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
            read_segment_len(c, out);
        else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            read_stamp(clock, c, out);
    }
}

/* A packet socket names an interface, the addresses lie in the packet. */
static bool read_name(const struct message *message, socklen_t len, struct hws_rxmsg *out)
{
    const struct sockaddr *name = (const struct sockaddr *)&message->name;
    out->src = out->dst = (struct hws_addr){.family = HWS_FAMILY_NONE};
    if (name->sa_family != AF_PACKET)
        return hws_sockaddr_read(name, len, &out->src, &out->src.udp_port) == 0;
    struct sockaddr_ll link;
    memcpy(&link, &message->name, sizeof(link));
    out->interface = (uint32_t)link.sll_ifindex;
    return true;
}

enum hws_rxbatch_result hws_rxbatch_take(struct hws_rxbatch *batch, struct hws_rxmsg *out)
{
    if (batch->next == batch->count)
        return HWS_RXBATCH_EMPTY;
    size_t i = batch->next++;
    batch->prepared[i] = false;
    struct msghdr *header = &batch->headers[i].msg_hdr;
    struct message *message = &batch->messages[i];
    if ((header->msg_flags & MSG_TRUNC) != 0 || !read_name(message, header->msg_namelen, out))
        return HWS_RXBATCH_TRUNCATED;
    out->len = out->segment_len = batch->headers[i].msg_len;
    out->rx_time_us = 0;
    read_control(&batch->clock, header, out);
    out->buf = gather(message, out->len);
    return HWS_RXBATCH_TAKEN;
}

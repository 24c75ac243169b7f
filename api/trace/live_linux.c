/* Two AF_PACKET sockets, since each kind of packet needs to be asked for something else: a UDP
 * packet that leaves in segments passes as one, and only the header of virtio_net.h tells their
 * size; for SCTP that header cannot be had (the kernel's own SCTP leaves in a form it has no name
 * for), but the auxiliary data tells which checksums the interface is to compute. */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/clock_linux.h"
#include "api/link/socket_linux.h"
#include "api/trace/live.h"
#include "api/trace/live_filter_linux.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define PACKET_MAX_BYTES (65535u + 256u) /* the link's header included */
#define BUFFER_BYTES (16 << 20)
#define CONTROL_BYTES 256u

/* How often to look whether an interface that is down is still there. */
#define DOWN_WAIT_MS 200

enum { SCTP_SOCKET, UDP_SOCKET, SOCKETS };

struct source {
    int fd;
    bool has_segments; /* packets are preceded by a virtio_net_hdr */
    bool waiting;      /* a packet was received and not yet handed on */
    uint64_t dropped;
    struct hws_capture_ip ip;
    uint8_t bytes[PACKET_MAX_BYTES];
};

struct hws_live {
    unsigned ifindex; /* 0: all */
    bool down;        /* the interface, as the last news of it said */
    struct source sources[SOCKETS];
};

/* ---- Receiving ---- */

/* `header_len` becomes that of the link's header, which stands before the packet. */
static void read_control(struct msghdr *message, struct hws_capture_ip *ip, uint32_t *header_len)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(c), sizeof(time));
            ip->unix_us = hws_clock_to_ns(time) / 1000u;
        } else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;
            memcpy(&aux, CMSG_DATA(c), sizeof(aux));
            *header_len = aux.tp_net;
            ip->unfinished_checksum = (aux.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
        }
    }
}

static void read_segments(const struct virtio_net_hdr *header, struct hws_capture_ip *ip)
{
    if ((header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_UDP_L4)
        ip->segment_len = header->gso_size;
}

/* Receives one packet, if there is one. 0, or a negative errno. */
static int receive(struct source *source)
{
    struct virtio_net_hdr segments = {.flags = 0};
    struct iovec parts[2] = {{&segments, sizeof(segments)}, {source->bytes, PACKET_MAX_BYTES}};
    struct sockaddr_ll from = {.sll_ifindex = 0};
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof(from),
                             .msg_iov = source->has_segments ? parts : parts + 1,
                             .msg_iovlen = source->has_segments ? 2 : 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t received = recvmsg(source->fd, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (received < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    uint32_t before = source->has_segments ? (uint32_t)sizeof(segments) : 0;
    uint32_t len = (uint32_t)received - before;
    source->ip = (struct hws_capture_ip){
        .way = from.sll_pkttype == PACKET_OUTGOING ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN,
        .data = source->bytes,
        .len = len < PACKET_MAX_BYTES ? len : PACKET_MAX_BYTES,
        .wire_len = len};
    uint32_t header_len = 0;
    read_control(&message, &source->ip, &header_len);
    if (header_len > source->ip.len)
        return 0;
    source->ip.data += header_len;
    source->ip.len -= header_len;
    source->ip.wire_len -= header_len;
    read_segments(&segments, &source->ip);
    source->waiting = true;
    return 0;
}

/* The kernel refuses to describe segments it has no name for (EINVAL): that packet is lost to us.
 */
static int fill(struct source *source)
{
    while (!source->waiting) {
        int rc = receive(source);
        if (rc == -EINVAL)
            source->dropped++;
        else if (rc < 0 || !source->waiting)
            return rc;
    }
    return 0;
}

/* The system says of an interface that is removed only that it is down, each socket once. */
static int went_down(struct hws_live *live)
{
    int error;
    socklen_t len = sizeof(error);
    live->down = true;
    for (int i = 0; i < SOCKETS; i++)
        getsockopt(live->sources[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return -ENETDOWN;
}

static bool is_gone(const struct hws_live *live)
{
    char name[IF_NAMESIZE];
    return live->down && if_indextoname(live->ifindex, name) == NULL && errno == ENXIO;
}

int hws_live_next(struct hws_live *live, struct hws_capture_ip *ip)
{
    struct source *first = NULL;
    if (is_gone(live))
        return -ENODEV;
    for (int i = 0; i < SOCKETS; i++) {
        struct source *source = &live->sources[i];
        int rc = fill(source);
        if (rc == -ENETDOWN)
            return went_down(live);
        if (rc < 0)
            return rc;
        if (source->waiting && (first == NULL || source->ip.unix_us < first->ip.unix_us))
            first = source;
    }
    if (first == NULL)
        return 0;
    first->waiting = false;
    live->down = false;
    *ip = first->ip;
    return 1;
}

int hws_live_wait(struct hws_live *live, const sigset_t *mask)
{
    static const struct timespec while_down = {.tv_nsec = DOWN_WAIT_MS * 1000000};
    struct pollfd fds[SOCKETS];
    for (int i = 0; i < SOCKETS; i++)
        fds[i] = (struct pollfd){.fd = live->sources[i].fd, .events = POLLIN};
    return ppoll(fds, SOCKETS, live->down ? &while_down : NULL, mask) < 0 ? -errno : 0;
}

/* ---- Opening ---- */

static int switch_on(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof(on)) != 0 ? -errno : 0;
}

static int prepare(struct source *source, const struct hws_live_filter *filter)
{
    int rc = hws_live_filter_attach(filter, source->fd);
    if (rc == 0)
        rc = switch_on(source->fd, SOL_SOCKET, SO_TIMESTAMPNS);
    if (rc == 0)
        rc = switch_on(source->fd, SOL_PACKET, PACKET_AUXDATA);
    if (rc == 0 && source->has_segments)
        rc = switch_on(source->fd, SOL_PACKET, PACKET_VNET_HDR);
    hws_socket_set_buffers(source->fd, BUFFER_BYTES, 0);
    return rc;
}

/* Bound to all protocols: a socket of one protocol is not shown what leaves. It is bound last, so
 * that nothing comes past the filter. */
static int open_source(struct source *source, unsigned ifindex,
                       const struct hws_live_filter *filter)
{
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex};
    source->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (source->fd < 0)
        return -errno;
    int rc = prepare(source, filter);
    if (rc == 0 && bind(source->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        rc = -errno;
    return rc;
}

static int open_sources(struct hws_live *live, const struct hws_live_config *config)
{
    struct hws_live_filter filter;
    if (config->interface != NULL) {
        live->ifindex = if_nametoindex(config->interface);
        if (live->ifindex == 0)
            return -ENODEV;
    }
    hws_live_filter_sctp(&filter);
    int rc = open_source(&live->sources[SCTP_SOCKET], live->ifindex, &filter);
    if (rc != 0)
        return rc;
    hws_live_filter_udp(&filter, config->udp_ports, config->udp_port_count);
    live->sources[UDP_SOCKET].has_segments = true;
    return open_source(&live->sources[UDP_SOCKET], live->ifindex, &filter);
}

static void explain(const struct hws_live_config *config, int result,
                    char error[HWS_LIVE_ERROR_MAX])
{
    if (result == -EPERM || result == -EACCES)
        snprintf(error, HWS_LIVE_ERROR_MAX,
                 "capturing needs the capability CAP_NET_RAW, which this process lacks: run it "
                 "through sudo, or give it to the program with \"setcap cap_net_raw+ep PROGRAM\"");
    else if (result == -ENODEV)
        snprintf(error, HWS_LIVE_ERROR_MAX,
                 "there is no interface \"%s\"; \"ip link\" lists those there are",
                 config->interface);
    else
        snprintf(error, HWS_LIVE_ERROR_MAX, "cannot capture: %s", strerror(-result));
}

int hws_live_open(const struct hws_live_config *config, struct hws_live **out,
                  char error[HWS_LIVE_ERROR_MAX])
{
    struct hws_live *live = calloc(1, sizeof(*live));
    int rc = -ENOMEM;
    if (live != NULL) {
        for (int i = 0; i < SOCKETS; i++)
            live->sources[i].fd = -1;
        rc = open_sources(live, config);
    }
    if (rc == 0) {
        *out = live;
        return 0;
    }
    explain(config, rc, error);
    hws_live_close(live);
    return rc;
}

/* ---- The rest ---- */

/* Asking sets the kernel's count to zero. */
static void add_dropped(struct source *source)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof(stats);
    if (getsockopt(source->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
        source->dropped += stats.tp_drops;
}

uint64_t hws_live_dropped(struct hws_live *live)
{
    uint64_t dropped = 0;
    for (int i = 0; i < SOCKETS; i++) {
        add_dropped(&live->sources[i]);
        dropped += live->sources[i].dropped;
    }
    return dropped;
}

void hws_live_close(struct hws_live *live)
{
    if (live == NULL)
        return;
    for (int i = 0; i < SOCKETS; i++) {
        if (live->sources[i].fd >= 0)
            close(live->sources[i].fd);
    }
    free(live);
}

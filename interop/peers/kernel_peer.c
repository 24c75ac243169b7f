/* The peer's socket calls over the kernel's SCTP (one-to-one sockets, RFC 6458 section 4). */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char hws_peer_stack[] = "kernel";

struct hws_peer_socket {
    int fd;
    bool graceful; /* a SHUTDOWN was seen: what follows cannot lose data */
};

static struct hws_peer_options options;

int hws_peer_start(const struct hws_peer_options *given)
{
    options = *given;
    return 0;
}

/* Forced where the privilege is there: the default limit of 208 KiB would throttle the transfer. */
static void set_buffer(int fd, int forced, int polite)
{
    int size = HWS_PEER_SOCKET_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) != 0)
        setsockopt(fd, SOL_SOCKET, polite, &size, sizeof(size));
}

static int prepare(int fd)
{
    struct sctp_event_subscribe events = {.sctp_data_io_event = 1,
                                          .sctp_association_event = 1,
                                          .sctp_send_failure_event = 1,
                                          .sctp_shutdown_event = 1};
    struct sctp_initmsg init = {.sinit_num_ostreams = 64, .sinit_max_instreams = 65535};
    int on = 1;
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof(events)) != 0 ||
        setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)) != 0 ||
        setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init)) != 0)
        return -1;
    if (options.udp_local) {
        /* The local port is the namespace's (net.sctp.udp_port); only the peer's is ours to set. */
        struct sctp_udpencaps encaps = {.sue_port = htons(options.udp_remote)};
        encaps.sue_address.ss_family = AF_INET;
        return setsockopt(fd, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &encaps, sizeof(encaps));
    }
    return 0;
}

static struct hws_peer_socket *wrap(int fd)
{
    struct hws_peer_socket *s = fd < 0 ? NULL : calloc(1, sizeof(*s));
    if (s)
        s->fd = fd;
    return s;
}

static struct hws_peer_socket *open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
    if (fd >= 0 && prepare(fd) != 0) {
        close(fd);
        return NULL;
    }
    return wrap(fd);
}

static int bind_to(struct hws_peer_socket *s, struct hws_peer_addresses *local)
{
    return sctp_bindx(s->fd, (struct sockaddr *)local->storage, local->count, SCTP_BINDX_ADD_ADDR);
}

struct hws_peer_socket *hws_peer_listen(struct hws_peer_addresses *local)
{
    struct hws_peer_socket *s = open_socket(local->family);
    int on = 1;
    if (!s)
        return NULL;
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind_to(s, local) != 0 || listen(s->fd, 16) != 0) {
        hws_peer_close(s);
        return NULL;
    }
    return s;
}

struct hws_peer_socket *hws_peer_accept(struct hws_peer_socket *listener)
{
    /* Buffers and events are inherited from the listener. */
    return wrap(accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC));
}

struct hws_peer_socket *hws_peer_connect(struct hws_peer_addresses *local,
                                         struct hws_peer_addresses *remote)
{
    struct hws_peer_socket *s = open_socket(remote->family);
    if (s && ((local->count > 0 && bind_to(s, local) != 0) ||
              sctp_connectx(s->fd, (struct sockaddr *)remote->storage, remote->count, NULL) != 0)) {
        hws_peer_close(s);
        return NULL;
    }
    return s;
}

int hws_peer_send(struct hws_peer_socket *s, const void *data, size_t size,
                  const struct hws_peer_info *info)
{
    uint32_t flags = info->unordered ? SCTP_UNORDERED : 0;
    ssize_t n = sctp_sendmsg(s->fd, data, size, NULL, 0, info->ppid, flags, info->stream, 0, 0);
    return n == (ssize_t)size ? 0 : -1;
}

/* 1: go on reading, else what hws_peer_receive has to return. */
static int64_t notified(struct hws_peer_socket *s, const union sctp_notification *n)
{
    switch (n->sn_header.sn_type) {
    case SCTP_SHUTDOWN_EVENT:
        s->graceful = true;
        return 1;
    case SCTP_SEND_FAILED:
        return HWS_PEER_LOST;
    case SCTP_ASSOC_CHANGE:
        if (n->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP)
            return HWS_PEER_END;
        if (n->sn_assoc_change.sac_state == SCTP_COMM_UP)
            return 1;
        if (n->sn_assoc_change.sac_state == SCTP_RESTART) {
            hws_peer_restarted();
            return 1;
        }
        return s->graceful ? HWS_PEER_END : HWS_PEER_LOST;
    default:
        return 1;
    }
}

int64_t hws_peer_receive(struct hws_peer_socket *s, void *data, size_t size,
                         struct hws_peer_info *info)
{
    for (;;) {
        struct sctp_sndrcvinfo from = {.sinfo_stream = 0};
        int flags = 0;
        int n = sctp_recvmsg(s->fd, data, size, NULL, NULL, &from, &flags);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 && s->graceful ? HWS_PEER_END : HWS_PEER_LOST;
        if (!(flags & MSG_NOTIFICATION)) {
            info->stream = from.sinfo_stream;
            info->ppid = from.sinfo_ppid;
            info->unordered = (from.sinfo_flags & SCTP_UNORDERED) != 0;
            info->end_of_message = (flags & MSG_EOR) != 0;
            return n;
        }
        int64_t verdict = notified(s, data);
        if (verdict != 1)
            return verdict;
    }
}

int hws_peer_shutdown(struct hws_peer_socket *s)
{
    return shutdown(s->fd, SHUT_WR);
}

void hws_peer_close(struct hws_peer_socket *s)
{
    close(s->fd);
    free(s);
}

void hws_peer_finish(void)
{
    /* The kernel ends what is left after the process. */
}

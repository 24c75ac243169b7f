/* The peer's socket calls over usrsctp, on IP protocol 132 or in UDP (RFC 6951). */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usrsctp.h>

const char hws_peer_stack[] = "usrsctp";

struct hws_peer_socket {
    struct socket *so;
    bool graceful; /* a SHUTDOWN was seen: what follows cannot lose data */
};

static struct hws_peer_options options;

int hws_peer_start(const struct hws_peer_options *given)
{
    options = *given;
    /*
     * Port 0 keeps usrsctp from opening a UDP socket: two peers in one namespace would otherwise
     * fight for port 9899.
     */
    usrsctp_init(options.udp_local, NULL, NULL);
    /* 2: stay silent on packets of unknown associations, which may be another stack's. */
    usrsctp_sysctl_set_sctp_blackhole(2);
    /* usrsctp would skip the CRC32c where source and destination are the same host. */
    usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
    usrsctp_sysctl_set_sctp_sendspace(HWS_PEER_SOCKET_BUFFER);
    usrsctp_sysctl_set_sctp_recvspace(HWS_PEER_SOCKET_BUFFER);
    return 0;
}

static int subscribe(struct socket *so)
{
    static const uint16_t types[] = {SCTP_ASSOC_CHANGE, SCTP_SHUTDOWN_EVENT,
                                     SCTP_SEND_FAILED_EVENT};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct sctp_event event = {
            .se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = types[i], .se_on = 1};
        if (usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)) != 0)
            return -1;
    }
    return 0;
}

static int prepare(struct socket *so, int family)
{
    struct sctp_initmsg init = {.sinit_num_ostreams = 64, .sinit_max_instreams = 2048};
    int size = HWS_PEER_SOCKET_BUFFER;
    int on = 1;
    if (subscribe(so) != 0 ||
        usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on)) != 0 ||
        usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)) != 0 ||
        usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init)) != 0 ||
        usrsctp_setsockopt(so, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0 ||
        usrsctp_setsockopt(so, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
        return -1;
    if (options.udp_local) {
        struct sctp_udpencaps encaps = {.sue_port = htons(options.udp_remote)};
        encaps.sue_address.ss_family = (sa_family_t)family;
        return usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &encaps,
                                  sizeof(encaps));
    }
    return 0;
}

static struct hws_peer_socket *wrap(struct socket *so)
{
    struct hws_peer_socket *s = so ? calloc(1, sizeof(*s)) : NULL;
    if (s)
        s->so = so;
    return s;
}

static struct hws_peer_socket *open_socket(int family)
{
    struct socket *so = usrsctp_socket(family, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (so && prepare(so, family) != 0) {
        usrsctp_close(so);
        return NULL;
    }
    return wrap(so);
}

static int bind_to(struct hws_peer_socket *s, struct hws_peer_addresses *local)
{
    return usrsctp_bindx(s->so, (struct sockaddr *)local->storage, local->count,
                         SCTP_BINDX_ADD_ADDR);
}

struct hws_peer_socket *hws_peer_listen(struct hws_peer_addresses *local)
{
    struct hws_peer_socket *s = open_socket(local->family);
    if (s && (bind_to(s, local) != 0 || usrsctp_listen(s->so, 16) != 0)) {
        hws_peer_close(s);
        return NULL;
    }
    return s;
}

struct hws_peer_socket *hws_peer_accept(struct hws_peer_socket *listener)
{
    return wrap(usrsctp_accept(listener->so, NULL, NULL));
}

struct hws_peer_socket *hws_peer_connect(struct hws_peer_addresses *local,
                                         struct hws_peer_addresses *remote)
{
    struct hws_peer_socket *s = open_socket(remote->family);
    if (s &&
        ((local->count > 0 && bind_to(s, local) != 0) ||
         usrsctp_connectx(s->so, (struct sockaddr *)remote->storage, remote->count, NULL) != 0)) {
        hws_peer_close(s);
        return NULL;
    }
    return s;
}

int hws_peer_send(struct hws_peer_socket *s, const void *data, size_t size,
                  const struct hws_peer_info *info)
{
    struct sctp_sndinfo how = {.snd_sid = info->stream, .snd_ppid = info->ppid};
    how.snd_flags = info->unordered ? SCTP_UNORDERED : 0;
    ssize_t n = usrsctp_sendv(s->so, data, size, NULL, 0, &how, sizeof(how), SCTP_SENDV_SNDINFO, 0);
    return n == (ssize_t)size ? 0 : -1;
}

/* 1: go on reading, else what hws_peer_receive has to return. */
static int64_t notified(struct hws_peer_socket *s, const union sctp_notification *n)
{
    switch (n->sn_header.sn_type) {
    case SCTP_SHUTDOWN_EVENT:
        s->graceful = true;
        return 1;
    case SCTP_SEND_FAILED_EVENT:
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
        struct sockaddr_storage from;
        struct sctp_rcvinfo how = {.rcv_sid = 0};
        socklen_t from_size = sizeof(from);
        socklen_t how_size = sizeof(how);
        unsigned int kind = 0;
        int flags = 0;
        ssize_t n = usrsctp_recvv(s->so, data, size, (struct sockaddr *)&from, &from_size, &how,
                                  &how_size, &kind, &flags);
        if (n <= 0)
            return n == 0 && s->graceful ? HWS_PEER_END : HWS_PEER_LOST;
        if (!(flags & MSG_NOTIFICATION)) {
            info->stream = how.rcv_sid;
            info->ppid = how.rcv_ppid;
            info->unordered = (how.rcv_flags & SCTP_UNORDERED) != 0;
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
    return usrsctp_shutdown(s->so, SHUT_WR);
}

void hws_peer_close(struct hws_peer_socket *s)
{
    usrsctp_close(s->so);
    free(s);
}

void hws_peer_finish(void)
{
    /* The stack is in this process: leaving at once would lose the last SHUTDOWN COMPLETE. */
    for (int i = 0; i < 300 && usrsctp_finish() != 0; i++)
        usleep(10000);
}

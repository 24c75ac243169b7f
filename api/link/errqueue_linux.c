#include "api/link/errqueue_linux.h"

#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "api/sock/sockaddr.h"

/* The error, the address of who reported it, and a packet info that some sockets ask for. */
#define CONTROL_BYTES 256u

static void too_big(struct hws_net_event *event, uint32_t mtu)
{
    event->kind = HWS_NET_TOO_BIG;
    event->mtu = mtu;
}

static void unreachable(struct hws_net_event *event, bool no_protocol)
{
    event->kind = HWS_NET_UNREACHABLE;
    event->protocol_unreachable = no_protocol;
}

/* RFC 9260, ICMP1 and ICMP3: of ICMPv4 only Destination Unreachable counts, and Port Unreachable
 * does not. Over UDP (RFC 6951, 5.5) that means what Protocol Unreachable means without. */
static bool read_icmp4(const struct sock_extended_err *error, bool udp, struct hws_net_event *event)
{
    if (error->ee_type != ICMP_DEST_UNREACH || (error->ee_code == ICMP_PORT_UNREACH && !udp))
        return false;
    if (error->ee_code == ICMP_FRAG_NEEDED)
        too_big(event, error->ee_info);
    else
        unreachable(event,
                    error->ee_code == ICMP_PROT_UNREACH || error->ee_code == ICMP_PORT_UNREACH);
    return true;
}

/* The same for ICMPv6 (ICMP2 to ICMP4), where an unknown protocol is a Parameter Problem. */
static bool read_icmp6(const struct sock_extended_err *error, bool udp, struct hws_net_event *event)
{
    bool no_port = error->ee_type == ICMPV6_DEST_UNREACH && error->ee_code == ICMPV6_PORT_UNREACH;
    if (error->ee_type == ICMPV6_PKT_TOOBIG)
        too_big(event, error->ee_info);
    else if (error->ee_type == ICMPV6_DEST_UNREACH && (!no_port || udp))
        unreachable(event, no_port);
    else if (error->ee_type == ICMPV6_PARAMPROB && error->ee_code == ICMPV6_UNK_NEXTHDR)
        unreachable(event, true);
    else
        return false;
    return true;
}

/* The host refused a packet for being larger than the interface's MTU; the call that sent it has
 * failed already, what is new here is the MTU. */
static bool read_local(const struct sock_extended_err *error, struct hws_net_event *event)
{
    event->kind = HWS_NET_MTU;
    event->mtu = error->ee_info;
    return error->ee_errno == EMSGSIZE && error->ee_info != 0;
}

static bool read_error(const struct sock_extended_err *error, bool udp, struct hws_net_event *event)
{
    switch (error->ee_origin) {
    case SO_EE_ORIGIN_ICMP:
        return read_icmp4(error, udp, event);
    case SO_EE_ORIGIN_ICMP6:
        return read_icmp6(error, udp, event);
    case SO_EE_ORIGIN_LOCAL:
        return read_local(error, event);
    default:
        return false;
    }
}

static bool find_error(struct msghdr *header, struct sock_extended_err *error)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            memcpy(error, CMSG_DATA(c), sizeof(*error));
            return true;
        }
    }
    return false;
}

/* One message of the queue. False when it is empty; `usable` tells whether the event counts. */
static bool read_message(int fd, bool udp, uint8_t *quote, struct hws_net_event *event,
                         struct hws_icmp *icmp, bool *usable)
{
    struct sockaddr_storage name;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
    struct iovec iov = {.iov_base = quote, .iov_len = HWS_ERRQUEUE_QUOTE_MAX};
    struct msghdr header = {.msg_name = &name,
                            .msg_namelen = sizeof(name),
                            .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof(control)};
    struct sock_extended_err error = {.ee_type = 0};
    ssize_t len = recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (len < 0)
        return false;
    *event = (struct hws_net_event){.quoted = quote, .quoted_len = (uint32_t)len};
    uint16_t port;
    *usable = find_error(&header, &error) && read_error(&error, udp, event) &&
              hws_sockaddr_read((const struct sockaddr *)&name, header.msg_namelen, &event->remote,
                                &port) == 0;
    *icmp = (struct hws_icmp){error.ee_type, error.ee_code};
    if (*usable && udp)
        event->remote.udp_port = port;
    return true;
}

bool hws_errqueue_read(int fd, bool udp, uint8_t quote[HWS_ERRQUEUE_QUOTE_MAX],
                       struct hws_net_event *event, struct hws_icmp *icmp)
{
    bool usable = false;
    while (!usable && read_message(fd, udp, quote, event, icmp, &usable))
        continue;
    return usable;
}

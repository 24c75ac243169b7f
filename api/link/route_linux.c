#include "api/link/route_linux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* IP's length field. The loopback device's MTU is one more. */
#define IP_LEN_MAX 65535u

/* The kernel is asked by netlink. Connecting a UDP socket would give the source address as well,
 * but as MTU (IP_MTU) what the last ICMP message said, which anybody can forge. */
struct request {
    struct nlmsghdr header;
    struct rtmsg route;
    uint8_t attributes[80];
};

/* What an answer says. */
struct answer {
    struct hws_route route; /* its MTU is the route's own, 0: none */
    bool mtu_learned;       /* it expires: from an ICMP message, not from the administrator */
};

static void add_attribute(struct request *request, uint16_t type, const void *data, size_t len)
{
    struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};
    uint8_t *at = (uint8_t *)request + NLMSG_ALIGN(request->header.nlmsg_len);
    memcpy(at, &attribute, sizeof(attribute));
    memcpy(at + RTA_LENGTH(0), data, len);
    request->header.nlmsg_len += (uint32_t)RTA_SPACE(len);
}

static void build_request(const struct hws_addr *remote, const struct hws_addr *source,
                          uint32_t interface, struct request *request)
{
    bool ipv6 = remote->family == HWS_FAMILY_IPV6;
    uint8_t len = (uint8_t)hws_addr_len(remote);
    *request = (struct request){
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                   .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = ipv6 ? AF_INET6 : AF_INET, .rtm_dst_len = (uint8_t)(8 * len)}};
    add_attribute(request, RTA_DST, remote->ip, len);
    if (source != NULL && source->family == remote->family) {
        request->route.rtm_src_len = request->route.rtm_dst_len;
        add_attribute(request, RTA_SRC, source->ip, len);
    }
    if (interface != 0)
        add_attribute(request, RTA_OIF, &interface, sizeof(interface));
}

/* The attribute at `*at`, which moves on to the next one; NULL at the end. */
static const struct rtattr *next_attribute(const uint8_t **at, const uint8_t *end)
{
    const struct rtattr *a = (const struct rtattr *)(const void *)*at;
    size_t left = (size_t)(end - *at);
    if (left < sizeof(*a) || a->rta_len < sizeof(*a) || a->rta_len > left)
        return NULL;
    size_t step = RTA_ALIGN((size_t)a->rta_len);
    *at += step < left ? step : left;
    return a;
}

/* Copies the value of an attribute, `size` bytes at most. */
static void read_value(const struct rtattr *a, void *out, size_t size)
{
    size_t len = a->rta_len - RTA_LENGTH(0);
    memcpy(out, RTA_DATA(a), len < size ? len : size);
}

static void read_metrics(const struct rtattr *metrics, struct hws_route *route)
{
    const uint8_t *at = RTA_DATA(metrics);
    const uint8_t *end = (const uint8_t *)metrics + metrics->rta_len;
    const struct rtattr *a;
    while ((a = next_attribute(&at, end)) != NULL)
        if (a->rta_type == RTAX_MTU)
            read_value(a, &route->mtu, sizeof(route->mtu));
}

/* A gateway of the other family (RFC 8950): an IPv6 router for IPv4. */
static void read_via(const struct rtattr *a, struct hws_addr *gateway)
{
    uint16_t family = AF_UNSPEC;
    read_value(a, &family, sizeof(family));
    size_t len = a->rta_len - RTA_LENGTH(0);
    if (family != AF_INET6 || len < sizeof(family) + sizeof(gateway->ip))
        return;
    gateway->family = HWS_FAMILY_IPV6;
    memcpy(gateway->ip, (const uint8_t *)RTA_DATA(a) + sizeof(family), sizeof(gateway->ip));
}

static void read_attribute(const struct rtattr *a, struct answer *answer)
{
    struct rta_cacheinfo cache = {.rta_expires = 0};
    struct hws_route *route = &answer->route;
    switch (a->rta_type) {
    case RTA_GATEWAY:
        route->next_hop = (struct hws_addr){.family = route->source.family};
        read_value(a, route->next_hop.ip, hws_addr_len(&route->next_hop));
        break;
    case RTA_VIA:
        read_via(a, &route->next_hop);
        break;
    case RTA_PREFSRC:
        read_value(a, route->source.ip, sizeof(route->source.ip));
        break;
    case RTA_OIF:
        read_value(a, &route->interface, sizeof(route->interface));
        break;
    case RTA_METRICS:
        read_metrics(a, route);
        break;
    case RTA_CACHEINFO:
        read_value(a, &cache, sizeof(cache));
        answer->mtu_learned = cache.rta_expires != 0;
        break;
    default:
        break;
    }
}

static int read_answer(const struct nlmsghdr *header, size_t len, struct answer *answer)
{
    if (!NLMSG_OK(header, len))
        return -EIO;
    if (header->nlmsg_type == NLMSG_ERROR)
        return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
    const struct rtmsg *rtmsg = NLMSG_DATA(header);
    const uint8_t *at = (const uint8_t *)RTM_RTA(rtmsg);
    const uint8_t *end = (const uint8_t *)header + header->nlmsg_len;
    const struct rtattr *a;
    while ((a = next_attribute(&at, end)) != NULL)
        read_attribute(a, answer);
    answer->route.local = rtmsg->rtm_type == RTN_LOCAL;
    return rtmsg->rtm_type == RTN_UNICAST || rtmsg->rtm_type == RTN_LOCAL ? 0 : -ENETUNREACH;
}

int hws_route_open(void)
{
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return netlink < 0 ? -errno : netlink;
}

static int exchange(int netlink, const void *request, size_t request_len, void *answer, size_t size)
{
    ssize_t len = send(netlink, request, request_len, 0);
    if (len >= 0)
        len = recv(netlink, answer, size, 0);
    return len < 0 ? -errno : (int)len;
}

int hws_route_ask(const void *request, size_t request_len, void *answer, size_t size)
{
    int netlink = hws_route_open();
    if (netlink < 0)
        return netlink;
    int result = exchange(netlink, request, request_len, answer, size);
    close(netlink);
    return result;
}

int hws_route_is_local(int netlink, const struct hws_addr *addr)
{
    _Alignas(struct nlmsghdr) uint8_t bytes[4096];
    struct answer answer = {.route = {.source.family = addr->family}};
    struct request request;
    build_request(addr, NULL, addr->scope_id, &request);
    while (recv(netlink, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
        continue; /* the answer to a question that was given up */
    int len = exchange(netlink, &request, request.header.nlmsg_len, bytes, sizeof(bytes));
    if (len < 0)
        return len;
    int result = read_answer((const struct nlmsghdr *)bytes, (size_t)len, &answer);
    return result == 0 && answer.route.local;
}

static int ask_kernel(const struct hws_addr *remote, const struct hws_addr *source,
                      uint32_t interface, struct answer *answer)
{
    _Alignas(struct nlmsghdr) uint8_t bytes[4096];
    struct request request;
    build_request(remote, source, interface, &request);
    int len = hws_route_ask(&request, request.header.nlmsg_len, bytes, sizeof(bytes));
    return len < 0 ? len : read_answer((const struct nlmsghdr *)bytes, (size_t)len, answer);
}

static int interface_mtu(uint32_t interface, uint32_t *mtu)
{
    struct ifreq ifr = {.ifr_mtu = 0};
    if (if_indextoname(interface, ifr.ifr_name) == NULL)
        return -errno;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = ioctl(fd, SIOCGIFMTU, &ifr) == 0 ? 0 : -errno;
    close(fd);
    *mtu = (uint32_t)ifr.ifr_mtu;
    return result;
}

static int effective_mtu(struct answer *answer)
{
    uint32_t mtu = 0, *own = &answer->route.mtu;
    int result = interface_mtu(answer->route.interface, &mtu);
    if (*own == 0 || answer->mtu_learned || mtu < *own)
        *own = mtu;
    if (*own > IP_LEN_MAX)
        *own = IP_LEN_MAX;
    return result;
}

static bool is_link_local(const struct hws_addr *addr)
{
    return addr->family == HWS_FAMILY_IPV6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

static int look_up(const struct hws_addr *remote, const struct hws_addr *source, uint32_t interface,
                   struct answer *answer)
{
    uint32_t out = interface != 0 ? interface : remote->scope_id;
    *answer = (struct answer){.route = {.source.family = remote->family, .next_hop = *remote}};
    int result = ask_kernel(remote, source, out, answer);
    if (is_link_local(&answer->route.source))
        answer->route.source.scope_id = answer->route.interface;
    return result;
}

int hws_route_find(const struct hws_addr *remote, const struct hws_addr *source, uint32_t interface,
                   struct hws_route *route)
{
    struct answer answer;
    int result = look_up(remote, source, interface, &answer);
    if (result == 0)
        result = effective_mtu(&answer);
    *route = answer.route;
    return result;
}

int hws_route_lookup(const struct hws_addr *remote, uint32_t interface, struct hws_addr *local,
                     uint32_t *mtu)
{
    struct answer answer;
    int result = look_up(remote, NULL, interface, &answer);
    if (result == 0 && mtu != NULL)
        result = effective_mtu(&answer);
    if (result == 0 && local != NULL)
        *local = answer.route.source;
    if (result == 0 && mtu != NULL)
        *mtu = answer.route.mtu;
    return result;
}

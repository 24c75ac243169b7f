#include "api/sock/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

static void set_ipv4(struct hws_addr *addr, const void *ip)
{
    static const uint8_t any[4];
    if (memcmp(ip, any, sizeof(any)) == 0)
        return;
    addr->family = HWS_FAMILY_IPV4;
    memcpy(addr->ip, ip, sizeof(any));
}

static void set_ipv6(struct hws_addr *addr, const struct sockaddr_in6 *sin6)
{
    if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
        set_ipv4(addr, &sin6->sin6_addr.s6_addr[12]);
        return;
    }
    if (IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr))
        return;
    addr->family = HWS_FAMILY_IPV6;
    memcpy(addr->ip, &sin6->sin6_addr, sizeof(addr->ip));
    if (IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr))
        addr->scope_id = sin6->sin6_scope_id;
}

/* The caller's memory may be aligned for bytes only (packed addresses), so it is copied out. */
static sa_family_t family_of(const struct sockaddr *sa)
{
    sa_family_t family;
    memcpy(&family, (const uint8_t *)sa + offsetof(struct sockaddr, sa_family), sizeof(family));
    return family;
}

static socklen_t family_len(sa_family_t family)
{
    return family == AF_INET    ? (socklen_t)sizeof(struct sockaddr_in)
           : family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
                                : 0;
}

int hws_sockaddr_read(const struct sockaddr *sa, socklen_t len, struct hws_addr *addr,
                      uint16_t *port)
{
    *addr = (struct hws_addr){0};
    if (sa == NULL || len < (socklen_t)sizeof(sa_family_t))
        return -EINVAL;
    socklen_t need = family_len(family_of(sa));
    if (need == 0)
        return -EAFNOSUPPORT;
    if (len < need)
        return -EINVAL;
    struct sockaddr_storage copy = {0};
    memcpy(&copy, sa, need);
    if (copy.ss_family == AF_INET) {
        const struct sockaddr_in *sin = (const struct sockaddr_in *)&copy;
        set_ipv4(addr, &sin->sin_addr);
        *port = ntohs(sin->sin_port);
    } else {
        const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)&copy;
        set_ipv6(addr, sin6);
        *port = ntohs(sin6->sin6_port);
    }
    return 0;
}

int hws_sockaddr_read_packed(const struct sockaddr *sas, int count, struct hws_addr *addrs,
                             uint32_t max, uint16_t *port)
{
    const uint8_t *at = (const uint8_t *)sas;
    if (sas == NULL || count < 1 || (uint32_t)count > max)
        return -EINVAL;
    for (int i = 0; i < count; i++) {
        const struct sockaddr *one = (const struct sockaddr *)(const void *)at;
        socklen_t len = family_len(family_of(one));
        uint16_t one_port;
        int rc = len > 0 ? hws_sockaddr_read(one, len, &addrs[i], &one_port) : -EAFNOSUPPORT;
        if (rc < 0)
            return rc;
        if (i > 0 && one_port != *port)
            return -EINVAL;
        *port = one_port;
        at += len;
    }
    return 0;
}

socklen_t hws_sockaddr_write(const struct hws_addr *addr, uint16_t port,
                             struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (addr->family == HWS_FAMILY_IPV6) {
        struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
        sin6->sin6_scope_id = addr->scope_id;
        memcpy(&sin6->sin6_addr, addr->ip, sizeof(addr->ip));
        return sizeof(*sin6);
    }
    struct sockaddr_in *sin = (struct sockaddr_in *)out;
    sin->sin_family = AF_INET;
    sin->sin_port = htons(port);
    memcpy(&sin->sin_addr, addr->ip, sizeof(sin->sin_addr));
    return sizeof(*sin);
}

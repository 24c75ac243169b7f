#include "api/sock/sockopt_state.h"

#include <arpa/inet.h>
#include <string.h>

#include "api/sock/sockaddr.h"
#include "api/sock/socket.h"

void hws_sock_options_init(struct hws_sock *sock)
{
    sock->options = (struct hws_sock_options){0};
    sock->rcvtimeo_us = 0;
    sock->sndtimeo_us = 0;
    sock->linger = (struct linger){0};
}

void hws_sock_options_inherit(struct hws_sock *sock, const struct hws_sock *parent)
{
    sock->params = parent->params;
    sock->options = parent->options;
    sock->rcvtimeo_us = parent->rcvtimeo_us;
    sock->sndtimeo_us = parent->sndtimeo_us;
    sock->linger = parent->linger;
}

uint16_t hws_sock_peer_udp_port(const struct hws_sock *sock)
{
    uint16_t own = sock->options.peer_udp_port;
    return own != 0 ? own : sock->sockets->link.peer_udp_port;
}

static socklen_t write_mapped(const struct hws_addr *addr, uint16_t port,
                              struct sockaddr_storage *out)
{
    static const uint8_t prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (addr->family == HWS_FAMILY_IPV4) {
        memcpy(in6.sin6_addr.s6_addr, prefix, sizeof(prefix));
        memcpy(in6.sin6_addr.s6_addr + sizeof(prefix), addr->ip, 4);
    }
    memset(out, 0, sizeof(*out));
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

socklen_t hws_sock_write_address(const struct hws_sock *sock, const struct hws_addr *addr,
                                 uint16_t port, struct sockaddr_storage *out)
{
    bool mapped = addr->family == HWS_FAMILY_NONE ||
                  (addr->family == HWS_FAMILY_IPV4 && !sock->options.plain_v4);
    if (sock->family == AF_INET6 && mapped)
        return write_mapped(addr, port, out);
    return hws_sockaddr_write(addr, port, out);
}

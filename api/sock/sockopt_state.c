#include "api/sock/sockopt_state.h"

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

#include "api/link/link_inet_linux.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/route_cache_linux.h"
#include "api/link/socket_linux.h"

/* One receive buffer serves all associations of the link. The kernel charges a packet with at
 * least twice its size, and doubles what is asked for because of that. */
#define RCVBUF_BYTES (16 << 20)
#define SNDBUF_BYTES (4 << 20)

void hws_link_inet_init(struct hws_link_inet *inet, const struct hws_link_ops *ops, bool udp,
                        const char *interface)
{
    memset(inet, 0, sizeof(*inet));
    if (interface != NULL) {
        snprintf(inet->interface, sizeof(inet->interface), "%s", interface);
        inet->interface_index = if_nametoindex(interface);
    }
    inet->link.ops = ops;
    inet->udp = udp;
    inet->sockets[0] = (struct hws_inet_socket){.fd = -1, .family = HWS_FAMILY_IPV4};
    inet->sockets[1] = (struct hws_inet_socket){.fd = -1, .family = HWS_FAMILY_IPV6};
}

/* ---- Socket options ---- */

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

/* PROBE: the DF bit is set, and the kernel's own idea of the path MTU, which anybody can lower
 * with a forged ICMP message, is not used. RECVERR: ICMP messages arrive with what they quote. */
static int set_ipv4_options(int fd)
{
    int result = set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    if (result == 0)
        result = set_int(fd, IPPROTO_IP, IP_RECVERR, 1);
    return result;
}

static int set_ipv6_options(int fd)
{
    int result = set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    if (result == 0)
        result = set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    if (result == 0)
        result = set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    return result;
}

static int set_interface(int fd, const char *interface)
{
    if (interface[0] == '\0')
        return 0;
    socklen_t len = (socklen_t)strlen(interface);
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, len) == 0 ? 0 : -errno;
}

/* SELECT_ERR_QUEUE: an error queue that is not empty shows as POLLPRI beside POLLERR. */
static int set_options(struct hws_link_inet *inet, const struct hws_inet_socket *sock)
{
    int result =
        sock->family == HWS_FAMILY_IPV6 ? set_ipv6_options(sock->fd) : set_ipv4_options(sock->fd);
    if (result == 0)
        result = set_int(sock->fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
    if (result == 0)
        result = set_int(sock->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (result == 0)
        result = set_interface(sock->fd, inet->interface);
    hws_socket_set_buffers(sock->fd, RCVBUF_BYTES, SNDBUF_BYTES);
    return result;
}

int hws_link_inet_open_socket(struct hws_link_inet *inet, enum hws_family family, int protocol)
{
    struct hws_inet_socket *sock = &inet->sockets[family == HWS_FAMILY_IPV6];
    int domain = family == HWS_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    int type = inet->udp ? SOCK_DGRAM : SOCK_RAW;
    sock->fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    return sock->fd < 0 ? -errno : set_options(inet, sock);
}

int hws_link_inet_start(struct hws_link_inet *inet, uint8_t protocol)
{
    struct hws_txqueue_fds fds = {.ipv4 = inet->sockets[0].fd, .ipv6 = inet->sockets[1].fd};
    inet->link.ipv4 = fds.ipv4 >= 0;
    inet->link.ipv6 = fds.ipv6 >= 0;
    inet->pool = hws_rxpool_new();
    inet->txqueue = hws_txqueue_new(fds, protocol, &inet->stats);
    bool complete = inet->pool != NULL && inet->txqueue != NULL;
    for (uint32_t i = 0; complete && i < HWS_INET_SOCKETS; i++) {
        if (inet->sockets[i].fd < 0)
            continue;
        inet->sockets[i].batch = hws_rxbatch_new(inet->pool);
        complete = inet->sockets[i].batch != NULL;
    }
    return complete ? 0 : -ENOMEM;
}

void hws_link_inet_close_sockets(struct hws_link_inet *inet)
{
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++) {
        if (inet->sockets[i].fd >= 0)
            close(inet->sockets[i].fd);
        inet->sockets[i].fd = -1;
    }
}

void hws_link_inet_finish(struct hws_link_inet *inet)
{
    hws_link_inet_close_sockets(inet);
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++)
        hws_rxbatch_free(inet->sockets[i].batch);
    hws_txqueue_free(inet->txqueue);
    hws_route_cache_fini(&inet->routes);
    if (inet->pool != NULL)
        hws_rxpool_close(inet->pool);
}

bool hws_link_inet_is_quiet(const struct hws_link_inet *inet, const struct hws_inet_socket *sock)
{
    unsigned number = 0; /* as hws_link_inet_fds tells them */
    for (const struct hws_inet_socket *before = inet->sockets; before < sock; before++)
        number += before->fd >= 0;
    return (inet->link.quiet_fds & 1u << number) != 0;
}

/* ---- Operations ---- */

static bool read_event(struct hws_link_inet *inet, struct hws_net_event *event)
{
    struct hws_link *link = &inet->link;
    if (hws_txqueue_net_event(inet->txqueue, event))
        return true;
    for (uint32_t i = 0; i < HWS_INET_SOCKETS && !link->no_errors; i++)
        if (inet->sockets[i].fd >= 0 &&
            hws_errqueue_read(inet->sockets[i].fd, inet->udp, inet->quote, event, &link->icmp))
            return true;
    return false;
}

bool hws_link_inet_net_event(struct hws_link *link, struct hws_net_event *event)
{
    struct hws_link_inet *inet = (struct hws_link_inet *)link;
    bool any = read_event(inet, event);
    if (any)
        hws_route_cache_doubt(&inet->routes);
    return any;
}

bool hws_link_inet_train(struct hws_link *link, struct hws_train *train)
{
    return hws_txqueue_train(((struct hws_link_inet *)link)->txqueue, train);
}

void hws_link_inet_submit(struct hws_link *link, const struct hws_train *train)
{
    hws_txqueue_submit(((struct hws_link_inet *)link)->txqueue, train);
}

size_t hws_link_inet_fds(struct hws_link *link, int fds[HWS_LINK_MAX_FDS])
{
    struct hws_link_inet *inet = (struct hws_link_inet *)link;
    size_t count = 0;
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++)
        if (inet->sockets[i].fd >= 0)
            fds[count++] = inet->sockets[i].fd;
    return count;
}

int hws_link_inet_route(struct hws_link *link, const struct hws_addr *remote,
                        struct hws_addr *local, uint32_t *mtu)
{
    struct hws_link_inet *inet = (struct hws_link_inet *)link;
    if (hws_addr_len(remote) == 0 || inet->sockets[remote->family == HWS_FAMILY_IPV6].fd < 0)
        return -EAFNOSUPPORT;
    return hws_route_cache_lookup(&inet->routes, remote, inet->interface_index, local, mtu);
}

/* Trains leave in order, so what blocks is the socket that the first one needs. */
bool hws_link_inet_flush(struct hws_link *link)
{
    struct hws_txqueue *txqueue = ((struct hws_link_inet *)link)->txqueue;
    int fds[HWS_LINK_MAX_FDS];
    if (hws_txqueue_flush(txqueue))
        return true;
    size_t count = hws_link_inet_fds(link, fds);
    link->not_blocking = 0;
    for (size_t i = 0; i < count; i++)
        if (fds[i] != hws_txqueue_head_fd(txqueue))
            link->not_blocking |= 1u << i;
    return false;
}

const struct hws_link_stats *hws_link_inet_stats(struct hws_link *link)
{
    struct hws_link_inet *inet = (struct hws_link_inet *)link;
    inet->stats.rx_socket_drops = 0;
    inet->stats.rx_buffer_bytes = 0;
    for (uint32_t i = 0; i < HWS_INET_SOCKETS; i++)
        if (inet->sockets[i].fd >= 0)
            hws_socket_add_memory(inet->sockets[i].fd, &inet->stats);
    return &inet->stats;
}

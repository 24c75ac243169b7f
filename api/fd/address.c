/* Addresses of the application and the socket layer's. */
#include <netinet/in.h>
#include <string.h>

#include "api/fd/posix.h"
#include "api/sock/sockaddr.h"

int hws_fd_read_address(const struct hws_handle *handle, const struct sockaddr *sa, socklen_t len,
                        struct hws_addr *addr, uint16_t *port)
{
    if (len == 0 || len > sizeof(struct sockaddr_storage))
        return -EINVAL;
    if (sa == NULL)
        return -EFAULT;
    int rc = hws_sockaddr_read(sa, len, addr, port);
    if (rc < 0 || (sa->sa_family == AF_INET6 && handle->domain == AF_INET))
        return -EINVAL;
    addr->udp_port = hws_sock_peer_udp_port(handle->sock);
    return 0;
}

int hws_fd_read_addresses(const struct hws_handle *handle, const struct sockaddr *sas, int count,
                          struct hws_addr addrs[HWS_LIMIT_PATHS], uint16_t *port)
{
    if (sas == NULL)
        return -EFAULT;
    int rc = hws_sockaddr_read_packed(sas, count, addrs, HWS_LIMIT_PATHS, port);
    if (rc < 0)
        return -EINVAL;
    for (int i = 0; i < count; i++) {
        if (addrs[i].family == HWS_FAMILY_IPV6 && handle->domain == AF_INET)
            return -EINVAL;
        addrs[i].udp_port = hws_sock_peer_udp_port(handle->sock);
    }
    return 0;
}

static socklen_t write_mapped(const struct hws_addr *addr, uint16_t port,
                              struct sockaddr_storage *out)
{
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (addr->family == HWS_FAMILY_IPV4) {
        sin6.sin6_addr.s6_addr[10] = sin6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(&sin6.sin6_addr.s6_addr[12], addr->ip, 4);
    }
    memset(out, 0, sizeof(*out));
    memcpy(out, &sin6, sizeof(sin6));
    return sizeof(sin6);
}

/* The wildcard is that of the socket's family; IPv4 is mapped unless SCTP_I_WANT_MAPPED_V4_ADDR is
 * off (RFC 6458, 8.1.15). */
socklen_t hws_fd_write_address(const struct hws_handle *handle, const struct hws_addr *addr,
                               uint16_t port, struct sockaddr_storage *out)
{
    bool mapped = addr->family == HWS_FAMILY_NONE ||
                  (addr->family == HWS_FAMILY_IPV4 && !handle->sock->options.plain_v4);
    if (handle->domain == AF_INET6 && mapped)
        return write_mapped(addr, port, out);
    return hws_sockaddr_write(addr, port, out);
}

void hws_fd_give_address(const struct hws_handle *handle, const struct hws_addr *addr,
                         uint16_t port, struct sockaddr *sa, socklen_t *len)
{
    struct sockaddr_storage storage;
    if (sa == NULL || len == NULL)
        return;
    socklen_t need = hws_fd_write_address(handle, addr, port, &storage);
    memcpy(sa, &storage, need < *len ? need : *len);
    *len = need;
}

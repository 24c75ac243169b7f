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
    }
    return 0;
}

void hws_fd_are_peers(const struct hws_handle *handle, struct hws_addr *addrs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        addrs[i].udp_port = hws_sock_peer_udp_port(handle->sock);
}

void hws_fd_give_address(const struct hws_handle *handle, const struct hws_addr *addr,
                         uint16_t port, struct sockaddr *sa, socklen_t *len)
{
    struct sockaddr_storage storage;
    if (sa == NULL || len == NULL)
        return;
    socklen_t need = hws_sock_write_address(handle->sock, addr, port, &storage);
    memcpy(sa, &storage, need < *len ? need : *len);
    *len = need;
}

#include "api/route_linux.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/sockaddr.h"

#define ANY_PORT 9 /* connecting a UDP socket sends nothing, but wants a port */

static int get_mtu(int fd, bool ipv6, uint32_t *mtu)
{
    int value;
    socklen_t len = sizeof(value);
    if (getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_MTU : IP_MTU, &value, &len))
        return -errno;
    /* The loopback device has 65,536, but an IP packet's length field ends at 65,535. */
    *mtu = value < 65535 ? (uint32_t)value : 65535;
    return 0;
}

static int ask(int fd, const struct hws_addr *remote, const char *interface, struct hws_addr *local,
               uint32_t *mtu)
{
    struct sockaddr_storage name;
    socklen_t len = hws_sockaddr_write(remote, ANY_PORT, &name);
    if (interface != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)))
        return -errno;
    if (connect(fd, (const struct sockaddr *)&name, len) != 0)
        return -errno;
    len = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
        return -errno;
    uint16_t port;
    if (local != NULL)
        hws_sockaddr_read((const struct sockaddr *)&name, len, local, &port);
    return mtu != NULL ? get_mtu(fd, remote->family == HWS_FAMILY_IPV6, mtu) : 0;
}

int hws_route_lookup(const struct hws_addr *remote, const char *interface, struct hws_addr *local,
                     uint32_t *mtu)
{
    int fd = socket(remote->family == HWS_FAMILY_IPV6 ? AF_INET6 : AF_INET,
                    SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = ask(fd, remote, interface, local, mtu);
    close(fd);
    return result;
}

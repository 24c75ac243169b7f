#include "api/link/netwatch_linux.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static int open_groups(uint32_t groups)
{
    const struct sockaddr_nl addr = {.nl_family = AF_NETLINK,
                                     .nl_groups = groups | RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                                  RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                                  RTMGRP_IPV6_ROUTE};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

int hws_netwatch_open(void)
{
    return open_groups(0);
}

int hws_netwatch_open_neighbours(void)
{
    return open_groups(RTMGRP_NEIGH);
}

/* What the messages say does not matter: whoever is concerned looks the route up again. ENOBUFS
 * says that some were lost, and more may follow. */
void hws_netwatch_drain(int fd)
{
    uint8_t scrap[8192];
    ssize_t len;
    do
        len = recv(fd, scrap, sizeof(scrap), 0);
    while (len > 0 || (len < 0 && (errno == ENOBUFS || errno == EINTR)));
}

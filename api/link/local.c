#include "api/link/local.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <unistd.h>

#include "api/sock/sockaddr.h"

/* Binding a UDP socket asks the kernel: it needs no privilege and sends nothing. */
int hws_local_check(const struct hws_addr *addr)
{
    struct sockaddr_storage storage;
    socklen_t len = hws_sockaddr_write(addr, 0, &storage);
    int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = bind(fd, (const struct sockaddr *)&storage, len) == 0 ? 0 : -errno;
    close(fd);
    return rc;
}

static bool read_one(const struct ifaddrs *interface, struct hws_addr *out)
{
    const struct sockaddr *sa = interface->ifa_addr;
    uint16_t port;
    if (sa == NULL || (interface->ifa_flags & IFF_UP) == 0)
        return false;
    if (sa->sa_family == AF_INET)
        return hws_sockaddr_read(sa, sizeof(struct sockaddr_in), out, &port) == 0;
    return sa->sa_family == AF_INET6 &&
           hws_sockaddr_read(sa, sizeof(struct sockaddr_in6), out, &port) == 0;
}

int hws_local_list(struct hws_addr *out, int most)
{
    struct ifaddrs *all;
    int count = 0;
    if (getifaddrs(&all) != 0)
        return -errno;
    for (const struct ifaddrs *one = all; one != NULL && count < most; one = one->ifa_next)
        count += read_one(one, &out[count]);
    freeifaddrs(all);
    return count;
}

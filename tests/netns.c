#include "tests/netns.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool lo_ioctl(unsigned long request, struct ifreq *ifr)
{
    strcpy(ifr->ifr_name, "lo");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 ? -1 : ioctl(fd, request, ifr);
    if (fd >= 0)
        close(fd);
    return result == 0;
}

bool netns_enter(void)
{
    struct ifreq ifr = {.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK};
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        printf("SKIP: no network namespace can be made here: %s\n", strerror(errno));
        return false;
    }
    if (!lo_ioctl(SIOCSIFFLAGS, &ifr)) {
        printf("SKIP: the loopback interface cannot be set up: %s\n", strerror(errno));
        return false;
    }
    return true;
}

void netns_set_lo_mtu(int mtu)
{
    struct ifreq ifr = {.ifr_mtu = mtu};
    if (!lo_ioctl(SIOCSIFMTU, &ifr))
        abort();
}

#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool ask(unsigned long request, void *argument)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = fd >= 0 && ioctl(fd, request, argument) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

static void put_address(struct sockaddr *to, const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    inet_pton(AF_INET, text, &in.sin_addr);
    memcpy(to, &in, sizeof(in));
}

/* With the mask of its class it would make a whole network local. */
static void add_address(const char *label, const char *text)
{
    struct ifreq one = {.ifr_flags = 0};
    bool done;
    strcpy(one.ifr_name, label);
    put_address(&one.ifr_addr, text);
    done = ask(SIOCSIFADDR, &one);
    put_address(&one.ifr_netmask, "255.255.255.255");
    if (!done || !ask(SIOCSIFNETMASK, &one)) {
        perror(text);
        exit(1);
    }
}

void world_addresses(void)
{
    add_address("lo:1", WORLD_FIRST);
    add_address("lo:2", WORLD_SECOND);
}

/* What is routed into the loopback interface and is not ours the kernel drops without a word. */
void world_nobody(void)
{
    struct rtentry route = {.rt_flags = RTF_UP, .rt_dev = (char[]){"lo"}};
    add_address("lo:1", WORLD_FIRST);
    put_address(&route.rt_dst, "10.3.0.0");
    put_address(&route.rt_genmask, "255.255.255.0");
    if (!ask(SIOCADDRT, &route)) {
        perror("route");
        exit(1);
    }
}

bool world_enter(void)
{
    struct ifreq lo = {.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK};
    strcpy(lo.ifr_name, "lo");
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        printf("SKIP: no network namespace can be made here: %s\n", strerror(errno));
        return false;
    }
    if (!ask(SIOCSIFFLAGS, &lo)) {
        printf("SKIP: the loopback interface cannot be set up: %s\n", strerror(errno));
        return false;
    }
    return true;
}

void world_drop_privilege(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) == 0) {
        data[0].effective &= ~(1U << CAP_NET_BIND_SERVICE);
        if (syscall(SYS_capset, &header, data) == 0)
            return;
    }
    perror("capabilities");
    exit(1);
}

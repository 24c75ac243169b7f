#include "api/link/port_claim_linux.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/link/shard_group_linux.h"

static socklen_t claim_name(uint8_t protocol, uint16_t port, struct sockaddr_un *name)
{
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    /* The first byte stays NUL: an abstract name. */
    int len = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "hawser/port/%u/%u",
                       protocol, port);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

int hws_port_claim(uint8_t protocol, uint16_t port)
{
    struct sockaddr_un name;
    socklen_t len = claim_name(protocol, port, &name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&name, len) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

struct port {
    uint8_t protocol;
    uint16_t number;
};

static int claim_for_group(void *arg, int fds[HWS_SHARD_GROUP_FDS])
{
    const struct port *port = arg;
    fds[0] = hws_port_claim(port->protocol, port->number);
    return fds[0] < 0 ? fds[0] : 0;
}

int hws_port_take(uint8_t protocol, uint16_t port, const struct hws_shard *shard, int *claim)
{
    if (shard->count <= 1) {
        *claim = hws_port_claim(protocol, port);
        return *claim < 0 ? *claim : 0;
    }
    struct port named = {.protocol = protocol, .number = port};
    const int *fds;
    int rc = hws_shard_group_join(protocol, port, shard, claim_for_group, &named, &fds);
    if (rc == 0)
        *claim = fds[0];
    return rc;
}

void hws_port_give(uint8_t protocol, uint16_t port, const struct hws_shard *shard, int claim)
{
    if (shard->count <= 1)
        close(claim);
    else
        hws_shard_group_leave(protocol, port, shard);
}

static unsigned first_unprivileged(void)
{
    unsigned first = 1024;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    if (file == NULL || fscanf(file, "%u", &first) != 1)
        first = 1024;
    if (file != NULL)
        fclose(file);
    return first;
}

/* Capabilities belong to threads, so the one that asks is asked about. */
static bool may_bind_services(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capget, &header, data) == 0 &&
           (data[0].effective & (1u << CAP_NET_BIND_SERVICE)) != 0;
}

int hws_port_check(uint16_t port)
{
    return port >= 1024 || may_bind_services() || port >= first_unprivileged() ? 0 : -EACCES;
}

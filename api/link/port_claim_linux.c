#include "api/link/port_claim_linux.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

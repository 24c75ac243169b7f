#include "api/link/local.h"

#include <errno.h>
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

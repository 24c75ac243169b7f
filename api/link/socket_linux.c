#include "api/link/socket_linux.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

static void set_buffer(int fd, int beyond_limit, int up_to_limit, int bytes)
{
    if (bytes > 0 && setsockopt(fd, SOL_SOCKET, beyond_limit, &bytes, sizeof(bytes)) != 0)
        setsockopt(fd, SOL_SOCKET, up_to_limit, &bytes, sizeof(bytes));
}

void hws_socket_set_buffers(int fd, int rcvbuf_bytes, int sndbuf_bytes)
{
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, rcvbuf_bytes);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, sndbuf_bytes);
}

/* Asked for, the count is exact; SO_RXQ_OVFL would tell with the next packet that does arrive. */
void hws_socket_add_memory(int fd, struct hws_link_stats *stats)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof(info);
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0 || len < sizeof(info))
        return;
    stats->rx_socket_drops += info[SK_MEMINFO_DROPS];
    if (stats->rx_buffer_bytes == 0 || info[SK_MEMINFO_RCVBUF] < stats->rx_buffer_bytes)
        stats->rx_buffer_bytes = info[SK_MEMINFO_RCVBUF];
}

int hws_socket_attach_filter(int fd, const struct sock_filter *insns, size_t count)
{
    /* The kernel copies the program; its interface merely lacks the const. */
    struct sock_fprog program = {.len = (unsigned short)count,
                                 .filter = (struct sock_filter *)(uintptr_t)insns};
    int rc = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
    return rc == 0 ? 0 : -errno;
}

void hws_socket_drain(int fd)
{
    uint8_t byte;
    while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0 || errno != EAGAIN)
        continue;
}

uint8_t hws_socket_ttl(int fd, enum hws_family family)
{
    int ttl = 0;
    socklen_t len = sizeof(ttl);
    int rc = family == HWS_FAMILY_IPV6 ? getsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, &len)
                                       : getsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, &len);
    return rc == 0 && ttl > 0 && ttl <= UINT8_MAX ? (uint8_t)ttl : IPDEFTTL;
}

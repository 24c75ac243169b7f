#include "api/link/fragment_linux.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "api/link/socket_linux.h"
#include "proto/bytes.h"
#include "proto/ip.h"

#define IPV6_MTU_MIN 1280u
#define MORE_FRAGMENTS 1u

void hws_fragment6_init(struct hws_fragment6 *f)
{
    f->fd = -1;
    if (getrandom(&f->id, sizeof(f->id), GRND_NONBLOCK) != (ssize_t)sizeof(f->id))
        f->id = 0;
}

void hws_fragment6_fini(struct hws_fragment6 *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/* It only sends: a filter keeps the fragments that others send us out of it. */
static int open_like(int fd)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    char interface[IFNAMSIZ];
    socklen_t len = sizeof(interface);
    int mode = IPV6_PMTUDISC_PROBE;
    int own = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_FRAGMENT);
    if (own < 0)
        return -1;
    (void)hws_socket_attach_filter(own, &nothing, 1);
    setsockopt(own, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &mode, sizeof(mode));
    if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, &len) == 0 && len > 0)
        setsockopt(own, SOL_SOCKET, SO_BINDTODEVICE, interface, len);
    return own;
}

static int send_one(struct hws_fragment6 *f, const struct msghdr *message, uint8_t *header,
                    uint32_t offset, uint32_t len)
{
    uint8_t *data = message->msg_iov[0].iov_base;
    struct iovec iov[] = {{header, HWS_IPV6_FRAGMENT_LEN}, {data + offset, len}};
    struct msghdr fragment = *message;
    bool last = offset + len == message->msg_iov[0].iov_len;
    hws_put16(header + 2, (uint16_t)(offset | (last ? 0 : MORE_FRAGMENTS)));
    fragment.msg_iov = iov;
    fragment.msg_iovlen = 2;
    return sendmsg(f->fd, &fragment, MSG_DONTWAIT) < 0 ? errno : 0;
}

int hws_fragment6_send(struct hws_fragment6 *f, int fd, const struct msghdr *message, uint32_t mtu)
{
    uint32_t len = (uint32_t)message->msg_iov[0].iov_len;
    uint32_t room = (mtu < IPV6_MTU_MIN ? IPV6_MTU_MIN : mtu) - HWS_IPV6_HEADER_LEN;
    uint32_t most = (room - HWS_IPV6_FRAGMENT_LEN) & ~7u;
    uint8_t header[HWS_IPV6_FRAGMENT_LEN] = {0};
    int protocol = 0, error = 0;
    socklen_t protocol_len = sizeof(protocol);
    if (f->fd < 0)
        f->fd = open_like(fd);
    if (f->fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &protocol_len) != 0)
        return errno;
    header[0] = (uint8_t)protocol;
    hws_put32(header + 4, f->id++);
    for (uint32_t offset = 0; offset < len && error == 0; offset += most)
        error = send_one(f, message, header, offset, len - offset < most ? len - offset : most);
    return error;
}

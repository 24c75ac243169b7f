/* IPv6 fragments of our own making. With IPv6 only the sender fragments (RFC 8200, 4.5), and Linux
 * does so for the MTU it knows itself: its interface's, or what an ICMPv6 message said. A path
 * that is found narrower by probes is known to us alone. */
#ifndef HWS_API_FRAGMENT_LINUX_H
#define HWS_API_FRAGMENT_LINUX_H

#include <stdint.h>
#include <sys/socket.h>

struct hws_fragment6 {
    int fd;      /* a raw socket for Fragment headers, -1: not open */
    uint32_t id; /* the next packet's identification */
};

void hws_fragment6_init(struct hws_fragment6 *f);
void hws_fragment6_fini(struct hws_fragment6 *f);

/** Sends one packet of the raw IPv6 socket `fd`, described by `message` with one buffer, in
 * fragments that fit an IP MTU of `mtu`. 0, or errno's value. */
int hws_fragment6_send(struct hws_fragment6 *f, int fd, const struct msghdr *message, uint32_t mtu);

#endif

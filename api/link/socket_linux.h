/* What links do alike with the sockets they have. */
#ifndef HWS_API_SOCKET_LINUX_H
#define HWS_API_SOCKET_LINUX_H

#include <stdint.h>

#include "api/link/link.h"

/** Asks for buffers of so many bytes, 0: leaves that one alone. Beyond the system's limit where
 * that is allowed, else up to it. */
void hws_socket_set_buffers(int fd, int rcvbuf_bytes, int sndbuf_bytes);

/** Adds the packets dropped for want of memory; the receive buffer is the smallest of those added,
 * since windows have to fit into whichever is used. Both as the kernel counts them. */
void hws_socket_add_memory(int fd, struct hws_link_stats *stats);

struct sock_filter;

/** Puts `count` instructions of BPF before the socket's reception. 0 or a negative errno. */
int hws_socket_attach_filter(int fd, const struct sock_filter *insns, size_t count);

/** Throws away what waits to be received. */
void hws_socket_drain(int fd);

/** The TTL, or the hop limit, that the system sends with on an IP socket of this family. */
uint8_t hws_socket_ttl(int fd, enum hws_family family);

#endif

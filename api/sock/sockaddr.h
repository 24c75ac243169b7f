/* The operating system's addresses and the engine's. */
#ifndef HWS_API_SOCKADDR_H
#define HWS_API_SOCKADDR_H

#include <sys/socket.h>

#include "proto/addr.h"

/** Reads an AF_INET or AF_INET6 address (IPv4-mapped ones become IPv4) and its SCTP port. A
 * wildcard address gives HWS_FAMILY_NONE. 0, -EINVAL (`len` too short) or -EAFNOSUPPORT. */
int hws_sockaddr_read(const struct sockaddr *sa, socklen_t len, struct hws_addr *addr,
                      uint16_t *port);

/** Reads `count` addresses that stand back to back, as sctp_bindx takes them (RFC 6458, 9.1); all
 * must have the same port. -EINVAL also when count is not 1..max. */
int hws_sockaddr_read_packed(const struct sockaddr *sas, int count, struct hws_addr *addrs,
                             uint32_t max, uint16_t *port);

/** Writes the address and SCTP port and returns the bytes used; HWS_FAMILY_NONE becomes the IPv4
 * wildcard. */
socklen_t hws_sockaddr_write(const struct hws_addr *addr, uint16_t port,
                             struct sockaddr_storage *out);

#endif

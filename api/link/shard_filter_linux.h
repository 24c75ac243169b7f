/* The rule of proto/shard.h as a program for the kernel. */
#ifndef HWS_API_SHARD_FILTER_LINUX_H
#define HWS_API_SHARD_FILTER_LINUX_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define HWS_SHARD_FILTER_INSNS 17u

/** Writes instructions that leave in A the shard that a packet belongs to, and returns how many.
 * The common header is behind an IPv4 header, or without one at `offset`. A packet that is too
 * short to say ends the whole program with 0. */
uint32_t hws_shard_filter_write(struct sock_filter insns[HWS_SHARD_FILTER_INSNS], bool ipv4_header,
                                uint32_t offset, uint32_t count);

/** Has the sockets that share a port by SO_REUSEPORT, of which `fd` is one, get the packets of
 * their shards: the first one bound those of shard 0, and so on. 0 or a negative errno. */
int hws_shard_filter_attach_reuseport(int fd, uint32_t count);

#endif

/* Ethernet frames for the bare parts below IP. */
#ifndef HWS_BENCH_BARE_FRAME_H
#define HWS_BENCH_BARE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/bare.h"

#define BARE_ETHERNET_HEADER 14u

/** Writes an Ethernet frame with an IPv4 packet of IP protocol 132, from options->interface's
 * addresses to the sink and its hardware address: Ethernet's header and options->packet_bytes.
 * False with errno set when there is no such interface or neighbour. */
bool bare_frame_make(const struct bare_options *options, uint8_t *frame);

/** The hardware address and an IPv4 address of the interface. False with errno set. */
bool bare_frame_own_addresses(const char *device, uint8_t mac[6], struct in_addr *ip);

/** A raw socket that takes nothing: while there is one the kernel does not answer the packets with
 * "protocol unreachable". False with errno set. */
bool bare_keep_silent(void);

#endif

/* The kernel's filter of a raw socket: every raw socket of a protocol is given every packet of
 * it, this program lets through those to the socket's own ports. A link on AF_PACKET has two of
 * them, which share the packets between its packet socket and its raw socket: what came whole and
 * has the SCTP header right behind IP's goes to the first, what IP had work with to the second. */
#ifndef HWS_API_RAW_FILTER_LINUX_H
#define HWS_API_RAW_FILTER_LINUX_H

#include <linux/filter.h>
#include <stdint.h>

#include "api/link/port_set.h"
#include "api/link/shard_filter_linux.h"
#include "proto/addr.h"
#include "proto/shard.h"

/* Ranges a program tells apart, so that a few associations at a time have an exact one. Of a set
 * with more it lets through too much, which costs time only, since the link looks at the port
 * again; and then it makes do with two (the listeners', the drawn ones), so that nearly all ports
 * to come are let through already: attaching a program costs far more than a packet of someone
 * else's. When few ranges would be enough it is exact again. */
#define HWS_RAW_FILTER_MAX_RANGES 16u
#define HWS_RAW_FILTER_WIDE_RANGES 2u
/* Which shard's a packet is, and whether that is this one. */
#define HWS_RAW_FILTER_SHARD_INSNS (HWS_SHARD_FILTER_INSNS + 2u)
/* A range costs at most 4 instructions and a branch between two ranges 2; the kernel takes 4096. */
#define HWS_RAW_FILTER_MAX_INSNS (HWS_RAW_FILTER_SHARD_INSNS + 17u + 6u * HWS_RAW_FILTER_MAX_RANGES)

struct hws_raw_filter {
    uint32_t left; /* ports removed that it may still let through */
    struct hws_port_range ranges[HWS_RAW_FILTER_MAX_RANGES];
    size_t range_count;
    uint32_t count;
    struct sock_filter insns[HWS_RAW_FILTER_MAX_INSNS];
};

/** Compiles the filter for sockets of `family`: of this shard's packets those to `ports` pass. An
 * empty set lets nothing through; NULL stands for all ports. */
void hws_raw_filter_compile(struct hws_raw_filter *filter, enum hws_family family,
                            const struct hws_shard *shard, const struct hws_port_set *ports);

/** Compiles the filter for packet sockets (AF_PACKET, SOCK_DGRAM) of `family`: whole packets of the
 * IP protocol that came for this host, and its fragments of IPv6. */
void hws_raw_filter_compile_packet(struct hws_raw_filter *filter, enum hws_family family,
                                   uint8_t protocol, const struct hws_shard *shard,
                                   const struct hws_port_set *ports);

/** Compiles the filter for raw sockets that take what compile_packet's program leaves. */
void hws_raw_filter_compile_rest(struct hws_raw_filter *filter, enum hws_family family,
                                 uint8_t protocol, const struct hws_shard *shard,
                                 const struct hws_port_set *ports);

/** Whether it lets packets to `port` through. */
bool hws_raw_filter_passes(const struct hws_raw_filter *filter, uint16_t port);

/** A port has been removed from `ports`. Whether it is time to compile and attach anew: a filter
 * that lets much through that is not ours is narrowed when a few ranges are exact again, but not
 * with each port that goes, since attaching costs more than some packets that are not ours. */
bool hws_raw_filter_narrows(struct hws_raw_filter *filter, const struct hws_port_set *ports);

/** Attaches it in place of the one before. 0 or a negative errno. */
int hws_raw_filter_attach(const struct hws_raw_filter *filter, int fd);

#endif

/* Shards: engines that share an address and ports and nothing else, each on a core of its own.
 * Every packet belongs to one of them, and its first bytes say to which:
 *
 * - most packets carry a tag that their receiver drew (RFC 9260, 8.5), and a shard draws such as
 *   leave its index when divided by the number of shards;
 * - an INIT has tag 0, and ABORT and SHUTDOWN COMPLETE with the T bit carry the sender's tag
 *   (8.5.1): these go by the sum of both ports. So an association whose ports do not lead to its
 *   shard would miss its peer's restart and ABORT: shards accept and begin only such as do.
 *   Addresses have no say, since an association may have several.
 *
 * What is written here as C is written as a program for the kernel in
 * api/link/shard_filter_linux.c.
 */
#ifndef HWS_PROTO_SHARD_H
#define HWS_PROTO_SHARD_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a packet that decide: the common header, type and flags of the first chunk. */
#define HWS_SHARD_BYTES 14u
/* Spreads sums of ports over 16 bits, from bit 16 up: 2^32 divided by the golden ratio. */
#define HWS_SHARD_SPREAD 0x9e3779b1u

/* Which one of how many. */
struct hws_shard {
    uint32_t count; /* 0 and 1: there are no others */
    uint32_t index; /* 0 .. count - 1 */
};

/** The shard that ports of an association lead to, in either order. `count` is 1 or more. */
uint32_t hws_shard_of_ports(uint32_t count, uint16_t port, uint16_t other_port);

/** The shard that a packet of `len` bytes belongs to; 0 when it is too short to say. `count` is 1
 * or more. */
uint32_t hws_shard_of_packet(uint32_t count, const uint8_t *packet, uint32_t len);

/** Whether ports lead to this shard. */
static inline bool hws_shard_has_ports(const struct hws_shard *shard, uint16_t port,
                                       uint16_t other_port)
{
    return shard->count <= 1 || hws_shard_of_ports(shard->count, port, other_port) == shard->index;
}

/** Whether a packet is this shard's. */
static inline bool hws_shard_has_packet(const struct hws_shard *shard, const uint8_t *packet,
                                        uint32_t len)
{
    return shard->count <= 1 || hws_shard_of_packet(shard->count, packet, len) == shard->index;
}

/** A tag of this shard's as near to `tag` as there is one. */
uint32_t hws_shard_tag(const struct hws_shard *shard, uint32_t tag);

#endif

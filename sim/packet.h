/* Packets on their way, and rings of them. */
#ifndef HWS_SIM_PACKET_H
#define HWS_SIM_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"
#include "stack/buf.h"

struct sim_link;
struct sim_node;

/* How packets get from a host to an address: chosen once, by the destination. */
struct sim_route {
    struct hws_addr src, dst;
    struct sim_node *from, *to;
    struct sim_link **links; /* `hops` of them; 0: there is no way */
    uint32_t hops;
    uint32_t mtu; /* of the first one */
};

/* Of IPv4, without options. */
#define SIM_IP_HEADER_BYTES 20u

/* The last two bits of IPv4's TOS (RFC 3168, 5). */
#define SIM_ECN_MASK 3u
#define SIM_ECN_CE 3u

struct sim_packet {
    struct hws_buf *buf; /* a reference to what `data` lies in */
    const uint8_t *data; /* from the SCTP header on */
    const struct sim_route *route;
    uint64_t at_ns; /* in a queue: when it came; on the wire: when it arrives */
    uint32_t len;
    uint32_t ip_bytes;
    uint16_t association; /* whose it is */
    uint8_t way;          /* and from which of its sides */
    uint8_t tos;
    uint32_t hop; /* links passed */
};

/* First in, first out; grows as needed. */
struct sim_ring {
    struct sim_packet *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t head, count;
};

void sim_ring_grow(struct sim_ring *ring);

/** Frees it with the packets in it. */
void sim_ring_fini(struct sim_ring *ring);

/** The packet at a place, 0 is the head; there have to be so many. */
static inline struct sim_packet *sim_ring_at(const struct sim_ring *ring, uint32_t place)
{
    return &ring->slots[(ring->head + place) & (ring->capacity - 1)];
}

static inline void sim_ring_push(struct sim_ring *ring, const struct sim_packet *packet)
{
    if (ring->count == ring->capacity)
        sim_ring_grow(ring);
    *sim_ring_at(ring, ring->count++) = *packet;
}

static inline struct sim_packet sim_ring_pop(struct sim_ring *ring)
{
    struct sim_packet packet = ring->slots[ring->head];
    ring->head = (ring->head + 1) & (ring->capacity - 1);
    ring->count--;
    return packet;
}

#endif

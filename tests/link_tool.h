/* What the tests of links share: recognisable packets, sent as trains and received into a list. */
#ifndef HWS_TESTS_LINK_TOOL_H
#define HWS_TESTS_LINK_TOOL_H

#include "api/link/link.h"

/** "127.0.0.1" or "::1" as an address, with a UDP port. */
struct hws_addr link_addr(const char *text, uint16_t udp_port);

/** Writes a packet of `len` bytes (4 or more) with these ports; what follows depends on `seed`. */
void link_fill(uint8_t *packet, uint32_t len, uint16_t src_port, uint16_t dst_port, uint32_t seed);

/** Fails the test unless `packet` is what link_fill writes. */
void link_check(const struct hws_packet_in *packet, uint32_t len, uint16_t src_port,
                uint16_t dst_port, uint32_t seed);

struct link_send {
    const char *src, *dst; /* src NULL: the network chooses */
    uint16_t udp_port;     /* of dst */
    uint16_t src_port, dst_port;
    uint32_t count, len, last_len; /* packets, bytes of each, of the last one (0: the same) */
    uint32_t seed;                 /* of the first packet; counts up */
    uint32_t fragment_mtu;         /* what IP may fragment it for, 0: it may not */
    uint8_t tos, ttl;              /* 0: the system's */
};

/** Builds and submits one train. */
void link_submit(struct hws_link *link, const struct link_send *send);

/** Submits one train and flushes until everything has left. */
void link_send(struct hws_link *link, const struct link_send *send);

/** Receives until `count` packets have come or 2 s have passed; returns how many came. */
size_t link_receive(struct hws_link *link, struct hws_packet_in *packets, size_t count);

/** Fails the test when anything comes. */
void link_expect_nothing(struct hws_link *link);

void link_unref(const struct hws_packet_in *packets, size_t count);

/** Makes a socket tell the TOS and TTL of packets, or their traffic class and hop limit. */
void link_watch_ip(int fd, bool ipv6);

/** Fails the test unless the next packet that the socket receives within 2 s has these. */
void link_check_ip(int fd, uint8_t tos, uint8_t ttl);

/** Waits up to 2 s for an event. */
bool link_wait_event(struct hws_link *link, struct hws_net_event *event);

#endif

/* IP headers: how long they are, and those that no kernel writes or reads for us. */
#ifndef HWS_PROTO_IP_H
#define HWS_PROTO_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"

#define HWS_IPV4_HEADER_LEN 20u /* without options */
#define HWS_IPV6_HEADER_LEN 40u
#define HWS_IP_HEADER_MAX HWS_IPV6_HEADER_LEN
#define HWS_UDP_HEADER_LEN 8u

/** An extension header: its protocol number and its length (RFC 8200, 4.5). */
#define HWS_IPV6_FRAGMENT 44u
#define HWS_IPV6_FRAGMENT_LEN 8u

/** What the packets of a train have in common. */
struct hws_ip {
    struct hws_addr src, dst; /* of one family */
    uint8_t protocol;
    uint8_t tos, ttl;
};

/** Bytes of the header towards this family. */
static inline uint32_t hws_ip_header_len(uint8_t family)
{
    return family == HWS_FAMILY_IPV6 ? HWS_IPV6_HEADER_LEN : HWS_IPV4_HEADER_LEN;
}

/** Writes the header of a packet with `payload_len` bytes behind it. IPv4: not to be fragmented,
 * so that the identification may be 0 (RFC 6864, 4.1). Returns its bytes. */
uint32_t hws_ip_write(const struct hws_ip *ip, uint32_t payload_len,
                      uint8_t header[HWS_IP_HEADER_MAX]);

/** What a header said. */
struct hws_ip_packet {
    struct hws_addr src, dst;
    const uint8_t *payload;
    uint32_t payload_len;
    uint8_t protocol; /* IPv6: the next header, whatever that is */
};

/** Reads a whole packet of IPv4 or IPv6 from `len` bytes, behind which there may be padding. False
 * when it is none, a fragment, or its header's checksum is wrong. */
bool hws_ip_read(const uint8_t *data, uint32_t len, struct hws_ip_packet *packet);

/** What the headers of a captured packet say, which may be a fragment, cut short or damaged. */
struct hws_ip_view {
    struct hws_addr src, dst;
    const uint8_t *payload;
    uint32_t payload_len;     /* as far as it was captured */
    uint32_t missing_bytes;   /* of the payload */
    uint32_t id;              /* of a fragment: which packet it is of */
    uint32_t fragment_offset; /* of the payload in that packet, in bytes */
    bool more_fragments;
    bool bad_checksum; /* of the IPv4 header */
    uint8_t protocol;  /* behind IPv6 extension headers */
};

/** Reads the headers from the `len` bytes of a packet that were captured. False when it is neither
 * IPv4 nor IPv6, or its headers are not all there. */
bool hws_ip_view_read(const uint8_t *data, uint32_t len, struct hws_ip_view *view);

/** Whether it is a part of a packet. */
static inline bool hws_ip_view_is_fragment(const struct hws_ip_view *view)
{
    return view->more_fragments || view->fragment_offset != 0;
}

#endif

#include "proto/ip.h"

#include <string.h>

#include "proto/bytes.h"

#define VERSION_4 0x40u
#define DONT_FRAGMENT 0x4000u
#define FRAGMENT_MASK 0x3fffu /* more fragments, or an offset */
#define OFFSET_MASK_4 0x1fffu /* in units of 8 bytes */
#define MORE_4 0x2000u
#define OFFSET_MASK_6 0xfff8u /* in bytes */
#define MORE_6 0x0001u

/* Further IPv6 extension headers (RFC 7045, 2). */
#define HOP_BY_HOP 0u
#define ROUTING 43u
#define AUTHENTICATION 51u
#define DESTINATION_OPTIONS 60u
#define MOBILITY 135u
#define HOST_IDENTITY 139u
#define SHIM6 140u

/* RFC 1071; of a header without its checksum, or 0 of one that has the right one. */
static uint16_t checksum(const uint8_t *header, uint32_t len)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < len; i += 2)
        sum += hws_get16(header + i);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint32_t write_ipv4(const struct hws_ip *ip, uint32_t payload_len, uint8_t *header)
{
    memset(header, 0, HWS_IPV4_HEADER_LEN);
    header[0] = VERSION_4 | HWS_IPV4_HEADER_LEN / 4;
    header[1] = ip->tos;
    hws_put16(header + 2, (uint16_t)(HWS_IPV4_HEADER_LEN + payload_len));
    hws_put16(header + 6, DONT_FRAGMENT);
    header[8] = ip->ttl;
    header[9] = ip->protocol;
    memcpy(header + 12, ip->src.ip, 4);
    memcpy(header + 16, ip->dst.ip, 4);
    hws_put16(header + 10, checksum(header, HWS_IPV4_HEADER_LEN));
    return HWS_IPV4_HEADER_LEN;
}

static uint32_t write_ipv6(const struct hws_ip *ip, uint32_t payload_len, uint8_t *header)
{
    hws_put32(header, 6u << 28 | (uint32_t)ip->tos << 20);
    hws_put16(header + 4, (uint16_t)payload_len);
    header[6] = ip->protocol;
    header[7] = ip->ttl;
    memcpy(header + 8, ip->src.ip, 16);
    memcpy(header + 24, ip->dst.ip, 16);
    return HWS_IPV6_HEADER_LEN;
}

uint32_t hws_ip_write(const struct hws_ip *ip, uint32_t payload_len,
                      uint8_t header[HWS_IP_HEADER_MAX])
{
    return ip->dst.family == HWS_FAMILY_IPV6 ? write_ipv6(ip, payload_len, header)
                                             : write_ipv4(ip, payload_len, header);
}

static bool read_ipv4(const uint8_t *data, uint32_t len, struct hws_ip_packet *packet)
{
    if (len < HWS_IPV4_HEADER_LEN)
        return false;
    uint32_t header_len = 4u * (data[0] & 0x0fu), total_len = hws_get16(data + 2);
    if (header_len < HWS_IPV4_HEADER_LEN || header_len > total_len || total_len > len ||
        (hws_get16(data + 6) & FRAGMENT_MASK) != 0 || checksum(data, header_len) != 0)
        return false;
    *packet = (struct hws_ip_packet){.src = {.family = HWS_FAMILY_IPV4},
                                     .dst = {.family = HWS_FAMILY_IPV4},
                                     .payload = data + header_len,
                                     .payload_len = total_len - header_len,
                                     .protocol = data[9]};
    memcpy(packet->src.ip, data + 12, 4);
    memcpy(packet->dst.ip, data + 16, 4);
    return true;
}

static bool read_ipv6(const uint8_t *data, uint32_t len, struct hws_ip_packet *packet)
{
    if (len < HWS_IPV6_HEADER_LEN || hws_get16(data + 4) > len - HWS_IPV6_HEADER_LEN)
        return false;
    *packet = (struct hws_ip_packet){.src = {.family = HWS_FAMILY_IPV6},
                                     .dst = {.family = HWS_FAMILY_IPV6},
                                     .payload = data + HWS_IPV6_HEADER_LEN,
                                     .payload_len = hws_get16(data + 4),
                                     .protocol = data[6]};
    memcpy(packet->src.ip, data + 8, 16);
    memcpy(packet->dst.ip, data + 24, 16);
    return true;
}

bool hws_ip_read(const uint8_t *data, uint32_t len, struct hws_ip_packet *packet)
{
    switch (len == 0 ? 0 : data[0] >> 4) {
    case 4:
        return read_ipv4(data, len, packet);
    case 6:
        return read_ipv6(data, len, packet);
    default:
        return false;
    }
}

/* ---- Captured packets ---- */

/* Behind `header_len` bytes of headers comes the payload: what there should be, and what is there.
 */
static void view_payload(struct hws_ip_view *view, const uint8_t *data, uint32_t len,
                         uint32_t header_len, uint32_t total_len)
{
    uint32_t end = total_len < len ? total_len : len;
    view->payload = data + header_len;
    view->payload_len = end - header_len;
    view->missing_bytes = total_len - end;
}

static bool view_ipv4(const uint8_t *data, uint32_t len, struct hws_ip_view *view)
{
    if (len < HWS_IPV4_HEADER_LEN)
        return false;
    uint32_t header_len = 4u * (data[0] & 0x0fu), total_len = hws_get16(data + 2);
    if (header_len < HWS_IPV4_HEADER_LEN || header_len > len || header_len > total_len)
        return false;
    uint16_t fragment = hws_get16(data + 6);
    *view = (struct hws_ip_view){.src = {.family = HWS_FAMILY_IPV4},
                                 .dst = {.family = HWS_FAMILY_IPV4},
                                 .id = hws_get16(data + 4),
                                 .fragment_offset = 8u * (fragment & OFFSET_MASK_4),
                                 .more_fragments = (fragment & MORE_4) != 0,
                                 .bad_checksum = checksum(data, header_len) != 0,
                                 .protocol = data[9]};
    memcpy(view->src.ip, data + 12, 4);
    memcpy(view->dst.ip, data + 16, 4);
    view_payload(view, data, len, header_len, total_len);
    return true;
}

/* Bytes of an extension header, 0 when the protocol is none. */
static uint32_t extension_len(uint8_t protocol, const uint8_t *header)
{
    switch (protocol) {
    case HOP_BY_HOP:
    case ROUTING:
    case DESTINATION_OPTIONS:
    case MOBILITY:
    case HOST_IDENTITY:
    case SHIM6:
        return 8u * (header[1] + 1u);
    case AUTHENTICATION:
        return 4u * (header[1] + 2u);
    case HWS_IPV6_FRAGMENT:
        return HWS_IPV6_FRAGMENT_LEN;
    default:
        return 0;
    }
}

/* Moves what is behind the extension headers to the front. False when they are not all there. */
static bool view_extensions(struct hws_ip_view *view)
{
    while (view->payload_len >= HWS_IPV6_FRAGMENT_LEN && view->fragment_offset == 0) {
        const uint8_t *header = view->payload;
        uint32_t header_len = extension_len(view->protocol, header);
        if (header_len == 0)
            return true;
        if (header_len > view->payload_len)
            return false;
        if (view->protocol == HWS_IPV6_FRAGMENT) {
            view->fragment_offset = hws_get16(header + 2) & OFFSET_MASK_6;
            view->more_fragments = (hws_get16(header + 2) & MORE_6) != 0;
            view->id = hws_get32(header + 4);
        }
        view->protocol = header[0];
        view->payload += header_len;
        view->payload_len -= header_len;
    }
    return true;
}

static bool view_ipv6(const uint8_t *data, uint32_t len, struct hws_ip_view *view)
{
    if (len < HWS_IPV6_HEADER_LEN)
        return false;
    *view = (struct hws_ip_view){.src = {.family = HWS_FAMILY_IPV6},
                                 .dst = {.family = HWS_FAMILY_IPV6},
                                 .protocol = data[6]};
    memcpy(view->src.ip, data + 8, 16);
    memcpy(view->dst.ip, data + 24, 16);
    view_payload(view, data, len, HWS_IPV6_HEADER_LEN, HWS_IPV6_HEADER_LEN + hws_get16(data + 4));
    return view_extensions(view);
}

bool hws_ip_view_read(const uint8_t *data, uint32_t len, struct hws_ip_view *view)
{
    switch (len == 0 ? 0 : data[0] >> 4) {
    case 4:
        return view_ipv4(data, len, view);
    case 6:
        return view_ipv6(data, len, view);
    default:
        return false;
    }
}

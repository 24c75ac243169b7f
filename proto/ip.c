#include "proto/ip.h"

#include <string.h>

#include "proto/bytes.h"

#define VERSION_4 0x40u
#define DONT_FRAGMENT 0x4000u
#define FRAGMENT_MASK 0x3fffu /* more fragments, or an offset */

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

#include "api/trace/pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/trace/linktype.h"
#include "proto/bytes.h"
#include "proto/ip.h"

#define BLOCK_SECTION_HEADER 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_ENHANCED_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du /* numbers are in the byte order this is written in */

#define OPTION_END 0u
#define OPTION_NAME 2u  /* of an interface */
#define OPTION_APPL 4u  /* program that wrote the section */
#define OPTION_FLAGS 2u /* of a packet */

#define HEADERS_MAX (HWS_IP_HEADER_MAX + HWS_UDP_HEADER_LEN)
#define IP_LEN_MAX 65535u
#define PROTOCOL_UDP 17u
#define HOP_LIMIT 64u

/* A block under construction: headers of all kinds are short, packets follow apart. */
struct block {
    uint8_t bytes[128];
    uint32_t len;
};

struct hws_pcapng {
    FILE *file;
    int error; /* the first, as a negative errno */
};

/* ---- Blocks ---- */

static void add16(struct block *block, uint16_t value)
{
    memcpy(block->bytes + block->len, &value, sizeof(value));
    block->len += (uint32_t)sizeof(value);
}

static void add32(struct block *block, uint32_t value)
{
    memcpy(block->bytes + block->len, &value, sizeof(value));
    block->len += (uint32_t)sizeof(value);
}

static void add_option(struct block *block, uint16_t code, const void *value, uint16_t len)
{
    add16(block, code);
    add16(block, len);
    memset(block->bytes + block->len, 0, hws_pad4(len));
    memcpy(block->bytes + block->len, value, len);
    block->len += hws_pad4(len);
}

static void add_end_of_options(struct block *block)
{
    add16(block, OPTION_END);
    add16(block, 0);
}

/* Type and length stand before the body, the length again behind it. */
static int write_block(FILE *file, uint32_t type, const struct block *body)
{
    uint32_t head[2] = {type, body->len + 12};
    bool written = fwrite(head, sizeof(head), 1, file) == 1 &&
                   fwrite(body->bytes, body->len, 1, file) == 1 &&
                   fwrite(&head[1], sizeof(head[1]), 1, file) == 1;
    return written ? 0 : -errno;
}

static int write_section_header(FILE *file)
{
    static const char program[] = "hawser";
    struct block body = {.len = 0};
    add32(&body, BYTE_ORDER_MAGIC);
    add16(&body, 1); /* version 1.0 */
    add16(&body, 0);
    add32(&body, UINT32_MAX); /* the section's length is not known: 64 bits of ones */
    add32(&body, UINT32_MAX);
    add_option(&body, OPTION_APPL, program, sizeof(program) - 1);
    add_end_of_options(&body);
    return write_block(file, BLOCK_SECTION_HEADER, &body);
}

/* Without an option for it, times are in microseconds. */
static int write_interface(FILE *file)
{
    static const char name[] = "hawser";
    struct block body = {.len = 0};
    add16(&body, HWS_LINKTYPE_RAW); /* begins with an IPv4 or IPv6 header */
    add16(&body, 0);
    add32(&body, 0); /* packets are whole */
    add_option(&body, OPTION_NAME, name, sizeof(name) - 1);
    add_end_of_options(&body);
    return write_block(file, BLOCK_INTERFACE, &body);
}

/* ---- The headers below SCTP ---- */

struct headers {
    uint8_t bytes[HEADERS_MAX];
    uint32_t len;
};

/* Adds to a sum in ones' complement (RFC 1071), as if an odd last byte were followed by zero. */
static uint32_t sum_bytes(uint32_t sum, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i + 1 < len; i += 2)
        sum += hws_get16(data + i);
    if (len % 2 != 0)
        sum += (uint32_t)data[len - 1] << 8;
    return (sum & 0xffff) + (sum >> 16);
}

static uint16_t finish_sum(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* The checksum covers both addresses, protocol and length besides (RFC 768, RFC 8200 8.1). */
static void add_udp(struct headers *headers, const struct hws_capture_packet *packet)
{
    uint8_t *udp = headers->bytes + headers->len;
    uint32_t len = HWS_UDP_HEADER_LEN + packet->len;
    hws_put16(udp, packet->src->udp_port);
    hws_put16(udp + 2, packet->dst->udp_port);
    hws_put16(udp + 4, (uint16_t)len);
    uint32_t sum = PROTOCOL_UDP + len;
    sum = sum_bytes(sum, packet->src->ip, 16);
    sum = sum_bytes(sum, packet->dst->ip, 16);
    sum = sum_bytes(sum, udp, HWS_UDP_HEADER_LEN);
    uint16_t checksum = finish_sum(sum_bytes(sum, packet->data, packet->len));
    hws_put16(udp + 6, checksum != 0 ? checksum : UINT16_MAX);
    headers->len += HWS_UDP_HEADER_LEN;
}

static int build_headers(const struct hws_capture_packet *packet, struct headers *headers)
{
    bool ipv6 = packet->dst->family == HWS_FAMILY_IPV6;
    bool udp = packet->src->udp_port != 0 || packet->dst->udp_port != 0;
    uint8_t protocol = udp ? PROTOCOL_UDP : packet->protocol;
    uint32_t payload_len = packet->len + (udp ? HWS_UDP_HEADER_LEN : 0);
    const struct hws_ip ip = {
        .src = *packet->src, .dst = *packet->dst, .protocol = protocol, .ttl = HOP_LIMIT};
    if (payload_len + (ipv6 ? 0 : HWS_IPV4_HEADER_LEN) > IP_LEN_MAX)
        return -EMSGSIZE;
    *headers = (struct headers){.len = 0};
    headers->len = hws_ip_write(&ip, payload_len, headers->bytes);
    if (udp)
        add_udp(headers, packet);
    return 0;
}

/* ---- The file ---- */

/* What stands behind a packet's bytes: which way it went, in the format's numbers. */
static void packet_tail(enum hws_capture_way way, struct block *tail)
{
    uint32_t flags = (uint32_t)way;
    add_option(tail, OPTION_FLAGS, &flags, sizeof(flags));
    add_end_of_options(tail);
}

static void packet_head(uint64_t unix_us, uint32_t len, uint32_t wire_len, uint32_t block_len,
                        struct block *head)
{
    add32(head, BLOCK_ENHANCED_PACKET);
    add32(head, block_len);
    add32(head, 0); /* the one interface */
    add32(head, (uint32_t)(unix_us >> 32));
    add32(head, (uint32_t)unix_us);
    add32(head, len);
    add32(head, wire_len);
}

/* What went wrong first: later failures of the stream may say something else. */
static int keep_error(struct hws_pcapng *pcapng)
{
    if (pcapng->error == 0 && ferror(pcapng->file) != 0)
        pcapng->error = -errno;
    return pcapng->error;
}

/* `ip` without its first bytes, which are in `headers`. */
static int write_packet(struct hws_pcapng *pcapng, const struct headers *headers,
                        const struct hws_capture_ip *ip)
{
    static const uint8_t zero[4];
    struct block head = {.len = 0}, tail = {.len = 0};
    uint32_t len = headers->len + ip->len;
    packet_tail(ip->way, &tail);
    uint32_t block_len = 7 * 4 + hws_pad4(len) + tail.len + 4;
    packet_head(ip->unix_us, len, headers->len + ip->wire_len, block_len, &head);
    add32(&tail, block_len);
    fwrite(head.bytes, head.len, 1, pcapng->file);
    fwrite(headers->bytes, headers->len, 1, pcapng->file);
    fwrite(ip->data, ip->len, 1, pcapng->file);
    fwrite(zero, hws_pad4(len) - len, 1, pcapng->file);
    fwrite(tail.bytes, tail.len, 1, pcapng->file);
    return keep_error(pcapng);
}

int hws_pcapng_write(struct hws_pcapng *pcapng, const struct hws_capture_packet *packet)
{
    struct headers headers;
    const struct hws_capture_ip ip = {.way = packet->way,
                                      .unix_us = packet->unix_us,
                                      .data = packet->data,
                                      .len = packet->len,
                                      .wire_len = packet->len};
    int result = build_headers(packet, &headers);
    return result != 0 ? result : write_packet(pcapng, &headers, &ip);
}

int hws_pcapng_write_ip(struct hws_pcapng *pcapng, const struct hws_capture_ip *ip)
{
    static const struct headers none;
    return write_packet(pcapng, &none, ip);
}

int hws_pcapng_flush(struct hws_pcapng *pcapng)
{
    return fflush(pcapng->file) != 0 ? keep_error(pcapng) : 0;
}

int hws_pcapng_open(const char *path, struct hws_pcapng **out)
{
    struct hws_pcapng *pcapng = calloc(1, sizeof(*pcapng));
    if (pcapng == NULL)
        return -ENOMEM;
    pcapng->file = fopen(path, "wbe");
    int result = pcapng->file == NULL ? -errno : write_section_header(pcapng->file);
    if (result == 0)
        result = write_interface(pcapng->file);
    if (result == 0) {
        *out = pcapng;
        return 0;
    }
    if (pcapng->file != NULL)
        fclose(pcapng->file);
    free(pcapng);
    return result;
}

int hws_pcapng_close(struct hws_pcapng *pcapng)
{
    int error = pcapng->error;
    int result = fclose(pcapng->file) != 0 ? -errno : 0;
    free(pcapng);
    return error != 0 ? error : result;
}

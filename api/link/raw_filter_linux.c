#include "api/link/raw_filter_linux.h"

#include <linux/if_packet.h>

#include "api/link/socket_linux.h"
#include "proto/ip.h"

#define DST_PORT_OFFSET 2u /* in the common header (RFC 9260, 3.1) */
#define PASS UINT32_MAX    /* bytes of the packet to keep */
#define DROP 0u
#define FEW_RANGES 8u  /* that are worth to be exact again */
#define PORTS_LEFT 32u /* so many have gone before that is looked at */

#define IPV4_FRAGMENT_OFFSET 6u
#define IPV4_FRAGMENT_MASK 0x7fffu /* of DF, MF and the offset */
#define IPV4_WHOLE 0x4000u         /* DF alone: no fragment; nor put together of some without DF */
#define IPV4_PROTOCOL_OFFSET 9u
#define IPV6_PROTOCOL_OFFSET 6u

static void add(struct hws_raw_filter *f, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    f->insns[f->count++] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
}

static void match_range(struct hws_raw_filter *f, struct hws_port_range range)
{
    if (range.first == range.last) {
        add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, range.first);
    } else {
        add(f, BPF_JMP | BPF_JGE | BPF_K, 0, 2, range.first);
        add(f, BPF_JMP | BPF_JGT | BPF_K, 1, 0, range.last);
    }
    add(f, BPF_RET | BPF_K, 0, 0, PASS);
    add(f, BPF_RET | BPF_K, 0, 0, DROP);
}

/* Binary search: upper half right behind the branch, lower half after it. Conditional jumps reach
 * 255 instructions only, hence the unconditional one, whose distance is set once it is known. */
static void match_ranges(struct hws_raw_filter *f, const struct hws_port_range *ranges,
                         size_t count)
{
    if (count == 1) {
        match_range(f, ranges[0]);
        return;
    }
    size_t middle = count / 2;
    add(f, BPF_JMP | BPF_JGE | BPF_K, 1, 0, ranges[middle].first);
    uint32_t branch = f->count;
    add(f, BPF_JMP | BPF_JA, 0, 0, 0);
    match_ranges(f, ranges + middle, count - middle);
    f->insns[branch].k = f->count - branch - 1;
    match_ranges(f, ranges, middle);
}

static void begin(struct hws_raw_filter *f, const struct hws_port_set *ports)
{
    f->count = 0;
    f->range_count = 1;
    f->ranges[0] = (struct hws_port_range){0, UINT16_MAX};
    if (ports == NULL)
        return;
    size_t max = hws_port_set_fits(ports, HWS_RAW_FILTER_MAX_RANGES) ? HWS_RAW_FILTER_MAX_RANGES
                                                                     : HWS_RAW_FILTER_WIDE_RANGES;
    f->range_count = hws_port_set_ranges(ports, f->ranges, max);
}

static void match_ports(struct hws_raw_filter *f)
{
    if (f->range_count > 0)
        match_ranges(f, f->ranges, f->range_count);
    else
        add(f, BPF_RET | BPF_K, 0, 0, DROP);
}

static void match_shard(struct hws_raw_filter *f, const struct hws_shard *shard, bool ipv4_header,
                        uint32_t offset)
{
    if (shard->count <= 1)
        return;
    f->count += hws_shard_filter_write(f->insns + f->count, ipv4_header, offset, shard->count);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, shard->index);
    add(f, BPF_RET | BPF_K, 0, 0, DROP);
}

/* What comes behind an IPv4 header. A load beyond the packet's end drops it. */
static void match_ipv4(struct hws_raw_filter *f, const struct hws_shard *shard)
{
    match_shard(f, shard, true, 0);
    add(f, BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0);
    add(f, BPF_LD | BPF_H | BPF_IND, 0, 0, DST_PORT_OFFSET);
    match_ports(f);
}

/* Packet sockets see the IPv6 header first, raw sockets the common header. */
static void match_ipv6(struct hws_raw_filter *f, const struct hws_shard *shard, uint32_t header_len)
{
    match_shard(f, shard, false, header_len);
    add(f, BPF_LD | BPF_H | BPF_ABS, 0, 0, header_len + DST_PORT_OFFSET);
    match_ports(f);
}

/* Goes on when what was loaded is `value`, or with `unless`, when it is not. */
static void require(struct hws_raw_filter *f, uint32_t value, bool unless)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, unless ? 0 : 1, unless ? 1 : 0, value);
    add(f, BPF_RET | BPF_K, 0, 0, DROP);
}

static void load_fragment_bits(struct hws_raw_filter *f)
{
    add(f, BPF_LD | BPF_H | BPF_ABS, 0, 0, IPV4_FRAGMENT_OFFSET);
    add(f, BPF_ALU | BPF_AND | BPF_K, 0, 0, IPV4_FRAGMENT_MASK);
}

/* Which port they are for, only the first of them knows. */
static void pass_fragments6(struct hws_raw_filter *f, uint8_t protocol)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, HWS_IPV6_FRAGMENT);
    add(f, BPF_LD | BPF_B | BPF_ABS, 0, 0, HWS_IPV6_HEADER_LEN);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, protocol);
    add(f, BPF_RET | BPF_K, 0, 0, PASS);
    add(f, BPF_RET | BPF_K, 0, 0, DROP);
}

void hws_raw_filter_compile(struct hws_raw_filter *f, enum hws_family family,
                            const struct hws_shard *shard, const struct hws_port_set *ports)
{
    begin(f, ports);
    if (family == HWS_FAMILY_IPV4)
        match_ipv4(f, shard);
    else
        match_ipv6(f, shard, 0);
}

void hws_raw_filter_compile_packet(struct hws_raw_filter *f, enum hws_family family,
                                   uint8_t protocol, const struct hws_shard *shard,
                                   const struct hws_port_set *ports)
{
    bool ipv6 = family == HWS_FAMILY_IPV6;
    begin(f, ports);
    add(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
    require(f, PACKET_HOST, false);
    add(f, BPF_LD | BPF_B | BPF_ABS, 0, 0, ipv6 ? IPV6_PROTOCOL_OFFSET : IPV4_PROTOCOL_OFFSET);
    if (ipv6)
        pass_fragments6(f, protocol);
    require(f, protocol, false);
    if (ipv6) {
        match_ipv6(f, shard, HWS_IPV6_HEADER_LEN);
    } else {
        load_fragment_bits(f);
        require(f, IPV4_WHOLE, false);
        match_ipv4(f, shard);
    }
}

/* An IPv6 raw socket's packet begins behind the headers; where the first of them still names the
 * protocol, there was none between. */
void hws_raw_filter_compile_rest(struct hws_raw_filter *f, enum hws_family family, uint8_t protocol,
                                 const struct hws_shard *shard, const struct hws_port_set *ports)
{
    begin(f, ports);
    if (family == HWS_FAMILY_IPV6) {
        add(f, BPF_LD | BPF_B | BPF_ABS, 0, 0, (uint32_t)SKF_NET_OFF + IPV6_PROTOCOL_OFFSET);
        require(f, protocol, true);
        match_ipv6(f, shard, 0);
    } else {
        load_fragment_bits(f);
        require(f, IPV4_WHOLE, true);
        match_ipv4(f, shard);
    }
}

bool hws_raw_filter_narrows(struct hws_raw_filter *f, const struct hws_port_set *ports)
{
    if (++f->left < PORTS_LEFT)
        return false;
    f->left = 0;
    return hws_port_set_fits(ports, FEW_RANGES);
}

bool hws_raw_filter_passes(const struct hws_raw_filter *f, uint16_t port)
{
    for (size_t i = 0; i < f->range_count; i++) {
        if (port >= f->ranges[i].first && port <= f->ranges[i].last)
            return true;
    }
    return false;
}

int hws_raw_filter_attach(const struct hws_raw_filter *filter, int fd)
{
    return hws_socket_attach_filter(fd, filter->insns, filter->count);
}

#include "api/trace/live_filter_linux.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdbool.h>

#include "api/link/socket_linux.h"
#include "proto/ip.h"

#define PASS UINT32_MAX /* bytes of the packet to keep */
#define DROP 0u

#define IPV4_FRAGMENT_OFFSET 6u
#define IPV4_OFFSET_MASK 0x1fffu
#define IPV4_PROTOCOL_OFFSET 9u
#define IPV6_PROTOCOL_OFFSET 6u
#define UDP 17u

static const uint8_t sctp_protocols[] = {132, 253, 254};
/* Headers of IPv6 that stand before the fragment header, or before what is carried. */
static const uint8_t extensions[] = {0, 43, 51, 60, 135, 139, 140};

static void add(struct hws_live_filter *f, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    f->insns[f->count++] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
}

static void add_return(struct hws_live_filter *f, uint32_t what)
{
    add(f, BPF_RET | BPF_K, 0, 0, what);
}

/* Offsets in IP's header, whatever the link has before it. */
static uint32_t in_ip(uint32_t offset)
{
    return (uint32_t)SKF_NET_OFF + offset;
}

static void load_byte(struct hws_live_filter *f, uint32_t offset)
{
    add(f, BPF_LD | BPF_B | BPF_ABS, 0, 0, in_ip(offset));
}

static void load_about(struct hws_live_filter *f, int what)
{
    add(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + what));
}

static void pass_if(struct hws_live_filter *f, uint32_t value)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    add_return(f, PASS);
}

static void pass_if_any(struct hws_live_filter *f, const uint8_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pass_if(f, values[i]);
}

/* The loopback interface shows each packet twice: when it leaves and when it comes. */
static void drop_leaving_loopback(struct hws_live_filter *f)
{
    load_about(f, SKF_AD_HATYPE);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, ARPHRD_LOOPBACK);
    load_about(f, SKF_AD_PKTTYPE);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PACKET_OUTGOING);
    add_return(f, DROP);
}

/* Goes on for one family; the answer is the jump that has still to be told how far the rest is. */
static uint32_t begin_family(struct hws_live_filter *f, uint16_t ethertype)
{
    load_about(f, SKF_AD_PROTOCOL);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ethertype);
    add(f, BPF_JMP | BPF_JA, 0, 0, 0);
    return f->count - 1;
}

static void end_family(struct hws_live_filter *f, uint32_t jump)
{
    add_return(f, DROP);
    f->insns[jump].k = f->count - jump - 1;
}

void hws_live_filter_sctp(struct hws_live_filter *f)
{
    f->count = 0;
    drop_leaving_loopback(f);
    uint32_t ipv4 = begin_family(f, ETH_P_IP);
    load_byte(f, IPV4_PROTOCOL_OFFSET);
    pass_if_any(f, sctp_protocols, sizeof(sctp_protocols));
    end_family(f, ipv4);
    uint32_t ipv6 = begin_family(f, ETH_P_IPV6);
    load_byte(f, IPV6_PROTOCOL_OFFSET);
    pass_if_any(f, sctp_protocols, sizeof(sctp_protocols));
    pass_if_any(f, extensions, sizeof(extensions));
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, HWS_IPV6_FRAGMENT);
    add_return(f, DROP);
    load_byte(f, HWS_IPV6_HEADER_LEN);
    pass_if_any(f, sctp_protocols, sizeof(sctp_protocols));
    end_family(f, ipv6);
    add_return(f, DROP);
}

static void require_udp(struct hws_live_filter *f, uint32_t protocol_offset)
{
    load_byte(f, protocol_offset);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, UDP);
    add_return(f, DROP);
}

/* Looks at both ports, which lie behind what the index register holds. */
static void pass_ports(struct hws_live_filter *f, const uint16_t *ports, size_t count)
{
    for (uint32_t offset = 0; offset <= 2; offset += 2) {
        add(f, BPF_LD | BPF_H | BPF_IND, 0, 0, in_ip(offset));
        for (size_t i = 0; i < count; i++)
            pass_if(f, ports[i]);
    }
}

void hws_live_filter_udp(struct hws_live_filter *f, const uint16_t *ports, size_t count)
{
    f->count = 0;
    drop_leaving_loopback(f);
    uint32_t ipv4 = begin_family(f, ETH_P_IP);
    require_udp(f, IPV4_PROTOCOL_OFFSET);
    add(f, BPF_LD | BPF_H | BPF_ABS, 0, 0, in_ip(IPV4_FRAGMENT_OFFSET));
    add(f, BPF_JMP | BPF_JSET | BPF_K, 0, 1, IPV4_OFFSET_MASK);
    add_return(f, DROP);
    add(f, BPF_LDX | BPF_B | BPF_MSH, 0, 0, in_ip(0));
    pass_ports(f, ports, count);
    end_family(f, ipv4);
    uint32_t ipv6 = begin_family(f, ETH_P_IPV6);
    require_udp(f, IPV6_PROTOCOL_OFFSET);
    add(f, BPF_LDX | BPF_IMM, 0, 0, HWS_IPV6_HEADER_LEN);
    pass_ports(f, ports, count);
    end_family(f, ipv6);
    add_return(f, DROP);
}

int hws_live_filter_attach(const struct hws_live_filter *filter, int fd)
{
    return hws_socket_attach_filter(fd, filter->insns, filter->count);
}

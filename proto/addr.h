/* A transport address without its SCTP port: what a packet's source or destination is to the
 * engine. It is a plain value: unused bytes are zero. */
#ifndef HWS_PROTO_ADDR_H
#define HWS_PROTO_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum hws_family {
    HWS_FAMILY_NONE = 0, /* no address: "any", "let the network choose" */
    HWS_FAMILY_IPV4 = 4,
    HWS_FAMILY_IPV6 = 6,
};

struct hws_addr {
    uint8_t ip[16];    /* network order; IPv4 uses the first four bytes, the rest are zero */
    uint32_t scope_id; /* interface index of an IPv6 link-local address, else 0 */
    uint16_t udp_port; /* host order; RFC 6951 encapsulation port, 0: SCTP directly over IP */
    uint8_t family;    /* enum hws_family */
    uint8_t zero;
};

/** Bytes of `ip` in use. */
static inline unsigned hws_addr_len(const struct hws_addr *a)
{
    return a->family == HWS_FAMILY_IPV4 ? 4 : a->family == HWS_FAMILY_IPV6 ? 16 : 0;
}

/** Whether both name the same host address; encapsulation ports are not compared, since a NAT may
 * change the peer's at any time (RFC 6951, 5.4). */
static inline bool hws_addr_same(const struct hws_addr *a, const struct hws_addr *b)
{
    return a->family == b->family && a->scope_id == b->scope_id && memcmp(a->ip, b->ip, 16) == 0;
}

/** Whether it can be one host's: neither unspecified nor multicast nor broadcast. */
static inline bool hws_addr_unicast(const struct hws_addr *a)
{
    static const uint8_t unspecified[16];
    if (a->family == HWS_FAMILY_IPV4)
        return a->ip[0] != 0 && a->ip[0] < 224;
    return a->ip[0] != 0xff && memcmp(a->ip, unspecified, sizeof unspecified) != 0;
}

/** Longest text of hws_addr_text with its NUL: an IPv6 address, "%scope" and ":udp-port". */
#define HWS_ADDR_TEXT_MAX 72

/** Writes `a` as text ("192.0.2.1", "2001:db8::1%3", "192.0.2.1:9899" when encapsulated,
 * "[2001:db8::1]:9899"; "any" for no address) into `out` and returns `out`. */
const char *hws_addr_text(const struct hws_addr *a, char out[HWS_ADDR_TEXT_MAX]);

#endif

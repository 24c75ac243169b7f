/* The parameters of INIT and INIT ACK (RFC 9260, 3.3.2.1 and 3.3.3.1; RFC 5061, 4.2.6). */
#ifndef HWS_PROTO_PARAM_H
#define HWS_PROTO_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/packet.h"

/* One row per parameter: symbol, number, name in text, shortest and longest length field. */
#define HWS_PARAM_TYPES(X)                                                                         \
    X(HEARTBEAT_INFO, 1, "Heartbeat-Info", 4, 65535)                                               \
    X(IPV4, 5, "IPv4", 8, 8)                                                                       \
    X(IPV6, 6, "IPv6", 20, 20)                                                                     \
    X(COOKIE, 7, "State-Cookie", 4, 65535)                                                         \
    X(UNRECOGNIZED, 8, "Unrecognized-Parameter", 8, 65535)                                         \
    X(COOKIE_PRESERVATIVE, 9, "Cookie-Preservative", 8, 8)                                         \
    X(HOST_NAME, 11, "Host-Name", 4, 65535)                                                        \
    X(SUPPORTED_ADDRESSES, 12, "Supported-Address-Types", 4, 65535)                                \
    X(ECN, 0x8000, "ECN-Capable", 4, 4)                                                            \
    X(FORWARD_TSN, 0xc000, "Forward-TSN-Supported", 4, 4)                                          \
    X(ADAPTATION, 0xc006, "Adaptation-Layer-Indication", 8, 8)

enum hws_param_type {
#define X(symbol, number, name, min_len, max_len) HWS_PARAM_##symbol = number,
    HWS_PARAM_TYPES(X)
#undef X
};

/** The name of a parameter type, or NULL for one we do not know. */
const char *hws_param_name(uint16_t type);

/** Whether the length field suits the type; true for types we do not know. */
bool hws_param_len_ok(const struct hws_tlv *p);

/** What the two highest bits of an unknown parameter type ask for (RFC 9260, 3.2.1). */
static inline bool hws_param_unknown_skip(uint16_t type)
{
    return (type & 0x8000) != 0;
}
static inline bool hws_param_unknown_report(uint16_t type)
{
    return (type & 0x4000) != 0;
}

static inline const uint8_t *hws_param_value(const struct hws_tlv *p)
{
    return p->bytes + 4;
}
static inline uint32_t hws_param_value_len(const struct hws_tlv *p)
{
    return (uint32_t)p->len - 4;
}

/** Reads an IPv4 or IPv6 address parameter. False for another type or a wrong length. */
bool hws_param_addr(const struct hws_tlv *p, struct hws_addr *out);

/** Within an open chunk: adds an address parameter. False: no room (the chunk will not close). */
bool hws_param_put_addr(struct hws_builder *b, const struct hws_addr *addr);

/** Reads a Cookie Preservative: the suggested increment in milliseconds. */
bool hws_param_cookie_preservative(const struct hws_tlv *p, uint32_t *increment_ms);
bool hws_param_put_cookie_preservative(struct hws_builder *b, uint32_t increment_ms);

/** Reads an Adaptation Layer Indication (RFC 5061, 4.2.6). */
bool hws_param_adaptation(const struct hws_tlv *p, uint32_t *indication);
bool hws_param_put_adaptation(struct hws_builder *b, uint32_t indication);

/* Bits of the Supported Address Types parameter. */
#define HWS_SUPPORTS_IPV4 1u
#define HWS_SUPPORTS_IPV6 2u

/** Reads Supported Address Types into the bits above; types we do not know are passed over. */
bool hws_param_supported_addresses(const struct hws_tlv *p, unsigned *bits);
bool hws_param_put_supported_addresses(struct hws_builder *b, unsigned bits);

#endif

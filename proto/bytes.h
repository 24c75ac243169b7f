/* Network byte order access to unaligned memory. */
#ifndef HWS_PROTO_BYTES_H
#define HWS_PROTO_BYTES_H

#include <stdint.h>
#include <string.h>

/* Written so that compilers make one instruction, or two, of each. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HWS_NETWORK_ORDER(bits, v) __builtin_bswap##bits(v)
#else
#define HWS_NETWORK_ORDER(bits, v) (v)
#endif

static inline uint16_t hws_get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return HWS_NETWORK_ORDER(16, v);
}

static inline uint32_t hws_get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return HWS_NETWORK_ORDER(32, v);
}

static inline uint64_t hws_get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return HWS_NETWORK_ORDER(64, v);
}

static inline void hws_put16(uint8_t *p, uint16_t v)
{
    v = HWS_NETWORK_ORDER(16, v);
    memcpy(p, &v, sizeof v);
}

static inline void hws_put32(uint8_t *p, uint32_t v)
{
    v = HWS_NETWORK_ORDER(32, v);
    memcpy(p, &v, sizeof v);
}

static inline void hws_put64(uint8_t *p, uint64_t v)
{
    v = HWS_NETWORK_ORDER(64, v);
    memcpy(p, &v, sizeof v);
}

/** Length rounded up to the 4-byte boundary every chunk and parameter ends on (RFC 9260, 3.2). */
static inline uint32_t hws_pad4(uint32_t len)
{
    return (len + 3u) & ~3u;
}

#endif

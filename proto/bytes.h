/* Network byte order access to unaligned memory. */
#ifndef HWS_PROTO_BYTES_H
#define HWS_PROTO_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t hws_get16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t hws_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t hws_get64(const uint8_t *p)
{
    return (uint64_t)hws_get32(p) << 32 | hws_get32(p + 4);
}

static inline void hws_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void hws_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void hws_put64(uint8_t *p, uint64_t v)
{
    hws_put32(p, (uint32_t)(v >> 32));
    hws_put32(p + 4, (uint32_t)v);
}

/** Length rounded up to the 4-byte boundary every chunk and parameter ends on (RFC 9260, 3.2). */
static inline uint32_t hws_pad4(uint32_t len)
{
    return (len + 3u) & ~3u;
}

#endif

/* The implementations of CRC32c that may be compiled in, for proto/crc32c.c to list, and what they
 * share. */
#ifndef HWS_PROTO_CRC32C_IMPL_H
#define HWS_PROTO_CRC32C_IMPL_H

#include <string.h>

#include "proto/crc32c.h"

extern const struct hws_crc32c_impl hws_crc32c_x86_vpclmul;
extern const struct hws_crc32c_impl hws_crc32c_x86;
extern const struct hws_crc32c_impl hws_crc32c_arm;
extern const struct hws_crc32c_impl hws_crc32c_table;

/* A CRC instruction takes a word a cycle but gives its result after three, so three parts of the
 * data ("lanes") are worked on at once and put together with a carry-less multiplication. The
 * longest block, three lanes of this many 8-byte words, holds a packet of an Ethernet frame. */
#define HWS_CRC32C_LANE_WORDS 64u

/** Multiplying a CRC with element k moves it k words on (1 <= k <= 2 * HWS_CRC32C_LANE_WORDS). */
extern const uint32_t hws_crc32c_lane_shift[];

static inline uint64_t hws_crc32c_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t hws_crc32c_load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#endif

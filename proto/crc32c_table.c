/* CRC32c by tables, eight bytes a step: for processors without a CRC instruction. */
#include "proto/crc32c_impl.h"

/* A table is linear: the entry of a byte is the sum of the entries of its bits. So 64 constants,
 * consecutive powers of x modulo the polynomial (bit-reflected), give all 8 * 256 entries at
 * compile time. Their order is from a byte's high bit down to its low bit. */
#define ENTRY(n, b7, b6, b5, b4, b3, b2, b1, b0)                                                   \
    (((n)&0x80 ? b7 : 0) ^ ((n)&0x40 ? b6 : 0) ^ ((n)&0x20 ? b5 : 0) ^ ((n)&0x10 ? b4 : 0) ^       \
     ((n)&0x08 ? b3 : 0) ^ ((n)&0x04 ? b2 : 0) ^ ((n)&0x02 ? b1 : 0) ^ ((n)&0x01 ? b0 : 0))
#define ENTRIES4(n, ...)                                                                           \
    ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__),               \
        ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES16(n, ...)                                                                          \
    ENTRIES4(n, __VA_ARGS__), ENTRIES4((n) + 4, __VA_ARGS__), ENTRIES4((n) + 8, __VA_ARGS__),      \
        ENTRIES4((n) + 12, __VA_ARGS__)
#define ENTRIES64(n, ...)                                                                          \
    ENTRIES16(n, __VA_ARGS__), ENTRIES16((n) + 16, __VA_ARGS__), ENTRIES16((n) + 32, __VA_ARGS__), \
        ENTRIES16((n) + 48, __VA_ARGS__)
#define SLICE(...)                                                                                 \
    {                                                                                              \
        ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__), ENTRIES64(128, __VA_ARGS__),        \
            ENTRIES64(192, __VA_ARGS__)                                                            \
    }

/* slices[s][n]: what byte n becomes when s more bytes have passed. */
static const uint32_t slices[8][256] = {
    SLICE(0x82f63b78, 0x417b1dbc, 0x20bd8ede, 0x105ec76f, 0x8ad958cf, 0xc79a971f, 0xe13b70f7,
          0xf26b8303),
    SLICE(0xfbc3faf9, 0xff17c604, 0x7f8be302, 0x3fc5f181, 0x9d14c3b8, 0x4e8a61dc, 0x274530ee,
          0x13a29877),
    SLICE(0x8b277743, 0xc76580d9, 0xe144fb14, 0x70a27d8a, 0x38513ec5, 0x9edea41a, 0x4f6f520d,
          0xa541927e),
    SLICE(0x52a0c93f, 0xaba65fe7, 0xd725148b, 0xe964b13d, 0xf64463e6, 0x7b2231f3, 0xbf672381,
          0xdd45aab8),
    SLICE(0x6ea2d55c, 0x37516aae, 0x1ba8b557, 0x8f2261d3, 0xc5670b91, 0xe045beb0, 0x7022df58,
          0x38116fac),
    SLICE(0x1c08b7d6, 0x0e045beb, 0x85f4168d, 0xc00c303e, 0x6006181f, 0xb2f53777, 0xdb8ca0c3,
          0xef306b19),
    SLICE(0xf56e0ef4, 0x7ab7077a, 0x3d5b83bd, 0x9c5bfaa6, 0x4e2dfd53, 0xa5e0c5d1, 0xd0065990,
          0x68032cc8),
    SLICE(0x34019664, 0x1a00cb32, 0x0d006599, 0x847609b4, 0x423b04da, 0x211d826d, 0x9278fa4e,
          0x493c7d27),
};

static uint32_t step8(uint32_t crc, const uint8_t *p)
{
    return slices[7][(crc & 0xff) ^ p[0]] ^ slices[6][(crc >> 8 & 0xff) ^ p[1]] ^
           slices[5][(crc >> 16 & 0xff) ^ p[2]] ^ slices[4][(crc >> 24) ^ p[3]] ^ slices[3][p[4]] ^
           slices[2][p[5]] ^ slices[1][p[6]] ^ slices[0][p[7]];
}

static uint32_t update(uint32_t crc, const uint8_t *data, size_t len)
{
    for (; len >= 8; data += 8, len -= 8)
        crc = step8(crc, data);
    for (; len > 0; data++, len--)
        crc = slices[0][(crc & 0xff) ^ *data] ^ crc >> 8;
    return crc;
}

static int usable(void)
{
    return 1;
}

const struct hws_crc32c_impl hws_crc32c_table = {"table", update, usable};

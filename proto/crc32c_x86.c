/* CRC32c with the instructions of SSE4.2 and PCLMULQDQ. */
#include "proto/crc32c_impl.h"

#if defined(__x86_64__)

#include <nmmintrin.h>
#include <wmmintrin.h>

#define TARGET __attribute__((target("sse4.2,pclmul")))
/* Below this, putting lanes together costs more than they save. */
#define LANES_MIN_LEN 192u

TARGET static uint32_t update_short(uint32_t crc, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8)
        crc = (uint32_t)_mm_crc32_u64(crc, hws_crc32c_load64(p));
    if (len & 4) {
        crc = _mm_crc32_u32(crc, hws_crc32c_load32(p));
        p += 4;
    }
    for (len &= 3; len > 0; p++, len--)
        crc = _mm_crc32_u8(crc, *p);
    return crc;
}

/* The CRC moved on by `words` words, for the CRC instruction to reduce. */
TARGET static uint64_t moved(uint64_t crc, size_t words)
{
    __m128i factor = _mm_cvtsi32_si128((int)hws_crc32c_lane_shift[words]);
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), factor, 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* Three lanes of `words` >= 1 words each, one after the other. */
TARGET static uint32_t update_lanes(uint32_t crc, const uint8_t *p, size_t words)
{
    size_t lane = 8 * words;
    const uint8_t *last = p + lane - 8;
    uint64_t a = crc, b = 0, c = 0;
    for (; p < last; p += 8) {
        a = _mm_crc32_u64(a, hws_crc32c_load64(p));
        b = _mm_crc32_u64(b, hws_crc32c_load64(p + lane));
        c = _mm_crc32_u64(c, hws_crc32c_load64(p + 2 * lane));
    }
    a = _mm_crc32_u64(a, hws_crc32c_load64(last));
    b = _mm_crc32_u64(b, hws_crc32c_load64(last + lane));
    uint64_t word = hws_crc32c_load64(last + 2 * lane) ^ moved(a, 2 * words) ^ moved(b, words);
    return (uint32_t)_mm_crc32_u64(c, word);
}

TARGET static uint32_t update(uint32_t crc, const uint8_t *data, size_t len)
{
    while (len >= LANES_MIN_LEN) {
        size_t words = len / 24;
        if (words > HWS_CRC32C_LANE_WORDS)
            words = HWS_CRC32C_LANE_WORDS;
        crc = update_lanes(crc, data, words);
        data += 24 * words;
        len -= 24 * words;
    }
    return update_short(crc, data, len);
}

static int usable(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

const struct hws_crc32c_impl hws_crc32c_x86 = {"sse4.2+pclmul", update, usable};

#endif

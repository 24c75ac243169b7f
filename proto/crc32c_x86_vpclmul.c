/* CRC32c with the carry-less multiplication of 64-byte vectors (AVX-512 and VPCLMULQDQ). */
#include "proto/crc32c_impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,vpclmulqdq,pclmul,sse4.2")))
/* Below this the CRC instruction alone is as fast. */
#define VECTORS_MIN_LEN 128u
#define VECTOR_LEN 64u

/* Pair i moves 16 bytes on by 31 - i times 16 bytes: x^(d + 31) and x^(d - 33) modulo the
 * polynomial, bit-reflected, for a distance of d bits. 16 bytes at distance zero stay as they are,
 * and are added apart. */
#define DISTANCES 32u
static const uint64_t moves[DISTANCES][2] = {
    {0x4e36f0b0, 0x064f7f26}, {0x88f25a3a, 0xb3e32c28},
    {0x2cff42cf, 0xebb883bd}, {0x9af01f2d, 0x1b03397f},
    {0xe0e9f351, 0x65863b64}, {0x96638b34, 0x2b3cac5d},
    {0xe9adf796, 0xc619809d}, {0x00ac29cf, 0xd270f1a2},
    {0x8d6d2c43, 0x61d82e56}, {0xa00457f7, 0xce7f39f4},
    {0x8f158014, 0xa60ce07b}, {0x21f3d99c, 0xbac2fd7b},
    {0x18b0d4ff, 0x78d9ccb7}, {0x6051d5a2, 0xb6dd949b},
    {0xf37c5aee, 0x18b33a4e}, {0xdcb17aa4, 0xb9e02b86},
    {0xffd852c6, 0x299847d5}, {0x71d111a8, 0x83348832},
    {0x8462d800, 0x2162d385}, {0xa87ab8a8, 0xab7aff2a},
    {0xf1d0f55e, 0xdaece73e}, {0x1b3d8f29, 0x878a92a7},
    {0x7e908048, 0xc96cfdc0}, {0x6992cea2, 0x0d3b6092},
    {0x2ad91c30, 0x47db8317}, {0xc49f4f67, 0x0715ce53},
    {0x083a6eec, 0x39d3b296}, {0x740eef02, 0x9e4addf8},
    {0x1c291d04, 0xddc0152b}, {0x3da6d0cb, 0xba4fc28e},
    {0xf20c0dfe, 0x493c7d27}, {0, 0},
};

/* `v` times `factors`, 16 bytes by 16 bytes, added to `sum`. */
TARGET static inline __m512i fold(__m512i v, __m512i factors, __m512i sum)
{
    __m512i low = _mm512_clmulepi64_epi128(v, factors, 0x00);
    __m512i high = _mm512_clmulepi64_epi128(v, factors, 0x11);
    return _mm512_ternarylogic_epi64(low, high, sum, 0x96);
}

/* Adds to `sum` each 16 bytes of `v`, moved from where they are to the last 16 bytes of the data,
 * `vectors` vectors further on. */
TARGET static inline __m512i fold_to_end(__m512i v, size_t vectors, __m512i sum)
{
    return fold(v, _mm512_loadu_si512(moves[DISTANCES - 4 * (vectors + 1)]), sum);
}

/* The CRC of the four parts of `sum` and the data's last 16 bytes, all at the same place. */
TARGET static inline uint32_t reduce(__m512i sum, __m128i last)
{
    __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
    __m128i v = _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    v = _mm_xor_si128(v, last);
    uint64_t crc = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(v));
    return (uint32_t)_mm_crc32_u64(crc, (uint64_t)_mm_extract_epi64(v, 1));
}

/* The first vector, with the CRC so far added to the first four bytes of data. It holds `len` bytes
 * (a multiple of 4, at most a vector) at its end; leading zeros do not change a CRC. */
TARGET static inline __m512i first_vector(uint32_t crc, const uint8_t *p, size_t len)
{
    unsigned skipped = (unsigned)(VECTOR_LEN - len) / 4;
    __mmask16 start = (__mmask16)(1u << skipped);
    __mmask16 used = (__mmask16)(0xffffu << skipped);
    __m512i data = _mm512_maskz_expandloadu_epi32(used, p);
    return _mm512_xor_si512(data, _mm512_maskz_set1_epi32(start, (int)crc));
}

/* What `count` vectors at `p` become at their end, added to `sum`. */
TARGET static inline __m512i fold_rest(const uint8_t *p, size_t count, __m512i sum)
{
    for (; count > 0; p += VECTOR_LEN, count--)
        sum = fold_to_end(_mm512_loadu_si512(p), count - 1, sum);
    return sum;
}

/* `first` and the `count` > 7 vectors at `p`: four sums side by side, since a multiplication takes
 * several cycles. At least one vector is left for fold_rest. */
TARGET static inline __m512i fold_many(__m512i first, const uint8_t *p, size_t count)
{
    const uint64_t *step = moves[DISTANCES - 1 - 4 * 4];
    const __m512i factors = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)step));
    __m512i a = first, b = _mm512_loadu_si512(p), c = _mm512_loadu_si512(p + 64),
            d = _mm512_loadu_si512(p + 128);
    for (p += 192, count -= 3; count > 4; p += 256, count -= 4) {
        a = fold(a, factors, _mm512_loadu_si512(p));
        b = fold(b, factors, _mm512_loadu_si512(p + 64));
        c = fold(c, factors, _mm512_loadu_si512(p + 128));
        d = fold(d, factors, _mm512_loadu_si512(p + 192));
    }
    __m512i sum = fold_to_end(a, count + 3, _mm512_setzero_si512());
    sum = fold_to_end(b, count + 2, sum);
    sum = fold_to_end(c, count + 1, sum);
    sum = fold_to_end(d, count, sum);
    return fold_rest(p, count, sum);
}

TARGET static inline __m512i fold_few(__m512i first, const uint8_t *p, size_t count)
{
    return fold_rest(p, count, fold_to_end(first, count, _mm512_setzero_si512()));
}

TARGET static uint32_t update(uint32_t crc, const uint8_t *data, size_t len)
{
    if (len < VECTORS_MIN_LEN)
        return hws_crc32c_x86.update(crc, data, len);
    for (; len % 4 != 0; data++, len--)
        crc = _mm_crc32_u8(crc, *data);
    const uint8_t *end = data + len;
    size_t first_len = (len - 1) % VECTOR_LEN + 1;
    size_t count = (len - first_len) / VECTOR_LEN;
    __m512i first = first_vector(crc, data, first_len);
    data += first_len;
    __m512i sum = count > 7 ? fold_many(first, data, count) : fold_few(first, data, count);
    return reduce(sum, _mm_loadu_si128((const __m128i *)(end - 16)));
}

static int usable(void)
{
    __builtin_cpu_init();
    return hws_crc32c_x86.usable() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("vpclmulqdq");
}

const struct hws_crc32c_impl hws_crc32c_x86_vpclmul = {"avx512+vpclmulqdq", update, usable};

#endif

/* CRC32c with the CRC instructions of ARMv8 and, to join lanes, its polynomial multiplication.
 * They are written as assembly since compilers disagree on how a single function is allowed
 * instructions that the rest of the program may not use. */
#include "proto/crc32c_impl.h"

#if defined(__aarch64__) && defined(__AARCH64EL__) && defined(__linux__)

/* Below this, putting lanes together costs more than they save. */
#define LANES_MIN_LEN 192u

static inline uint32_t crc_word64(uint32_t crc, uint64_t word)
{
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
    return crc;
}

static inline uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
    return crc;
}

static inline uint32_t crc_word32(uint32_t crc, uint32_t word)
{
    __asm__(".arch_extension crc\n\tcrc32cw %w0, %w0, %w1" : "+r"(crc) : "r"(word));
    return crc;
}

/* The CRC moved on by `words` words, for the CRC instruction to reduce. */
static inline uint64_t moved(uint64_t crc, size_t words)
{
    uint64_t factor = hws_crc32c_lane_shift[words], product;
    __asm__(".arch_extension aes\n\t"
            "fmov d0, %x1\n\tfmov d1, %x2\n\tpmull v0.1q, v0.1d, v1.1d\n\tfmov %x0, d0"
            : "=r"(product)
            : "r"(crc), "r"(factor)
            : "v0", "v1");
    return product;
}

static uint32_t update_short(uint32_t crc, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8)
        crc = crc_word64(crc, hws_crc32c_load64(p));
    if (len & 4) {
        crc = crc_word32(crc, hws_crc32c_load32(p));
        p += 4;
    }
    for (len &= 3; len > 0; p++, len--)
        crc = crc_byte(crc, *p);
    return crc;
}

/* Three lanes of `words` >= 1 words each, one after the other. */
static uint32_t update_lanes(uint32_t crc, const uint8_t *p, size_t words)
{
    size_t lane = 8 * words;
    const uint8_t *last = p + lane - 8;
    uint32_t a = crc, b = 0, c = 0;
    for (; p < last; p += 8) {
        a = crc_word64(a, hws_crc32c_load64(p));
        b = crc_word64(b, hws_crc32c_load64(p + lane));
        c = crc_word64(c, hws_crc32c_load64(p + 2 * lane));
    }
    a = crc_word64(a, hws_crc32c_load64(last));
    b = crc_word64(b, hws_crc32c_load64(last + lane));
    return crc_word64(c,
                      hws_crc32c_load64(last + 2 * lane) ^ moved(a, 2 * words) ^ moved(b, words));
}

static uint32_t update(uint32_t crc, const uint8_t *data, size_t len)
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

/* Linux lets a process read the register that tells what the processor has. */
static int usable(void)
{
    uint64_t features;
    __asm__("mrs %x0, ID_AA64ISAR0_EL1" : "=r"(features));
    int has_pmull = (features >> 4 & 0xf) >= 2;
    int has_crc32 = (features >> 16 & 0xf) >= 1;
    return has_pmull && has_crc32;
}

const struct hws_crc32c_impl hws_crc32c_arm = {"armv8 crc+pmull", update, usable};

#endif

#include "stack/siphash.h"

/* SipHash-2-4 of Aumasson and Bernstein: two rounds per word of input, four at the end. */
#define WORD_ROUNDS 2
#define FINAL_ROUNDS 4

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* Spelled out, so that compilers make one load of it. */
static uint64_t load_word(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/** The bytes after the last whole word, and the length's last byte on top. */
static uint64_t load_rest(const uint8_t *p, size_t len)
{
    uint64_t word = (uint64_t)len << 56;
    for (size_t i = 0; i < len % 8; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

static void run_rounds(struct state *s, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate_left(s->v1, 13) ^ s->v0;
        s->v3 = rotate_left(s->v3, 16) ^ s->v2;
        s->v0 = rotate_left(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate_left(s->v1, 17) ^ s->v2;
        s->v3 = rotate_left(s->v3, 21) ^ s->v0;
        s->v2 = rotate_left(s->v2, 32);
    }
}

static void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    run_rounds(s, WORD_ROUNDS);
    s->v0 ^= word;
}

uint64_t hws_siphash(const struct hws_siphash_key *key, const void *data, size_t len)
{
    /* The constants spell "somepseudorandomlygeneratedbytes". */
    struct state s = {
        .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
    };
    const uint8_t *p = data;
    const uint8_t *rest = p + (len - len % 8);
    for (; p != rest; p += 8)
        absorb(&s, load_word(p));
    absorb(&s, load_rest(rest, len));
    s.v2 ^= 0xff;
    run_rounds(&s, FINAL_ROUNDS);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

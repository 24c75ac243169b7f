/* The vectors published with SipHash-2-4: key 00 01 .. 0f, input 00 01 .. (len - 1), output as the
 * eight bytes of a little-endian number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/siphash.h"

static const struct {
    size_t len;
    uint64_t hash;
} vectors[] = {
    {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
    {2, UINT64_C(0x0d6c8009d9a94f5a)},  {3, UINT64_C(0x85676696d7fb7e2d)},
    {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
    {9, UINT64_C(0x9e0082df0ba9e4b0)},  {15, UINT64_C(0xa129ca6149be45e5)},
    {16, UINT64_C(0x3f2acc7f57c29bdb)}, {31, UINT64_C(0x32d892fad841c342)},
    {63, UINT64_C(0x958a324ceb064572)},
};

static const struct hws_siphash_key key = {UINT64_C(0x0706050403020100),
                                           UINT64_C(0x0f0e0d0c0b0a0908)};

static void published_vectors(void **state)
{
    (void)state;
    uint8_t input[64];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        assert_true(hws_siphash(&key, input, vectors[i].len) == vectors[i].hash);
}

static void input_may_lie_anywhere(void **state)
{
    (void)state;
    uint8_t bytes[24];
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < 16; i++)
            bytes[shift + i] = (uint8_t)i;
        assert_true(hws_siphash(&key, bytes + shift, 16) == UINT64_C(0x3f2acc7f57c29bdb));
    }
}

static void key_matters(void **state)
{
    (void)state;
    struct hws_siphash_key other = key;
    other.k1 ^= 1;
    assert_true(hws_siphash(&key, "hawser", 6) != hws_siphash(&other, "hawser", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(input_may_lie_anywhere),
        cmocka_unit_test(key_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/crc32c.h"

#define CRC_START 0xffffffffu
#define BUFFER_LEN 70000u

typedef void impl_check(const struct hws_crc32c_impl *impl);

static void each_usable_impl(impl_check *check)
{
    for (size_t i = 0; hws_crc32c_impls[i] != NULL; i++) {
        if (hws_crc32c_impls[i]->usable())
            check(hws_crc32c_impls[i]);
        else
            print_message("SKIP %s: not on this processor\n", hws_crc32c_impls[i]->name);
    }
}

static const struct hws_crc32c_impl *table(void)
{
    size_t i = 0;
    while (hws_crc32c_impls[i + 1] != NULL)
        i++;
    return hws_crc32c_impls[i];
}

/* A fixed sequence (xorshift), so that a failure repeats. */
static uint32_t next_random(void)
{
    static uint32_t x = 2463534242u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

static void fill_random(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)next_random();
}

/* One bit at a time, as appendix A defines it. */
static uint32_t crc_by_bits(uint32_t crc, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    }
    return crc;
}

static void check_published(const struct hws_crc32c_impl *impl)
{
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    for (unsigned i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(~impl->update(CRC_START, zeros, 32), 0x8a9136aa);
    assert_int_equal(~impl->update(CRC_START, ones, 32), 0x62a8ab43);
    assert_int_equal(~impl->update(CRC_START, up, 32), 0x46dd794e);
    assert_int_equal(~impl->update(CRC_START, down, 32), 0x113fdb5c);
    assert_int_equal(~impl->update(CRC_START, (const uint8_t *)"123456789", 9), 0xe3069283);
}

/* RFC 3720, B.4, and the customary check value. */
static void test_published_vectors(void **state)
{
    (void)state;
    each_usable_impl(check_published);
}

static void test_table_against_bits(void **state)
{
    (void)state;
    uint8_t data[300];
    fill_random(data, sizeof data);
    for (size_t len = 0; len <= sizeof data; len++)
        assert_int_equal(table()->update(CRC_START, data, len), crc_by_bits(CRC_START, data, len));
}

/* Exact allocations show an overread of either end to the address sanitizer. */
static void check_len(const struct hws_crc32c_impl *impl, size_t len, size_t offset)
{
    uint8_t *data = malloc(offset + len + 1);
    fill_random(data, offset + len);
    uint8_t *exact = malloc(len + (len == 0));
    memcpy(exact, data + offset, len);
    uint32_t start = next_random();
    uint32_t expected = table()->update(start, exact, len);
    assert_int_equal(impl->update(start, exact, len), expected);
    assert_int_equal(impl->update(start, data + offset, len), expected);
    free(exact);
    free(data);
}

static void check_every_short_len(const struct hws_crc32c_impl *impl)
{
    for (size_t len = 0; len <= 2000; len++)
        check_len(impl, len, len % 64);
}

static void test_every_short_len(void **state)
{
    (void)state;
    each_usable_impl(check_every_short_len);
}

static void check_random_lens(const struct hws_crc32c_impl *impl)
{
    for (int i = 0; i < 300; i++)
        check_len(impl, next_random() % BUFFER_LEN, next_random() % 64);
}

static void test_random_lens_and_alignments(void **state)
{
    (void)state;
    each_usable_impl(check_random_lens);
}

static void check_splits(const struct hws_crc32c_impl *impl)
{
    static uint8_t data[5000];
    fill_random(data, sizeof data);
    uint32_t whole = impl->update(CRC_START, data, sizeof data);
    for (int i = 0; i < 500; i++) {
        size_t first = next_random() % sizeof data;
        size_t second = first + next_random() % (sizeof data - first);
        uint32_t crc = impl->update(CRC_START, data, first);
        crc = impl->update(crc, data + first, second - first);
        assert_int_equal(impl->update(crc, data + second, sizeof data - second), whole);
    }
}

static void test_incremental_splits(void **state)
{
    (void)state;
    each_usable_impl(check_splits);
}

static void test_fastest_usable_is_chosen(void **state)
{
    (void)state;
    size_t i = 0;
    while (!hws_crc32c_impls[i]->usable())
        i++;
    assert_ptr_equal(hws_crc32c_impl(), hws_crc32c_impls[i]);
    assert_string_equal(table()->name, "table");
    assert_int_equal(hws_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
}

/* Appendix A puts the CRC's low byte first. */
static void test_packet_checksum_byte_order(void **state)
{
    (void)state;
    uint8_t packet[16] = {0x03, 0xe8, 0x07, 0xd0, 0xde, 0xad, 0xbe, 0xef,
                          0,    0,    0,    0,    0x0b, 0,    0,    4};
    uint32_t crc = ~crc_by_bits(CRC_START, packet, sizeof packet);
    hws_crc32c_set(packet, sizeof packet);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(packet[8 + i], crc >> 8 * i & 0xff);
    assert_true(hws_crc32c_ok(packet, sizeof packet));
    assert_int_equal(hws_crc32c_packet(packet, sizeof packet), crc);
}

static void test_packet_checksum_finds_every_flipped_bit(void **state)
{
    (void)state;
    uint8_t packet[60];
    fill_random(packet, sizeof packet);
    hws_crc32c_set(packet, sizeof packet);
    for (unsigned bit = 0; bit < 8 * sizeof packet; bit++) {
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(hws_crc32c_ok(packet, sizeof packet));
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(hws_crc32c_ok(packet, sizeof packet));
}

static void test_packet_of_a_header_only(void **state)
{
    (void)state;
    uint8_t *packet = calloc(1, 12);
    hws_crc32c_set(packet, 12);
    assert_true(hws_crc32c_ok(packet, 12));
    free(packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_table_against_bits),
        cmocka_unit_test(test_every_short_len),
        cmocka_unit_test(test_random_lens_and_alignments),
        cmocka_unit_test(test_incremental_splits),
        cmocka_unit_test(test_fastest_usable_is_chosen),
        cmocka_unit_test(test_packet_checksum_byte_order),
        cmocka_unit_test(test_packet_checksum_finds_every_flipped_bit),
        cmocka_unit_test(test_packet_of_a_header_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

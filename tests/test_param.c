#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/param.h"
#include "vectors.h"

#define VECTORS "vectors/param.txt"

static struct hws_builder begin_chunk(uint8_t *memory, uint32_t limit)
{
    struct hws_builder b;
    memset(memory, 0xff, limit);
    hws_builder_init(&b, memory, limit, 1000, 2000, 0);
    assert_true(hws_builder_open(&b, 1, 0));
    return b;
}

/* Decodes the parameter and adds it to the open chunk; false when it is rejected. */
static bool again(const struct hws_tlv *p, struct hws_builder *b)
{
    struct hws_addr addr;
    uint32_t number;
    unsigned bits;
    if (hws_param_addr(p, &addr))
        return hws_param_put_addr(b, &addr);
    if (hws_param_cookie_preservative(p, &number))
        return hws_param_put_cookie_preservative(b, number);
    if (hws_param_adaptation(p, &number))
        return hws_param_put_adaptation(b, number);
    if (hws_param_supported_addresses(p, &bits))
        return hws_param_put_supported_addresses(b, bits);
    return false;
}

static void check_round_trip(const struct vector *v)
{
    uint8_t memory[128];
    struct hws_builder b = begin_chunk(memory, sizeof memory);
    struct hws_tlv p;
    assert_true(first_tlv(v->bytes, v->len, &p));
    assert_true(hws_param_len_ok(&p));
    assert_true(again(&p, &b));
    assert_true(hws_builder_close(&b));
    assert_int_equal(b.len, 16 + v->len);
    assert_memory_equal(memory + 16, v->bytes, v->len);
}

static void test_vectors_survive_decoding_and_encoding(void **state)
{
    (void)state;
    assert_true(vectors_each(VECTORS, check_round_trip) >= 6);
}

static void check_truncations(const struct vector *v)
{
    for (uint32_t len = 4; len < v->len; len++) {
        uint8_t memory[128];
        struct hws_builder b = begin_chunk(memory, sizeof memory);
        uint8_t *copy = truncated_copy(v->bytes, len);
        struct hws_tlv p;
        assert_true(first_tlv(copy, len, &p));
        if (again(&p, &b))
            assert_int_equal(p.type, HWS_PARAM_SUPPORTED_ADDRESSES);
        free(copy);
    }
}

static void test_truncations_are_rejected_or_stay_in_bounds(void **state)
{
    (void)state;
    vectors_each(VECTORS, check_truncations);
}

static void check_no_room(const struct vector *v)
{
    uint8_t memory[128];
    struct hws_builder b = begin_chunk(memory, 16 + v->len - 4);
    struct hws_tlv p;
    assert_true(first_tlv(v->bytes, v->len, &p));
    assert_false(again(&p, &b));
    assert_false(hws_builder_close(&b));
    assert_int_equal(b.len, 12);
}

static void test_what_does_not_fit_takes_the_chunk_back(void **state)
{
    (void)state;
    vectors_each(VECTORS, check_no_room);
}

static void test_addresses(void **state)
{
    (void)state;
    struct vector v = vector_find(VECTORS, "IPv4 192.0.2.1");
    struct hws_tlv p;
    struct hws_addr addr, expected = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 1}};
    memset(&addr, 0xff, sizeof addr);
    assert_true(first_tlv(v.bytes, v.len, &p));
    assert_true(hws_param_addr(&p, &addr));
    assert_memory_equal(&addr, &expected, sizeof addr); /* unused bytes are zero */
    free(v.bytes);
}

static void test_supported_address_types_pass_over_unknown_ones(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 12, 0, 11, 0, 11, 0, 6, 0x80, 5, 0};
    struct hws_tlv p;
    unsigned bits;
    assert_true(first_tlv(bytes, sizeof bytes, &p));
    assert_true(hws_param_supported_addresses(&p, &bits));
    assert_int_equal(bits, HWS_SUPPORTS_IPV6);
}

/* The shortest and longest length of a type suit it, the next ones outside do not. */
static void check_len_bounds(uint16_t type, uint32_t min_len, uint32_t max_len)
{
    uint8_t header[4] = {0};
    struct hws_tlv p = {.bytes = header, .type = type};
    p.len = (uint16_t)min_len;
    assert_true(hws_param_len_ok(&p));
    p.len = (uint16_t)max_len;
    assert_true(hws_param_len_ok(&p));
    p.len = (uint16_t)(min_len - 1);
    assert_false(hws_param_len_ok(&p));
    p.len = (uint16_t)(max_len + 1);
    assert_int_equal(hws_param_len_ok(&p), max_len < 65535 ? false : min_len == 0);
}

static void test_lengths_of_every_type(void **state)
{
    (void)state;
#define X(symbol, number, name, min_len, max_len) check_len_bounds(number, min_len, max_len);
    HWS_PARAM_TYPES(X)
#undef X
    struct hws_tlv unknown = {.type = 0x8008, .len = 4};
    assert_true(hws_param_len_ok(&unknown));
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(hws_param_name(HWS_PARAM_COOKIE), "State-Cookie");
    assert_string_equal(hws_param_name(0xc000), "Forward-TSN-Supported");
    assert_null(hws_param_name(0));
    assert_null(hws_param_name(0x8008));
}

/* RFC 9260, 3.2.1: the two highest bits of a parameter type. */
static void test_unknown_types_by_their_high_bits(void **state)
{
    (void)state;
    assert_false(hws_param_unknown_skip(0x3fff) || hws_param_unknown_report(0x3fff));
    assert_true(!hws_param_unknown_skip(0x7fff) && hws_param_unknown_report(0x7fff));
    assert_true(hws_param_unknown_skip(0xbfff) && !hws_param_unknown_report(0xbfff));
    assert_true(hws_param_unknown_skip(0xffff) && hws_param_unknown_report(0xffff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_survive_decoding_and_encoding),
        cmocka_unit_test(test_truncations_are_rejected_or_stay_in_bounds),
        cmocka_unit_test(test_what_does_not_fit_takes_the_chunk_back),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_supported_address_types_pass_over_unknown_ones),
        cmocka_unit_test(test_lengths_of_every_type),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_types_by_their_high_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

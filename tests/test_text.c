#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/addr.h"
#include "proto/chunk.h"
#include "proto/text.h"
#include "vectors.h"

#define GOOD "vectors/chunk.txt"
#define MALFORMED "vectors/text_malformed.txt"

static void check_line(const struct vector *v)
{
    char line[HWS_TEXT_MAX];
    struct hws_tlv c;
    assert_true(first_tlv(v->bytes, v->len, &c));
    size_t len = hws_text_chunk(line, sizeof line, &c);
    assert_string_equal(line, v->title);
    assert_int_equal(len, strlen(line));
}

static void test_every_chunk_cause_and_parameter(void **state)
{
    (void)state;
    assert_true(vectors_each(GOOD, check_line) >= 25);
}

static void test_malformed_contents(void **state)
{
    (void)state;
    assert_true(vectors_each(MALFORMED, check_line) >= 20);
}

/* A line that does not fit is its beginning and, where there is room, "...". */
static void check_cut(const char *cut, size_t cap, const char *whole)
{
    assert_int_equal(strlen(cut), cap - 1);
    if (cap >= 4) {
        assert_string_equal(cut + cap - 4, "...");
        assert_memory_equal(cut, whole, cap - 4);
    }
}

static void check_every_cap(const struct vector *v)
{
    struct hws_tlv c;
    size_t whole = strlen(v->title);
    assert_true(first_tlv(v->bytes, v->len, &c));
    for (size_t cap = 1; cap <= whole + 1; cap++) {
        char *out = malloc(cap);
        size_t len = hws_text_chunk(out, cap, &c);
        assert_int_equal(len, strlen(out));
        if (cap <= whole)
            check_cut(out, cap, v->title);
        else
            assert_string_equal(out, v->title);
        free(out);
    }
    assert_int_equal(hws_text_chunk(NULL, 0, &c), 0);
}

static void test_tiny_buffers(void **state)
{
    (void)state;
    vectors_each(GOOD, check_every_cap);
    vectors_each(MALFORMED, check_every_cap);
}

static void check_truncations(const struct vector *v)
{
    for (uint32_t len = 4; len < v->len; len++) {
        char line[HWS_TEXT_MAX];
        uint8_t *copy = truncated_copy(v->bytes, len);
        struct hws_tlv c;
        assert_true(first_tlv(copy, len, &c));
        assert_true(hws_text_chunk(line, sizeof line, &c) > 0);
        free(copy);
    }
}

static void test_truncations_stay_in_bounds(void **state)
{
    (void)state;
    vectors_each(GOOD, check_truncations);
    vectors_each(MALFORMED, check_truncations);
}

static void test_long_lists_are_cut(void **state)
{
    (void)state;
    static uint8_t sack[16 + 4 * 16000] = {3, 0, 0xfa, 0x10};
    char line[HWS_TEXT_MAX];
    struct hws_tlv c;
    hws_put16(sack + 12, 16000);
    assert_true(first_tlv(sack, sizeof sack, &c));
    assert_int_equal(hws_text_chunk(line, sizeof line, &c), HWS_TEXT_MAX - 1);
    assert_string_equal(line + HWS_TEXT_MAX - 4, "...");
}

/* A chunk in a cause in a chunk, and so on: only one level is opened. */
static void test_nested_chunks_are_only_named(void **state)
{
    (void)state;
    uint8_t bytes[32];
    char line[HWS_TEXT_MAX];
    struct hws_tlv c;
    for (uint32_t at = 0; at < sizeof bytes; at += 8) {
        hws_put16(bytes + at, 0x0900);
        hws_put16(bytes + at + 2, (uint16_t)(sizeof bytes - at));
        hws_put16(bytes + at + 4, 6);
        hws_put16(bytes + at + 6, (uint16_t)(sizeof bytes - at - 4));
    }
    assert_true(first_tlv(bytes, sizeof bytes, &c));
    hws_text_chunk(line, sizeof line, &c);
    assert_string_equal(line, "ERROR causes=[Unrecognized-Chunk-Type [ERROR len=20]]");
}

static void check_packet(const uint8_t *packet, uint32_t len, const char *expected)
{
    char line[HWS_TEXT_MAX];
    uint8_t *copy = exact_copy(packet, len);
    size_t written = hws_text_packet(line, sizeof line, copy, len);
    assert_string_equal(line, expected);
    assert_int_equal(written, strlen(expected));
    free(copy);
}

static void test_packets(void **state)
{
    (void)state;
    static const uint8_t packet[] = {0x03, 0xe8, 0x07, 0xd0, 0, 0, 0, 0x2a, 0, 0, 0, 0,
                                     0x0b, 0,    0,    4,    7, 0, 0, 8,    0, 0, 0, 1};
    check_packet(packet, 24, "1000>2000 vtag=0x0000002a: COOKIE-ACK; SHUTDOWN cum=1");
    check_packet(packet, 23, "1000>2000 vtag=0x0000002a: COOKIE-ACK; malformed");
    check_packet(packet, 14, "1000>2000 vtag=0x0000002a: malformed");
    check_packet(packet, 12, "1000>2000 vtag=0x0000002a");
    check_packet(packet, 11, "malformed packet len=11");
    check_packet(packet, 1, "malformed packet len=1");
}

static void check_addr(struct hws_addr addr, const char *expected)
{
    char out[HWS_ADDR_TEXT_MAX];
    assert_ptr_equal(hws_addr_text(&addr, out), out);
    assert_string_equal(out, expected);
}

static struct hws_addr ipv6(const uint16_t groups[8], uint32_t scope_id, uint16_t udp_port)
{
    struct hws_addr addr = {.family = HWS_FAMILY_IPV6, .scope_id = scope_id, .udp_port = udp_port};
    for (unsigned i = 0; i < 8; i++)
        hws_put16(addr.ip + 2 * i, groups[i]);
    return addr;
}

static void test_ipv4_addresses(void **state)
{
    (void)state;
    struct hws_addr addr = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 255}};
    check_addr(addr, "192.0.2.255");
    addr.udp_port = 9899;
    check_addr(addr, "192.0.2.255:9899");
    check_addr((struct hws_addr){0}, "any");
}

/* RFC 5952, section 4: lower case, no leading zeros, the first longest run of zeros shortened. */
static void test_ipv6_addresses(void **state)
{
    (void)state;
    check_addr(ipv6((uint16_t[8]){0}, 0, 0), "::");
    check_addr(ipv6((uint16_t[8]){0, 0, 0, 0, 0, 0, 0, 1}, 0, 0), "::1");
    check_addr(ipv6((uint16_t[8]){0xfe80}, 3, 0), "fe80::%3");
    check_addr(ipv6((uint16_t[8]){0x2001, 0xdb8, 0, 0, 1, 0, 0, 1}, 0, 0), "2001:db8::1:0:0:1");
    check_addr(ipv6((uint16_t[8]){0x2001, 0, 0, 1, 0, 0, 0, 1}, 0, 0), "2001:0:0:1::1");
    check_addr(ipv6((uint16_t[8]){0x2001, 0xdb8, 0, 1, 1, 1, 1, 1}, 0, 0), "2001:db8:0:1:1:1:1:1");
    check_addr(ipv6((uint16_t[8]){0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}, 0, 9899), "[2001:db8::1]:9899");
    uint16_t ones[8];
    memset(ones, 0xff, sizeof ones);
    check_addr(ipv6(ones, UINT32_MAX, 65535),
               "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_chunk_cause_and_parameter),
        cmocka_unit_test(test_malformed_contents),
        cmocka_unit_test(test_tiny_buffers),
        cmocka_unit_test(test_truncations_stay_in_bounds),
        cmocka_unit_test(test_long_lists_are_cut),
        cmocka_unit_test(test_nested_chunks_are_only_named),
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_ipv4_addresses),
        cmocka_unit_test(test_ipv6_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

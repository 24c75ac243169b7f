/* Headers of captured packets: fragments, extension headers, what is cut short or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/ip.h"

#define PAYLOAD_LEN 16u

static const struct hws_ip ip4 = {.src = {.ip = {192, 0, 2, 1}, .family = HWS_FAMILY_IPV4},
                                  .dst = {.ip = {192, 0, 2, 2}, .family = HWS_FAMILY_IPV4},
                                  .protocol = 132,
                                  .ttl = 64};
static const struct hws_ip ip6 = {.src = {.ip = {0xfd, 1}, .family = HWS_FAMILY_IPV6},
                                  .dst = {.ip = {0xfd, 2}, .family = HWS_FAMILY_IPV6},
                                  .protocol = 132,
                                  .ttl = 64};

/* Reads from memory that ends where the packet does. */
static bool read_exactly(const uint8_t *data, uint32_t len, struct hws_ip_view *view)
{
    uint8_t *copy = malloc(len != 0 ? len : 1);
    memcpy(copy, data, len);
    bool readable = hws_ip_view_read(copy, len, view);
    if (readable && view->payload_len != 0)
        assert_true(view->payload + view->payload_len <= copy + len);
    free(copy);
    return readable;
}

static void test_whole(void **state)
{
    (void)state;
    const struct hws_ip *both[] = {&ip4, &ip6};
    for (size_t i = 0; i < 2; i++) {
        uint8_t packet[HWS_IP_HEADER_MAX + PAYLOAD_LEN];
        struct hws_ip_view view;
        uint32_t header_len = hws_ip_write(both[i], PAYLOAD_LEN, packet);
        assert_true(hws_ip_view_read(packet, header_len + PAYLOAD_LEN, &view));
        assert_true(hws_addr_same(&view.src, &both[i]->src));
        assert_true(hws_addr_same(&view.dst, &both[i]->dst));
        assert_int_equal(view.protocol, 132);
        assert_ptr_equal(view.payload, packet + header_len);
        assert_int_equal(view.payload_len, PAYLOAD_LEN);
        assert_int_equal(view.missing_bytes, 0);
        assert_false(view.bad_checksum);
        assert_false(hws_ip_view_is_fragment(&view));
    }
}

static void test_cut_short(void **state)
{
    (void)state;
    const struct hws_ip *both[] = {&ip4, &ip6};
    for (size_t i = 0; i < 2; i++) {
        uint8_t packet[HWS_IP_HEADER_MAX + PAYLOAD_LEN];
        uint32_t header_len = hws_ip_write(both[i], PAYLOAD_LEN, packet);
        for (uint32_t len = 0; len <= header_len + PAYLOAD_LEN; len++) {
            struct hws_ip_view view;
            assert_int_equal(read_exactly(packet, len, &view), len >= header_len);
            if (len >= header_len)
                assert_int_equal(view.missing_bytes, header_len + PAYLOAD_LEN - len);
        }
    }
}

static void test_ipv4_damage(void **state)
{
    (void)state;
    uint8_t packet[HWS_IP_HEADER_MAX + PAYLOAD_LEN];
    struct hws_ip_view view;
    uint32_t len = hws_ip_write(&ip4, PAYLOAD_LEN, packet) + PAYLOAD_LEN;
    packet[8]--;
    assert_true(hws_ip_view_read(packet, len, &view));
    assert_true(view.bad_checksum);
    packet[0] = 0x44; /* a header of 16 bytes */
    assert_false(hws_ip_view_read(packet, len, &view));
    packet[0] = 0x4f; /* of 60, which are more than there are */
    assert_false(hws_ip_view_read(packet, len, &view));
    packet[0] = 0x55;
    assert_false(hws_ip_view_read(packet, len, &view));
}

static void test_ipv4_fragments(void **state)
{
    (void)state;
    uint8_t packet[HWS_IP_HEADER_MAX + PAYLOAD_LEN];
    struct hws_ip_view view;
    uint32_t len = hws_ip_write(&ip4, PAYLOAD_LEN, packet) + PAYLOAD_LEN;
    hws_put16(packet + 4, 0x1234);
    hws_put16(packet + 6, 0x2000); /* the first one */
    assert_true(hws_ip_view_read(packet, len, &view));
    assert_true(hws_ip_view_is_fragment(&view));
    assert_true(view.more_fragments);
    assert_int_equal(view.id, 0x1234);
    assert_int_equal(view.fragment_offset, 0);
    hws_put16(packet + 6, 0x1fff); /* the last one */
    assert_true(hws_ip_view_read(packet, len, &view));
    assert_true(hws_ip_view_is_fragment(&view));
    assert_false(view.more_fragments);
    assert_int_equal(view.fragment_offset, 65528);
}

/* Hop-by-hop options, a fragment header with `offset_and_more`, and what it carries. */
static uint32_t write_extensions(uint8_t *packet, uint16_t offset_and_more)
{
    struct hws_ip ip = ip6;
    ip.protocol = 0;
    uint8_t *at = packet + hws_ip_write(&ip, 16 + 8 + PAYLOAD_LEN, packet);
    memset(at, 0, 16 + 8 + PAYLOAD_LEN);
    at[0] = 44;
    at[1] = 1; /* 16 bytes */
    at[16] = 132;
    hws_put16(at + 18, offset_and_more);
    hws_put32(at + 20, 0x12345678);
    return HWS_IPV6_HEADER_LEN + 16 + 8 + PAYLOAD_LEN;
}

static void test_ipv6_extensions(void **state)
{
    (void)state;
    uint8_t packet[HWS_IPV6_HEADER_LEN + 16 + 8 + PAYLOAD_LEN];
    struct hws_ip_view view;
    uint32_t len = write_extensions(packet, 0x0001);
    assert_true(hws_ip_view_read(packet, len, &view));
    assert_int_equal(view.protocol, 132);
    assert_int_equal(view.id, 0x12345678);
    assert_int_equal(view.fragment_offset, 0);
    assert_true(view.more_fragments);
    assert_int_equal(view.payload_len, PAYLOAD_LEN);
    write_extensions(packet, 0x05a8);
    assert_true(hws_ip_view_read(packet, len, &view));
    assert_int_equal(view.fragment_offset, 1448);
    assert_false(view.more_fragments);
    write_extensions(packet, 0);
    assert_true(hws_ip_view_read(packet, len, &view));
    assert_false(hws_ip_view_is_fragment(&view));
    for (uint32_t cut = 0; cut < len; cut++)
        read_exactly(packet, cut, &view);
    packet[HWS_IPV6_HEADER_LEN + 1] = 255; /* options longer than the packet */
    assert_false(hws_ip_view_read(packet, len, &view));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),           cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_ipv4_damage),     cmocka_unit_test(test_ipv4_fragments),
        cmocka_unit_test(test_ipv6_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

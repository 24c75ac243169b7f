#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "proto/bytes.h"
#include "proto/chunk.h"
#include "proto/shard.h"

struct packet {
    uint8_t bytes[HWS_SHARD_BYTES];
};

static struct packet packet(uint16_t src_port, uint16_t dst_port, uint32_t vtag, uint8_t type,
                            uint8_t flags)
{
    struct packet p = {{0}};
    hws_put16(p.bytes, src_port);
    hws_put16(p.bytes + 2, dst_port);
    hws_put32(p.bytes + 4, vtag);
    p.bytes[12] = type;
    p.bytes[13] = flags;
    return p;
}

static uint32_t shard_of(uint32_t count, struct packet p)
{
    return hws_shard_of_packet(count, p.bytes, sizeof p.bytes);
}

static void test_tag_decides(void **state)
{
    (void)state;
    const uint8_t types[] = {HWS_CHUNK_DATA, HWS_CHUNK_INIT_ACK, HWS_CHUNK_COOKIE_ECHO,
                             HWS_CHUNK_ABORT, HWS_CHUNK_SHUTDOWN_COMPLETE};
    for (uint32_t vtag = 1; vtag < 20; vtag++)
        for (size_t i = 0; i < sizeof types; i++)
            assert_int_equal(shard_of(7, packet(1, 2, vtag, types[i], 0)), vtag % 7);
    assert_int_equal(shard_of(7, packet(1, 2, 0xffffffff, HWS_CHUNK_DATA, 1)), 0xffffffff % 7);
}

static void test_ports_decide(void **state)
{
    (void)state;
    for (uint16_t port = 1; port < 200; port++) {
        uint32_t shard = hws_shard_of_ports(7, port, 5000);
        assert_int_equal(hws_shard_of_ports(7, 5000, port), shard);
        assert_int_equal(shard_of(7, packet(port, 5000, 0, HWS_CHUNK_INIT, 0)), shard);
        assert_int_equal(shard_of(7, packet(port, 5000, port, HWS_CHUNK_ABORT, HWS_FLAG_T)), shard);
        assert_int_equal(
            shard_of(7, packet(5000, port, port, HWS_CHUNK_SHUTDOWN_COMPLETE, HWS_FLAG_T)), shard);
    }
}

static void test_short_packets(void **state)
{
    (void)state;
    struct packet p = packet(0xffff, 0xffff, 5, HWS_CHUNK_DATA, 0);
    for (uint32_t len = 0; len < HWS_SHARD_BYTES; len++)
        assert_int_equal(hws_shard_of_packet(3, p.bytes, len), 0);
    assert_int_equal(hws_shard_of_packet(3, p.bytes, HWS_SHARD_BYTES), 2);
}

/* Clients take ports one after the other, or every second one: no shard is left out. */
static void test_ports_spread(void **state)
{
    (void)state;
    const uint32_t counts[] = {2, 3, 4, 8, 16, 64};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (uint32_t step = 1; step <= 4; step++) {
            uint32_t got[64] = {0};
            for (uint32_t k = 0; k < 100 * counts[i]; k++)
                got[hws_shard_of_ports(counts[i], (uint16_t)(32768 + k * step), 3868)]++;
            for (uint32_t shard = 0; shard < counts[i]; shard++)
                assert_in_range(got[shard], 60, 140);
        }
    }
}

static void test_tags(void **state)
{
    (void)state;
    const uint32_t tags[] = {0, 1, 2, 63, 64, 0x12345678, 0xfffffffe, 0xffffffff};
    for (uint32_t count = 1; count <= 64; count++) {
        for (uint32_t index = 0; index < count; index++) {
            struct hws_shard shard = {.count = count, .index = index};
            for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
                uint32_t tag = hws_shard_tag(&shard, tags[i]);
                assert_int_equal(tag % count, index);
                assert_true(tag - tags[i] < count || tags[i] - tag < count);
            }
        }
    }
}

static void test_alone(void **state)
{
    (void)state;
    const struct hws_shard none = {0};
    struct packet p = packet(1, 2, 3, HWS_CHUNK_DATA, 0);
    assert_int_equal(hws_shard_tag(&none, 77), 77);
    assert_true(hws_shard_has_ports(&none, 1, 2));
    assert_true(hws_shard_has_packet(&none, p.bytes, sizeof p.bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_decides),   cmocka_unit_test(test_ports_decide),
        cmocka_unit_test(test_short_packets), cmocka_unit_test(test_ports_spread),
        cmocka_unit_test(test_tags),          cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The filters run in the kernel, on AF_UNIX sockets: these need no privilege. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/raw_filter_linux.h"
#include "proto/bytes.h"
#include "proto/chunk.h"

static const struct hws_shard alone;
static int sockets[2]; /* what is sent on the first, the second receives through the filter */

static int setup(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets);
}

static int teardown(void **state)
{
    (void)state;
    close(sockets[0]);
    close(sockets[1]);
    return 0;
}

static void attach(enum hws_family family, const struct hws_port_set *ports)
{
    static struct hws_raw_filter filter;
    hws_raw_filter_compile(&filter, family, &alone, ports);
    assert_int_equal(hws_raw_filter_attach(&filter, sockets[1]), 0);
}

static bool passes_bytes(const void *data, size_t len)
{
    uint8_t out[256];
    assert_int_equal(send(sockets[0], data, len, 0), len);
    ssize_t received = recv(sockets[1], out, sizeof(out), 0);
    if (received < 0)
        return false;
    assert_int_equal(received, len);
    assert_memory_equal(out, data, len);
    return true;
}

/* A packet as a raw socket sees it: IPv4 with `header_words` of IP header, IPv6 without any. */
static bool passes(enum hws_family family, uint8_t header_words, uint16_t port)
{
    uint8_t packet[60 + 12] = {0};
    size_t header_len = family == HWS_FAMILY_IPV4 ? 4u * header_words : 0;
    if (header_len != 0)
        packet[0] = (uint8_t)(0x40 | header_words);
    hws_put16(packet + header_len, 0x5555);
    hws_put16(packet + header_len + 2, port);
    return passes_bytes(packet, header_len + 12);
}

static void test_empty_set_drops_all(void **state)
{
    (void)state;
    struct hws_port_set none = {.words = {0}};
    attach(HWS_FAMILY_IPV4, &none);
    assert_false(passes(HWS_FAMILY_IPV4, 5, 0));
    assert_false(passes(HWS_FAMILY_IPV4, 5, 1000));
}

static void test_header_lengths(void **state)
{
    (void)state;
    struct hws_port_set set = {.words = {0}};
    hws_port_set_add(&set, 1000);
    attach(HWS_FAMILY_IPV4, &set);
    for (uint8_t words = 5; words <= 15; words++) {
        assert_true(passes(HWS_FAMILY_IPV4, words, 1000));
        assert_false(passes(HWS_FAMILY_IPV4, words, 1001));
    }
    attach(HWS_FAMILY_IPV6, &set);
    assert_true(passes(HWS_FAMILY_IPV6, 0, 1000));
    assert_false(passes(HWS_FAMILY_IPV6, 0, 999));
}

static void test_short_packets_are_dropped(void **state)
{
    (void)state;
    struct hws_port_set set = {.words = {0}};
    uint8_t packet[24] = {0x45};
    hws_port_set_add(&set, 0);
    attach(HWS_FAMILY_IPV4, &set);
    for (size_t len = 1; len < sizeof(packet); len++)
        assert_false(passes_bytes(packet, len));
    assert_true(passes_bytes(packet, sizeof(packet)));
    attach(HWS_FAMILY_IPV6, &set);
    for (size_t len = 1; len < 4; len++)
        assert_false(passes_bytes(packet + 1, len));
    assert_true(passes_bytes(packet + 1, 4));
}

/* Ports of the set and their neighbours, with as many ranges as `ports` has. */
static void check_exact(const struct hws_port_set *set, const uint16_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int d = -1; d <= 1; d++) {
            uint16_t port = (uint16_t)(ports[i] + d);
            assert_int_equal(passes(HWS_FAMILY_IPV6, 0, port), hws_port_set_has(set, port));
        }
    }
}

static void test_numbers_of_ranges(void **state)
{
    (void)state;
    size_t counts[] = {1, 2, 3, 4, 5, 7, 8, 15, HWS_RAW_FILTER_MAX_RANGES};
    uint16_t ports[HWS_RAW_FILTER_MAX_RANGES];
    srand(2);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct hws_port_set set = {.words = {0}};
        for (size_t k = 0; k < counts[i]; k++) {
            ports[k] = (uint16_t)(k * 128 + (unsigned)rand() % 64 + 1);
            hws_port_set_add(&set, ports[k]);
            if (k % 3 == 0)
                hws_port_set_add(&set, (uint16_t)(ports[k] + 1));
        }
        attach(HWS_FAMILY_IPV6, &set);
        check_exact(&set, ports, counts[i]);
    }
}

/* More ranges than the filter tells apart: nothing of the set may be lost. */
static void test_very_large_set(void **state)
{
    (void)state;
    struct hws_port_set set = {.words = {0}};
    for (uint32_t port = 20000; port < 60000; port += 5)
        hws_port_set_add(&set, (uint16_t)port);
    attach(HWS_FAMILY_IPV4, &set);
    for (uint32_t port = 20000; port < 60000; port += 5)
        assert_true(passes(HWS_FAMILY_IPV4, 5, (uint16_t)port));
    assert_false(passes(HWS_FAMILY_IPV4, 5, 19000));
    assert_false(passes(HWS_FAMILY_IPV4, 5, 61000));
}

/* What a program says of itself is what the kernel does with it. */
static void test_passes(void **state)
{
    (void)state;
    struct hws_port_set set = {.words = {0}};
    struct hws_raw_filter filter;
    srand(3);
    for (size_t i = 0; i < 200; i++) {
        hws_port_set_add(&set, (uint16_t)(1024 + rand() % 60000));
        if (i % 40 != 0)
            continue;
        attach(HWS_FAMILY_IPV4, &set);
        hws_raw_filter_compile(&filter, HWS_FAMILY_IPV4, &alone, &set);
        for (uint32_t port = 0; port < 65536; port += 97)
            assert_int_equal(hws_raw_filter_passes(&filter, (uint16_t)port),
                             passes(HWS_FAMILY_IPV4, 5, (uint16_t)port));
    }
}

/* ---- Shards ---- */

/* A packet whose kind matters: any chunk type, often those that may have the T bit, often tag 0. */
static void random_packet(uint8_t *packet, size_t len)
{
    static const uint8_t types[] = {HWS_CHUNK_DATA, HWS_CHUNK_INIT, HWS_CHUNK_ABORT,
                                    HWS_CHUNK_SHUTDOWN_COMPLETE};
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)rand();
    if (rand() % 3 == 0)
        hws_put32(bytes + 4, (uint32_t)rand() % 3);
    if (rand() % 4 != 0)
        bytes[12] = types[(unsigned)rand() % sizeof(types)];
    memcpy(packet, bytes, len);
}

static void attach_shard(enum hws_family family, const struct hws_shard *shard,
                         const struct hws_port_set *ports)
{
    static struct hws_raw_filter filter;
    hws_raw_filter_compile(&filter, family, shard, ports);
    assert_int_equal(hws_raw_filter_attach(&filter, sockets[1]), 0);
}

/* What the kernel does with a packet is what the rule says; short ones are nobody's. */
static void check_shard(enum hws_family family, const struct hws_shard *shard)
{
    attach_shard(family, shard, NULL);
    for (int i = 0; i < 300; i++) {
        uint8_t packet[60 + 64] = {0};
        size_t len = rand() % 8 == 0 ? 1 + (unsigned)rand() % 16 : 16;
        uint8_t header_words = (uint8_t)(5 + rand() % 11);
        size_t header_len = family == HWS_FAMILY_IPV4 ? 4u * header_words : 0;
        packet[0] = (uint8_t)(0x40 | header_words);
        random_packet(packet + header_len, len);
        bool whole = len >= HWS_SHARD_BYTES;
        assert_int_equal(passes_bytes(packet, header_len + len),
                         whole && hws_shard_has_packet(shard, packet + header_len, (uint32_t)len));
    }
}

static void test_shards(void **state)
{
    (void)state;
    const uint32_t counts[] = {2, 3, 4, 64};
    srand(4);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (uint32_t index = 0; index < counts[i]; index += 1 + counts[i] / 8) {
            const struct hws_shard shard = {.count = counts[i], .index = index};
            check_shard(HWS_FAMILY_IPV4, &shard);
            check_shard(HWS_FAMILY_IPV6, &shard);
        }
    }
}

/* Of a shard's packets those to its ports, with as many of them as a filter has room for. */
static void test_shard_with_ports(void **state)
{
    (void)state;
    struct hws_port_set set = {.words = {0}};
    const struct hws_shard shard = {.count = 2, .index = 1};
    for (uint32_t i = 0; i < 2 * HWS_RAW_FILTER_MAX_RANGES; i++)
        hws_port_set_add(&set, (uint16_t)(1000 + i * 300));
    const enum hws_family families[] = {HWS_FAMILY_IPV4, HWS_FAMILY_IPV6};
    for (size_t i = 0; i < 2; i++) {
        size_t header_len = families[i] == HWS_FAMILY_IPV4 ? 20 : 0;
        attach_shard(families[i], &shard, &set);
        for (uint32_t vtag = 1; vtag < 5; vtag++) {
            uint8_t packet[20 + 16] = {0x45};
            uint8_t *sctp = packet + header_len;
            memset(sctp, 0, 16);
            hws_put16(sctp + 2, 1000);
            hws_put32(sctp + 4, vtag);
            assert_int_equal(passes_bytes(packet, header_len + 16), vtag % 2 == 1);
            hws_put16(sctp + 2, 999);
            assert_false(passes_bytes(packet, header_len + 16));
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_empty_set_drops_all),
        TEST(test_header_lengths),
        TEST(test_short_packets_are_dropped),
        TEST(test_numbers_of_ranges),
        TEST(test_very_large_set),
        TEST(test_passes),
        TEST(test_shards),
        TEST(test_shard_with_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

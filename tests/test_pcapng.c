/* What is written is read back by tshark, which knows the format better than a reader of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/trace/pcapng.h"
#include "proto/chunk.h"
#include "proto/crc32c.h"
#include "proto/packet.h"
#include "tests/link_tool.h"
#include "tests/temp_file.h"

/* A COOKIE ACK and a HEARTBEAT of `info_len` bytes. */
static uint32_t build_packet(uint8_t *out, uint32_t info_len)
{
    struct hws_builder builder;
    hws_builder_init(&builder, out, HWS_PACKET_MAX_LEN, 1000, 2000, 0x12345678);
    assert_non_null(hws_builder_chunk(&builder, 11, 0, 0));
    uint8_t *heartbeat = hws_builder_chunk(&builder, 4, 0, 4 + info_len);
    assert_non_null(heartbeat);
    hws_put16(heartbeat, 1);
    hws_put16(heartbeat + 2, (uint16_t)(4 + info_len));
    memset(heartbeat + 4, 0x77, info_len);
    return hws_builder_finish(&builder);
}

struct written {
    const char *src, *dst;
    uint16_t src_udp, dst_udp;
    uint8_t protocol;
    bool outbound;
    uint32_t info_len;
};

static void write_file(const struct written *list, size_t count)
{
    static uint8_t packet[HWS_PACKET_MAX_LEN];
    struct hws_pcapng *pcapng;
    assert_int_equal(hws_pcapng_open(temp_file, &pcapng), 0);
    for (size_t i = 0; i < count; i++) {
        struct hws_addr src = {.udp_port = list[i].src_udp};
        if (list[i].src != NULL)
            src = link_addr(list[i].src, list[i].src_udp);
        struct hws_addr dst = link_addr(list[i].dst, list[i].dst_udp);
        uint32_t len = build_packet(packet, list[i].info_len);
        struct hws_capture_packet capture = {.way = list[i].outbound ? HWS_CAPTURE_OUT
                                                                     : HWS_CAPTURE_IN,
                                             .unix_us = 1700000000123456u + i,
                                             .src = &src,
                                             .dst = &dst,
                                             .protocol = list[i].protocol,
                                             .data = packet,
                                             .len = len};
        assert_int_equal(hws_pcapng_write(pcapng, &capture), 0);
    }
    assert_int_equal(hws_pcapng_close(pcapng), 0);
}

/* Runs tshark over the file and fails the test unless it prints `expected`. */
static void expect_tshark(const char *arguments, const char *expected)
{
    char command[1024], output[4096];
    snprintf(command, sizeof(command),
             "tshark -r %s -o 'sctp.checksum:CRC 32c' -o ip.check_checksum:TRUE "
             "-o udp.check_checksum:TRUE %s 2>/dev/null",
             temp_file, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(output, 1, sizeof(output) - 1, pipe);
    output[len] = '\0';
    assert_int_equal(pclose(pipe), 0);
    assert_string_equal(output, expected);
}

static void need_tshark(void)
{
    if (system("tshark --version >/dev/null 2>&1") == 0)
        return;
    printf("SKIP: tshark is not installed\n");
    skip();
}

static const struct written every_kind[] = {
    {"192.0.2.1", "192.0.2.2", 0, 0, 132, true, 1},
    {"192.0.2.2", "192.0.2.1", 0, 0, 132, false, 2},
    {"2001:db8::1", "2001:db8::2", 0, 0, 132, true, 1400},
    {"192.0.2.1", "192.0.2.2", 50000, 9899, 132, true, 3},
    {"2001:db8::2", "2001:db8::1", 9899, 50000, 132, false, 4},
    {NULL, "192.0.2.2", 0, 0, 132, true, 5},
    {"192.0.2.1", "192.0.2.2", 0, 0, 132, true, 65000},
};

#define EVERY_KIND (sizeof(every_kind) / sizeof(every_kind[0]))

static void test_every_kind_is_sctp(void **state)
{
    (void)state;
    need_tshark();
    write_file(every_kind, EVERY_KIND);
    expect_tshark("-T fields -E separator=/s -e frame.number -e sctp.srcport -e sctp.dstport "
                  "-e sctp.checksum.status -e sctp.chunk_type",
                  "1 1000 2000 1 11,4\n2 1000 2000 1 11,4\n3 1000 2000 1 11,4\n"
                  "4 1000 2000 1 11,4\n5 1000 2000 1 11,4\n6 1000 2000 1 11,4\n"
                  "7 1000 2000 1 11,4\n");
}

static void test_nothing_is_malformed(void **state)
{
    (void)state;
    need_tshark();
    write_file(every_kind, EVERY_KIND);
    expect_tshark("-Y '_ws.malformed or ip.checksum.status == 0 or udp.checksum.status == 0 or "
                  "sctp.checksum.status == 0 or _ws.expert.severity >= 0x600000'",
                  "");
}

static void test_addresses_and_ports(void **state)
{
    (void)state;
    need_tshark();
    write_file(every_kind, EVERY_KIND);
    expect_tshark("-T fields -E separator=/s -e ip.src -e ipv6.src -e ip.dst -e ipv6.dst "
                  "-e udp.srcport -e udp.dstport",
                  "192.0.2.1  192.0.2.2   \n192.0.2.2  192.0.2.1   \n"
                  " 2001:db8::1  2001:db8::2  \n192.0.2.1  192.0.2.2  50000 9899\n"
                  " 2001:db8::2  2001:db8::1 9899 50000\n0.0.0.0  192.0.2.2   \n"
                  "192.0.2.1  192.0.2.2   \n");
}

static void test_time_and_direction(void **state)
{
    (void)state;
    need_tshark();
    write_file(every_kind, 2);
    expect_tshark("-T fields -E separator=/s -e frame.time_epoch -e frame.packet_flags_direction",
                  "1700000000.123456000 0x00000002\n1700000000.123457000 0x00000001\n");
}

static void test_experimental_protocol(void **state)
{
    (void)state;
    need_tshark();
    struct written experimental = {"192.0.2.1", "192.0.2.2", 0, 0, 253, true, 8};
    write_file(&experimental, 1);
    expect_tshark("-d ip.proto==253,sctp -T fields -e sctp.chunk_type", "11,4\n");
}

/* The blocks' lengths, looked at without tshark. */
static void test_blocks(void **state)
{
    (void)state;
    static uint8_t file[200000];
    write_file(every_kind, EVERY_KIND);
    FILE *in = fopen(temp_file, "rb");
    assert_non_null(in);
    size_t len = fread(file, 1, sizeof(file), in), at = 0, blocks = 0;
    fclose(in);
    while (at < len) {
        uint32_t block_len, again;
        memcpy(&block_len, file + at + 4, 4);
        assert_true(block_len % 4 == 0 && block_len >= 12 && at + block_len <= len);
        memcpy(&again, file + at + block_len - 4, 4);
        assert_int_equal(block_len, again);
        at += block_len;
        blocks++;
    }
    assert_int_equal(blocks, 2 + EVERY_KIND);
}

static void test_too_large(void **state)
{
    (void)state;
    static uint8_t packet[65535];
    struct hws_pcapng *pcapng;
    struct hws_addr addr = link_addr("192.0.2.1", 0);
    struct hws_capture_packet capture = {
        .src = &addr, .dst = &addr, .protocol = 132, .data = packet, .len = sizeof(packet)};
    assert_int_equal(hws_pcapng_open(temp_file, &pcapng), 0);
    assert_int_equal(hws_pcapng_write(pcapng, &capture), -EMSGSIZE);
    assert_int_equal(hws_pcapng_close(pcapng), 0);
}

static void test_no_file(void **state)
{
    (void)state;
    struct hws_pcapng *pcapng;
    assert_int_equal(hws_pcapng_open("/nowhere/file", &pcapng), -ENOENT);
    if (access("/dev/full", W_OK) == 0 && hws_pcapng_open("/dev/full", &pcapng) == 0)
        assert_true(hws_pcapng_close(pcapng) < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_file_setup, temp_file_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind_is_sctp),
        TEST(test_nothing_is_malformed),
        TEST(test_addresses_and_ports),
        TEST(test_time_and_direction),
        TEST(test_experimental_protocol),
        TEST(test_blocks),
        TEST(test_too_large),
        TEST(test_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

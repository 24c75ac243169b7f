/* Reading captures: files of every shape that others write, and files that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/trace/linktype.h"
#include "api/trace/pcapng.h"
#include "api/trace/pcapng_read.h"
#include "proto/bytes.h"
#include "proto/ip.h"
#include "tests/link_tool.h"
#include "tests/temp_file.h"

#define FILE_MAX 2048u

static char error[HWS_PCAPNG_ERROR_MAX];

/* A file under construction, in either byte order. */
struct file {
    bool swapped;
    uint32_t len, block;
    uint8_t bytes[FILE_MAX];
};

static void add32(struct file *file, uint32_t value)
{
    if (file->swapped)
        value = __builtin_bswap32(value);
    memcpy(file->bytes + file->len, &value, 4);
    file->len += 4;
}

static void add16(struct file *file, uint16_t value)
{
    if (file->swapped)
        value = __builtin_bswap16(value);
    memcpy(file->bytes + file->len, &value, 2);
    file->len += 2;
}

static void add_bytes(struct file *file, const void *bytes, uint32_t len)
{
    memset(file->bytes + file->len, 0, hws_pad4(len));
    memcpy(file->bytes + file->len, bytes, len);
    file->len += hws_pad4(len);
}

static void begin_block(struct file *file, uint32_t type)
{
    file->block = file->len;
    add32(file, type);
    add32(file, 0);
}

static void end_block(struct file *file)
{
    uint32_t end = file->len + 4, len = end - file->block;
    file->len = file->block + 4;
    add32(file, len);
    file->len = end - 4;
    add32(file, len);
}

static void add_section(struct file *file)
{
    begin_block(file, 0x0a0d0d0a);
    add32(file, 0x1a2b3c4d);
    add16(file, 1);
    add16(file, 0);
    add32(file, UINT32_MAX);
    add32(file, UINT32_MAX);
    end_block(file);
}

static void add_interface(struct file *file, uint16_t linktype, uint8_t resolution)
{
    begin_block(file, 1);
    add16(file, linktype);
    add16(file, 0);
    add32(file, 0);
    add16(file, 9); /* if_tsresol */
    add16(file, 1);
    add_bytes(file, &resolution, 1);
    add32(file, 0);
    end_block(file);
}

static uint32_t make_ip(uint8_t *out)
{
    const struct hws_ip ip = {.src = link_addr("192.0.2.1", 0),
                              .dst = link_addr("192.0.2.2", 0),
                              .protocol = 132,
                              .ttl = 64};
    memset(out, 0, HWS_IPV4_HEADER_LEN + 16);
    return hws_ip_write(&ip, 16, out) + 16;
}

static void add_packet(struct file *file, uint32_t interface, uint64_t time)
{
    uint8_t ip[64];
    uint32_t len = make_ip(ip);
    begin_block(file, 6);
    add32(file, interface);
    add32(file, (uint32_t)(time >> 32));
    add32(file, (uint32_t)time);
    add32(file, len);
    add32(file, len + 4);
    add_bytes(file, ip, len);
    add16(file, 2); /* epb_flags */
    add16(file, 4);
    add32(file, 2); /* outbound */
    add32(file, 0);
    end_block(file);
}

static void save(const struct file *file, uint32_t len)
{
    unlink(temp_file); /* a new file is written without waiting for the disk */
    FILE *out = fopen(temp_file, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(file->bytes, 1, len, out), len);
    fclose(out);
}

/* Reads to the end. The number of packets, or a negative errno. */
static int read_all(void)
{
    struct hws_pcapng_reader *reader;
    struct hws_capture_ip ip;
    int count = 0, rc = hws_pcapng_reader_open(temp_file, &reader, error);
    if (rc < 0)
        return rc;
    while ((rc = hws_pcapng_reader_next(reader, &ip, error)) > 0)
        count++;
    hws_pcapng_reader_close(reader);
    return rc < 0 ? rc : count;
}

static void test_what_we_write(void **state)
{
    (void)state;
    struct hws_pcapng *pcapng;
    struct hws_pcapng_reader *reader;
    struct hws_capture_ip ip;
    uint8_t data[64];
    const struct hws_capture_ip written = {.way = HWS_CAPTURE_IN,
                                           .unix_us = 1700000000123456u,
                                           .data = data,
                                           .len = make_ip(data),
                                           .wire_len = 1000};
    assert_int_equal(hws_pcapng_open(temp_file, &pcapng), 0);
    assert_int_equal(hws_pcapng_write_ip(pcapng, &written), 0);
    assert_int_equal(hws_pcapng_flush(pcapng), 0);
    assert_int_equal(hws_pcapng_reader_open(temp_file, &reader, error), 0);
    assert_int_equal(hws_pcapng_reader_next(reader, &ip, error), 1);
    assert_int_equal(ip.way, HWS_CAPTURE_IN);
    assert_true(ip.unix_us == written.unix_us);
    assert_int_equal(ip.len, written.len);
    assert_int_equal(ip.wire_len, 1000);
    assert_memory_equal(ip.data, data, ip.len);
    assert_int_equal(hws_pcapng_reader_next(reader, &ip, error), 0);
    hws_pcapng_reader_close(reader);
    assert_int_equal(hws_pcapng_close(pcapng), 0);
}

static void test_both_byte_orders(void **state)
{
    (void)state;
    for (int swapped = 0; swapped <= 1; swapped++) {
        struct file file = {.swapped = swapped != 0};
        struct hws_pcapng_reader *reader;
        struct hws_capture_ip ip;
        add_section(&file);
        add_interface(&file, HWS_LINKTYPE_RAW, 6);
        add_packet(&file, 0, 1700000000123456u);
        save(&file, file.len);
        assert_int_equal(hws_pcapng_reader_open(temp_file, &reader, error), 0);
        assert_int_equal(hws_pcapng_reader_next(reader, &ip, error), 1);
        assert_true(ip.unix_us == 1700000000123456u);
        assert_int_equal(ip.way, HWS_CAPTURE_OUT);
        assert_int_equal(ip.wire_len, ip.len + 4);
        hws_pcapng_reader_close(reader);
    }
}

/* Each unit of time is of 2^-n or 10^-n seconds. */
static void test_units_of_time(void **state)
{
    (void)state;
    const struct {
        uint8_t resolution;
        uint64_t time, us;
    } cases[] = {
        {9, 1500000000123u, 1500000000},
        {3, 1500, 1500000},
        {0, 2, 2000000},
        {0x80 | 10, 1536, 1500000},
        {0x80 | 40, 3ull << 39, 1500000},
        {0x80 | 63, 3ull << 62, 1500000},
        {0x80 | 64, UINT64_MAX, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct file file = {.swapped = false};
        struct hws_pcapng_reader *reader;
        struct hws_capture_ip ip;
        add_section(&file);
        add_interface(&file, HWS_LINKTYPE_RAW, cases[i].resolution);
        add_packet(&file, 0, cases[i].time);
        save(&file, file.len);
        assert_int_equal(hws_pcapng_reader_open(temp_file, &reader, error), 0);
        assert_int_equal(hws_pcapng_reader_next(reader, &ip, error), 1);
        assert_true(ip.unix_us == cases[i].us);
        hws_pcapng_reader_close(reader);
    }
}

/* Interfaces are numbered anew in each section; blocks of other kinds are passed over. */
static void test_sections(void **state)
{
    (void)state;
    struct file file = {.swapped = false};
    add_section(&file);
    add_interface(&file, 147, 6); /* of a link nobody knows */
    add_interface(&file, HWS_LINKTYPE_RAW, 6);
    add_packet(&file, 0, 1);
    add_packet(&file, 1, 2);
    file.swapped = true;
    add_section(&file);
    begin_block(&file, 4); /* names */
    add_bytes(&file, "something", 9);
    end_block(&file);
    add_interface(&file, HWS_LINKTYPE_IPV4, 6);
    add_packet(&file, 0, 3);
    save(&file, file.len);
    assert_int_equal(read_all(), 2);
}

static void make_sample(struct file *file)
{
    *file = (struct file){.swapped = false};
    add_section(file);
    add_interface(file, HWS_LINKTYPE_ETHERNET, 6);
    add_interface(file, HWS_LINKTYPE_LINUX_SLL2, 6);
    add_packet(file, 0, 1);
    add_packet(file, 1, 1);
    begin_block(file, 3);
    add32(file, 8);
    add_bytes(file, "12345678", 8);
    end_block(file);
}

/* A file that is cut between blocks is shorter, one that is cut within a block is damaged. */
static void test_every_truncation(void **state)
{
    (void)state;
    struct file file;
    make_sample(&file);
    for (uint32_t len = 0; len < file.len; len++) {
        save(&file, len);
        int rc = read_all();
        assert_true(rc >= 0 || rc == -EPROTO);
        if (rc == -EPROTO)
            assert_non_null(strpbrk(error, "abcdefghijklmnopqrstuvwxyz"));
    }
}

/* Nothing is read that is not there, whatever the file says: the sanitizers watch. */
static void test_every_byte_wrong(void **state)
{
    (void)state;
    struct file file;
    const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    make_sample(&file);
    for (uint32_t i = 0; i < file.len; i++) {
        uint8_t right = file.bytes[i];
        for (size_t v = 0; v < sizeof(values); v++) {
            file.bytes[i] = values[v];
            save(&file, file.len);
            int rc = read_all();
            assert_true(rc >= 0 || rc == -EPROTO);
        }
        file.bytes[i] = right;
    }
}

/* What cannot be read is no capture, and nothing that has ended. */
static void test_not_readable(void **state)
{
    (void)state;
    struct hws_pcapng_reader *reader;
    assert_int_equal(hws_pcapng_reader_open("/", &reader, error), -EIO);
    assert_non_null(strstr(error, "Is a directory"));
    assert_int_equal(hws_pcapng_reader_open("/proc/self/mem", &reader, error), -EIO);
    assert_non_null(strstr(error, "cannot be read on from byte 0"));
}

static void test_not_a_capture(void **state)
{
    (void)state;
    struct file file = {.swapped = false};
    add32(&file, 0xa1b2c3d4);
    save(&file, file.len);
    assert_int_equal(read_all(), -EPROTO);
    assert_non_null(strstr(error, "editcap"));
    save(&file, 0);
    assert_int_equal(read_all(), -EPROTO);
    assert_non_null(strstr(error, "no capture file"));
    unlink(temp_file);
    assert_int_equal(read_all(), -ENOENT);
    assert_non_null(strstr(error, "No such file"));
    save(&file, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_file_setup, temp_file_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_we_write), TEST(test_both_byte_orders), TEST(test_units_of_time),
        TEST(test_sections),      TEST(test_every_truncation), TEST(test_every_byte_wrong),
        TEST(test_not_readable),  TEST(test_not_a_capture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/trace/trace.h"
#include "proto/packet.h"
#include "tests/link_tool.h"

static void read_file(const char *path, char *out, size_t cap)
{
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    out[fread(out, 1, cap - 1, in)] = '\0';
    fclose(in);
}

static void test_lines(void **state)
{
    (void)state;
    char path[] = "/tmp/test_trace_XXXXXX", text[2048];
    uint8_t packet[64];
    struct hws_builder builder;
    struct hws_trace *trace;
    struct hws_addr any = {.family = HWS_FAMILY_NONE}, host = link_addr("192.0.2.2", 0);
    struct hws_addr encapsulated = link_addr("2001:db8::1", 9899);
    close(mkstemp(path));
    assert_int_equal(hws_trace_open(path, &trace), 0);
    hws_builder_init(&builder, packet, sizeof(packet), 1000, 2000, 0x12345678);
    hws_builder_chunk(&builder, 11, 0, 0);
    struct hws_capture_packet capture = {.way = HWS_CAPTURE_OUT,
                                         .unix_us = 1700000000000123u,
                                         .src = &any,
                                         .dst = &host,
                                         .protocol = 253,
                                         .data = packet,
                                         .len = hws_builder_finish(&builder)};
    assert_int_equal(hws_trace_write(trace, &capture), 0);
    read_file(path, text, sizeof(text));
    assert_non_null(strstr(text, "2023-11-14T22:13:20.000123Z out any > 192.0.2.2 proto=253 "
                                 "1000>2000 vtag=0x12345678: COOKIE-ACK"));
    capture.way = HWS_CAPTURE_IN;
    capture.src = &encapsulated;
    capture.len = 3;
    assert_int_equal(hws_trace_write(trace, &capture), 0);
    assert_int_equal(hws_trace_close(trace), 0);
    read_file(path, text, sizeof(text));
    assert_non_null(strstr(text, "Z in  [2001:db8::1]:9899 > 192.0.2.2 udp "));
    assert_int_equal(text[strlen(text) - 1], '\n');
    unlink(path);
}

static void test_errors(void **state)
{
    (void)state;
    struct hws_trace *trace;
    assert_int_equal(hws_trace_open("/nowhere/file", &trace), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

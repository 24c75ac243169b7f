#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/crc32c.h"
#include "proto/packet.h"
#include "vectors.h"

#define PORTS_AND_TAG 1000, 2000, 0xdeadbeef

/* A builder over memory of exactly `limit` bytes, all ones, so that padding shows. */
static struct hws_builder begin(uint32_t limit)
{
    struct hws_builder b;
    uint8_t *memory = malloc(limit);
    memset(memory, 0xff, limit);
    hws_builder_init(&b, memory, limit, PORTS_AND_TAG);
    return b;
}

static void test_header_is_written_and_read(void **state)
{
    (void)state;
    struct hws_builder b = begin(64);
    struct hws_header h;
    uint32_t len = hws_builder_finish(&b);
    assert_int_equal(len, HWS_PACKET_HEADER_LEN);
    assert_true(hws_header_read(b.start, len, &h));
    assert_int_equal(h.src_port, 1000);
    assert_int_equal(h.dst_port, 2000);
    assert_int_equal(h.vtag, 0xdeadbeef);
    assert_int_equal(h.checksum, hws_get32(b.start + 8));
    assert_true(hws_crc32c_ok(b.start, len));
    free(b.start);
}

static void test_header_needs_twelve_bytes(void **state)
{
    (void)state;
    struct hws_header h;
    for (uint32_t len = 0; len < HWS_PACKET_HEADER_LEN; len++) {
        uint8_t *bytes = calloc(1, len + (len == 0));
        assert_false(hws_header_read(bytes, len, &h));
        free(bytes);
    }
}

static void test_chunks_are_padded_with_zeros(void **state)
{
    (void)state;
    for (uint32_t value_len = 0; value_len <= 8; value_len++) {
        struct hws_builder b = begin(64);
        uint8_t *value = hws_builder_chunk(&b, 0xc0, 0x5a, value_len);
        assert_ptr_equal(value, b.start + 16);
        assert_int_equal(b.len, 12 + hws_pad4(4 + value_len));
        assert_int_equal(b.chunks, 1);
        assert_int_equal(value[-4], 0xc0);
        assert_int_equal(value[-3], 0x5a);
        assert_int_equal(hws_get16(value - 2), 4 + value_len);
        for (uint32_t i = 16 + value_len; i < b.len; i++)
            assert_int_equal(b.start[i], 0);
        free(b.start);
    }
}

static void test_chunk_fits_exactly_or_not_at_all(void **state)
{
    (void)state;
    for (uint32_t limit = 12; limit <= 40; limit++) {
        struct hws_builder b = begin(limit);
        uint32_t room = hws_builder_room(&b);
        assert_null(hws_builder_chunk(&b, 1, 0, room + 1));
        assert_null(hws_builder_chunk(&b, 1, 0, UINT32_MAX));
        assert_int_equal(b.len, 12);
        assert_int_equal(b.chunks, 0);
        assert_int_equal(hws_builder_chunk(&b, 1, 0, room) != NULL, limit >= 16);
        assert_true(b.len <= limit);
        free(b.start);
    }
}

static void test_limit_never_exceeds_the_largest_packet(void **state)
{
    (void)state;
    struct hws_builder b = begin(200000);
    assert_int_equal(b.limit, HWS_PACKET_MAX_LEN);
    assert_non_null(hws_builder_chunk(&b, 1, 0, hws_builder_room(&b)));
    assert_int_equal(hws_builder_finish(&b), HWS_PACKET_MAX_LEN);
    free(b.start);
}

/* RFC 9260, 3.2: a chunk's length does not count the padding of its last parameter. */
static void test_padding_of_the_last_parameter_is_not_counted(void **state)
{
    (void)state;
    struct hws_builder b = begin(64);
    assert_true(hws_builder_open(&b, 1, 0));
    memset(hws_builder_bytes(&b, 4), 1, 4);
    memset(hws_builder_tlv(&b, 0x1234, 1), 2, 1);
    memset(hws_builder_tlv(&b, 0x5678, 2), 3, 2);
    assert_true(hws_builder_close(&b));
    static const uint8_t expected[] = {
        1,    0,    0, 22, 1, 1, 1, 1, /* chunk header, bytes */
        0x12, 0x34, 0, 5,  2, 0, 0, 0, /* a parameter and its padding */
        0x56, 0x78, 0, 6,  3, 3, 0, 0, /* the last one */
    };
    assert_int_equal(b.len, 12 + sizeof expected);
    assert_memory_equal(b.start + 12, expected, sizeof expected);
    free(b.start);
}

static void test_open_needs_room_for_a_header(void **state)
{
    (void)state;
    struct hws_builder b = begin(15);
    assert_false(hws_builder_open(&b, 1, 0));
    assert_int_equal(b.len, 12);
    free(b.start);
}

static void test_overflow_takes_the_chunk_back(void **state)
{
    (void)state;
    struct hws_builder b = begin(32);
    assert_non_null(hws_builder_chunk(&b, 11, 0, 0));
    assert_true(hws_builder_open(&b, 9, 0));
    assert_non_null(hws_builder_tlv(&b, 1, 4));
    assert_null(hws_builder_tlv(&b, 2, 1));
    assert_null(hws_builder_bytes(&b, 1)); /* nothing more once something was lost */
    assert_null(hws_builder_tlv(&b, 3, 0));
    assert_false(hws_builder_close(&b));
    assert_int_equal(b.len, 16);
    assert_int_equal(b.chunks, 1);
    assert_true(hws_builder_open(&b, 9, 0));
    assert_non_null(hws_builder_bytes(&b, 12));
    assert_true(hws_builder_close(&b));
    assert_int_equal(hws_builder_finish(&b), 32);
    free(b.start);
}

static void test_huge_lengths_overflow_only(void **state)
{
    (void)state;
    struct hws_builder b = begin(64);
    assert_true(hws_builder_open(&b, 9, 0));
    assert_null(hws_builder_bytes(&b, UINT32_MAX));
    assert_false(hws_builder_close(&b));
    assert_true(hws_builder_open(&b, 9, 0));
    assert_null(hws_builder_tlv(&b, 1, UINT32_MAX - 3));
    assert_false(hws_builder_close(&b));
    assert_int_equal(b.len, 12);
    free(b.start);
}

/* Walks a list and reads every byte of every element; returns how many there were. */
static uint32_t walk(const uint8_t *bytes, uint32_t len, bool *malformed)
{
    struct hws_tlv_iter it = hws_tlv_begin(bytes, len);
    struct hws_tlv element;
    uint32_t count = 0, left = it.left;
    volatile uint8_t sink = 0;
    while (hws_tlv_next(&it, &element)) {
        assert_true(element.len >= 4);
        assert_true(element.bytes >= bytes && element.bytes + element.len <= bytes + len);
        assert_true(it.left + 4 <= left); /* progress */
        for (uint32_t i = 0; i < element.len; i++)
            sink = (uint8_t)(sink + element.bytes[i]);
        left = it.left;
        count++;
    }
    *malformed = it.malformed;
    return count;
}

static void test_every_truncation_of_a_list(void **state)
{
    (void)state;
    /* Elements end at 4, 9 (padded to 12) and 20. */
    static const uint8_t list[] = {11, 0, 0, 4, 10, 0, 0, 5, 7, 0, 0, 0, 7, 0, 0, 8, 1, 2, 3, 4};
    for (uint32_t len = 0; len <= sizeof list; len++) {
        uint8_t *copy = exact_copy(list, len);
        bool malformed;
        uint32_t count = walk(copy, len, &malformed);
        assert_int_equal(count, len >= 20 ? 3 : len >= 9 ? 2 : len >= 4 ? 1 : 0);
        bool ends_well = len == 0 || len == 4 || (len >= 9 && len <= 12) || len == 20;
        assert_int_equal(malformed, !ends_well);
        free(copy);
    }
}

static void test_every_length_field_makes_progress_or_ends(void **state)
{
    (void)state;
    uint8_t *list = calloc(1, 16);
    for (uint32_t field = 0; field <= 0xffff; field++) {
        bool malformed;
        hws_put16(list + 2, (uint16_t)field);
        uint32_t count = walk(list, 16, &malformed);
        bool first_ok = field >= 4 && field <= 16;
        assert_int_equal(count, first_ok ? 1 : 0);
        assert_int_equal(malformed, field < 13 || field > 16);
    }
    free(list);
}

static void test_random_bytes_stay_in_bounds(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        uint32_t len = (uint32_t)rand() % 64;
        uint8_t *bytes = malloc(len + (len == 0));
        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(rand() % (i % 4 == 2 ? 1 : 24));
        bool malformed;
        assert_true(walk(bytes, len, &malformed) <= len / 4);
        free(bytes);
    }
}

static void test_chunks_of_a_built_packet(void **state)
{
    (void)state;
    struct hws_builder b = begin(64);
    struct hws_tlv c;
    hws_builder_chunk(&b, 10, 0, 3);
    hws_builder_chunk(&b, 11, 1, 0);
    uint32_t len = hws_builder_finish(&b);
    struct hws_tlv_iter it = hws_packet_chunks(b.start, len);
    assert_true(hws_tlv_next(&it, &c));
    assert_int_equal(c.type, 0x0a00);
    assert_int_equal(c.len, 7);
    assert_true(hws_tlv_next(&it, &c));
    assert_int_equal(c.type, 0x0b01);
    assert_int_equal(c.len, 4);
    assert_false(hws_tlv_next(&it, &c));
    assert_false(it.malformed);
    free(b.start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_is_written_and_read),
        cmocka_unit_test(test_header_needs_twelve_bytes),
        cmocka_unit_test(test_chunks_are_padded_with_zeros),
        cmocka_unit_test(test_chunk_fits_exactly_or_not_at_all),
        cmocka_unit_test(test_limit_never_exceeds_the_largest_packet),
        cmocka_unit_test(test_padding_of_the_last_parameter_is_not_counted),
        cmocka_unit_test(test_open_needs_room_for_a_header),
        cmocka_unit_test(test_overflow_takes_the_chunk_back),
        cmocka_unit_test(test_huge_lengths_overflow_only),
        cmocka_unit_test(test_every_truncation_of_a_list),
        cmocka_unit_test(test_every_length_field_makes_progress_or_ends),
        cmocka_unit_test(test_random_bytes_stay_in_bounds),
        cmocka_unit_test(test_chunks_of_a_built_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

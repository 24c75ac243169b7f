#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "proto/chunk.h"
#include "proto/param.h"
#include "vectors.h"

#define VECTORS "vectors/chunk.txt"
#define PACKET_LEN 2048u

static struct hws_builder begin(uint8_t *memory, uint32_t limit)
{
    struct hws_builder b;
    memset(memory, 0xff, limit);
    hws_builder_init(&b, memory, limit, 1000, 2000, 0);
    return b;
}

static uint8_t read_all(const uint8_t *bytes, uint32_t len)
{
    volatile uint8_t sink = 0;
    for (uint32_t i = 0; i < len; i++)
        sink = (uint8_t)(sink + bytes[i]);
    return sink;
}

/* One function per chunk with a structure: decoded, every byte that it refers to read, encoded
 * again. False when the chunk is rejected. */
static bool again_data(const struct hws_tlv *c, struct hws_builder *b)
{
    struct hws_data d;
    if (!hws_data_decode(c, &d))
        return false;
    uint8_t *payload = hws_data_encode(b, &d);
    memcpy(payload, d.payload, d.payload_len);
    return true;
}

static bool again_init(const struct hws_tlv *c, struct hws_builder *b)
{
    struct hws_init init;
    struct hws_tlv p;
    if (!hws_init_decode(c, &init))
        return false;
    read_all(init.params, init.params_len);
    assert_true(hws_init_open(b, hws_chunk_type(c), &init));
    struct hws_tlv_iter it = hws_tlv_begin(init.params, init.params_len);
    while (hws_tlv_next(&it, &p))
        memcpy(hws_builder_tlv(b, p.type, hws_param_value_len(&p)), hws_param_value(&p),
               hws_param_value_len(&p));
    return hws_builder_close(b);
}

static bool again_sack(const struct hws_tlv *c, struct hws_builder *b)
{
    struct hws_sack s;
    struct hws_gap gaps[512];
    uint32_t dups[512];
    if (!hws_sack_decode(c, &s))
        return false;
    for (uint32_t i = 0; i < s.gap_count; i++)
        gaps[i] = hws_sack_gap(&s, i);
    for (uint32_t i = 0; i < s.dup_count; i++)
        dups[i] = hws_sack_dup(&s, i);
    return hws_sack_encode(b, s.cum_tsn, s.a_rwnd, gaps, s.gap_count, dups, s.dup_count);
}

static bool again_heartbeat(const struct hws_tlv *c, struct hws_builder *b)
{
    const uint8_t *info;
    uint32_t info_len;
    return hws_heartbeat_decode(c, &info, &info_len) &&
           hws_heartbeat_encode(b, hws_chunk_type(c), info, info_len);
}

static bool again_shutdown(const struct hws_tlv *c, struct hws_builder *b)
{
    uint32_t cum_tsn;
    return hws_shutdown_decode(c, &cum_tsn) && hws_shutdown_encode(b, cum_tsn);
}

static bool again_causes(const struct hws_tlv *c, struct hws_builder *b)
{
    struct hws_tlv cause;
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(c), hws_chunk_value_len(c));
    assert_true(hws_builder_open(b, hws_chunk_type(c), hws_chunk_flags(c)));
    while (hws_tlv_next(&it, &cause))
        assert_true(hws_cause_put(b, cause.type, cause.bytes + 4, cause.len - 4u));
    return hws_builder_close(b);
}

static bool again(const struct hws_tlv *c, struct hws_builder *b)
{
    switch (hws_chunk_type(c)) {
    case HWS_CHUNK_DATA:
        return again_data(c, b);
    case HWS_CHUNK_INIT:
    case HWS_CHUNK_INIT_ACK:
        return again_init(c, b);
    case HWS_CHUNK_SACK:
        return again_sack(c, b);
    case HWS_CHUNK_HEARTBEAT:
    case HWS_CHUNK_HEARTBEAT_ACK:
        return again_heartbeat(c, b);
    case HWS_CHUNK_SHUTDOWN:
        return again_shutdown(c, b);
    case HWS_CHUNK_ABORT:
    case HWS_CHUNK_ERROR:
        return again_causes(c, b);
    default:
        return hws_chunk_put(b, hws_chunk_type(c), hws_chunk_flags(c), hws_chunk_value(c),
                             hws_chunk_value_len(c));
    }
}

static void check_round_trip(const struct vector *v)
{
    uint8_t memory[PACKET_LEN];
    struct hws_builder b = begin(memory, sizeof memory);
    struct hws_tlv c;
    assert_true(first_tlv(v->bytes, v->len, &c));
    assert_true(again(&c, &b));
    assert_int_equal(b.len, 12 + hws_pad4(c.len));
    assert_memory_equal(memory + 12, v->bytes, c.len);
    assert_int_equal(b.chunks, 1);
}

static void test_vectors_survive_decoding_and_encoding(void **state)
{
    (void)state;
    assert_true(vectors_each(VECTORS, check_round_trip) >= 25);
}

static void check_truncations(const struct vector *v)
{
    for (uint32_t len = 0; len < v->len; len++) {
        uint8_t memory[PACKET_LEN];
        struct hws_builder b = begin(memory, sizeof memory);
        uint8_t *copy = truncated_copy(v->bytes, len);
        struct hws_tlv c;
        bool found = first_tlv(copy, len, &c);
        assert_int_equal(found, len >= 4);
        if (found && again(&c, &b))
            assert_true(b.len <= 12 + hws_pad4(len));
        free(copy);
    }
}

static void test_truncations_are_rejected_or_stay_in_bounds(void **state)
{
    (void)state;
    vectors_each(VECTORS, check_truncations);
}

static bool has_type(const char *title, const char *name)
{
    size_t len = strlen(name);
    return strncmp(title, name, len) == 0 && (title[len] == '\0' || title[len] == ' ');
}

static void test_every_chunk_type_has_a_vector(void **state)
{
    (void)state;
    static const char *const names[] = {
#define X(symbol, number, name, min_len) name,
        HWS_CHUNK_TYPES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        FILE *file = fopen(VECTORS, "r");
        struct vector v;
        bool found = false;
        while (!found && vector_next(file, &v)) {
            found = has_type(v.title, names[i]);
            free(v.bytes);
        }
        fclose(file);
        assert_true(found);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(hws_chunk_name(HWS_CHUNK_DATA), "DATA");
    assert_string_equal(hws_chunk_name(14), "SHUTDOWN-COMPLETE");
    assert_null(hws_chunk_name(12));
    assert_null(hws_chunk_name(255));
}

/* RFC 9260, 3.2: the two highest bits of a chunk type. */
static void test_unknown_types_by_their_high_bits(void **state)
{
    (void)state;
    assert_false(hws_chunk_unknown_skip(0x3f) || hws_chunk_unknown_report(0x3f));
    assert_true(!hws_chunk_unknown_skip(0x7f) && hws_chunk_unknown_report(0x7f));
    assert_true(hws_chunk_unknown_skip(0xbf) && !hws_chunk_unknown_report(0xbf));
    assert_true(hws_chunk_unknown_skip(0xff) && hws_chunk_unknown_report(0xff));
}

static void test_data_fields(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 7, 0, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 'h', 'i'};
    struct hws_tlv c;
    struct hws_data d;
    assert_true(first_tlv(bytes, sizeof bytes, &c));
    assert_true(hws_data_decode(&c, &d));
    assert_int_equal(d.flags, HWS_DATA_B | HWS_DATA_E | HWS_DATA_U);
    assert_int_equal(d.tsn, 0x01020304);
    assert_int_equal(d.sid, 0x0506);
    assert_int_equal(d.ssn, 0x0708);
    assert_int_equal(d.ppid, 0x090a0b0c);
    assert_int_equal(d.payload_len, 2);
    assert_memory_equal(d.payload, "hi", 2);
}

static void test_data_that_does_not_fit(void **state)
{
    (void)state;
    uint8_t memory[64];
    struct hws_builder b = begin(memory, 32);
    struct hws_data d = {.payload_len = 5};
    assert_null(hws_data_encode(&b, &d));
    d.payload_len = 4;
    assert_non_null(hws_data_encode(&b, &d));
    assert_int_equal(b.len, 32);
}

static void test_init_fields(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 0,  0,  24, 1,  2,  3,  4,  5,    6, 7, 8,
                                    9, 10, 11, 12, 13, 14, 15, 16, 0x80, 0, 0, 4};
    struct hws_tlv c;
    struct hws_init init;
    assert_true(first_tlv(bytes, sizeof bytes, &c));
    assert_true(hws_init_decode(&c, &init));
    assert_int_equal(init.tag, 0x01020304);
    assert_int_equal(init.a_rwnd, 0x05060708);
    assert_int_equal(init.ostreams, 0x090a);
    assert_int_equal(init.max_instreams, 0x0b0c);
    assert_int_equal(init.tsn, 0x0d0e0f10);
    assert_ptr_equal(init.params, bytes + 20);
    assert_int_equal(init.params_len, 4);
}

static void test_init_that_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    for (uint32_t limit = 12; limit < 32; limit++) {
        uint8_t memory[64];
        struct hws_builder b = begin(memory, limit);
        assert_false(hws_init_open(&b, HWS_CHUNK_INIT, &(struct hws_init){.tag = 1}));
        assert_int_equal(b.len, 12);
        assert_int_equal(b.chunks, 0);
    }
}

static void test_sack_counts_must_fit_the_length(void **state)
{
    (void)state;
    uint8_t bytes[28] = {3, 0, 0, 28};
    struct hws_tlv c;
    struct hws_sack s;
    assert_true(first_tlv(bytes, sizeof bytes, &c));
    for (uint16_t gaps = 0; gaps <= 5; gaps++)
        for (uint16_t dups = 0; dups <= 5; dups++) {
            hws_put16(bytes + 12, gaps);
            hws_put16(bytes + 14, dups);
            assert_int_equal(hws_sack_decode(&c, &s), gaps + dups <= 3);
        }
    memset(bytes + 12, 0xff, 4);
    assert_false(hws_sack_decode(&c, &s));
}

/* How many gap blocks and duplicates of 3 and 2 a packet of `limit` bytes holds. */
static void check_sack_cut(uint32_t limit, uint16_t gap_count, uint16_t dup_count)
{
    static const struct hws_gap gaps[] = {{2, 3}, {5, 6}, {8, 9}};
    static const uint32_t dups[] = {100, 101};
    uint8_t memory[64];
    struct hws_builder b = begin(memory, limit);
    struct hws_tlv c;
    struct hws_sack s;
    assert_true(hws_sack_encode(&b, 1, 2, gaps, 3, dups, 2));
    assert_true(first_tlv(memory + 12, b.len - 12, &c));
    assert_true(hws_sack_decode(&c, &s));
    assert_int_equal(s.gap_count, gap_count);
    assert_int_equal(s.dup_count, dup_count);
    for (uint32_t i = 0; i < s.gap_count; i++)
        assert_int_equal(hws_sack_gap(&s, i).start, gaps[i].start);
    for (uint32_t i = 0; i < s.dup_count; i++)
        assert_int_equal(hws_sack_dup(&s, i), dups[i]);
}

static void test_sack_is_cut_to_the_room(void **state)
{
    (void)state;
    uint8_t memory[64];
    struct hws_builder b = begin(memory, 24);
    assert_false(hws_sack_encode(&b, 1, 2, NULL, 0, NULL, 0));
    check_sack_cut(28, 0, 0);
    check_sack_cut(36, 2, 0);
    check_sack_cut(40, 3, 0);
    check_sack_cut(44, 3, 1);
    check_sack_cut(64, 3, 2);
}

static void test_shutdown_has_one_length(void **state)
{
    (void)state;
    for (uint8_t len = 4; len <= 12; len++) {
        uint8_t bytes[12] = {7, 0, 0, len, 0, 0, 0, 9};
        struct hws_tlv c;
        uint32_t cum_tsn = 0;
        assert_true(first_tlv(bytes, sizeof bytes, &c));
        assert_int_equal(hws_shutdown_decode(&c, &cum_tsn), len == 8);
        assert_int_equal(cum_tsn, len == 8 ? 9 : 0);
    }
}

static void test_heartbeat_needs_its_info(void **state)
{
    (void)state;
    static const uint8_t wrong[][8] = {
        {4, 0, 0, 8, 0, 2, 0, 4}, /* another parameter */
        {4, 0, 0, 8, 0, 1, 0, 5}, /* longer than the chunk */
        {4, 0, 0, 8, 0, 1, 0, 3}, /* shorter than its header */
        {4, 0, 0, 6, 0, 1, 0, 4}, /* half a parameter */
        {4, 0, 0, 4, 0, 1, 0, 4}, /* outside the chunk */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct hws_tlv c;
        const uint8_t *info;
        uint32_t info_len;
        assert_true(first_tlv(wrong[i], 8, &c));
        assert_false(hws_heartbeat_decode(&c, &info, &info_len));
    }
}

static void test_control_chunks_that_do_not_fit(void **state)
{
    (void)state;
    uint8_t memory[64];
    struct hws_builder b = begin(memory, 16);
    assert_false(hws_shutdown_encode(&b, 1));
    assert_false(hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, "info", 4));
    assert_false(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ECHO, 0, "c", 1));
    assert_int_equal(b.len, 12);
    assert_int_equal(b.chunks, 0);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ACK, 0, NULL, 0));
    assert_false(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ACK, 0, NULL, 0));
    assert_false(hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, "", 0));
    assert_int_equal(b.chunks, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_survive_decoding_and_encoding),
        cmocka_unit_test(test_truncations_are_rejected_or_stay_in_bounds),
        cmocka_unit_test(test_every_chunk_type_has_a_vector),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_types_by_their_high_bits),
        cmocka_unit_test(test_data_fields),
        cmocka_unit_test(test_data_that_does_not_fit),
        cmocka_unit_test(test_init_fields),
        cmocka_unit_test(test_init_that_does_not_fit_leaves_nothing),
        cmocka_unit_test(test_sack_counts_must_fit_the_length),
        cmocka_unit_test(test_sack_is_cut_to_the_room),
        cmocka_unit_test(test_shutdown_has_one_length),
        cmocka_unit_test(test_heartbeat_needs_its_info),
        cmocka_unit_test(test_control_chunks_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

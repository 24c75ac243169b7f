#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "proto/param.h"
#include "vectors.h"

#define VECTORS "vectors/cause.txt"
#define TYPES_MAX 16u

static struct hws_builder begin_error(uint8_t *memory, uint32_t limit)
{
    struct hws_builder b;
    memset(memory, 0xff, limit);
    hws_builder_init(&b, memory, limit, 1000, 2000, 0);
    assert_true(hws_builder_open(&b, 9, 0));
    return b;
}

static bool again_missing_param(const struct hws_tlv *c, struct hws_builder *b)
{
    uint16_t types[TYPES_MAX];
    int count = hws_cause_missing_param(c, types, TYPES_MAX);
    return count >= 0 && hws_cause_put_missing_param(b, types, (uint32_t)count);
}

static bool again_new_addresses(const struct hws_tlv *c, struct hws_builder *b)
{
    struct hws_tlv_iter it = hws_tlv_begin(c->bytes + 4, c->len - 4u);
    struct hws_addr addrs[4];
    struct hws_tlv p;
    uint32_t count = 0;
    while (hws_tlv_next(&it, &p) && hws_param_addr(&p, &addrs[count]))
        count++;
    return hws_cause_put_new_addresses(b, addrs, count);
}

/* Decodes the cause and adds it to the open chunk; false when it is rejected. */
static bool again(const struct hws_tlv *c, struct hws_builder *b)
{
    uint16_t sid;
    uint32_t number;
    switch (c->type) {
    case HWS_CAUSE_INVALID_STREAM:
        return hws_cause_invalid_stream(c, &sid) && hws_cause_put_invalid_stream(b, sid);
    case HWS_CAUSE_MISSING_PARAM:
        return again_missing_param(c, b);
    case HWS_CAUSE_STALE_COOKIE:
        return hws_cause_stale_cookie(c, &number) && hws_cause_put_stale_cookie(b, number);
    case HWS_CAUSE_NO_USER_DATA:
        return hws_cause_no_user_data(c, &number) && hws_cause_put_no_user_data(b, number);
    case HWS_CAUSE_RESTART_NEW_ADDRESSES:
        return again_new_addresses(c, b);
    default:
        return hws_cause_put(b, c->type, c->bytes + 4, c->len - 4u);
    }
}

static void check_round_trip(const struct vector *v)
{
    uint8_t memory[128];
    struct hws_builder b = begin_error(memory, sizeof memory);
    struct hws_tlv c;
    assert_true(first_tlv(v->bytes, v->len, &c));
    assert_true(again(&c, &b));
    assert_true(hws_builder_close(&b));
    assert_int_equal(hws_get16(memory + 14), 4 + c.len);
    assert_int_equal(b.len, 16 + v->len);
    assert_memory_equal(memory + 16, v->bytes, v->len);
}

static void test_vectors_survive_decoding_and_encoding(void **state)
{
    (void)state;
    assert_true(vectors_each(VECTORS, check_round_trip) >= 16);
}

static void check_truncations(const struct vector *v)
{
    for (uint32_t len = 4; len < v->len; len++) {
        uint8_t memory[128];
        struct hws_builder b = begin_error(memory, sizeof memory);
        uint8_t *copy = truncated_copy(v->bytes, len);
        struct hws_tlv c;
        assert_true(first_tlv(copy, len, &c));
        if (again(&c, &b))
            assert_true(b.len <= 16 + len);
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
    struct hws_builder b = begin_error(memory, 16 + v->len - 4);
    struct hws_tlv c;
    assert_true(first_tlv(v->bytes, v->len, &c));
    assert_false(again(&c, &b));
    assert_false(hws_builder_close(&b));
    assert_int_equal(b.len, 12);
}

static void test_what_does_not_fit_takes_the_chunk_back(void **state)
{
    (void)state;
    vectors_each(VECTORS, check_no_room);
}

static void test_short_causes_are_rejected(void **state)
{
    (void)state;
    static const uint16_t codes[] = {HWS_CAUSE_INVALID_STREAM, HWS_CAUSE_MISSING_PARAM,
                                     HWS_CAUSE_STALE_COOKIE, HWS_CAUSE_NO_USER_DATA};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        uint8_t memory[64], bytes[7] = {0, (uint8_t)codes[i], 0, 7};
        struct hws_builder b = begin_error(memory, sizeof memory);
        struct hws_tlv c;
        assert_true(first_tlv(bytes, sizeof bytes, &c));
        assert_false(again(&c, &b));
    }
}

static void test_decoders_refuse_other_causes(void **state)
{
    (void)state;
    static const uint8_t bytes[8] = {0, 4, 0, 8};
    struct hws_tlv c;
    uint16_t sid;
    uint32_t number;
    assert_true(first_tlv(bytes, sizeof bytes, &c));
    assert_false(hws_cause_invalid_stream(&c, &sid));
    assert_false(hws_cause_stale_cookie(&c, &number));
    assert_false(hws_cause_no_user_data(&c, &number));
    assert_int_equal(hws_cause_missing_param(&c, &sid, 1), -1);
}

static void test_missing_param_count_is_bounded(void **state)
{
    (void)state;
    uint8_t bytes[12] = {0, 2, 0, 12, 0, 0, 0, 3, 0, 7, 0, 5};
    uint16_t types[2] = {0, 0xffff};
    struct hws_tlv c;
    assert_true(first_tlv(bytes, sizeof bytes, &c));
    assert_int_equal(hws_cause_missing_param(&c, types, 2), -1);
    memset(bytes + 4, 0xff, 4);
    assert_int_equal(hws_cause_missing_param(&c, types, 2), -1);
    hws_put32(bytes + 4, 2);
    assert_int_equal(hws_cause_missing_param(&c, types, 1), 2);
    assert_int_equal(types[0], 7);
    assert_int_equal(types[1], 0xffff); /* no more than asked for */
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(hws_cause_name(HWS_CAUSE_STALE_COOKIE), "Stale-Cookie");
    assert_null(hws_cause_name(0));
    assert_null(hws_cause_name(14));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_survive_decoding_and_encoding),
        cmocka_unit_test(test_truncations_are_rejected_or_stay_in_bounds),
        cmocka_unit_test(test_what_does_not_fit_takes_the_chunk_back),
        cmocka_unit_test(test_short_causes_are_rejected),
        cmocka_unit_test(test_decoders_refuse_other_causes),
        cmocka_unit_test(test_missing_param_count_is_bounded),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

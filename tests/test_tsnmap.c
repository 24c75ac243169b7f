#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "proto/serial.h"
#include "stack/tsnmap.h"

#define WINDOW HWS_LIMIT_TSN_WINDOW

static struct memory_env m;
static struct hws_tsnmap map;

static void begin(uint32_t initial_tsn)
{
    memory_env_init(&m, initial_tsn, true);
    hws_tsnmap_init(&map, &m.pool, initial_tsn);
}

static void end(void)
{
    hws_tsnmap_fini(&map);
    memory_env_fini(&m);
}

static void in_order_needs_no_memory(void **state)
{
    (void)state;
    begin(UINT32_MAX - 10);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t tsn = UINT32_MAX - 10 + i;
        assert_int_equal(hws_tsnmap_check(&map, tsn), HWS_TSN_NEW);
        assert_true(hws_tsnmap_reserve(&map, tsn));
        assert_int_equal(hws_tsnmap_add(&map, tsn), HWS_TSN_NEW);
        assert_int_equal(map.cum, tsn);
        assert_false(hws_tsnmap_has_gap(&map));
    }
    assert_int_equal(m.live_objects, 0);
    end();
}

/* The example of RFC 9260, 3.3.4: 12 and then 14, 15 and 17 have arrived. */
static void gaps_of_the_rfc(void **state)
{
    (void)state;
    const uint32_t arrived[] = {10, 11, 12, 14, 15, 17};
    struct hws_gap gaps[4];
    begin(10);
    for (size_t i = 0; i < sizeof arrived / sizeof arrived[0]; i++)
        assert_int_equal(hws_tsnmap_add(&map, arrived[i]), HWS_TSN_NEW);
    assert_int_equal(map.cum, 12);
    assert_int_equal(map.highest, 17);
    assert_int_equal(hws_tsnmap_gaps(&map, gaps, 4), 2);
    assert_int_equal(gaps[0].start, 2);
    assert_int_equal(gaps[0].end, 3);
    assert_int_equal(gaps[1].start, 5);
    assert_int_equal(gaps[1].end, 5);
    assert_int_equal(hws_tsnmap_gaps(&map, gaps, 1), 1);
    assert_int_equal(hws_tsnmap_gaps(&map, gaps, 0), 0);
    assert_int_equal(hws_tsnmap_add(&map, 13), HWS_TSN_NEW);
    assert_int_equal(map.cum, 15);
    assert_int_equal(hws_tsnmap_add(&map, 16), HWS_TSN_NEW);
    assert_int_equal(map.cum, 17);
    assert_int_equal(hws_tsnmap_gaps(&map, gaps, 4), 0);
    end();
}

static void duplicates_are_noted_up_to_the_limit(void **state)
{
    (void)state;
    begin(5);
    hws_tsnmap_add(&map, 5);
    hws_tsnmap_add(&map, 9);
    assert_int_equal(hws_tsnmap_add(&map, 5), HWS_TSN_DUPLICATE);
    assert_int_equal(hws_tsnmap_add(&map, 9), HWS_TSN_DUPLICATE);
    assert_int_equal(map.dup_count, 2);
    assert_int_equal(map.dups[0], 5);
    assert_int_equal(map.dups[1], 9);
    assert_int_equal(hws_tsnmap_check(&map, 9), HWS_TSN_DUPLICATE);
    assert_int_equal(map.dup_count, 2);
    for (uint32_t i = 0; i < 2 * HWS_LIMIT_SACK_DUPS; i++)
        hws_tsnmap_add(&map, 4);
    assert_int_equal(map.dup_count, HWS_LIMIT_SACK_DUPS);
    hws_tsnmap_clear_dups(&map);
    assert_int_equal(map.dup_count, 0);
    end();
}

static void window_ends_where_a_gap_block_does(void **state)
{
    (void)state;
    struct hws_gap gap;
    begin(1);
    assert_int_equal(hws_tsnmap_add(&map, WINDOW), HWS_TSN_BEYOND);
    assert_int_equal(hws_tsnmap_check(&map, UINT32_MAX / 2), HWS_TSN_BEYOND);
    assert_int_equal(hws_tsnmap_add(&map, WINDOW - 1), HWS_TSN_NEW);
    assert_int_equal(hws_tsnmap_gaps(&map, &gap, 1), 1);
    assert_int_equal(gap.start, 65535);
    assert_int_equal(gap.end, 65535);
    assert_true(map.size <= WINDOW);
    end();
}

/** Every TSN of the window but the first, then that one. */
static void full_window_closes_at_once(void **state)
{
    (void)state;
    const uint32_t first = UINT32_MAX - 1000;
    begin(first);
    for (uint32_t i = WINDOW - 2; i > 0; i--)
        assert_int_equal(hws_tsnmap_add(&map, first + i), HWS_TSN_NEW);
    assert_int_equal(map.cum, first - 1);
    assert_int_equal(hws_tsnmap_add(&map, first), HWS_TSN_NEW);
    assert_int_equal(map.cum, first + WINDOW - 2);
    assert_false(hws_tsnmap_has_gap(&map));
    for (uint32_t i = 0; i < map.size / 64; i++)
        assert_int_equal(map.bits[i], 0);
    end();
}

static void no_memory_marks_nothing(void **state)
{
    (void)state;
    begin(1);
    m.fail_in = 1;
    assert_int_equal(hws_tsnmap_add(&map, 3), HWS_TSN_NOMEM);
    assert_int_equal(hws_tsnmap_check(&map, 3), HWS_TSN_NEW);
    assert_false(hws_tsnmap_has_gap(&map));
    m.fail_in = 1;
    assert_false(hws_tsnmap_reserve(&map, 3));
    assert_true(hws_tsnmap_reserve(&map, 3000));
    m.fail_in = 1;
    assert_int_equal(hws_tsnmap_add(&map, 3000), HWS_TSN_NEW);
    assert_int_equal(hws_tsnmap_add(&map, 60000), HWS_TSN_NOMEM);
    assert_int_equal(map.highest, 3000);
    end();
}

/* ---- Against a model that keeps one byte per TSN ---- */

#define MODEL_TSNS 300000u

static struct {
    uint32_t first;          /* the initial TSN */
    uint8_t in[MODEL_TSNS];  /* by offset from it */
    uint32_t cum_offset;     /* TSNs without a gap */
    uint32_t highest_offset; /* one past the highest that arrived */
} model;

static enum hws_tsn_result model_add(uint32_t tsn)
{
    uint32_t offset = tsn - model.first;
    if (hws_tsn_lt(tsn, model.first + model.cum_offset))
        return HWS_TSN_DUPLICATE;
    if (offset - model.cum_offset + 1 >= WINDOW)
        return HWS_TSN_BEYOND;
    if (model.in[offset] != 0)
        return HWS_TSN_DUPLICATE;
    model.in[offset] = 1;
    if (offset >= model.highest_offset)
        model.highest_offset = offset + 1;
    while (model.in[model.cum_offset] != 0)
        model.cum_offset++;
    return HWS_TSN_NEW;
}

static void check_gaps(uint32_t max)
{
    static struct hws_gap gaps[WINDOW];
    uint32_t count = hws_tsnmap_gaps(&map, gaps, max);
    uint32_t found = 0;
    uint32_t offset = model.cum_offset;
    while (found < max && offset < model.highest_offset) {
        if (model.in[offset] == 0) {
            offset++;
            continue;
        }
        assert_true(found < count);
        assert_int_equal(gaps[found].start, offset + 1 - model.cum_offset);
        while (model.in[offset] != 0)
            offset++;
        assert_int_equal(gaps[found].end, offset - model.cum_offset);
        found++;
    }
    assert_int_equal(found, count);
}

static void check_state(void)
{
    assert_int_equal(map.cum, model.first + model.cum_offset - 1);
    uint32_t highest =
        model.highest_offset > model.cum_offset ? model.highest_offset : model.cum_offset;
    assert_int_equal(map.highest, model.first + highest - 1);
}

/** TSNs arrive at random within `spread` of the cumulative TSN, now and then outside. */
static void run_model(uint64_t seed, uint32_t first, uint32_t spread, uint32_t rounds)
{
    begin(first);
    memset(&model, 0, sizeof model);
    model.first = first;
    for (uint32_t i = 0; i < rounds && model.cum_offset + 2 * WINDOW < MODEL_TSNS; i++) {
        uint32_t tsn = map.cum + 1 + random_below(&seed, spread);
        if (random_below(&seed, 20) == 0)
            tsn = map.cum + 1 - random_below(&seed, 100);
        if (random_below(&seed, 4) == 0)
            tsn = map.cum + 1;
        enum hws_tsn_result expected = model_add(tsn);
        assert_int_equal(hws_tsnmap_check(&map, tsn), expected);
        assert_int_equal(hws_tsnmap_add(&map, tsn), expected);
        check_state();
        if (random_below(&seed, 50) == 0)
            check_gaps(1 + random_below(&seed, 300));
    }
    check_gaps(WINDOW);
    end();
}

static void random_arrivals_agree_with_model(void **state)
{
    (void)state;
    const uint32_t firsts[] = {
        1, 0, UINT32_MAX, UINT32_MAX - 63, 0x80000000u - 500, UINT32_MAX - 3000};
    const uint32_t spreads[] = {2, 30, 64, 65, 600, 5000, WINDOW - 1, WINDOW + 10};
    for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++)
        for (size_t i = 0; i < sizeof spreads / sizeof spreads[0]; i++)
            run_model(100 * f + i, firsts[f], spreads[i], 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_needs_no_memory),
        cmocka_unit_test(gaps_of_the_rfc),
        cmocka_unit_test(duplicates_are_noted_up_to_the_limit),
        cmocka_unit_test(window_ends_where_a_gap_block_does),
        cmocka_unit_test(full_window_closes_at_once),
        cmocka_unit_test(no_memory_marks_nothing),
        cmocka_unit_test(random_arrivals_agree_with_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Quantities, distributions and estimates of the simulator, against figures worked out elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/histogram.h"
#include "sim/quantity.h"
#include "sim/result.h"
#include "sim/rng.h"

static void reads_units(void **state)
{
    static const struct {
        enum sim_quantity kind;
        const char *text;
        uint64_t value;
    } good[] = {
        {SIM_TIME, "10ms", 10000000},       {SIM_TIME, "1.5us", 1500},
        {SIM_TIME, "1 h", 3600000000000},   {SIM_TIME, "0", 0},
        {SIM_RATE, "100Mbit/s", 100000000}, {SIM_RATE, "0.5kbit/s", 500},
        {SIM_BYTES, "64KB", 64000},         {SIM_BYTES, "64KiB", 65536},
        {SIM_BYTES, "1500", 1500},          {SIM_TIME, "0.000ms", 0},
        {SIM_PORTION, "0.0001%", 1},        {SIM_PORTION, "0.1%", 1000},
        {SIM_PORTION, "7ppm", 7},           {SIM_COUNT, "18446744073709551615", UINT64_MAX},
    };
    static const struct {
        enum sim_quantity kind;
        const char *text;
    } bad[] = {
        {SIM_TIME, "10"},
        {SIM_TIME, ""},
        {SIM_TIME, "ms"},
        {SIM_TIME, "-1ms"},
        {SIM_TIME, "1.2.3ms"},
        {SIM_RATE, "100Mb/s"},
        {SIM_BYTES, "1ms"},
        {SIM_PORTION, "1"},
        {SIM_PORTION, "0.00009%"},
        {SIM_TIME, "0.9ns"},
        {SIM_COUNT, "1.5"},
        {SIM_COUNT, "0x10"},
        {SIM_COUNT, "18446744073709551616"},
        {SIM_TIME, "10000000000h"},
        {SIM_TIME, "1.0000000001s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t value = 99;
        if (!sim_quantity_read(good[i].kind, good[i].text, &value))
            fail_msg("'%s' is not read", good[i].text);
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t value;
        if (sim_quantity_read(bad[i].kind, bad[i].text, &value))
            fail_msg("'%s' is read", bad[i].text);
    }
}

static void quantiles_are_right_to_less_than_a_percent(void **state)
{
    struct sim_histogram h = {0};
    (void)state;
    assert_int_equal(sim_histogram_quantile(&h, 500), 0);
    for (uint64_t i = 1; i <= 100000; i++)
        sim_histogram_add(&h, i * 7);
    uint64_t p50 = sim_histogram_quantile(&h, 500), p99 = sim_histogram_quantile(&h, 990);
    assert_in_range(p50, 350000, 350000 + 350000 / 128);
    assert_in_range(p99, 693000, 693000 + 693000 / 128);
    assert_int_equal(sim_histogram_quantile(&h, 1000), 700000);
    assert_int_equal(sim_histogram_mean(&h), 350003);
    sim_histogram_fini(&h);
}

static void small_and_huge_values_have_buckets(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct sim_histogram h = {0};
        sim_histogram_add(&h, UINT64_C(1) << bit);
        assert_int_equal(sim_histogram_quantile(&h, 500), UINT64_C(1) << bit);
        sim_histogram_fini(&h);
    }
    struct sim_histogram h = {0};
    for (uint64_t v = 0; v < 256; v++)
        sim_histogram_add(&h, v);
    for (uint32_t i = 1; i < 1000; i++)
        assert_int_equal(sim_histogram_quantile(&h, i), (256 * i + 999) / 1000 - 1);
    sim_histogram_fini(&h);
}

static void merged_distributions_count_both(void **state)
{
    struct sim_histogram a = {0}, b = {0}, both = {0};
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        sim_histogram_add(i % 3 == 0 ? &a : &b, i * i);
        sim_histogram_add(&both, i * i);
    }
    sim_histogram_merge(&a, &b);
    for (uint32_t q = 1; q <= 1000; q++)
        assert_int_equal(sim_histogram_quantile(&a, q), sim_histogram_quantile(&both, q));
    assert_int_equal(a.max, both.max);
    sim_histogram_fini(&a);
    sim_histogram_fini(&b);
    sim_histogram_fini(&both);
}

static void intervals_are_students(void **state)
{
    /* Mean 17.5, s = 2.1213, t(1) = 12.706: half = 19.059. */
    static const uint64_t two[] = {16, 19};
    /* Mean 5, s = 1.5811, t(4) = 2.776: half = 1.963. */
    static const uint64_t five[] = {3, 4, 5, 6, 7};
    static const uint64_t equal[] = {7, 7, 7};
    /* Large ones, whose squares need 128 bits: mean 1e11 + 0.5, s = 0.7071, half = 6.353. */
    static const uint64_t large[] = {100000000000, 100000000001};
    (void)state;
    struct sim_estimate e = sim_estimate(two, 2);
    assert_int_equal(e.mean, 17500);
    assert_int_equal(e.half, 19059);
    e = sim_estimate(five, 5);
    assert_int_equal(e.mean, 5000);
    assert_in_range(e.half, 1962, 1963);
    e = sim_estimate(equal, 3);
    assert_int_equal(e.mean, 7000);
    assert_int_equal(e.half, 0);
    e = sim_estimate(large, 2);
    assert_int_equal(e.mean, 100000000000500);
    assert_int_equal(e.half, 6353);
    e = sim_estimate(five, 1);
    assert_int_equal(e.half, 0);
}

static void exponential_numbers_have_their_mean_and_deviation(void **state)
{
    enum { NUMBERS = 200000, MEAN = 1000000 };
    struct sim_rng rng = sim_rng_seeded(4);
    uint64_t sum = 0, squares = 0, below = 0, max = 0;
    (void)state;
    for (int i = 0; i < NUMBERS; i++) {
        uint64_t x = sim_rng_exponential(&rng, MEAN);
        sum += x;
        squares += x * x / NUMBERS;
        below += x < 693147; /* half of them: ln 2 */
        max = x > max ? x : max;
    }
    assert_in_range(sum / NUMBERS, MEAN - MEAN / 100, MEAN + MEAN / 100);
    /* The mean of the squares is twice the square of the mean. */
    assert_in_range(squares / MEAN, 2 * MEAN - MEAN / 25, 2 * MEAN + MEAN / 25);
    assert_in_range(below, NUMBERS / 2 - NUMBERS / 200, NUMBERS / 2 + NUMBERS / 200);
    assert_in_range(max, 10 * MEAN, 23 * (uint64_t)MEAN);
}

static void random_numbers_are_the_same_everywhere(void **state)
{
    struct sim_rng rng = sim_rng_seeded(1);
    (void)state;
    uint64_t first = sim_rng_next(&rng);
    rng = sim_rng_seeded(1);
    assert_int_equal(first, sim_rng_next(&rng));
    /* SplitMix64 from state 0, as published with it. */
    struct sim_rng zero = {0};
    assert_int_equal(sim_rng_next(&zero), UINT64_C(0xe220a8397b1dcdaf));
    assert_int_equal(sim_rng_next(&zero), UINT64_C(0x6e789e6aa1b965f4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_units),
        cmocka_unit_test(quantiles_are_right_to_less_than_a_percent),
        cmocka_unit_test(small_and_huge_values_have_buckets),
        cmocka_unit_test(merged_distributions_count_both),
        cmocka_unit_test(intervals_are_students),
        cmocka_unit_test(exponential_numbers_have_their_mean_and_deviation),
        cmocka_unit_test(random_numbers_are_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

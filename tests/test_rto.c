#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stack/rto.h"

#define SECOND_US 1000000u

static struct hws_rto_config config;

static struct hws_rto with_bounds(uint32_t min_us, uint32_t max_us)
{
    struct hws_rto rto;
    config = (struct hws_rto_config){.initial_us = SECOND_US,
                                     .min_us = min_us,
                                     .max_us = max_us,
                                     .alpha_shift = 3,
                                     .beta_shift = 2};
    hws_rto_init(&rto, &config);
    return rto;
}

/* 6.3.1 C1 */
static void starts_with_rto_initial(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(1000, 60 * SECOND_US);
    assert_int_equal(rto.rto_us, SECOND_US);
    assert_false(hws_rto_measured(&rto));
}

/* 6.3.1 C2 */
static void first_sample(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(1000, 60 * SECOND_US);
    hws_rto_sample(&rto, &config, 100000);
    assert_true(hws_rto_measured(&rto));
    assert_int_equal(rto.srtt_us, 100000);
    assert_int_equal(rto.rttvar_us, 50000);
    assert_int_equal(rto.rto_us, 300000);
}

/* 6.3.1 C3: RTTVAR = 3/4 * 50000 + 1/4 * |100000 - 180000|, then SRTT = 7/8 * 100000 + 1/8 * 180000
 */
static void next_sample(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(1000, 60 * SECOND_US);
    hws_rto_sample(&rto, &config, 100000);
    hws_rto_sample(&rto, &config, 180000);
    assert_int_equal(rto.rttvar_us, 57500);
    assert_int_equal(rto.srtt_us, 110000);
    assert_int_equal(rto.rto_us, 340000);
    hws_rto_sample(&rto, &config, 30000); /* below SRTT: the error has no sign */
    assert_int_equal(rto.rttvar_us, 63125);
    assert_int_equal(rto.srtt_us, 100000);
}

/* 6.3.1 C6, C7 */
static void stays_within_bounds(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(SECOND_US, 60 * SECOND_US);
    hws_rto_sample(&rto, &config, 100);
    assert_int_equal(rto.rto_us, SECOND_US);
    hws_rto_sample(&rto, &config, 3600ull * SECOND_US);
    assert_int_equal(rto.rto_us, 60 * SECOND_US);
    hws_rto_sample(&rto, &config, UINT64_MAX);
    assert_int_equal(rto.rto_us, 60 * SECOND_US);
}

/* 6.3.1 G1 */
static void variation_is_never_zero(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(1, 60 * SECOND_US);
    hws_rto_sample(&rto, &config, 0);
    assert_int_equal(rto.srtt_us, 1);
    assert_int_equal(rto.rttvar_us, 1);
    for (int i = 0; i < 100; i++)
        hws_rto_sample(&rto, &config, 1);
    assert_int_equal(rto.rttvar_us, 1);
    assert_int_equal(rto.rto_us, 5);
}

/* Integers round down: SRTT stays a few microseconds below, RTO covers it. */
static void steady_samples_converge(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(1, 60 * SECOND_US);
    hws_rto_sample(&rto, &config, 5000);
    for (int i = 0; i < 100; i++)
        hws_rto_sample(&rto, &config, 1000);
    assert_in_range(rto.srtt_us, 993, 1007);
    assert_in_range(rto.rto_us, 1000, 1050);
}

static void longest_samples_do_not_overflow(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(1, UINT32_MAX);
    for (int i = 0; i < 10; i++)
        hws_rto_sample(&rto, &config, UINT64_MAX);
    assert_int_equal(rto.srtt_us, UINT32_MAX);
    assert_int_equal(rto.rto_us, UINT32_MAX);
    hws_rto_back_off(&rto, &config);
    assert_int_equal(rto.rto_us, UINT32_MAX);
}

/* 6.3.3 E2; the next sample takes the doubling back */
static void back_off_doubles_up_to_the_maximum(void **state)
{
    (void)state;
    struct hws_rto rto = with_bounds(SECOND_US, 60 * SECOND_US);
    const uint32_t seconds[] = {2, 4, 8, 16, 32, 60, 60};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        hws_rto_back_off(&rto, &config);
        assert_int_equal(rto.rto_us, seconds[i] * SECOND_US);
    }
    hws_rto_sample(&rto, &config, 10);
    assert_int_equal(rto.rto_us, SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_with_rto_initial),
        cmocka_unit_test(first_sample),
        cmocka_unit_test(next_sample),
        cmocka_unit_test(stays_within_bounds),
        cmocka_unit_test(variation_is_never_zero),
        cmocka_unit_test(steady_samples_converge),
        cmocka_unit_test(longest_samples_do_not_overflow),
        cmocka_unit_test(back_off_doubles_up_to_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

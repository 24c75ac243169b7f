/* What examples/extensions/redundant.c claims, in virtual time: a message of 200 bytes every 20 ms
 * over two links, of which the first loses bursts and is gone for 3 s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenario.h"

#define SLOWER_LINK_US 15000u

extern const struct hws_extension hws_extension_redundant;

static struct sim_experiment experiment;

static int begin(void **state)
{
    (void)state;
    scenario_run(&experiment, "redundant.sim", &hws_extension_redundant);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sim_experiment_free(&experiment);
    return 0;
}

static uint64_t value(const char *pathsel, const char *metric)
{
    return scenario_value(&experiment, (const char *const[]){pathsel},
                          (const char *const[]){"association", "a", "forward", metric});
}

/* With one path at a time the latest messages wait for timeouts; sent on both, none is later than
 * the slower link makes it. */
static void worst_case(void **state)
{
    (void)state;
    assert_true(value("primary", "latency_max") >= 500000);
    assert_true(value("primary", "latency_p99") >= 200000);
    assert_in_range(value("redundant", "latency_max"), SLOWER_LINK_US, SLOWER_LINK_US + 1000);
    assert_true(value("redundant", "lost_packets") >= 100);
    assert_int_equal(value("redundant", "retransmissions"), 0);
}

/* The price: the same packets once more, and nothing else. */
static void cost(void **state)
{
    (void)state;
    assert_in_range(value("redundant", "packet_bytes"), value("primary", "packet_bytes"),
                    2 * value("primary", "packet_bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_case),
        cmocka_unit_test(cost),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

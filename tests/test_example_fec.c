/* What examples/extensions/fec.c claims, in virtual time: messages over a line that loses 2 % of
 * its packets, with retransmissions alone and with PARITY chunks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenario.h"

extern const struct hws_extension hws_extension_fec;

static struct sim_experiment experiment;

static int begin(void **state)
{
    (void)state;
    scenario_run(&experiment, "fec.sim", &hws_extension_fec);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sim_experiment_free(&experiment);
    return 0;
}

static uint64_t value(const char *extensions, const char *item, const char *name,
                      const char *metric)
{
    return scenario_value(&experiment, (const char *const[]){extensions},
                          (const char *const[]){item, name, "forward", metric});
}

static uint64_t latency(const char *extensions, const char *metric)
{
    return value(extensions, "association", "a", metric);
}

/* A retransmission takes a round trip and more, a repair the rest of its group: 25 ms at most. What
 * is lost together with another packet of its group is sent again all the same. */
static void tail_latency(void **state)
{
    (void)state;
    printf("latency p50, p99, us: none %llu, %llu; fec %llu, %llu\n",
           (unsigned long long)latency("none", "latency_p50"),
           (unsigned long long)latency("none", "latency_p99"),
           (unsigned long long)latency("fec", "latency_p50"),
           (unsigned long long)latency("fec", "latency_p99"));
    assert_true(latency("fec", "latency_p99") <= latency("none", "latency_p99") / 2);
    assert_true(latency("fec", "latency_p50") <= latency("none", "latency_p50"));
}

static void retransmissions(void **state)
{
    (void)state;
    printf("retransmissions: none %llu, fec %llu\n",
           (unsigned long long)latency("none", "retransmissions"),
           (unsigned long long)latency("fec", "retransmissions"));
    assert_true(latency("fec", "retransmissions") <= latency("none", "retransmissions") / 4);
}

/* A PARITY chunk for five packets: a fifth, and its own header. */
static void cost(void **state)
{
    (void)state;
    uint64_t none = value("none", "link", "line", "throughput");
    uint64_t fec = value("fec", "link", "line", "throughput");
    printf("bit/s on the line: none %llu, fec %llu\n", (unsigned long long)none,
           (unsigned long long)fec);
    assert_in_range(fec, none / 100 * 110, none / 100 * 125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tail_latency),
        cmocka_unit_test(retransmissions),
        cmocka_unit_test(cost),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

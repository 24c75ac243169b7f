/* What examples/extensions/delaycc.c claims, in virtual time: two associations on 20 Mbit/s with a
 * queue of 160 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenario.h"

#define RATE_BIT_S 20000000u

extern const struct hws_extension hws_extension_delaycc;

static struct sim_experiment experiment;

static int begin(void **state)
{
    (void)state;
    scenario_run(&experiment, "delaycc.sim", &hws_extension_delaycc);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sim_experiment_free(&experiment);
    return 0;
}

/* A figure where both associations have that controller. */
static uint64_t value(const char *cc, const char *item, const char *name, const char *way,
                      const char *metric)
{
    return scenario_value(&experiment, (const char *const[]){cc, cc},
                          (const char *const[]){item, name, way, metric});
}

static uint64_t goodput(const char *cc)
{
    return value(cc, "association", "a", "forward", "goodput") +
           value(cc, "association", "b", "forward", "goodput");
}

/* User data of a message of 64 KiB is 96.8 % of the bytes on the link. */
static void throughput(void **state)
{
    (void)state;
    assert_in_range(goodput("rfc9260"), RATE_BIT_S / 100 * 95, RATE_BIT_S);
    assert_true(goodput("delaycc") >= goodput("rfc9260") / 100 * 95);
}

/* The built-in one fills the queue, whatever its length. */
static void queue(void **state)
{
    (void)state;
    assert_true(value("rfc9260", "link", "line", "forward", "queue_mean") >= 80000);
    assert_true(value("delaycc", "link", "line", "forward", "queue_mean") <= 5000);
    assert_true(value("delaycc", "link", "line", "forward", "queue_p99") <= 12000);
    assert_true(value("rfc9260", "link", "line", "forward", "drops_queue") > 0);
    assert_int_equal(value("delaycc", "link", "line", "forward", "drops_queue"), 0);
}

/* The second one began later: it does not have to take the first one's queue for the path. */
static void fairness(void **state)
{
    (void)state;
    assert_true(value("delaycc", "fairness", "", "forward", "jain") >= 990000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throughput),
        cmocka_unit_test(queue),
        cmocka_unit_test(fairness),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

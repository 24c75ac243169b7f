/* What examples/extensions/drr.c claims, in virtual time: three streams that always have something
 * to send share 10 Mbit/s by their weights, not by the length of their messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenario.h"

extern const struct hws_extension hws_extension_drr;

static struct sim_experiment experiment;

static int begin(void **state)
{
    (void)state;
    scenario_run(&experiment, "drr.sim", &hws_extension_drr);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sim_experiment_free(&experiment);
    return 0;
}

static uint64_t goodput(const char *sched, int32_t sid)
{
    for (size_t i = 0; i < experiment.point_count; i++) {
        const struct sim_result *r = &experiment.points[i].result;
        if (strcmp(experiment.points[i].values[0], sched) != 0)
            continue;
        for (size_t k = 0; k < r->count; k++)
            if (strcmp(r->rows[k].item, "stream") == 0 && r->rows[k].stream == sid &&
                strcmp(r->rows[k].metric, "goodput") == 0)
                return r->rows[k].value;
    }
    fail_msg("no goodput of stream %d with %s", (int)sid, sched);
    return 0;
}

/* Parts of the sum, within 3 % of the sum. */
static void shares(const char *sched, const uint64_t parts[3])
{
    uint64_t sum = 0, all = parts[0] + parts[1] + parts[2];
    for (int32_t sid = 0; sid < 3; sid++)
        sum += goodput(sched, sid);
    assert_true(sum > 9000000);
    for (int32_t sid = 0; sid < 3; sid++)
        assert_in_range(goodput(sched, sid), sum * parts[sid] / all - sum * 3 / 100,
                        sum * parts[sid] / all + sum * 3 / 100);
}

static void by_weight(void **state)
{
    (void)state;
    shares("drr", (const uint64_t[]){1, 2, 3});
}

static void built_in(void **state)
{
    (void)state;
    shares("rr", (const uint64_t[]){5, 1, 3});
    shares("fcfs", (const uint64_t[]){1, 1, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_weight),
        cmocka_unit_test(built_in),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

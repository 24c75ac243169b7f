#include "tests/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void scenario_run(struct sim_experiment *experiment, const char *name,
                  const struct hws_extension *extension)
{
    char file[512];
    struct sim_error error;
    snprintf(file, sizeof file, "%s/examples/scenarios/%s", HWS_SOURCE_DIR, name);
    const struct sim_experiment_config config = {.file = file, .seed = 1, .seeds = 1};
    const struct sim_settings settings = {.extensions = &extension, .extension_count = 1};
    if (!sim_experiment_open(experiment, &config, &error) ||
        !sim_experiment_run(experiment, &settings, sim_run_once, NULL, &error))
        fail_msg("%s", error.text);
}

static const struct sim_point *find_point(const struct sim_experiment *experiment,
                                          const char *const *values)
{
    for (size_t i = 0; i < experiment->point_count; i++) {
        const struct sim_point *point = &experiment->points[i];
        bool same = true;
        for (size_t k = 0; k < experiment->key_count; k++)
            same = same && strcmp(point->values[k], values[k]) == 0;
        if (same)
            return point;
    }
    fail_msg("no such point of the sweep: %s", values[0]);
    return NULL;
}

uint64_t scenario_value(const struct sim_experiment *experiment, const char *const *values,
                        const char *const of[4])
{
    const struct sim_point *point = find_point(experiment, values);
    for (size_t i = 0; i < point->result.count; i++) {
        const struct sim_row *row = &point->result.rows[i];
        if (strcmp(row->item, of[0]) == 0 && strcmp(row->name, of[1]) == 0 &&
            strcmp(row->way, of[2]) == 0 && strcmp(row->metric, of[3]) == 0)
            return row->value;
    }
    fail_msg("no figure %s %s %s %s", of[0], of[1], of[2], of[3]);
    return 0;
}

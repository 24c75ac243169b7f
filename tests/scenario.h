/* Scenarios of hawser sim within tests: run them with an extension, and ask what they measured. */
#ifndef HWS_TESTS_SCENARIO_H
#define HWS_TESTS_SCENARIO_H

#include "sim/experiment.h"

/** Runs examples/scenarios/`name` with seed 1 and this extension; the test fails when it cannot. */
void scenario_run(struct sim_experiment *experiment, const char *name,
                  const struct hws_extension *extension);

/** The figure at the point of the sweep with these values, in the file's order. `of`: its item,
 * name, way and metric, "" where there is none. The test fails when there is no such figure. */
uint64_t scenario_value(const struct sim_experiment *experiment, const char *const *values,
                        const char *const of[4]);

#endif

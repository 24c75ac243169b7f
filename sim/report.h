/* Results as CSV, as JSON, and as a table to read. */
#ifndef HWS_SIM_REPORT_H
#define HWS_SIM_REPORT_H

#include <stdio.h>

#include "sim/experiment.h"

/** One line for each figure: the sweep's values, item, name, way, stream, metric, unit, mean, ci95
 * (half the width of the 95 % confidence interval; empty with one seed). */
void sim_report_csv(FILE *out, const struct sim_experiment *experiment);

/** The same with the values of every seed. */
void sim_report_json(FILE *out, const struct sim_experiment *experiment);

/** What one wants to see first. */
void sim_report_table(FILE *out, const struct sim_experiment *experiment);

#endif

/* `hawser sim --samples`: what is sampled of each path, as CSV over time. */
#ifndef HWS_CLI_SIM_SAMPLES_H
#define HWS_CLI_SIM_SAMPLES_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/run.h"

struct hws_cli_sim_samples {
    const char *path;
    FILE *file;
    struct sim_tap tap;
};

/** Makes the file, which `samples->tap` fills. False after a message. */
bool hws_cli_sim_samples_open(struct hws_cli_sim_samples *samples, const char *path);

/** Closes the file. False after a message, when something could not be written. */
bool hws_cli_sim_samples_close(struct hws_cli_sim_samples *samples);

#endif

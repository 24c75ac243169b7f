#include "cli/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/sim_samples.h"
#include "sim/report.h"

static void help(void)
{
    puts("Usage: hawser sim [OPTION]... SCENARIO\n"
         "\n"
         "Runs the hosts, links and associations of a scenario file in virtual time and prints "
         "what\n"
         "was measured. The same scenario and seed give the same results, byte for byte, on every\n"
         "machine. docs/SIMULATOR.md describes the file.\n"
         "Exit code 0: it ran; 1: a file could not be written; 2: the scenario is wrong, or "
         "usage.\n");
    hws_cli_options_help(HWS_CLI_SIM);
}

static bool write_file(const char *path, const struct sim_experiment *experiment,
                       void (*report)(FILE *out, const struct sim_experiment *experiment))
{
    if (path == NULL)
        return true;
    FILE *out = fopen(path, "w");
    if (out != NULL)
        report(out, experiment);
    bool failed = out == NULL || ferror(out);
    if (out != NULL && fclose(out) != 0)
        failed = true;
    if (failed)
        fprintf(stderr, "hawser: %s: %s\n", path, strerror(errno));
    return !failed;
}

int hws_cli_sim(int argc, char **argv)
{
    struct hws_cli_options options;
    struct sim_experiment experiment;
    struct sim_error error;
    int rc = hws_cli_options_parse(HWS_CLI_SIM, argc, argv, &options);
    if (rc != HWS_CLI_OK)
        return rc;
    if (options.help) {
        help();
        return HWS_CLI_OK;
    }
    struct sim_experiment_config config = {
        .file = options.scenario,
        .sets = options.sets,
        .set_count = options.set_count,
        .seed = options.seed,
        .seeds = options.seeds,
    };
    struct hws_cli_sim_samples samples;
    if (options.samples != NULL && !hws_cli_sim_samples_open(&samples, options.samples, &config))
        return HWS_CLI_FAILED;
    bool ran = sim_experiment_run(&experiment, &config, &error);
    bool sampled = options.samples == NULL || hws_cli_sim_samples_close(&samples);
    if (!ran) {
        fprintf(stderr, "hawser: %s\n", error.text);
        return HWS_CLI_USAGE;
    }
    sim_report_table(stdout, &experiment);
    bool good = write_file(options.csv, &experiment, sim_report_csv) &&
                write_file(options.json, &experiment, sim_report_json) && sampled;
    sim_experiment_free(&experiment);
    return good ? HWS_CLI_OK : HWS_CLI_FAILED;
}

#include "cli/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/extensions.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/sim_pcap.h"
#include "cli/sim_qlog.h"
#include "cli/sim_samples.h"
#include "sim/report.h"
#include "sim/stack.h"

/* Beside the program: it runs scenarios with hosts whose stack is usrsctp. */
#define HELPER "hawser-sim-usrsctp"
#define HELPER_STACK "usrsctp"
/* What can listen to a run at once. */
#define TAPS_MAX 4u

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

static int wrong(const struct sim_error *error)
{
    fprintf(stderr, "hawser: %s\n", error->text);
    return HWS_CLI_USAGE;
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

/* Whether this program has that stack. */
static bool has_stack(const struct sim_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->stack_count; i++)
        if (strcmp(settings->stacks[i]->name, name) == 0)
            return true;
    return false;
}

/* Becomes the helper, with the same arguments; only returns when there is none. */
static int run_helper(const char *stack, char **argv)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof HELPER);
    char *slash = len > 0 ? memrchr(path, '/', (size_t)len) : NULL;
    if (strcmp(stack, HELPER_STACK) != 0 || slash == NULL) {
        fprintf(stderr, "hawser: there is no stack '%s': it has to be hawser or %s\n", stack,
                HELPER_STACK);
        return HWS_CLI_USAGE;
    }
    strcpy(slash + 1, HELPER);
    execv(path, argv);
    fprintf(stderr,
            "hawser: hosts with stack = %s need the program %s, which is built where "
            "libusrsctp-dev is installed: %s\n",
            stack, path, strerror(errno));
    return HWS_CLI_USAGE;
}

/* Everything that is written while it runs. */
struct outputs {
    const struct sim_tap *taps[TAPS_MAX];
    size_t tap_count;
    struct hws_cli_sim_samples samples;
    struct hws_cli_sim_qlog qlog;
    struct hws_cli_sim_pcap pcap;
};

static bool open_outputs(struct outputs *outputs, const struct hws_cli_options *options)
{
    bool opened = true;
    if (options->samples != NULL) {
        outputs->taps[outputs->tap_count++] = &outputs->samples.tap;
        opened = hws_cli_sim_samples_open(&outputs->samples, options->samples);
    }
    if (options->qlog != NULL && opened) {
        outputs->taps[outputs->tap_count++] = &outputs->qlog.tap;
        opened = hws_cli_sim_qlog_open(&outputs->qlog, options->qlog);
    }
    if (options->pcap != NULL && opened) {
        outputs->taps[outputs->tap_count++] = &outputs->pcap.tap;
        opened = hws_cli_sim_pcap_open(&outputs->pcap, options->pcap);
    }
    return opened;
}

static bool close_outputs(struct outputs *outputs, const struct hws_cli_options *options)
{
    bool samples = options->samples == NULL || hws_cli_sim_samples_close(&outputs->samples);
    bool qlog = options->qlog == NULL || hws_cli_sim_qlog_close(&outputs->qlog);
    bool pcap = options->pcap == NULL || hws_cli_sim_pcap_close(&outputs->pcap);
    return samples && qlog && pcap;
}

static int run(struct sim_experiment *experiment, const struct hws_cli_options *options,
               const struct hws_cli_sim_stacks *stacks, char **argv)
{
    struct sim_error error;
    struct outputs outputs = {0};
    const struct hws_extension *extensions[HWS_CLI_EXTENSIONS_MAX];
    struct sim_settings settings = {.stacks = stacks->stacks,
                                    .stack_count = stacks->count,
                                    .extensions = extensions,
                                    .extension_count = options->extension_count};
    const char *stack = sim_experiment_stack(experiment);
    if (stack != NULL && !has_stack(&settings, stack))
        return run_helper(stack, argv);
    if (!hws_cli_extensions_load(options, extensions) || !open_outputs(&outputs, options))
        return HWS_CLI_FAILED;
    settings.taps = outputs.taps;
    settings.tap_count = outputs.tap_count;
    bool ran = sim_experiment_run(experiment, &settings, stacks->once, NULL, &error);
    bool written = close_outputs(&outputs, options);
    if (!ran)
        return wrong(&error);
    sim_report_table(stdout, experiment);
    written &= write_file(options->csv, experiment, sim_report_csv) &&
               write_file(options->json, experiment, sim_report_json);
    return written ? HWS_CLI_OK : HWS_CLI_FAILED;
}

static bool overwrites_scenario(const struct hws_cli_options *options)
{
    return hws_cli_is_input(options->csv, options->scenario) ||
           hws_cli_is_input(options->json, options->scenario) ||
           hws_cli_is_input(options->samples, options->scenario);
}

int hws_cli_sim_with(int argc, char **argv, const struct hws_cli_sim_stacks *stacks)
{
    struct hws_cli_options options;
    struct sim_experiment experiment;
    struct sim_error error;
    char **arguments = calloc((size_t)argc + 1, sizeof *arguments); /* parsing reorders them */
    int rc = arguments != NULL ? HWS_CLI_OK : HWS_CLI_FAILED;
    if (rc == HWS_CLI_OK) {
        memcpy(arguments, argv, (size_t)argc * sizeof *argv);
        rc = hws_cli_options_parse(HWS_CLI_SIM, argc, argv, &options);
    }
    if (rc == HWS_CLI_OK && options.help) {
        help();
    } else if (rc == HWS_CLI_OK && overwrites_scenario(&options)) {
        rc = HWS_CLI_USAGE;
    } else if (rc == HWS_CLI_OK) {
        const struct sim_experiment_config config = {
            .file = options.scenario,
            .sets = options.sets,
            .set_count = options.set_count,
            .seed = options.seed,
            .seeds = options.seeds,
        };
        bool good = sim_experiment_open(&experiment, &config, &error);
        rc = good ? run(&experiment, &options, stacks, arguments) : wrong(&error);
        if (good)
            sim_experiment_free(&experiment);
    }
    free(arguments);
    return rc;
}

int hws_cli_sim(int argc, char **argv)
{
    static const struct hws_cli_sim_stacks none = {.once = sim_run_once};
    return hws_cli_sim_with(argc, argv, &none);
}

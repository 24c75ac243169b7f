/* hawser sim: a scenario in virtual time. */
#ifndef HWS_CLI_SIM_H
#define HWS_CLI_SIM_H

#include <stddef.h>

#include "sim/experiment.h"

/* What a program has beside hawser's own stack. */
struct hws_cli_sim_stacks {
    const struct sim_stack_ops *const *stacks;
    size_t count;
    sim_run_once_fn *once; /* how a scenario is run */
};

/** The command; an exit code. */
int hws_cli_sim(int argc, char **argv);

/** The same with other stacks, for the program that has them. */
int hws_cli_sim_with(int argc, char **argv, const struct hws_cli_sim_stacks *stacks);

#endif

/* hawser sim: a scenario in virtual time. */
#ifndef HWS_CLI_SIM_H
#define HWS_CLI_SIM_H

/** The command; an exit code. */
int hws_cli_sim(int argc, char **argv);

#endif

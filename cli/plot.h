/* `hawser plot`: pictures of qlog files. */
#ifndef HWS_CLI_PLOT_H
#define HWS_CLI_PLOT_H

/** Runs the command; argv[0] is its name. The exit code. */
int hws_cli_plot(int argc, char **argv);

#endif

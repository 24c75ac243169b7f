/* hawser dump: captures SCTP from interfaces, or reads a capture, and prints it. */
#ifndef HWS_CLI_DUMP_COMMAND_H
#define HWS_CLI_DUMP_COMMAND_H

/** Runs the command; argv[0] is its name. Returns an exit code of cli/options.h. */
int hws_cli_dump(int argc, char **argv);

#endif

/* hawser echo: every message goes back on the stream it came on. */
#ifndef HWS_CLI_ECHO_H
#define HWS_CLI_ECHO_H

int hws_cli_echo(int argc, char **argv);

#endif

/* hawser ping: whether somebody listens, and how far away. */
#ifndef HWS_CLI_PING_H
#define HWS_CLI_PING_H

int hws_cli_ping(int argc, char **argv);

#endif

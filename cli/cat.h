/* hawser cat: stdin to the peer, the peer to stdout. */
#ifndef HWS_CLI_CAT_H
#define HWS_CLI_CAT_H

int hws_cli_cat(int argc, char **argv);

#endif

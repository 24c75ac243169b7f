/* -v: what happens to the paths of an association, as lines on stderr. */
#ifndef HWS_CLI_PATH_EVENTS_H
#define HWS_CLI_PATH_EVENTS_H

#include "api/hawser/hawser.h"

/** Has the socket (and those it accepts) keep its path events. */
void hws_cli_path_events_want(struct hws_sock *sock);

/** Prints those that came up since, each with the time now. */
void hws_cli_path_events_print(struct hws_sock *sock);

#endif

/* The addresses that a host's name stands for. */
#ifndef HWS_CLI_PEERS_H
#define HWS_CLI_PEERS_H

#include <netdb.h>

#include "cli/options.h"

/** Looks up the options' host with the options' port and families. NULL after a message; the
 * caller gives the list to freeaddrinfo. */
struct addrinfo *hws_cli_peers(const struct hws_cli_options *options);

#endif

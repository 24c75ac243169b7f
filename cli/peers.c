#include "cli/peers.h"

#include <stdio.h>

#include <sys/socket.h>

struct addrinfo *hws_cli_peers(const struct hws_cli_options *options)
{
    char service[8];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = hws_cli_options_family(options),
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV,
    };
    snprintf(service, sizeof(service), "%u", (unsigned)options->port);
    int rc = getaddrinfo(options->host, service, &hints, &found);
    if (rc == 0)
        return found;
    fprintf(stderr, "hawser: cannot find the host %s (%s): %s\n", options->host,
            hws_cli_options_family_name(options), gai_strerror(rc));
    return NULL;
}

#include "cli/peers.h"

#include <stdio.h>

#include <sys/socket.h>

struct addrinfo *hws_cli_peers(const struct hws_cli_options *options)
{
    char service[8];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = options->ipv4_only   ? AF_INET
                     : options->ipv6_only ? AF_INET6
                                          : AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV,
    };
    snprintf(service, sizeof(service), "%u", (unsigned)options->port);
    int rc = getaddrinfo(options->host, service, &hints, &found);
    if (rc == 0)
        return found;
    fprintf(stderr, "hawser: cannot find the host %s%s: %s\n", options->host,
            options->ipv4_only   ? " (IPv4 only, because of -4)"
            : options->ipv6_only ? " (IPv6 only, because of -6)"
                                 : "",
            gai_strerror(rc));
    return NULL;
}

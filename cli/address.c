#include "cli/address.h"

#include <stdbool.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <netinet/in.h>

unsigned hws_cli_port(const struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    return ntohs(address->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
}

static bool is_wildcard(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    return address->ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)
                                          : in->sin_addr.s_addr == htonl(INADDR_ANY);
}

const char *hws_cli_address(const struct sockaddr_storage *address, char out[HWS_CLI_ADDRESS_MAX])
{
    socklen_t len =
        address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (is_wildcard(address) || getnameinfo((const struct sockaddr *)(const void *)address, len,
                                            out, HWS_CLI_ADDRESS_MAX, NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(out, HWS_CLI_ADDRESS_MAX, "any");
    return out;
}

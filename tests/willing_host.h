/* What is below a socket layer under test: every port is free, every address is ours or reachable.
 */
#ifndef HWS_TESTS_WILLING_HOST_H
#define HWS_TESTS_WILLING_HOST_H

#include "api/sock/socket.h"

static int willing_add_port(void *arg, uint16_t port)
{
    (void)arg;
    (void)port;
    return 0;
}

static void willing_remove_port(void *arg, uint16_t port)
{
    (void)arg;
    (void)port;
}

static int willing_address(void *arg, const struct hws_addr *addr)
{
    (void)arg;
    (void)addr;
    return 0;
}

static const struct hws_sockets_host willing_host = {.add_port = willing_add_port,
                                                     .remove_port = willing_remove_port,
                                                     .check_local = willing_address,
                                                     .check_route = willing_address};

#endif

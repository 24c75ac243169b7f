/* Addresses of the operating system as text. */
#ifndef HWS_CLI_ADDRESS_H
#define HWS_CLI_ADDRESS_H

#include <netdb.h>
#include <sys/socket.h>

#define HWS_CLI_ADDRESS_MAX NI_MAXHOST

/** Writes the address without its port into `out` and returns `out`; a wildcard is "any". */
const char *hws_cli_address(const struct sockaddr_storage *address, char out[HWS_CLI_ADDRESS_MAX]);

/** Its port. */
unsigned hws_cli_port(const struct sockaddr_storage *address);

#endif

/* ICMP messages in words. */
#ifndef HWS_CLI_ICMP_H
#define HWS_CLI_ICMP_H

#include <stdbool.h>

#include "api/link/link.h"

/** What the message says, for example "ICMP host unreachable". */
const char *hws_cli_icmp(const struct hws_icmp *icmp, bool ipv6);

#endif

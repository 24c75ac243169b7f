/* What the commands ask the operating system about the host. */
#ifndef HWS_CLI_HOST_H
#define HWS_CLI_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Whether a raw socket can be opened: 0 or a negative errno. */
int hws_cli_host_raw_socket(bool ipv6, uint8_t protocol);

/** Whether the kernel's own SCTP is there. Opening an SCTP socket would load it; this does not. */
bool hws_cli_host_kernel_sctp(void);

#define HWS_CLI_INTERFACE_NAME_MAX 32

struct hws_cli_interface {
    char name[HWS_CLI_INTERFACE_NAME_MAX];
    int mtu;
};

/** The interfaces that are up, at most `max` of them; returns their number. */
size_t hws_cli_host_interfaces(struct hws_cli_interface *out, size_t max);

/** Starts listing the rules of the firewall; NULL when no process can be started. The stream is
 * empty when there is no tool for it or no permission. */
FILE *hws_cli_host_ruleset(void);

enum hws_cli_ruleset { HWS_CLI_RULESET_READ, HWS_CLI_RULESET_NO_TOOL, HWS_CLI_RULESET_REFUSED };

/** Ends the listing and tells whether it was one. */
enum hws_cli_ruleset hws_cli_host_ruleset_close(FILE *ruleset);

#endif

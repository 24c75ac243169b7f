/* Which rules of a firewall concern SCTP, found in the text of "nft list ruleset". */
#ifndef HWS_CLI_FIREWALL_H
#define HWS_CLI_FIREWALL_H

#include <stdbool.h>
#include <stdio.h>

#define HWS_CLI_FIREWALL_RULE_MAX 128

struct hws_cli_firewall {
    unsigned rules;                        /* that name SCTP, IP protocols 132, 253 or 254, or
                                              UDP port 9899 */
    char first[HWS_CLI_FIREWALL_RULE_MAX]; /* the first of them */
    unsigned closed_chains;                /* input or output chains that drop by default */
};

void hws_cli_firewall_scan(FILE *ruleset, struct hws_cli_firewall *out);

#endif

/* `hawser sim --pcap`: the packets of each host in each run, as a capture at that host would have
 * them. */
#ifndef HWS_CLI_SIM_PCAP_H
#define HWS_CLI_SIM_PCAP_H

#include <stdbool.h>

#include "cli/sim_files.h"
#include "sim/run.h"

struct hws_pcapng;

struct hws_cli_sim_pcap {
    struct hws_cli_sim_files out;
    struct sim_tap tap;
    struct hws_pcapng **files; /* of the run's nodes, NULL while nothing is to be written of one */
};

/** Makes the directory when it is not there; `pcap->tap` fills it with files HOST-pP-sS.pcapng, of
 * point P of the sweep and seed S. False after a message. */
bool hws_cli_sim_pcap_open(struct hws_cli_sim_pcap *pcap, const char *dir);

/** False: something could not be written, which was said. */
bool hws_cli_sim_pcap_close(const struct hws_cli_sim_pcap *pcap);

#endif

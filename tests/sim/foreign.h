/* What does not belong here: garbage, packets with a forged tag, port or address, forged ICMP
 * messages, INITs of strangers, and true packets sent again. But for the last, none may change an
 * association, and each must be counted. */
#ifndef HWS_TESTS_SIM_FOREIGN_H
#define HWS_TESTS_SIM_FOREIGN_H

#include "tests/sim/host.h"

struct sim_foreign {
    struct sim_net *net;
    struct sim_rng rng;
    struct sim_host *hosts[2];
    uint32_t period_us; /* time between two attempts, on average */
    uint64_t until_us;
    uint64_t attempts, replays;
};

/** Starts the attempts; they go on until `until_us`. The net has to record. */
void sim_foreign_start(struct sim_foreign *foreign);

#endif

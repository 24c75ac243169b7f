/* What a seed means: a whole world drawn at random, its network, its hosts and what they want of
 * each other. */
#ifndef HWS_TESTS_SIM_DRAW_H
#define HWS_TESTS_SIM_DRAW_H

#include "tests/sim/flow.h"
#include "tests/sim/foreign.h"

#define SIM_FLOWS_MAX 4u

struct sim_case {
    uint64_t seed;
    struct sim_world world;
    struct sim_net net;
    struct sim_host hosts[2];
    struct sim_app apps[2];
    struct sim_flow flows[SIM_FLOWS_MAX];
    uint32_t flow_count;
    struct sim_foreign foreign;
    uint64_t heal_at_us; /* from then on the network has no faults */
    uint64_t end_by_us;  /* everything must have arrived by then */
};

/** Draws everything from the seed and starts it. */
void sim_draw(struct sim_case *c, uint64_t seed, FILE *trace);

/** Frees everything; what is left of memory is a broken promise. */
void sim_discard(struct sim_case *c);

#endif

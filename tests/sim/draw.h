/* What a seed means: a whole world drawn at random, its network, its hosts and what they want of
 * each other. */
#ifndef HWS_TESTS_SIM_DRAW_H
#define HWS_TESTS_SIM_DRAW_H

#include "tests/sim/flow.h"
#include "tests/sim/foreign.h"

#define SIM_FLOWS_MAX 4u

/* What a world may have; counted, so that a run shows what it has tried. */
enum sim_feature {
    SIM_HAS_ONE_PATH,
    SIM_HAS_PATHS,
    SIM_HAS_8_ADDRS, /* on both sides */
    SIM_HAS_UNEQUAL_COUNTS,
    SIM_HAS_BOTH_FAMILIES,
    SIM_HAS_PARALLEL_LINKS,
    SIM_HAS_FEW_REMOTES, /* connect names fewer addresses than the peer has */
    SIM_HAS_NOBODYS_ADDR,
    SIM_HAS_ANOTHERS_ADDR,
    SIM_HAS_FLAPS,
    SIM_HAS_ALL_PATHS_DOWN,
    SIM_HAS_MTU_CHANGES,
    /* Seen when it is over: */
    SIM_SAW_CUT_SILENTLY,
    SIM_SAW_SEND_FAILED,
    SIM_SAW_HOST_UNREACHABLE,
    SIM_SAW_TOO_BIG,
    SIM_SAW_PATH_DOWN,
    SIM_SAW_PATH_UP,
    SIM_FEATURES,
};

/** A feature's name. */
const char *sim_feature_name(enum sim_feature feature);

struct sim_case {
    uint64_t seed;
    struct sim_world world;
    struct sim_net net;
    struct sim_host hosts[2];
    struct sim_app apps[2];
    struct sim_flow flows[SIM_FLOWS_MAX];
    uint32_t flow_count;
    struct sim_foreign foreign;
    struct sim_host bystander; /* has an address that another host names as its own */
    bool has_bystander;
    bool features[SIM_FEATURES];
    uint64_t heal_at_us; /* from then on the network has no faults */
    uint64_t end_by_us;  /* everything must have arrived by then */
};

/** Draws everything from the seed and starts it. */
void sim_draw(struct sim_case *c, uint64_t seed, FILE *trace);

/** Notes the features that only the end shows. */
void sim_draw_conclude(struct sim_case *c);

/** Frees everything; what is left of memory is a broken promise. */
void sim_discard(struct sim_case *c);

#endif

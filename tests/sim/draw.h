/* What a seed means: a whole world drawn at random, its network, its hosts and what they want of
 * each other. */
#ifndef HWS_TESTS_SIM_DRAW_H
#define HWS_TESTS_SIM_DRAW_H

#include "tests/sim/flow.h"
#include "tests/sim/foreign.h"

#define SIM_FLOWS_MAX 4u
#define SIM_HOSTS 4u

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
    SIM_HAS_RESTART_OF_CONNECTOR,
    SIM_HAS_RESTART_OF_LISTENER,
    SIM_HAS_RESTART_OF_BOTH, /* at the same time */
    SIM_HAS_LENT,            /* messages whose bytes stay the application's */
    SIM_HAS_FRAGMENT_LIMIT,
    SIM_HAS_BURST_LIMIT, /* in packets */
    SIM_HAS_LONG_OUTAGE, /* longer than associations live */
    SIM_HAS_PEEKS,
    SIM_HAS_VIEWS,
    SIM_HAS_HOST_ADDRS, /* endpoints without addresses that tell the host's */
    SIM_HAS_RECEIVE_BUDGET,
    SIM_HAS_SHARED_PORTS, /* by several endpoints */
    SIM_HAS_ADAPTATION,
    SIM_HAS_AUTOCLOSE,
    SIM_HAS_ONE_FAMILY,  /* an endpoint that uses one of the two its host has */
    SIM_HAS_MORE_LOCALS, /* an endpoint that is given more addresses */
    SIM_HAS_UDP,         /* a connection over UDP from the beginning */
    SIM_HAS_UDP_SWITCHED,
    SIM_HAS_SHARDS,       /* a host with two engines, each given what is its own */
    SIM_HAS_UNFILTERED,   /* or everything */
    SIM_HAS_LATE_READER,  /* a host that looks at packets some time after it received them */
    SIM_HAS_WRONG_STAMPS, /* packets that tell a wrong time at which they were received */
    SIM_HAS_OBSERVER,     /* an engine that tells what it does */
    SIM_HAS_NEAR,         /* round trips below a millisecond, and messages over time */
    SIM_HAS_ERRATIC_CC,   /* controllers, schedulers and selectors that answer at random */
    SIM_HAS_ERRATIC_SCHED,
    SIM_HAS_ERRATIC_PATHSEL,
    /* Seen when it is over: */
    SIM_SAW_EXT_CHUNKS,
    SIM_SAW_EXT_REPAIRED,
    SIM_SAW_EXT_FAULTS,
    SIM_SAW_CUT_SILENTLY,
    SIM_SAW_SEND_FAILED,
    SIM_SAW_HOST_UNREACHABLE,
    SIM_SAW_TOO_BIG,
    SIM_SAW_BLACK_HOLE,
    SIM_SAW_PATH_DOWN,
    SIM_SAW_PATH_UP,
    SIM_SAW_RESTART,         /* told by the engine that met the peer's new one */
    SIM_SAW_LOST_BY_ABORT,   /* an association whose peer has restarted */
    SIM_SAW_LOST_BY_SILENCE, /* an association that the outage outlived */
    SIM_SAW_OVERRIDES,       /* messages that name one of several paths */
    SIM_SAW_FAILED,          /* messages that were told not to arrive */
    SIM_SAW_MESSAGE_CUT,     /* in the middle of its delivery in parts */
    SIM_SAW_UDP,
    SIM_SAW_BOTH_SHARDS, /* packets for each of two engines */
    SIM_SAW_CC_REFUSED,  /* nonsense of theirs */
    SIM_SAW_SCHED_REFUSED,
    SIM_SAW_PATHSEL_REFUSED,
    SIM_SAW_COPIES, /* chunks that left on several paths at once */
    SIM_SAW_COPIES_WITHHELD,
    SIM_SAW_TRAIN_WAITS, /* new messages held until they filled a train */
    SIM_FEATURES,
};

/** A feature's name. */
const char *sim_feature_name(enum sim_feature feature);

#define SIM_RESTARTS_MAX 3u

/* Hosts that restart at the same time. */
struct sim_restart {
    bool hosts[2];
    uint32_t down_us[2], connect_us[2];
};

struct sim_case {
    uint64_t seed;
    struct sim_world world;
    struct sim_net net;
    struct sim_host hosts[SIM_HOSTS]; /* two, and second shards of each where it has one */
    bool has_shards[2];
    struct sim_app apps[SIM_HOSTS];
    struct sim_flow flows[SIM_FLOWS_MAX];
    uint32_t flow_count;
    struct sim_foreign foreign;
    struct sim_host bystander; /* has an address that another host names as its own */
    bool has_bystander;
    struct sim_restart restarts[SIM_RESTARTS_MAX];
    bool features[SIM_FEATURES];
    uint64_t heal_at_us; /* from then on the network has no faults */
    uint64_t end_by_us;  /* everything must have arrived by then */
};

/** Engine number `index` of the two hosts' (0 .. SIM_HOSTS - 1), NULL: there is none. */
struct sim_host *sim_draw_host(struct sim_case *c, uint32_t index);

/** Draws everything from the seed and starts it. `other_observers`: engines that would be observed
 * are not, and the others are, which may make no difference. */
void sim_draw(struct sim_case *c, uint64_t seed, FILE *trace, bool other_observers);

/** Notes the features that only the end shows. */
void sim_draw_conclude(struct sim_case *c);

/** Frees everything; what is left of memory is a broken promise. */
void sim_discard(struct sim_case *c);

#endif

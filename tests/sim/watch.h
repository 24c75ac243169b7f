/* An observer of an engine that checks whether what it is told is consistent. */
#ifndef HWS_TESTS_SIM_WATCH_H
#define HWS_TESTS_SIM_WATCH_H

#include "stack/limits.h"
#include "stack/observer.h"
#include "tests/sim/world.h"

#define SIM_WATCHED_MAX 512u

/* What was told of an association, last. */
struct sim_watched {
    hws_assoc_id id;
    uint32_t vtag;
    enum hws_assoc_state state;
    uint32_t path_count;
    enum hws_path_state paths[HWS_LIMIT_PATHS];
    uint8_t *lost; /* a bit for each TSN that was told to be lost and not to be sent again since */
};

struct sim_watch {
    struct sim_world *world;
    struct hws_observer next;   /* is told, too */
    struct sim_watched *assocs; /* that are not over */
    uint32_t assoc_count;
    uint64_t now_us; /* of the last observation */
    uint64_t told;   /* observations */
    uint64_t retransmitted;
    struct hws_stats dropped; /* DROPPED, by reason */
};

void sim_watch_init(struct sim_watch *watch, struct sim_world *world);

/** Has the engine, which is new, tell this watch everything. */
void sim_watch_engine(struct sim_watch *watch, struct hws_engine *engine);

/** The engine is about to be freed: checks that all was told that it counted. */
void sim_watch_over(struct sim_watch *watch, const struct hws_engine *engine);

void sim_watch_fini(struct sim_watch *watch);

#endif

/* The clock of a simulation: sources of events, each with the time of its next one. Equal times
 * fire in the order in which sources were added. */
#ifndef HWS_SIM_CLOCK_H
#define HWS_SIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_NEVER UINT64_MAX

struct sim_source {
    uint64_t at_ns; /* SIM_NEVER: nothing to come */
    uint32_t rank;  /* of those at the same time */
    uint32_t place; /* in the heap */
    /** Its time has come. It has to set another one, or none, with sim_clock_set. */
    void (*fire)(void *ctx, uint64_t now_ns);
    void *ctx;
};

struct sim_clock {
    uint64_t now_ns;
    struct sim_source **heap;
    uint32_t count, capacity;
};

/** Adds a source that has nothing to come. The rank of each has to be another one. */
void sim_clock_add(struct sim_clock *clock, struct sim_source *source, uint32_t rank,
                   void (*fire)(void *ctx, uint64_t now_ns), void *ctx);

/** Sets when the source fires next, not before now. */
void sim_clock_set(struct sim_clock *clock, struct sim_source *source, uint64_t at_ns);

/** Fires everything up to `until_ns`, which the clock shows then. False: time stood still, since
 * sources fire without end at one instant. */
bool sim_clock_run(struct sim_clock *clock, uint64_t until_ns);

void sim_clock_fini(struct sim_clock *clock);

#endif

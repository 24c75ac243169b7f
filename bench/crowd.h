/* Many associations in one process, both ends in one thread, joined in memory: hawser's. Each of
 * the client's endpoints can have one association with each of the server's. Driven as a runtime
 * drives an engine; the clock is the caller's. */
#ifndef HWS_BENCH_CROWD_H
#define HWS_BENCH_CROWD_H

#include "api/runtime/driver.h"

struct crowd_end {
    struct hws_driver driver;
    uint64_t up, down; /* associations told of so far */
    struct crowd *crowd;
};

struct crowd {
    struct crowd_end client, server;
    uint32_t clients, servers;  /* endpoints */
    hws_endpoint_id *endpoints; /* the client's */
    hws_assoc_id *assocs;       /* the client's, one for each pair of endpoints */
    hws_endpoint_id *idle;      /* of these, in a churn, those without an association */
    uint32_t idle_count;
    bool churn;  /* what is up is shut down at once */
    bool failed; /* an association ended otherwise than it should */
    uint64_t now_us;
};

/** Two engines of this environment with endpoints. False: no memory or a port in use. `params`
 * NULL: defaults. `extension`: of both engines; NULL: none. */
bool crowd_open(struct crowd *crowd, const struct hws_env *env, const struct hws_params *params,
                const struct hws_extension *extension, uint32_t clients, uint32_t servers);
void crowd_close(struct crowd *crowd);

/** One turn of both ends: what has come, what is due, what is to be sent. */
void crowd_turn(struct crowd *crowd);

/** Turns until nothing is under way or due. */
void crowd_settle(struct crowd *crowd);

/** Sets up associations number `from` to `to` - 1, in turn, and waits until they are up at both
 * ends. */
bool crowd_connect(struct crowd *crowd, uint32_t from, uint32_t to);

/** Sets up and gracefully ends associations, one of each client's endpoint at a time; whoever is
 * over begins anew with this turn. */
bool crowd_churn(struct crowd *crowd);

/** Ends associations 0 to `count` - 1 gracefully and waits until both ends have told so. */
bool crowd_shutdown(struct crowd *crowd, uint32_t count);

/** Associations of both ends together. */
uint64_t crowd_count(const struct crowd *crowd);

#endif

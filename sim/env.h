/* An engine's environment for tests: memory that is counted and can be made to fail, randomness
 * from a seed, the real HMAC. */
#ifndef HWS_SIM_ENV_H
#define HWS_SIM_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "sim/rng.h"
#include "stack/env.h"

struct sim_env {
    struct sim_rng rng;
    size_t live_objects, live_bytes; /* allocated and not freed */
    uint64_t allocs;                 /* calls of alloc so far */
    uint64_t fail_from, fail_until;  /* calls numbered fail_from..fail_until-1 answer NULL */
    uint64_t failed;                 /* calls that did */
    uint64_t wrong_frees;            /* frees with another size than was asked for */
};

/** No allocation fails until fail_from and fail_until are set. */
void sim_env_init(struct sim_env *env, uint64_t seed);

/** The environment to put into an engine's configuration; `env` must outlive the engine. */
struct hws_env sim_env_make(struct sim_env *env);

#endif

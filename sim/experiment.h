/* A scenario run over all points of its sweep and all seeds. */
#ifndef HWS_SIM_EXPERIMENT_H
#define HWS_SIM_EXPERIMENT_H

#include "sim/result.h"

/* The most points of a sweep, and seeds. */
#define SIM_POINTS_MAX 10000u
#define SIM_SEEDS_MAX 10000u

struct sim_experiment_config {
    const char *file;
    const char *const *sets; /* "KIND.NAME.KEY=VALUE", before the sweep's */
    size_t set_count;
    uint64_t seed, seeds; /* seed, seed + 1, ... */
    struct sim_settings settings;
    /** Called before each run, for whom `settings.tap` is; may be NULL. */
    void (*begin)(void *ctx, uint32_t point, uint64_t seed);
    void *ctx;
};

/* One combination of the sweep's values. */
struct sim_point {
    const char **values;      /* one for each key of the sweep */
    struct sim_result result; /* of the first seed: what the rows are */
    uint64_t *by_seed;        /* rows * seeds: the values of row r stand from r * seeds on */
};

struct sim_experiment {
    struct sim_document document;
    const char **keys; /* of the sweep, in the file's order */
    size_t key_count;
    struct sim_point *points;
    size_t point_count;
    uint64_t seed, seeds;
    /* What the rows' names point into. */
    struct sim_document *documents;
    struct sim_scenario *scenarios;
};

/** Runs it all. False: `error` says what is wrong. */
bool sim_experiment_run(struct sim_experiment *experiment,
                        const struct sim_experiment_config *config, struct sim_error *error);

void sim_experiment_free(struct sim_experiment *experiment);

#endif

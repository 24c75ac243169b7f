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
};

/** Runs a scenario with a seed and reads its results. False: `error` says what went wrong. */
typedef bool sim_run_once_fn(void *ctx, const struct sim_scenario *scenario,
                             const struct sim_settings *settings, uint64_t seed,
                             struct sim_result *result, struct sim_error *error);

/** Does so right here. */
sim_run_once_fn sim_run_once;

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

/** Reads the scenario at every point of its sweep. False: `error` says what is wrong. */
bool sim_experiment_open(struct sim_experiment *experiment,
                         const struct sim_experiment_config *config, struct sim_error *error);

/** The first stack that hosts are to have beside hawser's own; NULL: none. */
const char *sim_experiment_stack(const struct sim_experiment *experiment);

/** Runs it all, each point with each seed, with `once`. False: `error` says what went wrong. */
bool sim_experiment_run(struct sim_experiment *experiment, const struct sim_settings *settings,
                        sim_run_once_fn *once, void *ctx, struct sim_error *error);

void sim_experiment_free(struct sim_experiment *experiment);

#endif

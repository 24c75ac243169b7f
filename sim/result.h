/* What runs measured: whole numbers, one row each, so that they are equal on every machine. */
#ifndef HWS_SIM_RESULT_H
#define HWS_SIM_RESULT_H

#include "sim/run.h"

/* One figure of one thing. */
struct sim_row {
    const char *item; /* "association", "stream", "link", "fairness" */
    const char *name; /* of the association or link; "" */
    const char *way;  /* "forward", "reverse"; "" */
    int32_t stream;   /* -1: none */
    const char *metric, *unit;
    uint32_t decimals; /* the value is so many powers of ten too large */
    uint64_t value;
};

/* The rows of one run. Equal scenarios have equal rows, whatever the seed is. */
struct sim_result {
    struct sim_row *rows;
    size_t count, capacity;
};

/** Reads a run that is over. Names are the scenario's. */
void sim_result_read(struct sim_result *result, const struct sim_run *run);

void sim_result_fini(struct sim_result *result);

/* The mean of a row over all seeds, and half the width of its 95 % confidence interval (Student's
 * t), both in thousandths of the row's value. */
struct sim_estimate {
    uint64_t mean, half;
};

/** Of `values`, one for each seed. With one value half is 0. */
struct sim_estimate sim_estimate(const uint64_t *values, size_t count);

#endif

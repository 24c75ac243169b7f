/* The rounds that the benchmarks printed (round.h says how), and what they come to. report_table.c,
 * report_json.c and report_svg.c write it down, each in its way. */
#ifndef HWS_BENCH_REPORT_H
#define HWS_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_NAME_BYTES 64u
#define REPORT_LINE_BYTES 1024u

/* Contenders with a meaning of their own. */
#define REPORT_OURS "hawser"
#define REPORT_BASELINE "usrsctp"
#define REPORT_LIMIT "limit"
#define REPORT_TCP "tcp"

struct report_line {
    char text[REPORT_LINE_BYTES];
};

struct report {
    struct report_line *lines; /* one round each */
    size_t count;
};

/* What a contender did in a row: medians over its rounds. CPU time is NAN where no data moved, and
 * a side's is NAN where both sides are one process. */
struct report_summary {
    size_t count; /* rounds; 0: it was not in this run */
    double value, low, high;
    double cpu_s_per_gb, tx_cpu_s_per_gb, rx_cpu_s_per_gb;
};

/** Copies the value of `key` into `out`; false, and "", when the round does not have it. */
bool report_field(const struct report_line *line, const char *key, char out[REPORT_NAME_BYTES]);

/** Whether the round's value of `key` is `value`. */
bool report_has(const struct report_line *line, const char *key, const char *value);

/** Whether this round is the first of its row, whose name goes into `row`. */
bool report_begins_row(const struct report *report, size_t index, char row[REPORT_NAME_BYTES]);

/** Whether this round is the first of its contender in its row. */
bool report_begins_contender(const struct report *report, size_t index);

struct report_summary report_summarize(const struct report *report, const char *row,
                                       const char *contender);

/** The contender's median as a multiple of a reference's in the same row, of that of limit-spin for
 * hawser-spin where there is one; NAN without one of them. */
double report_ratio(const struct report *report, const char *row, const char *contender,
                    const char *reference);

void report_table(FILE *out, const struct report *report);
void report_json(FILE *out, const struct report *report, const char *machine);
void report_svg(FILE *out, const struct report *report, const char *machine);

#endif

/* Rounds of a benchmark: what was measured, as one line of text that the report reads.
 *
 *     round row=mem-64b layer=engine place=0 wait=none unit=Mmsg/s contender=hawser value=7.113
 *           bytes=... wall_s=... cpu_s=...
 *
 * on one line, with better=low where less is better and tx_cpu_s, rx_cpu_s where the sides are
 * processes of their own. Every program prints such lines, and only the report knows medians,
 * tables and JSON. */
#ifndef HWS_BENCH_ROUND_H
#define HWS_BENCH_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One measurement. What a contender cannot count stays 0. */
struct bench_round {
    uint64_t messages;       /* that arrived while the clock ran */
    uint64_t bytes;          /* of user data in them */
    double wall_s;           /* time measured */
    double cpu_s;            /* user and system time of everything measured */
    uint64_t packets;        /* sent by the data's source */
    uint64_t trains;         /* these packets, counted as they were handed over */
    uint64_t sacks;          /* sent by the data's sink */
    uint64_t retransmits;    /* chunks sent again */
    uint64_t timeouts;       /* T3-rtx expiries */
    uint64_t resident_bytes; /* of memory, for all associations */
};

/* How the value of a row is computed. */
enum bench_unit {
    BENCH_GBIT_PER_S,
    BENCH_MMSG_PER_S,
    BENCH_K_PER_S,        /* thousands of `messages`, whatever the row counts as such */
    BENCH_RESIDENT_BYTES, /* of each of `messages` */
};

/** A benchmark's row: its name in the report, and how a contender measures one round of it. */
struct bench_row {
    const char *name;
    enum bench_unit unit;
    size_t message_bytes;
};

struct bench_contender {
    const char *name;
    /** Measures for `seconds`. False, after a message on standard error, when it cannot. */
    bool (*measure)(const struct bench_row *row, double seconds, struct bench_round *round);
};

/** Runs the contenders in turn, as the options in `argv` say, each round in a process of its own so
 * that none inherits another's heap. An exit code. */
int bench_rounds(const struct bench_row *row, const struct bench_contender *contenders,
                 size_t contender_count, int argc, char *argv[]);

/** Seconds on the monotonic clock, and of user and system time of this process. */
double bench_wall_s(void);
double bench_cpu_s(void);

#endif

/* Both ends of an association in one thread, joined in memory: what the protocol itself costs. A
 * source sends messages for as long as its send buffer takes them, a sink receives each and checks
 * that it is the one expected. Checksums, SACKs and everything else are as by default.
 */
#ifndef HWS_BENCH_MEM_H
#define HWS_BENCH_MEM_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench/round.h"

/* IP MTU, and what is left of it for an SCTP packet over IPv4. */
#define BENCH_MEM_MTU 1500u
#define BENCH_MEM_PACKET_BYTES (BENCH_MEM_MTU - 20u)
/* Long enough for congestion windows to open and for memory to be touched once. */
#define BENCH_MEM_WARMUP_S 0.1
#define BENCH_MEM_MESSAGE_MAX 65536u

bool bench_mem_hawser(const struct bench_row *row, double seconds, struct bench_round *round);
bool bench_mem_usrsctp(const struct bench_row *row, double seconds, struct bench_round *round);

/** Sends `warmup` messages and then about `messages` more in virtual time with seeded random
 * numbers: the same instructions in every run. The latter ones go while bench_mem_counted runs,
 * which is where a profiler counts; `counted`: how many they were. False: it failed. */
bool bench_mem_repeatable(const struct bench_row *row, uint64_t warmup, uint64_t messages,
                          uint64_t *counted);

/* The messages' contents: a number first, the same on both sides. */
struct bench_mem_text {
    uint64_t sent, received;
    uint8_t out[BENCH_MEM_MESSAGE_MAX];
};

/** The next message, of the row's length. */
static inline const uint8_t *bench_mem_next(struct bench_mem_text *text)
{
    memcpy(text->out, &text->sent, sizeof text->sent);
    return text->out;
}

/** Whether the `len` bytes received at `message` are the message expected; counts it. */
static inline bool bench_mem_check(struct bench_mem_text *text, const struct bench_row *row,
                                   const void *message, size_t len)
{
    uint64_t number;
    memcpy(&number, message, sizeof number);
    if (len == row->message_bytes && number == text->received++)
        return true;
    fprintf(stderr, "%s: a message of %zu bytes is not the one expected\n", row->name, len);
    return false;
}

/** Runs `turn` (one turn of both ends; false: it failed) for the time to warm up and then for
 * `seconds`, and fills in what every contender counts alike. `counters` fills in the rest, as
 * totals so far. */
bool bench_mem_clock(const struct bench_row *row, double seconds, struct bench_round *round,
                     bool (*turn)(void *arg), void (*counters)(void *arg, struct bench_round *sum),
                     void *arg);

#endif

/* What setting up and gracefully ending associations costs, and keeping idle ones: both ends in one
 * thread, joined in memory. */
#ifndef HWS_BENCH_HANDSHAKE_MEM_H
#define HWS_BENCH_HANDSHAKE_MEM_H

#include "bench/round.h"

#define HANDSHAKE_IN_FLIGHT 64u

bool bench_handshake_hawser(const struct bench_row *row, double seconds, struct bench_round *round);
bool bench_handshake_usrsctp(const struct bench_row *row, double seconds,
                             struct bench_round *round);

/** `seconds` does not matter: the associations are set up, and memory is looked at. */
bool bench_idle_hawser(const struct bench_row *row, double seconds, struct bench_round *round);
bool bench_idle_usrsctp(const struct bench_row *row, double seconds, struct bench_round *round);

/** Memory of this process that is resident now. */
uint64_t bench_resident_bytes(void);

#endif

/* Associations set up and gracefully ended between two processes, as programs do it: one-to-one
 * sockets, connect without waiting, some in flight. One program (knock.c: roles, clock, figures)
 * over one small set of calls, implemented once per contender. */
#ifndef HWS_BENCH_KNOCK_H
#define HWS_BENCH_KNOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>

#define KNOCK_PORT 5001u
#define KNOCK_IN_FLIGHT 64u

extern const char knock_name[];

/** Begins: `local` to listen at, or `remote` to connect to; the other one is NULL. */
bool knock_start(const struct sockaddr_in *local, const struct sockaddr_in *remote);

/** Waits for at most `wait_ms` and does what there is to do. The client keeps KNOCK_IN_FLIGHT
 * associations on their way: each is shut down when it is up, and the next one begins when it has
 * ended. The server accepts, and closes what its peer has shut down. False: something failed. */
bool knock_turn(int wait_ms);

/** Associations that have ended gracefully so far. */
uint64_t knock_ended(void);

/** Associations that failed so far. */
uint64_t knock_failed(void);

#endif

/* Small messages between two processes, and how long they take: one program (latency.c: roles,
 * figures) over what a contender does its own way, implemented once per contender. */
#ifndef HWS_BENCH_LATENCY_H
#define HWS_BENCH_LATENCY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_LATENCY_PORT 5002u

/* ---- What a contender implements; false: errno, or a message on standard error, tells why ---- */

extern const char bench_latency_name[];

/** Starts the stack. `spin`: wait without sleeping, false: asleep in the kernel. */
bool bench_latency_start(bool listening, bool spin);
/** Listens at `local`, says "listening" by bench_latency_ready, and waits for the one peer. */
bool bench_latency_accept(const struct sockaddr_in *local);
bool bench_latency_connect(const struct sockaddr_in *remote);
/** Sends each message back until the peer ends. */
bool bench_latency_echo(void);
/** Sends messages of `len` bytes one at a time, the next when the one before came back, until
 * bench_latency_went_round says that it is enough. */
bool bench_latency_ping(const void *message, size_t len);
/** Takes messages until the peer ends and tells each one by bench_latency_arrived. */
bool bench_latency_take(void);
/** Sends one message. */
bool bench_latency_send(const void *message, size_t len);
/** Ends gracefully and gives everything back. */
void bench_latency_end(void);

/* ---- What latency.c gives them ---- */

void bench_latency_ready(void);
/** A message came back. Whether to send another one. */
bool bench_latency_went_round(void);
/** The application has got a message that the kernel received at `stamp_ns` of CLOCK_REALTIME. */
void bench_latency_arrived(uint64_t stamp_ns);

#endif

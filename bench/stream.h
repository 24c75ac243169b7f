/* Bulk data between two processes: one program (stream.c: roles, clock, figures) over one small set
 * of socket calls, implemented once per contender. */
#ifndef HWS_BENCH_STREAM_H
#define HWS_BENCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <netinet/in.h>

#define BENCH_STREAM_PORT 5001u
#define BENCH_STREAM_UDP_PORT 9899u

extern const char bench_stream_name[];

struct bench_stream_config {
    bool udp;         /* RFC 6951, port 9899 on both sides where one is fixed; else protocol 132 */
    const char *link; /* hawser: raw, packet or xdp; NULL: its default */
    const char *interface; /* of the path, for links that want to know; may be NULL */
    unsigned path_mtu;     /* usrsctp, which does not find it; 0: what it begins with */
};

/** Starts the stack; `listening` is what the sink does. */
bool bench_stream_start(const struct bench_stream_config *config, bool listening);
/** Has the stack listen; accept waits for the one peer. */
bool bench_stream_listen(const struct sockaddr_in *local);
bool bench_stream_accept(void);
bool bench_stream_connect(const struct sockaddr_in *remote);
/** Sends one whole message, waiting for room. */
bool bench_stream_send(const void *message, size_t len);
/** Receives a part of a message: its size, 0 when the association ended gracefully, -1 when it
 * broke. */
ssize_t bench_stream_receive(void *buffer, size_t size);
/** Ends gracefully and waits until all is acknowledged. */
bool bench_stream_shutdown(void);
/** Gives everything back. */
void bench_stream_end(void);
/** Chunks sent again so far. */
uint64_t bench_stream_retransmits(void);

#endif

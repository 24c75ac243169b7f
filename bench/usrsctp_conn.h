/* usrsctp in memory, without its own threads: two ends, addresses of family AF_CONN, joined by
 * queues in one thread. CRC32c is computed and checked (usrsctp_enable_crc32c_offload, which would
 * end that, is not called). */
#ifndef HWS_BENCH_USRSCTP_CONN_H
#define HWS_BENCH_USRSCTP_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <usrsctp.h>

#define CONN_PACKET_MAX 2048u

/* Packets on the way to one end. It starts anew whenever it is empty, so that the same few slots
 * are used while they are in the cache. */
struct conn_queue {
    uint32_t head, tail, size;
    uint32_t *lens;
    uint8_t (*slots)[CONN_PACKET_MAX];
};

struct conn_end {
    struct conn_end *peer;
    struct conn_queue incoming;
    uint64_t packets; /* sent */
    uint64_t lost;    /* of these, found no room in the peer's queue */
};

/** Switches off the extensions that nobody uses, once usrsctp runs. */
void conn_trim_stack(void);

/** Starts usrsctp, trimmed, with two ends whose queues hold so many packets. False: no memory. */
bool conn_open(struct conn_end *a, struct conn_end *b, uint32_t queue_packets);

/** Both ends' view of a socket's name. Packets say which end sent them, so to one end the other is
 * at its own address. */
struct sockaddr_conn conn_address(struct conn_end *end, uint32_t port);

/** Gives the end what has been sent to it. */
void conn_deliver(struct conn_end *end);

/** Runs timers when it is time; usrsctp counts in 10 ms. */
void conn_tick(void);

#endif

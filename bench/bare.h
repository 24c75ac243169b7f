/* Bare parts: the same path and the same packets as a stream row's, without any protocol. What
 * arrives counts, what is lost does not. One program (bare.c: roles, clock, figures) over one small
 * set of calls, implemented once per kind of link. */
#ifndef HWS_BENCH_BARE_H
#define HWS_BENCH_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <netinet/in.h>

#define BARE_PORT 5001u
#define BARE_IPV4_HEADER 20u
#define BARE_PACKET_MAX 65535u
/* What the link of hawser asks for. */
#define BARE_RCVBUF_BYTES (16 << 20)
#define BARE_SNDBUF_BYTES (4 << 20)

struct bare_options {
    size_t packet_bytes; /* IP packets of this size, headers included */
    double seconds;
    bool own_header; /* raw: the IP header is the source's, which suits large packets better */
    const char *interface;   /* of the path, where the kind of link needs it; may be NULL */
    struct sockaddr_in sink; /* the sink's address */
};

/** A descriptor to wait for, or -1 with errno set. */
int bare_open_source(const struct bare_options *options);
int bare_open_sink(const struct bare_options *options);
/** Sends a batch: bytes of user data in it, 0 when there is no room, -1 on an error. */
ssize_t bare_send(void);
/** Receives what is there, a batch at most: bytes of user data, 0 when there is none, -1 on an
 * error. */
ssize_t bare_receive(void);

/** Sets a socket's buffers to the sizes above, as far as this process may. */
void bare_set_buffers(int fd);

#endif

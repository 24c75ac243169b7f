/* Two runtimes on one loop, a listener, and handles that count what they are told. */
#ifndef HWS_TESTS_UV_WORLD_H
#define HWS_TESTS_UV_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "api/hawser/uv.h"

#define PORT 5000

enum uv_peer_callback {
    UV_PEER_NONE,
    UV_PEER_CONNECT,
    UV_PEER_WRITE,
    UV_PEER_ALLOC,
    UV_PEER_READ,
    UV_PEER_SHUTDOWN,
};

/** A handle, what it is to do in its callbacks, and what it was told. */
struct uv_peer {
    hws_uv_t handle;
    hws_uv_connect_t connect;
    hws_uv_shutdown_t shutdown;
    enum uv_peer_callback close_in; /* which callback closes the handle */
    unsigned stop_after;            /* messages; 0: never */
    unsigned no_buffers;            /* so many times there is no buffer for reading */
    char *keep;                     /* where all that is received goes; NULL: nowhere */
    unsigned callbacks, connects, failures, notifications, writes, canceled, messages, ends,
        shutdowns, closes, enobufs;
    int status; /* of the last request */
    ssize_t end;
    char bytes[65536]; /* read last */
    size_t len;
    uint64_t total;
    hws_uv_message_t last;
};

struct uv_world {
    uv_loop_t loop;
    struct hws_runtime *a, *b; /* a listens, b connects */
    const char *address;       /* of a */
    hws_uv_t listener;
    unsigned connections, listener_closes;
    struct uv_peer *next; /* gets the next connection; NULL: it is left waiting */
};

struct uv_pair {
    struct uv_peer client, server;
};

int uv_world_open_udp(void **state);
int uv_world_open_memory(void **state);
int uv_world_close(void **state);

/** A runtime over UDP, at a port that is free, whose peers have `peer_udp_port`. */
struct hws_runtime *uv_world_udp_runtime(uv_loop_t *loop, uint16_t peer_udp_port);
/** The UDP port that it has. */
uint16_t uv_world_udp_port(const struct hws_runtime *runtime);
struct sockaddr_in uv_world_address(const char *text, uint16_t port);
/** The listener's callback. */
void uv_world_on_connection(hws_uv_t *server, int status);
/** Runs the loop until `*count` is at least `wanted`; fails when that takes 10 seconds. */
void uv_world_run_until(struct uv_world *w, const unsigned *count, unsigned wanted);
/** Runs the loop for so long. */
void uv_world_run_for(struct uv_world *w, unsigned ms);
/** Lets the loop go round so many times. */
void uv_world_turns(struct uv_world *w, unsigned turns);

void uv_peer_init(struct hws_runtime *runtime, struct uv_peer *peer);
void uv_peer_init_ex(struct hws_runtime *runtime, struct uv_peer *peer, int type);
void uv_peer_on_connect(hws_uv_connect_t *request, int status);
void uv_peer_connect(struct uv_world *w, struct uv_peer *peer, uint16_t port);
/** Writes a copy, with a request of its own. */
void uv_peer_write(struct uv_peer *peer, const char *bytes, size_t len,
                   const struct sctp_sndinfo *info);
/** The same to the peer at that port. */
void uv_peer_write_to(struct uv_world *w, struct uv_peer *peer, uint16_t port, const char *bytes,
                      size_t len, const struct sctp_sndinfo *info);
ssize_t uv_peer_try_write(struct uv_peer *peer, const char *bytes, size_t len);
void uv_peer_read(struct uv_peer *peer);
void uv_peer_shutdown(struct uv_peer *peer);
/** Closes and waits for that. */
void uv_peer_close(struct uv_world *w, struct uv_peer *peer);

void uv_peer_alloc(hws_uv_t *handle, size_t suggested, uv_buf_t *buf);
void uv_peer_on_read(hws_uv_t *handle, ssize_t nread, const uv_buf_t *buf,
                     const hws_uv_message_t *message);
/** The request's data is its peer. */
void uv_peer_on_write(hws_uv_write_t *request, int status);
void uv_peer_on_close(hws_uv_t *handle);

/** Begins to connect the client, which was initialised; the server gets the association. */
void uv_pair_start(struct uv_world *w, struct uv_pair *pair);
/** The same, until both are connected and read. */
void uv_pair_connect(struct uv_world *w, struct uv_pair *pair);
/** The same with a new client. */
void uv_pair_open(struct uv_world *w, struct uv_pair *pair);
void uv_pair_close(struct uv_world *w, struct uv_pair *pair);

#endif

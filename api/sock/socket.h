/* What a one-to-one socket means (RFC 6458, 4), above the engine: states, the accept queue, the
 * pending error, closing in the background. It knows no descriptor, no thread and no event loop:
 * whoever drives the engine hands it the engine's events and lets it run the callbacks.
 *
 *     NEW --bind--> BOUND --listen--> LISTENING --UP--> (a new socket, CONNECTED, in the queue)
 *                     |
 *                     +--connect--> CONNECTING --UP--> CONNECTED --DOWN--> OVER
 *                                        +--------------DOWN--------------^
 *
 * connect and listen bind by themselves. Every int answer is 0 or a negative errno. */
#ifndef HWS_API_SOCKET_H
#define HWS_API_SOCKET_H

#include <sys/queue.h>

#include "api/sock/sockopt_state.h"
#include "stack/engine.h"
#include "stack/hashtab.h"
#include "stack/limits.h"

/** What the sockets of one engine need from whoever owns its link. */
struct hws_sockets_host {
    void *arg;
    /** Makes packets to `port` arrive, and keeps other processes from it. 0 or a negative errno. */
    int (*add_port)(void *arg, uint16_t port);
    void (*remove_port)(void *arg, uint16_t port);
    /** Whether `local` is an address of this host: 0 or a negative errno. */
    int (*check_local)(void *arg, const struct hws_addr *local);
    /** Whether there is a route to `remote`: 0 or a negative errno. */
    int (*check_route)(void *arg, const struct hws_addr *remote);
};

struct hws_sock;
TAILQ_HEAD(hws_sock_list, hws_sock);

/** All sockets above one engine. */
struct hws_sockets {
    struct hws_engine *engine;
    struct hws_env *env;
    struct hws_sockets_host host;
    struct hws_sockets_link link;
    struct hws_pool pool;
    struct hws_hashtab by_assoc, by_endpoint, ports;
    struct hws_sock_list all, changed;
};

struct hws_sock_port;
typedef void (*hws_sock_callback)(struct hws_sock *sock, unsigned ready, void *arg);

enum hws_sock_state {
    HWS_SOCK_NEW,
    HWS_SOCK_BOUND,
    HWS_SOCK_LISTENING,
    HWS_SOCK_CONNECTING,
    HWS_SOCK_CONNECTED,
    HWS_SOCK_OVER,
};

/** Readiness, as hws_sock_ready answers it and callbacks get it. The values are those of
 * HWS_READABLE, HWS_WRITABLE, HWS_CLOSED and HWS_PATH_EVENT of <hawser/hawser.h>. */
#define HWS_SOCK_READABLE 0x1u
#define HWS_SOCK_WRITABLE 0x2u
#define HWS_SOCK_CLOSED 0x4u
#define HWS_SOCK_PATH_EVENT 0x8u

/** Path events kept for an application that does not take them; then the oldest ones are lost. */
#define HWS_SOCK_PATH_EVENTS_MAX 64u

struct hws_sock_path_event {
    enum hws_event_type type; /* HWS_EVENT_PATH_* */
    struct hws_addr remote;
    TAILQ_ENTRY(hws_sock_path_event) in_queue;
};

TAILQ_HEAD(hws_sock_path_events, hws_sock_path_event);

struct hws_sock {
    struct hws_sockets *sockets;
    enum hws_sock_state state;
    hws_endpoint_id endpoint; /* 0 for an accepted socket: its listener has it */
    hws_assoc_id assoc;
    struct hws_hashtab_node by_assoc, by_endpoint;
    struct hws_sock_port *port;
    struct hws_addr locals[HWS_LIMIT_PATHS]; /* as bound */
    uint32_t local_count;                    /* 0: any */
    struct hws_params params; /* of the endpoint: what associations to come begin with */
    struct hws_sock_options options;
    struct hws_assoc_options assoc_options;
    uint64_t rcvtimeo_us, sndtimeo_us; /* SO_RCVTIMEO, SO_SNDTIMEO; 0: no limit */
    struct linger linger;              /* SO_LINGER, seconds */
    int error;                         /* errno to report once; 0: none */
    bool readable;                     /* recv has not yet answered EAGAIN since something came */
    bool writable;
    bool shut;        /* nothing more can be sent: shutdown by this side or the peer */
    bool orphaned;    /* closed by the application, ends in the background */
    bool nonblocking; /* for the layer above, which knows how to wait */

    bool wants_path_events; /* what it accepts inherits that */
    struct hws_sock_path_events path_events;
    uint32_t path_event_count;

    struct hws_sock *listener; /* while it waits to be accepted */
    struct hws_sock_list queue;
    uint32_t queued, backlog;

    hws_sock_callback callback;
    void *callback_arg;
    bool changed; /* in sockets->changed */

    TAILQ_ENTRY(hws_sock) in_all, in_changed, in_queue;
};

/** `engine` and `env` live as long as `sockets`. */
void hws_sockets_init(struct hws_sockets *sockets, struct hws_engine *engine, struct hws_env *env,
                      const struct hws_sockets_host *host);

/** Frees every socket, closed or not; associations that are not over are aborted: run output once
 * more so that their peers know, then free the engine. */
void hws_sockets_fini(struct hws_sockets *sockets, uint64_t now_us);

/** Takes one event of the engine. */
void hws_sockets_event(struct hws_sockets *sockets, const struct hws_event *event, uint64_t now_us);

/** Calls `visit` with every path of every association that is not over. */
void hws_sockets_visit_paths(struct hws_sockets *sockets,
                             void (*visit)(void *arg, hws_assoc_id assoc,
                                           const struct hws_addr *remote),
                             void *arg);

/** Calls the callbacks of sockets whose readiness changed; a callback may do anything, closing any
 * socket included. Returns whether it called one. */
bool hws_sockets_dispatch(struct hws_sockets *sockets);

/** A socket, or NULL when there is no memory. */
struct hws_sock *hws_sock_new(struct hws_sockets *sockets);

/** Binds to `port` (0: a free one from 49152 up) on `count` addresses; HWS_FAMILY_NONE among them,
 * or none, means any. -EINVAL (bound already, too many), -EADDRINUSE, -EADDRNOTAVAIL, -ENOMEM, the
 * link's errors. */
int hws_sock_bind(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                  uint16_t port);

/** The parameters of the association, or of those to come while there is none. */
int hws_sock_params(const struct hws_sock *sock, struct hws_params *out);

/** Changes them. -EINVAL (out of range), -ENOTCONN (the association is over). */
int hws_sock_set_params(struct hws_sock *sock, const struct hws_params *params, uint64_t now_us);

/** Whether path events are kept from now on; those that wait are dropped when not. */
void hws_sock_want_path_events(struct hws_sock *sock, bool want);

/** Takes the oldest path event (its queue entry means nothing). -EAGAIN: there is none. */
int hws_sock_path_event(struct hws_sock *sock, struct hws_sock_path_event *out);

/** Finds the path to `remote`: its index. -EINVAL: the peer has no such address. -ENOTCONN. */
int hws_sock_find_path(const struct hws_sock *sock, const struct hws_addr *remote, uint16_t port,
                       uint32_t *index);

/** Accepts associations, at most `backlog` (1 at least) waiting; further ones are aborted. -EINVAL
 * when connected. */
int hws_sock_listen(struct hws_sock *sock, uint32_t backlog);

/** Takes the oldest waiting association. -EAGAIN, -EINVAL (not listening). */
int hws_sock_accept(struct hws_sock *sock, struct hws_sock **out);

/** Starts an association: -EINPROGRESS when that went well, and hws_sock_connect_result tells the
 * rest. -EISCONN, -EALREADY, -EOPNOTSUPP (listening), -EADDRINUSE, the route's errors. */
int hws_sock_connect(struct hws_sock *sock, const struct hws_addr *remotes, uint32_t count,
                     uint16_t port, uint64_t now_us);

/** 0: connected; -EINPROGRESS; else why not (takes the pending error). */
int hws_sock_connect_result(struct hws_sock *sock);

/** Queues one message. -EAGAIN, -EPIPE, -EMSGSIZE, -EINVAL, -ENOTCONN, -ENOMEM, the pending error.
 */
int hws_sock_send(struct hws_sock *sock, const struct hws_sndinfo *info,
                  const struct hws_iovec *iov, size_t iov_count, uint64_t now_us);

/** Copies the next part of a message. *len 0: the association ended gracefully. -EAGAIN,
 * -ENOTCONN, or once the error the association ended with. */
int hws_sock_recv(struct hws_sock *sock, void *buf, size_t capacity, size_t *len,
                  struct hws_rcvinfo *info, uint64_t now_us);

/** Starts the graceful end. -ENOTCONN. */
int hws_sock_shutdown(struct hws_sock *sock, uint64_t now_us);

/** Ends the association at once with an ABORT. -ENOTCONN. */
int hws_sock_abort(struct hws_sock *sock, const void *reason, size_t reason_len, uint64_t now_us);

/** Closes: the handle is gone and its callback never runs again. A connected association ends
 * gracefully in the background, or with an ABORT when received data was not read, as the Linux
 * kernel does. */
void hws_sock_close(struct hws_sock *sock, uint64_t now_us);

/** HWS_SOCK_* that hold now. */
unsigned hws_sock_ready(const struct hws_sock *sock);

/** Sets (or with NULL clears) the callback; it runs soon when something is ready already. */
void hws_sock_set_callback(struct hws_sock *sock, hws_sock_callback callback, void *arg);

/** Takes the pending error: an errno, or 0. */
int hws_sock_take_error(struct hws_sock *sock);

/** The local port, 0 when not bound. */
uint16_t hws_sock_port(const struct hws_sock *sock);

/** The errno (positive) for one of enum hws_error; 0 for HWS_OK and HWS_E_EOF. */
int hws_sock_errno(int error);

#endif

/* What sockets mean (RFC 6458), above the engine: the two styles, associations as members of a
 * socket, the order in which data and notifications are received, binding, listening, connecting,
 * closing in the background. It knows no descriptor, no thread, no event loop and never waits:
 * whoever drives the engine hands it the engine's events and lets it run the callbacks. Callers
 * hold the runtime's mutex.
 *
 * A socket of the one-to-one style has one association at most:
 *
 *     NEW --bind--> BOUND --listen--> LISTENING --UP--> (a new socket, CONNECTED, in the queue)
 *                     |
 *                     +--connect--> CONNECTING --UP--> CONNECTED --DOWN--> OVER
 *                                        +--------------DOWN--------------^
 *
 * One of the one-to-many style is NEW, BOUND or LISTENING, and each of its associations is a
 * struct hws_member with a state of its own. One that was peeled off is CONNECTED or OVER.
 *
 * connect, listen and a send that begins an association bind by themselves. Every int answer is 0
 * or a negative errno, the Linux kernel's where it has one. */
#ifndef HWS_API_SOCKET_H
#define HWS_API_SOCKET_H

#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <linux/sctp.h>

#include "api/sock/sockopt_state.h"
#include "stack/engine.h"
#include "stack/hashtab.h"
#include "stack/limits.h"
#include "stack/siphash.h"

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
    /** Whether this process may use `port`: 0 or -EACCES. NULL: it may use all. */
    int (*check_port)(void *arg, uint16_t port);
    struct hws_shard shard; /**< of the engine */
};

struct hws_sock;
struct hws_member;
struct hws_lent;
TAILQ_HEAD(hws_sock_list, hws_sock);
TAILQ_HEAD(hws_member_list, hws_member);
TAILQ_HEAD(hws_lent_list, hws_lent);

/** All sockets above one engine. */
struct hws_sockets {
    struct hws_engine *engine;
    struct hws_env *env;
    struct hws_sockets_host host;
    struct hws_sockets_link link;
    struct hws_pool pool;
    struct hws_siphash_key peer_key;
    struct hws_hashtab by_assoc, by_id, by_peer, by_endpoint, ports;
    sctp_assoc_t last_id;
    uint64_t last_number;
    struct hws_sock_list all, changed;
    struct hws_lent_list lent, released;
    void (*profile_params)(struct hws_params *params); /* a profile's own defaults, or NULL */
    uint32_t orphans; /* closed by the application, end in the background */
};

struct hws_sock_port;
typedef void (*hws_sock_callback)(struct hws_sock *sock, unsigned ready, void *arg);

enum hws_sock_style {
    HWS_SOCK_ONE_TO_ONE,  /* SOCK_STREAM */
    HWS_SOCK_ONE_TO_MANY, /* SOCK_SEQPACKET */
    HWS_SOCK_PEELED,      /* SOCK_SEQPACKET with one association (RFC 6458, 9.2) */
};

enum hws_sock_state {
    HWS_SOCK_NEW,
    HWS_SOCK_BOUND,
    HWS_SOCK_LISTENING,
    HWS_SOCK_CONNECTING,
    HWS_SOCK_CONNECTED,
    HWS_SOCK_OVER,
};

/** Readiness, as hws_sock_ready answers it and callbacks get it. */
#define HWS_SOCK_READABLE 0x1u
#define HWS_SOCK_WRITABLE 0x2u
#define HWS_SOCK_CLOSED 0x4u
#define HWS_SOCK_ERROR 0x10u /* an error is pending */
#define HWS_SOCK_READ_SHUT                                                                         \
    0x20u /* nothing more will come: the peer shut down, or shutdown(SHUT_RD) */

/** Directions that shutdown ended, as SHUT_RD + 1, SHUT_WR + 1. */
#define HWS_SOCK_SHUT_RECV 0x1u
#define HWS_SOCK_SHUT_SEND 0x2u

/** Notifications kept for each association that the application does not receive; then the oldest
 * are lost of those that say nothing of the association's state. */
#define HWS_SOCK_NOTES_MAX 64u

/** The largest backlog (the kernel's net.core.somaxconn). */
#define HWS_SOCK_BACKLOG_MAX 4096

/** Associations of a socket that are over and have something left to receive; while there are so
 * many new ones are refused, so that a program which never receives cannot be made to grow. */
#define HWS_SOCK_OVER_MAX 4096u

/** A notification that waits to be received: the kernel's bytes. */
struct hws_note {
    TAILQ_ENTRY(hws_note) in_queue;
    uint64_t after; /* received once so many messages of the association were */
    uint32_t len, taken;
    uint16_t type;
    bool failed; /* stands for the messages that the engine keeps for hws_assoc_failed */
    _Alignas(8) uint8_t bytes[];
};

TAILQ_HEAD(hws_note_list, hws_note);

/** Another name of a member: one of the peer's addresses. */
struct hws_member_peer {
    struct hws_hashtab_node by_peer;
    struct hws_member *member;
    struct hws_addr remote;
    bool told_down; /* an SCTP_ADDR_UNREACHABLE has been told, so AVAILABLE will be */
};

enum hws_member_state {
    HWS_MEMBER_CONNECTING,
    HWS_MEMBER_UP,
    HWS_MEMBER_OVER, /* something may be left to receive */
};

/** An association of a socket. */
struct hws_member {
    struct hws_sock *sock;
    hws_assoc_id assoc; /* the engine's name of it */
    sctp_assoc_t id;    /* the application's: above SCTP_ALL_ASSOC, not used again soon */
    enum hws_member_state state;
    struct hws_assoc_options options;
    uint16_t remote_port;
    int error;           /* errno it ended for, 0: gracefully */
    bool was_up;         /* it has been UP */
    bool shut;           /* nothing more can be sent */
    bool blocked;        /* send answered -EAGAIN and WRITABLE has not come */
    bool ended_unmarked; /* the message that was begun ended without a mark; why is not told yet */
    bool begun;          /* a part of a message was received, not its end */
    uint16_t cut_off;    /* messages not received yet, or begun, that end without a mark */
    struct hws_rcvinfo begun_info; /* which one */
    bool readable;                 /* in sock->ready */
    bool receive_ended; /* by shutdown(SHUT_RD): only so many messages can still be received */
    uint64_t receive_limit;
    bool awaited; /* hws_sock_connect_result_of will ask for the result */
    uint32_t peer_count, note_count;
    struct hws_member_peer peers[HWS_LIMIT_PATHS];
    struct hws_note_list notes;
    uint8_t *parts; /* of a message sent in parts (explicit EOR) */
    size_t parts_len, parts_capacity;
    uint16_t parts_sid;
    struct hws_hashtab_node by_assoc, by_id;
    TAILQ_ENTRY(hws_member) in_sock, in_ready;
};

struct hws_sock {
    struct hws_sockets *sockets;
    uint64_t number; /* no other socket's */
    enum hws_sock_style style;
    int family; /* AF_INET, AF_INET6: with IPv4 as well unless options.v6only */
    enum hws_sock_state state;
    hws_endpoint_id endpoint; /* 0 for an accepted socket: its listener has it */
    hws_assoc_id assoc;       /* of the one association of this socket; 0: none */
    struct hws_hashtab_node by_endpoint;
    struct hws_sock_port *port;
    bool port_drawn;                         /* nobody named it */
    struct hws_addr locals[HWS_LIMIT_PATHS]; /* as bound */
    uint32_t local_count;                    /* 0: any */
    struct hws_params params;
    struct hws_sock_options options;
    uint64_t rcvtimeo_us, sndtimeo_us; /* SO_RCVTIMEO, SO_SNDTIMEO; 0: no limit */
    struct linger linger;              /* SO_LINGER */
    int error;                         /* errno to report once; 0: none */
    unsigned shutdown;                 /* HWS_SOCK_SHUT_* */
    bool orphaned;                     /* closed by the application, ends in the background */
    bool nonblocking;                  /* for the layer above, which knows how to wait */

    struct hws_member_list members;
    uint32_t member_count, live_count; /* all; those that are not over */
    struct hws_member_list ready;      /* members with something to receive, by whose turn it is */
    struct hws_member *partial;        /* of whose message a part was received last, not its end */
    uint32_t blocked_count;            /* members that are blocked */
    uint64_t refusals;                 /* counts sends that were answered -EAGAIN */
    uint64_t arrivals;   /* counts what came to be received: new ones while readable, too */
    uint64_t notes_lost; /* notifications that were not received in time, or found no memory */

    struct hws_sock *listener; /* while it waits to be accepted */
    struct hws_sock_list queue;
    uint32_t queued, backlog;

    hws_sock_callback callback;
    void *callback_arg;
    bool changed; /* in sockets->changed */

    TAILQ_ENTRY(hws_sock) in_all, in_changed, in_queue;
};

/* ---- All sockets ---- */

/** `engine` and `env` live as long as `sockets`. */
void hws_sockets_init(struct hws_sockets *sockets, struct hws_engine *engine, struct hws_env *env,
                      const struct hws_sockets_host *host);

/** Frees every socket, closed or not; associations that are not over are aborted: run output once
 * more so that their peers know, then free the engine. Lent buffers are released. */
void hws_sockets_fini(struct hws_sockets *sockets, uint64_t now_us);

/** Takes one event of the engine. */
void hws_sockets_event(struct hws_sockets *sockets, const struct hws_event *event, uint64_t now_us);

/** Calls `visit` with every path of every association that is not over. */
void hws_sockets_visit_paths(struct hws_sockets *sockets,
                             void (*visit)(void *arg, hws_assoc_id assoc,
                                           const struct hws_addr *remote),
                             void *arg);

/** Calls the callbacks of sockets whose readiness may have changed, also to less and to nothing; a
 * callback may do anything, closing any socket included. Returns whether it called one. */
bool hws_sockets_dispatch(struct hws_sockets *sockets);

struct hws_sock_release {
    void (*release)(void *arg);
    void *arg;
};

/** Takes the next lent buffer that nobody needs any more; the caller calls `release`, without the
 * mutex. False: none now. Ask after events were taken and after calls. */
bool hws_sockets_released(struct hws_sockets *sockets, struct hws_sock_release *out);

/** Sockets that were closed and still end in the background. */
uint32_t hws_sockets_orphans(const struct hws_sockets *sockets);

/* ---- A socket ---- */

/** A socket, or NULL when there is no memory. `family` is AF_INET or AF_INET6; the style is one
 * that can be asked for. */
struct hws_sock *hws_sock_open(struct hws_sockets *sockets, int family, enum hws_sock_style style);

/** Binds to `port` (0: a free one from 49152 up) on `count` addresses; HWS_FAMILY_NONE among them,
 * or none, means any. -EINVAL (bound already, too many, a family that is not the socket's),
 * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOMEM, the link's errors. */
int hws_sock_bind(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                  uint16_t port);

/** Adds addresses to those bound, for associations to come; binds when not bound. `port` 0: the
 * one bound already. All or none are added. -EINVAL (another port, bound already, one of both is
 * the wildcard, too many), else as hws_sock_bind. (RFC 6458, 9.1) */
int hws_sock_bindx_add(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                       uint16_t port);

/** Removes addresses, for associations to come. -EBUSY (none would be left), -EINVAL (not bound to
 * it, another port), -EADDRNOTAVAIL (a wildcard). */
int hws_sock_bindx_rem(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                       uint16_t port);

/** Accepts associations. As in the kernel `backlog` + 1 may wait; further ones are aborted, so that
 * their peers know; a negative one is as large as it gets, and 0 ends listening. One-to-many
 * sockets have no queue: the backlog only says yes or no. -EINVAL (connected, peeled off; 0 and not
 * listening), -EADDRINUSE (another socket that shares the port listens). */
int hws_sock_listen(struct hws_sock *sock, int backlog);

/** Whether associations can come: it listens, and receiving was not shut down. */
bool hws_sock_may_accept(const struct hws_sock *sock);

/** Takes the oldest waiting association. -EAGAIN, -EINVAL (not listening), -EOPNOTSUPP (not
 * one-to-one). */
int hws_sock_accept(struct hws_sock *sock, struct hws_sock **out);

/** Starts an association: -EINPROGRESS when that went well, and hws_sock_connect_result tells the
 * rest. -EISCONN, -EALREADY, -EADDRNOTAVAIL (another socket has an association of this port with
 * that peer), -EACCES, -EINVAL, the route's errors. `awaited`: hws_sock_connect_result_of will be
 * asked until it answers something other than -EINPROGRESS. `id`: which association it is; NULL
 * allowed. */
int hws_sock_connect(struct hws_sock *sock, const struct hws_addr *remotes, uint32_t count,
                     uint16_t port, bool awaited, sctp_assoc_t *id, uint64_t now_us);

/** Of a one-to-one socket. 0: connected; -EINPROGRESS; else why not (takes the pending error). */
int hws_sock_connect_result(struct hws_sock *sock);

/** Of one association that is awaited. 0, -EINPROGRESS, -ETIMEDOUT, -ECONNREFUSED, ... */
int hws_sock_connect_result_of(struct hws_sock *sock, sctp_assoc_t id, uint64_t now_us);

/** Moves an association of a one-to-many socket with all that waits to be received to a socket of
 * its own. -EINVAL (no such association, or not one-to-many), -ENOMEM. (RFC 6458, 9.2) */
int hws_sock_peeloff(struct hws_sock *sock, sctp_assoc_t id, struct hws_sock **out,
                     uint64_t now_us);

/* ---- Its associations ---- */

/** The association that `id` means, NULL: none. For one-to-one and peeled off sockets it is the
 * only one, whatever `id` is. One that is over is none. */
struct hws_member *hws_sock_member(const struct hws_sock *sock, sctp_assoc_t id);

/** The association that the engine calls `assoc`, whatever its socket; NULL: none. */
struct hws_member *hws_member_by_assoc(const struct hws_sockets *sockets, hws_assoc_id assoc);

/** The association with that peer. */
struct hws_member *hws_sock_member_at(const struct hws_sock *sock, const struct hws_addr *remote,
                                      uint16_t port);

/** The first, and the next, that is not over; NULL: none. */
struct hws_member *hws_sock_first_member(const struct hws_sock *sock);
struct hws_member *hws_sock_next_member(const struct hws_member *member);

/** The only association of a one-to-one or peeled off socket, over or not; NULL: none. */
struct hws_member *hws_sock_only_member(const struct hws_sock *sock);

/** Status of an association and of its primary path: HWS_OK or the engine's error. */
int hws_sock_primary_path(const struct hws_sockets *sockets, hws_assoc_id assoc,
                          struct hws_assoc_status *status, struct hws_path_status *path);

/** The index of an association's path to `remote`; false: there is none. */
bool hws_sock_find_path(const struct hws_sockets *sockets, hws_assoc_id assoc,
                        const struct hws_addr *remote, uint32_t *index);

/** The peer's addresses: how many, at most HWS_LIMIT_PATHS. -EINVAL: no such association. A
 * one-to-one socket tells them after the end, too. */
int hws_sock_peers(const struct hws_sock *sock, sctp_assoc_t id, struct hws_addr *out,
                   uint16_t *port);

/** Our addresses: those that the association's peer was told, or (SCTP_FUTURE_ASSOC, or a socket
 * without that association) those bound; 0: all of the host. -EINVAL: no such association. */
int hws_sock_locals(const struct hws_sock *sock, sctp_assoc_t id, struct hws_addr *out,
                    uint16_t *port);

/** Has notifications made from now on, or no more, by `member` or, NULL, by associations to come:
 * of the types whose bit is in `mask` those whose bit is in `events`; bit n is SCTP_SN_TYPE_BASE +
 * n. (RFC 6458, 6.2) */
void hws_sock_subscribe(struct hws_sock *sock, struct hws_member *member, uint32_t events,
                        uint32_t mask, uint64_t now_us);

/** Those that associations to come begin with, whatever there is. -EINVAL (out of range). */
int hws_sock_set_future_params(struct hws_sock *sock, const struct hws_params *params);

/* ---- Data ---- */

struct hws_sock_send {
    const struct hws_addr *remotes; /* the peer's; several only matter for one to be made */
    uint32_t remote_count;          /* 0: assoc_id says whom */
    uint16_t remote_port;
    bool has_info; /* the next five were given; else the association's defaults are used */
    sctp_assoc_t assoc_id;
    uint16_t sid;
    uint16_t flags; /* SCTP_UNORDERED, SCTP_EOF, ... as the kernel's header has them */
    uint32_t ppid;  /* as it stands on the wire */
    uint32_t context;
    const struct sctp_initmsg *init; /* for an association to be made; NULL: the socket's */
    const struct hws_iovec *iov;
    size_t iov_count;
    bool more; /* with options.explicit_eor: the message goes on */
    /* NULL: the bytes are copied. Else they are lent: hws_sockets_released gives this back once
     * they are not needed. After an error they were not taken. */
    void (*release)(void *arg);
    void *release_arg;
    /* Answers, each NULL when it is not wanted: */
    size_t *taken;       /* bytes of the message that were taken: 0 for SCTP_ABORT */
    sctp_assoc_t *begun; /* the association begun for it, or 0; hws_sock_connect_result_of will be
                            asked until it answers something other than -EINPROGRESS */
};

/** Sends a message, or does what its flags say: SCTP_EOF begins a graceful end, SCTP_ABORT ends at
 * once with the first HWS_LIMIT_ABORT_REASON_BYTES bytes as reason (neither on one-to-one sockets),
 * SCTP_SENDALL sends to every association of a one-to-many socket. To a peer without an association
 * one is begun. Errors: -EAGAIN (that association's buffer is full), -EPIPE (no such association;
 * the pending error instead when there is one), -ESHUTDOWN (it ends), -EINVAL, -EMSGSIZE, -ENOMEM,
 * -EADDRNOTAVAIL, those of connecting. */
int hws_sock_sendmsg(struct hws_sock *sock, const struct hws_sock_send *msg, uint64_t now_us);

struct hws_sock_iovec {
    void *base;
    size_t len;
};

struct hws_sock_recv {
    /* From the caller: */
    const struct hws_sock_iovec *iov;
    size_t iov_count;
    bool peek;    /* take nothing */
    bool no_from; /* from and from_port are not wanted */
    /* From the socket: */
    size_t len;
    int flags; /* MSG_EOR, MSG_NOTIFICATION */
    sctp_assoc_t id;
    struct sctp_rcvinfo rcv; /* of data; rcv_ppid as it stood on the wire */
    uint64_t
        rx_time_us; /* of data: when the packet that completed it came; 0: not asked, unknown */
    bool has_next;  /* and this is what comes next */
    struct sctp_nxtinfo next;
    struct hws_addr from; /* the peer's primary address */
    uint16_t from_port;
};

/** Receives a message, the next part of one, or a notification. 0 with `len` 0: the association of
 * a one-to-one or peeled off socket is over, or receiving was shut down. Errors: -EAGAIN, the
 * pending error, -ENOTCONN (a one-to-one socket that listens). */
int hws_sock_recvmsg(struct hws_sock *sock, struct hws_sock_recv *msg, uint64_t now_us);

/** Whether it makes sense to wait after -EAGAIN: 0, or -ENOTCONN (no association, and none can
 * come), which the kernel answers to calls that may wait. */
int hws_sock_may_wait(const struct hws_sock *sock);

/* Received bytes where they lie. */
struct hws_sock_view {
    struct hws_recv_view data;
    struct hws_note *note; /* of a notification: its bytes are data.iov[0] */
};

/** The same without copying; `msg` has no iov and does not peek. */
int hws_sock_recv_view(struct hws_sock *sock, struct hws_sock_recv *msg, struct hws_sock_view *view,
                       uint64_t now_us);

/** Gives a view back, once. The socket may be gone. */
void hws_sock_view_release(struct hws_sockets *sockets, struct hws_sock_view *view);

/* ---- The end ---- */

/** Starts the graceful end of a one-to-one socket's association. -ENOTCONN. */
int hws_sock_shutdown(struct hws_sock *sock, uint64_t now_us);

/** shutdown(2) with SHUT_RD, SHUT_WR or SHUT_RDWR. As in the kernel SHUT_WR begins the end of a
 * one-to-one socket's association only. -EINVAL, -ENOTCONN (what `how` says holds all the same),
 * -EOPNOTSUPP (SHUT_RD of a one-to-many socket that listens). (RFC 6458, 4.1.7) */
int hws_sock_shutdown_how(struct hws_sock *sock, int how, uint64_t now_us);

/** Ends the association of a one-to-one or peeled off socket at once with an ABORT. -ENOTCONN. */
int hws_sock_abort(struct hws_sock *sock, const void *reason, size_t reason_len, uint64_t now_us);

/** Closes: the handle is gone and its callback never runs again. Associations end gracefully in
 * the background, or with an ABORT when received data was not read or SO_LINGER is on with 0
 * seconds, as in the Linux kernel. */
void hws_sock_close(struct hws_sock *sock, uint64_t now_us);

/* ---- Readiness ---- */

/** HWS_SOCK_* that hold now. */
unsigned hws_sock_ready(const struct hws_sock *sock);

/** What poll tells of the socket: POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP by the kernel's
 * rules; also POLLIN and POLLRDHUP for an association that was up and is over. sock->arrivals
 * changes when something new came while it is readable. */
short hws_sock_poll(const struct hws_sock *sock);

/** Sets (or with NULL clears) the callback; it runs soon when something is ready already. */
void hws_sock_set_callback(struct hws_sock *sock, hws_sock_callback callback, void *arg);

/** Takes the pending error: an errno, or 0. */
int hws_sock_take_error(struct hws_sock *sock);

/** The local port, 0 when not bound. */
uint16_t hws_sock_port(const struct hws_sock *sock);

/** The errno (positive) for one of enum hws_error; 0 for HWS_OK and HWS_E_EOF. */
int hws_sock_errno(int error);

#endif

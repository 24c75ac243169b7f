/** @file
 * SCTP for programs that run on libuv: handles and requests in libuv's own manner.
 *
 * A runtime lives on the program's loop (the `loop` of struct hws_runtime_config), one for each
 * loop; handles are made in it. There is no thread and, however many handles there are, no
 * descriptor but the runtime's few.
 *
 * Memory: handles (hws_uv_t) and requests (hws_uv_connect_t, ...) are the caller's, initialised by
 * the call that takes them. A handle stays untouched until its close callback, a request until its
 * own callback; either may free it. `data` is the caller's and is never touched.
 *
 * Threads: everything here belongs to the thread that runs the loop. Callbacks run on it, from
 * uv_run, never from inside a call of this library. A callback may call everything here and close
 * and free what it likes, but not free the runtime.
 *
 * Answers: 0 or more, or a negative UV_E* (on this system -errno, with the Linux kernel's numbers).
 * A call that answers less than 0 has changed nothing, and its callback will not come. Every call
 * on a handle that is closing answers UV_EBADF.
 *
 * Loop: as with libuv's handles, uv_run goes on while a handle is active (it listens, reads, or has
 * a request under way) and referenced. */
#ifndef HAWSER_UV_H
#define HAWSER_UV_H

#include <uv.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/sctp.h>

#include "options.h"
#include "runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hws_uv_s hws_uv_t;
typedef struct hws_uv_connect_s hws_uv_connect_t;
typedef struct hws_uv_write_s hws_uv_write_t;
typedef struct hws_uv_shutdown_s hws_uv_shutdown_t;
typedef struct hws_uv_message_s hws_uv_message_t;

/** An association waits for hws_uv_accept. `status` is 0. */
typedef void (*hws_uv_connection_cb)(hws_uv_t *server, int status);
/** The association is up (0), or why not. */
typedef void (*hws_uv_connect_cb)(hws_uv_connect_t *request, int status);
/** The message was accepted (0), or why it never will be. */
typedef void (*hws_uv_write_cb)(hws_uv_write_t *request, int status);
/** The association ended gracefully (0), or how else. */
typedef void (*hws_uv_shutdown_cb)(hws_uv_shutdown_t *request, int status);
/** Asks for a buffer; `suggested_bytes` is one that holds most messages. A buffer of length 0 ends
 * the attempt with UV_ENOBUFS. */
typedef void (*hws_uv_alloc_cb)(hws_uv_t *handle, size_t suggested_bytes, uv_buf_t *buf);
/** `nread` bytes of a message lie in `buf`, which is the caller's again, also when `nread` is 0
 * (nothing was there) or negative. See hws_uv_read_start. */
typedef void (*hws_uv_read_cb)(hws_uv_t *handle, ssize_t nread, const uv_buf_t *buf,
                               const hws_uv_message_t *message);
/** The handle is the caller's again. */
typedef void (*hws_uv_close_cb)(hws_uv_t *handle);

/** A socket. */
struct hws_uv_s {
    void *data;                  /**< the caller's */
    uv_loop_t *loop;             /**< read only */
    struct hws_runtime *runtime; /**< read only */
    /** @privatesection */
    struct hws_sock *sock; /* NULL: none was needed yet */
    int domain, type;
    unsigned flags;
    int error;        /* what ended the association */
    uv_timer_t timer; /* keeps the loop alive, and brings callbacks in a later turn */
    hws_uv_connection_cb connection_cb;
    hws_uv_alloc_cb alloc_cb;
    hws_uv_read_cb read_cb;
    hws_uv_close_cb close_cb;
    hws_uv_connect_t *connects; /* under way */
    hws_uv_shutdown_t *shutdown_request;
    struct hws_uv_write_list {
        hws_uv_write_t *first, *last;
    } waiting, done; /* for the send buffer; for their callbacks */
    size_t waiting_bytes, waiting_count;
    size_t lent_count; /* requests whose bytes the library still needs */
    uint64_t accepted; /* associations taken from it */
};

/** A request to connect. */
struct hws_uv_connect_s {
    void *data;            /**< the caller's */
    hws_uv_t *handle;      /**< read only */
    sctp_assoc_t assoc_id; /**< read only: the association, from the beginning */
    /** @privatesection */
    hws_uv_connect_t *next;
    hws_uv_connect_cb cb;
};

/** Buffers of a message that a write request holds without allocating. */
#define HWS_UV_BUFS_INLINE 4u

/** A request to write one message. */
struct hws_uv_write_s {
    void *data;       /**< the caller's */
    hws_uv_t *handle; /**< read only */
    /** @privatesection */
    hws_uv_write_cb cb;
    hws_uv_write_t *next;
    struct sctp_sndinfo info;
    int has_info, lent;
    unsigned buf_count;
    uv_buf_t *bufs;
    uv_buf_t bufs_inline[HWS_UV_BUFS_INLINE];
    void *peer; /* whom it is for, when that was said by addresses */
    size_t bytes;
    int status;
};

/** A request to end an association gracefully. */
struct hws_uv_shutdown_s {
    void *data;       /**< the caller's */
    hws_uv_t *handle; /**< read only */
    /** @privatesection */
    hws_uv_shutdown_cb cb;
};

/** What came with received bytes. */
struct hws_uv_message_s {
    /** Of data: stream, SSN, PPID as the peer sent it, SCTP_UNORDERED, TSN, association (RFC 6458,
     * 5.3.5). */
    struct sctp_rcvinfo info;
    /** MSG_EOR: these bytes end their message; MSG_NOTIFICATION: they are no message but a
     * union sctp_notification (RFC 6458, 6), which the option SCTP_EVENT asked for. */
    int flags;
    /** The peer's primary address. */
    const struct sockaddr *from;
    /** When the option SO_TIMESTAMPNS asks for it: when the packet that completed the message was
     * received, on CLOCK_REALTIME; all 0 when it did not ask, or where that is not known. */
    struct timespec timestamp;
    /** What can be read next, when the option SCTP_RECVNXTINFO asks for it and it has come; else
     * NULL (RFC 6458, 5.3.6). */
    const struct sctp_nxtinfo *next;
};

/* ---- Handles ---- */

/** Initialises a one-to-one handle (RFC 6458, 4) of both address families in `runtime`, whose
 * `loop` is the caller's. Until it is closed the runtime must not be freed.
 * @return 0, or UV_EINVAL: the runtime has no libuv loop of the caller. */
HWS_API int hws_uv_init(struct hws_runtime *runtime, hws_uv_t *handle);

/** The same with a choice.
 * @param domain  AF_INET, or AF_INET6, which speaks IPv4 too (option IPV6_V6ONLY). IPv4 addresses
 * are always told as such, never mapped into IPv6.
 * @param type    SOCK_STREAM: one-to-one, one association at most. SOCK_SEQPACKET: one-to-many
 *                (RFC 6458, 3): it takes associations without hws_uv_accept once hws_uv_listen was
 *                called, makes them by hws_uv_connect or hws_uv_write_to, and names them by the
 *                sctp_assoc_t in what is read and written. Their ends are told by notifications.
 * @return 0, or UV_EINVAL, UV_EAFNOSUPPORT (domain), UV_EPROTONOSUPPORT (type). */
HWS_API int hws_uv_init_ex(struct hws_runtime *runtime, hws_uv_t *handle, int domain, int type);

/** Closes the handle: the socket is closed at once (a graceful
 * end goes on in the background; with received data unread the peer gets an ABORT; RFC
 * 6458, 4.1.6). Requests under way end with UV_ECANCELED. All of that is told in a later turn of
 * the loop, at last by `cb` (may be NULL), and nothing about the handle after it. Closing twice
 * does nothing. */
HWS_API void hws_uv_close(hws_uv_t *handle, hws_uv_close_cb cb);

/** Whether hws_uv_close was called. */
HWS_API int hws_uv_is_closing(const hws_uv_t *handle);

/** Whether it listens, reads, or has a request under way. */
HWS_API int hws_uv_is_active(const hws_uv_t *handle);

/** Has the handle, while active, keep uv_run going, as it does from the beginning. Calling twice
 * does nothing more. */
HWS_API void hws_uv_ref(hws_uv_t *handle);

/** Ends that, for the handle and its requests. Calling twice does nothing more. */
HWS_API void hws_uv_unref(hws_uv_t *handle);

/** Whether the handle, while active, keeps uv_run going. */
HWS_API int hws_uv_has_ref(const hws_uv_t *handle);

/* ---- Associations ---- */

/** Binds to one address and port (RFC 6458, 4.1.2). Port 0 takes a free one from 49152 up.
 * @return 0, or UV_EINVAL (bound already), UV_EADDRINUSE, UV_EADDRNOTAVAIL, UV_EAFNOSUPPORT,
 * UV_ENOMEM. */
HWS_API int hws_uv_bind(hws_uv_t *handle, const struct sockaddr *addr);

/** Adds `count` (1..8) addresses, packed back to back and all with the same port, to those that the
 * handle is bound to, or removes them, for associations to come: they are the paths' source
 * addresses (RFC 6458, 9.1).
 * @param flags  SCTP_BINDX_ADD_ADDR, SCTP_BINDX_REM_ADDR.
 * @return 0, or as hws_uv_bind; UV_EINVAL also: the ports differ, one of them is the wildcard;
 * UV_EBUSY (none would be left). */
HWS_API int hws_uv_bindx(hws_uv_t *handle, const struct sockaddr *addrs, int count, int flags);

/** Accepts associations from peers; binds to a free port when not bound (RFC 6458, 3.1.3, 4.1.3).
 * `cb` comes for each; one that it leaves waiting is told of again when the next one comes, or when
 * another one was accepted.
 * @param backlog  how many may wait, at least 1; further ones are aborted. One-to-many: 0 accepts
 * no more, and there is no `cb`.
 * @return 0, or UV_EINVAL (connected), UV_EADDRINUSE, UV_ENOMEM. */
HWS_API int hws_uv_listen(hws_uv_t *handle, int backlog, hws_uv_connection_cb cb);

/** Gives the oldest association that waits to `client`, which was initialised in the same runtime
 * and not used since (RFC 6458, 4.1.4).
 * @return 0, or UV_EAGAIN (none waits), UV_EINVAL (not listening, another runtime), UV_EBUSY (the
 * client was used). */
HWS_API int hws_uv_accept(hws_uv_t *server, hws_uv_t *client);

/** Connects to a peer (RFC 6458, 4.1.5). Messages may be written at once; they go out when it is
 * up.
 * @return 0, or UV_EALREADY, UV_EISCONN (or listening), UV_EINVAL (port 0, wildcard
 * address), UV_EAFNOSUPPORT, UV_ENETUNREACH, UV_EHOSTUNREACH, UV_EADDRINUSE, UV_ENOMEM. The
 * callback's status: 0, UV_ECONNREFUSED, UV_ETIMEDOUT, UV_EHOSTUNREACH, UV_ECANCELED, ... */
HWS_API int hws_uv_connect(hws_uv_connect_t *request, hws_uv_t *handle, const struct sockaddr *addr,
                           hws_uv_connect_cb cb);

/** Connects to a peer known by `count` (1..8) packed addresses; the first is tried first (RFC 6458,
 * 9.9). Otherwise as hws_uv_connect. */
HWS_API int hws_uv_connectx(hws_uv_connect_t *request, hws_uv_t *handle,
                            const struct sockaddr *addrs, int count, hws_uv_connect_cb cb);

/** Makes a handle of its own of one association of a one-to-many handle, with all that waits to be
 * read (RFC 6458, 9.2). `client` is one that was initialised in the same runtime and not used
 * since; it becomes like a one-to-one handle. Requests of `handle` that wait for the association's
 * send buffer end with UV_EPIPE.
 * @return 0, or UV_EINVAL (no such association, not one-to-many, another runtime), UV_EBUSY (the
 * client was used), UV_ENOMEM. */
HWS_API int hws_uv_peeloff(hws_uv_t *handle, sctp_assoc_t id, hws_uv_t *client);

/** Ends the association of a one-to-one handle gracefully once every message written before was
 * accepted (RFC 9260, 9.2). Nothing can be written any more, received messages can still be read.
 * The callback comes when the association is over: status 0 says that the peer acknowledged
 * everything.
 * @return 0, or UV_ENOTCONN (also of one-to-many handles, where a message with SCTP_EOF does this),
 * UV_EALREADY (a shutdown is under way). */
HWS_API int hws_uv_shutdown(hws_uv_shutdown_t *request, hws_uv_t *handle, hws_uv_shutdown_cb cb);

/** Ends the association of a one-to-one handle at once: the peer gets an ABORT with `reason` (at
 * most 128 bytes, may be NULL), what was not acknowledged is lost, and requests under way end with
 * UV_ECONNABORTED (RFC 9260, 9.1). The handle stays open.
 * @return 0, or UV_ENOTCONN (also of one-to-many handles, where a message with SCTP_ABORT does
 * this), UV_EINVAL (reason too long). */
HWS_API int hws_uv_abort(hws_uv_t *handle, const void *reason, size_t reason_len);

/* ---- Messages ---- */

/** Writes one message gathered from `nbufs` (at most 64) buffers. The array is copied, the bytes
 * are not: they belong to the request until its callback, which comes when the send buffer
 * (SO_SNDBUF) has accepted the message, not when the peer has acknowledged it (that is what
 * hws_uv_shutdown tells). Messages of one association go out, and their callbacks come, in the
 * order of the requests; other associations of a one-to-many handle do not wait for one whose
 * buffer is full.
 * @param info  snd_sid is the stream, snd_ppid goes to the peer as it stands, snd_assoc_id names
 * the association of a one-to-many handle, snd_flags may have SCTP_UNORDERED and
 *              SCTP_SACK_IMMEDIATELY, for a one-to-many handle also SCTP_EOF, SCTP_ABORT and
 *              SCTP_SENDALL, which answers UV_EAGAIN instead of waiting (RFC 6458, 5.3.4); copied;
 *              NULL: the defaults (option SCTP_DEFAULT_SNDINFO).
 * @param cb    or NULL.
 * @return 0, or UV_EINVAL (no such stream or flag, empty, nbufs), UV_EMSGSIZE (above SO_SNDBUF),
 * UV_EPIPE (shut down, over, no such association), UV_ESHUTDOWN (the peer shuts down), UV_ENOTCONN,
 * UV_ENOMEM, or what the association ended with. The callback's status: 0, one of these, or
 * UV_ECANCELED. */
HWS_API int hws_uv_write(hws_uv_write_t *request, hws_uv_t *handle, const uv_buf_t bufs[],
                         unsigned nbufs, const struct sctp_sndinfo *info, hws_uv_write_cb cb);

/** The same to the peer with `count` (1..8) packed addresses. A handle that has no association with
 * it yet begins one (RFC 6458, 3.1.6); for one that is there, SCTP_ADDR_OVER in info->snd_flags
 * takes the path to the first address. Errors also as hws_uv_connect. */
HWS_API int hws_uv_write_to(hws_uv_write_t *request, hws_uv_t *handle, const uv_buf_t bufs[],
                            unsigned nbufs, const struct sockaddr *addrs, int count,
                            const struct sctp_sndinfo *info, hws_uv_write_cb cb);

/** As hws_uv_write, but the bytes are not copied: they and the request belong to the library until
 * the callback, which comes when nothing of them is needed any more: the peer has acknowledged all
 * of them, or the association is over. So these callbacks come after a round trip, and not in the
 * order of those of hws_uv_write. After hws_uv_close, which lets what was accepted be sent, the
 * close callback comes after them. For messages of some kilobytes at least: small ones are cheaper
 * to copy. The callback's status: 0, what the association ended with, or UV_ECANCELED: the handle
 * was closed, and nobody knows whether it arrived. */
HWS_API int hws_uv_write_lent(hws_uv_write_t *request, hws_uv_t *handle, const uv_buf_t bufs[],
                              unsigned nbufs, const struct sctp_sndinfo *info, hws_uv_write_cb cb);

/** Writes one message now or not at all, without a request.
 * @return its bytes, or as hws_uv_write; UV_EAGAIN: the send buffer is full. */
HWS_API ssize_t hws_uv_try_write(hws_uv_t *handle, const uv_buf_t bufs[], unsigned nbufs,
                                 const struct sctp_sndinfo *info);

/** Bytes of the messages that requests hold because the send buffer is full: 0 as long as the peer
 * keeps pace. A program that stops writing while this is above a mark of its own, and
 * goes on in a write callback, never holds more. */
HWS_API size_t hws_uv_get_write_queue_size(const hws_uv_t *handle);

/** How many messages requests hold because the send buffer is full. */
HWS_API size_t hws_uv_get_write_queue_count(const hws_uv_t *handle);

/** Has messages read: `alloc_cb` gives a buffer, `read_cb` gets it back with
 * - nread > 0: so many bytes of a message or notification, the whole of it or as much as fits or
 * has come; the parts of a message follow one another, MSG_EOR in message->flags marks the last;
 * - nread == 0: nothing, not even an end; nread < 0: UV_EOF (the peer has shut down and sends
 * nothing more), or what it ended with (UV_ECONNRESET, UV_ETIMEDOUT, ...), and reading has stopped;
 * UV_ENOBUFS. `message` is NULL unless nread > 0, and valid until `read_cb` returns. While nothing
 * is read the receive buffer fills and the peer's sending comes to a halt. Called again it replaces
 * the callbacks.
 * @return 0, or UV_ENOTCONN, UV_EINVAL (a one-to-one handle that listens, or a callback is
 * missing), UV_ENOMEM. */
HWS_API int hws_uv_read_start(hws_uv_t *handle, hws_uv_alloc_cb alloc_cb, hws_uv_read_cb read_cb);

/** Stops reading: `read_cb` does not come again, but to give back the buffer when `alloc_cb` itself
 * stops reading or closes the handle. Always 0. */
HWS_API int hws_uv_read_stop(hws_uv_t *handle);

/* ---- Names and options ---- */

/** The local address and port, the primary path's when there is an association; `len` is
 * value-result, in bytes.
 * @return 0, or UV_EINVAL (not bound). */
HWS_API int hws_uv_getsockname(const hws_uv_t *handle, struct sockaddr *addr, int *len);

/** The peer's primary address and its port; `len` is value-result, in bytes.
 * @return 0, or UV_ENOTCONN. */
HWS_API int hws_uv_getpeername(const hws_uv_t *handle, struct sockaddr *addr, int *len);

/** The peer's addresses (RFC 6458, 9.3); of a one-to-one handle also after the association is over.
 * @param id     the association, of a one-to-many handle.
 * @param addrs  where the list goes, packed back to back; the caller gives it to
 *               hws_uv_freepaddrs.
 * @return how many; 0 (*addrs is NULL): no association; or UV_ENOMEM. */
HWS_API int hws_uv_getpaddrs(const hws_uv_t *handle, sctp_assoc_t id, struct sockaddr **addrs);

/** Frees what hws_uv_getpaddrs gave; NULL is allowed. (RFC 6458, 9.4) */
HWS_API void hws_uv_freepaddrs(struct sockaddr *addrs);

/** The addresses that the handle is bound to, the wildcard standing for all (RFC 6458, 9.5); 0: it
 * is not bound. Otherwise as hws_uv_getpaddrs; the caller gives the list to hws_uv_freeladdrs.
 * @param id  not used: all associations have the handle's addresses. */
HWS_API int hws_uv_getladdrs(const hws_uv_t *handle, sctp_assoc_t id, struct sockaddr **addrs);

/** Frees what hws_uv_getladdrs gave; NULL is allowed. (RFC 6458, 9.6) */
HWS_API void hws_uv_freeladdrs(struct sockaddr *addrs);

/** Sets an option (RFC 6458, 8); <hawser/options.h> lists them. `len` is in bytes.
 * @return 0, or UV_ENOPROTOOPT, UV_EINVAL, UV_EISCONN, UV_ENOTCONN, UV_ENOTSUP. */
HWS_API int hws_uv_setsockopt(hws_uv_t *handle, int level, int option, const void *value, int len);

/** Reads an option; `len` is value-result, in bytes. Errors as hws_uv_setsockopt. */
HWS_API int hws_uv_getsockopt(hws_uv_t *handle, int level, int option, void *value, int *len);

/** What is known of a path: what struct sctp_paddrinfo (RFC 6458, 8.2.2) has, and more. */
typedef struct hws_uv_path_s {
    struct sockaddr_storage remote; /**< the peer's address */
    struct sockaddr_storage local;  /**< ours; the wildcard while the network chooses */
    int state;                      /**< enum sctp_spinfo_state */
    int primary;                    /**< 1: it carries data while it is active */
    uint32_t mtu_bytes;             /**< of IP */
    uint32_t cwnd_bytes;            /**< congestion window (RFC 9260, 7.2) */
    uint32_t ssthresh_bytes;        /**< slow start threshold (RFC 9260, 7.2) */
    uint32_t flight_bytes;          /**< sent and not acknowledged */
    uint32_t srtt_us;               /**< smoothed round trip; 0: none was measured yet */
    uint32_t rttvar_us;             /**< its variation; 0: none was measured yet */
    uint32_t rto_us;                /**< retransmission timeout (RFC 9260, 6.3) */
    uint32_t errors;                /**< consecutive (RFC 9260, 8.2) */
    uint32_t heartbeat_rtt_us;      /**< of the last HEARTBEAT that was answered; 0: none */
    uint64_t heartbeats_acked;      /**< how many were answered */
} hws_uv_path_t;

/** Reads path number `index` (0, 1, ...) of an association; of a one-to-one handle also after it is
 * over. `id` as in hws_uv_getpaddrs.
 * @return 0, or UV_ENOENT (there are no more), UV_ENOTCONN. */
HWS_API int hws_uv_get_path(const hws_uv_t *handle, sctp_assoc_t id, unsigned index,
                            hws_uv_path_t *path);

#ifdef __cplusplus
}
#endif

#endif

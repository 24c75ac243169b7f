/** @file
 * All of hawser's sockets and runtimes, and for now the one-to-one calls on pointers.
 *
 * The calls on pointers (hws_one_*) have no thread and take no lock: a runtime and the pointers
 * made in it belong to one thread at a time, and a runtime is used with pointers or with
 * descriptors (<hawser/socket.h>), not both. A blocking call runs the runtime's loop, so callbacks
 * of other sockets may run meanwhile. Inside a callback a blocking call answers EDEADLK instead of
 * waiting. */
#ifndef HAWSER_HAWSER_H
#define HAWSER_HAWSER_H

#include "runtime.h"
#include "socket.h"

#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Runs the runtime's loop until something happened or `timeout_ms` milliseconds have passed.
 * @param timeout_ms  0: does not wait; -1: waits without limit.
 * @return 0, or -1: EDEADLK (called from a callback). */
HWS_API int hws_runtime_poll(struct hws_runtime *runtime, int timeout_ms);

/* ---- Sockets: one-to-one style (RFC 6458, 4) ---- */

struct hws_sock;

/** Makes a blocking socket in `runtime`. The caller gives it to hws_one_close.
 * @return the socket, or NULL: ENOMEM. (RFC 6458, 4.1.1) */
HWS_API struct hws_sock *hws_one_socket(struct hws_runtime *runtime);

/** Whether calls wait for what they need (false, the default) or answer EAGAIN. */
HWS_API void hws_one_set_nonblocking(struct hws_sock *sock, bool nonblocking);

/** Binds to one address and port (RFC 6458, 4.1.2). Port 0 takes a free one from 49152 up; a
 * wildcard address of either family means all addresses of the runtime's families.
 * @return 0, or -1: EINVAL (bound already, or `len` too short), EADDRINUSE (by another socket or
 * process), EADDRNOTAVAIL (not this host's), EAFNOSUPPORT, ENOMEM. */
HWS_API int hws_one_bind(struct hws_sock *sock, const struct sockaddr *addr, socklen_t len);

/** Binds to `count` (1..8) addresses, packed back to back and all with the same port, which the
 * association will use as its paths (RFC 6458, 9.1). Once per socket.
 * @param flags  SCTP_BINDX_ADD_ADDR.
 * @return 0, or -1 as hws_one_bind; EINVAL when the ports differ; EOPNOTSUPP for other flags. */
HWS_API int hws_one_bindx(struct hws_sock *sock, const struct sockaddr *addrs, int count,
                          int flags);

/** Accepts associations from peers; binds to a free port when not bound (RFC 6458, 4.1.3).
 * @param backlog  how many may wait for hws_one_accept, at least 1; further ones are aborted.
 * @return 0, or -1: EINVAL (connected), EADDRINUSE, ENOMEM. */
HWS_API int hws_one_listen(struct hws_sock *sock, int backlog);

/** Takes the oldest association that waits, as a new blocking socket (RFC 6458, 4.1.4).
 * @param addr, len  where the peer's address goes (value-result), or NULL.
 * @return the socket, which the caller gives to hws_one_close, or NULL: EAGAIN (none waits and the
 * socket is non-blocking), EINVAL (not listening), EDEADLK. */
HWS_API struct hws_sock *hws_one_accept(struct hws_sock *sock, struct sockaddr *addr,
                                        socklen_t *len);

/** Connects to a peer (RFC 6458, 4.1.5), and waits for that unless the socket is non-blocking.
 * @return 0, or -1: EINPROGRESS (non-blocking: a callback with HWS_WRITABLE or HWS_CLOSED tells
 * the end), ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EALREADY, EISCONN, EOPNOTSUPP
 * (listening), EINVAL (port 0, wildcard address), EAFNOSUPPORT, EADDRINUSE, ENOMEM, EDEADLK. */
HWS_API int hws_one_connect(struct hws_sock *sock, const struct sockaddr *addr, socklen_t len);

/** Connects to a peer known by `count` (1..8) packed addresses; the first is tried first
 * (RFC 6458, 9.9). Otherwise as hws_one_connect. */
HWS_API int hws_one_connectx(struct hws_sock *sock, const struct sockaddr *addrs, int count);

/** Sends one message of `len` bytes on stream 0 (RFC 6458, 4.1.8). The bytes are copied. Waits
 * while the send buffer is full, unless the socket or the call (MSG_DONTWAIT) is non-blocking.
 * @return len, or -1: EAGAIN, EINVAL (empty), EMSGSIZE (above 64 MiB), EPIPE (shut down by
 * either side; no signal is raised), ENOTCONN, ENOMEM, EDEADLK, or the error the association
 * ended with. */
HWS_API ssize_t hws_one_send(struct hws_sock *sock, const void *buf, size_t len, int flags);

/** Sends one message gathered from `iov` (at most 64 parts).
 * @param info   snd_sid is the stream (below the negotiated number), snd_ppid goes to the peer
 *               as it stands (network order, by convention), snd_flags may have SCTP_UNORDERED
 *               and SCTP_SACK_IMMEDIATELY (RFC 6458, 5.3.4); NULL: stream 0, PPID 0, ordered.
 * @param flags  MSG_DONTWAIT, MSG_NOSIGNAL, or 0.
 * @return bytes sent, or -1 as hws_one_send; EINVAL also for a stream or flag that does not exist.
 */
HWS_API ssize_t hws_one_sendv(struct hws_sock *sock, const struct iovec *iov, int iovcnt,
                              const struct sctp_sndinfo *info, int flags);

/** Receives a message, or a part of it as large as fits or has come (RFC 6458, 4.1.8). Parts of a
 * message follow one another. Waits for one unless non-blocking (socket, or MSG_DONTWAIT).
 * @return bytes received; 0: the association ended gracefully; -1: EAGAIN, ENOTCONN, EINVAL
 * (`len` is 0), EDEADLK, or once the error the association ended with (ECONNRESET, ETIMEDOUT). */
HWS_API ssize_t hws_one_recv(struct hws_sock *sock, void *buf, size_t len, int flags);

/** The same, scattered over `iov`.
 * @param info   what came with the message (RFC 6458, 5.3.5): rcv_flags has SCTP_UNORDERED or
 *               not, rcv_ppid is as the peer sent it (network order by convention); or NULL.
 * @param flags  in: MSG_DONTWAIT or 0; out: MSG_EOR when these bytes end their message. */
HWS_API ssize_t hws_one_recvv(struct hws_sock *sock, const struct iovec *iov, int iovcnt,
                              struct sctp_rcvinfo *info, int *flags);

/** Starts the graceful end (RFC 9260, 9.2): what was sent before is delivered and acknowledged
 * first, nothing more can be sent, and received messages can still be read until hws_one_recv
 * answers 0.
 * @param how  SHUT_WR or SHUT_RDWR.
 * @return 0, or -1: ENOTCONN, EINVAL (other `how`: SCTP has no half-closed state). */
HWS_API int hws_one_shutdown(struct hws_sock *sock, int how);

/** Ends the association at once: the peer gets an ABORT with `reason` (at most 128 bytes, may be
 * NULL), and what was not acknowledged is lost (RFC 9260, 9.1). The socket stays.
 * @return 0, or -1: ENOTCONN, EINVAL (reason too long). */
HWS_API int hws_one_abort(struct hws_sock *sock, const void *reason, size_t reason_len);

/** Closes the socket; the handle is gone when this returns and no callback names it again. Does
 * not wait: a graceful shutdown goes on as long as the runtime runs. When received data was not
 * read the association is aborted, as the Linux kernel does. NULL is allowed. (RFC 6458, 4.1.6) */
HWS_API void hws_one_close(struct hws_sock *sock);

/** The local address and port (value-result `len`; the address is cut when it does not fit): of
 * the primary path when connected, otherwise the first one bound; the IPv4 wildcard while the
 * network chooses.
 * @return 0, or -1: EINVAL (not bound, or negative length). (RFC 6458, 9.7) */
HWS_API int hws_one_getsockname(const struct hws_sock *sock, struct sockaddr *addr, socklen_t *len);

/** The peer's primary address and port. @return 0, or -1: ENOTCONN. */
HWS_API int hws_one_getpeername(const struct hws_sock *sock, struct sockaddr *addr, socklen_t *len);

/** Sets an option (RFC 6458, 8; structures and units are the kernel's). On a connected socket it
 * changes its association, otherwise it holds for the associations to come; the association id in
 * a structure is ignored.
 *
 * IPPROTO_SCTP:
 * - before there is an association: SCTP_INITMSG, HWS_PROBE;
 * - at any time: SCTP_RTOINFO (from 1 ms), SCTP_ASSOCINFO, SCTP_DELAYED_SACK, SCTP_NODELAY,
 *   SCTP_EVENT (only SCTP_PEER_ADDR_CHANGE: see hws_one_path_event);
 * - for the path that the address in the structure names, or with a wildcard address for all:
 *   SCTP_PEER_ADDR_PARAMS (heartbeat interval, Path.Max.Retrans, path MTU; the flags SPP_HB_*,
 *   SPP_PMTUD_*, SPP_HB_TIME_IS_ZERO; SPP_HB_DEMAND and spp_pathmtu need an association, the first
 *   one also an address), SCTP_PEER_ADDR_THLDS (RFC 7829);
 * - connected: SCTP_PRIMARY_ADDR.
 *
 * SOL_SOCKET, before there is an association: SO_RCVBUF, SO_SNDBUF (int, bytes).
 * @return 0, or -1: ENOPROTOOPT, EINVAL (length or value; no such address of the peer), EISCONN
 * (too late), ENOTCONN (needs an association), EOPNOTSUPP (a flag or an event that is not known).
 */
HWS_API int hws_one_setsockopt(struct hws_sock *sock, int level, int option, const void *value,
                               socklen_t len);

/** Reads an option: those above; SCTP_GET_PEER_ADDR_INFO (RFC 6458, 8.2.2), of the path that the
 * address in the structure names; SOL_SOCKET with SO_ERROR (int, an errno or 0; reading takes it);
 * IPPROTO_SCTP with SCTP_STATUS (RFC 6458, 8.2.1), of which sstat_unackdata and sstat_penddata are
 * 1 or 0 for now: whether sent data is unacknowledged, and received data unread.
 * @return 0, or -1: ENOPROTOOPT, EINVAL (*len too short, no association, or no such address),
 * ENOTCONN. */
HWS_API int hws_one_getsockopt(struct hws_sock *sock, int level, int option, void *value,
                               socklen_t *len);

/* ---- Paths ---- */

/** The peer's addresses (RFC 6458, 9.3), also after the association is over.
 * @param id     not used: the socket has one association at most.
 * @param addrs  where the list goes, packed back to back; the caller gives it to
 * hws_one_freepaddrs.
 * @return how many; 0 (and *addrs is NULL): there is no association; -1: ENOMEM. */
HWS_API int hws_one_getpaddrs(const struct hws_sock *sock, sctp_assoc_t id,
                              struct sockaddr **addrs);

/** Frees what hws_one_getpaddrs gave; NULL is allowed. (RFC 6458, 9.4) */
HWS_API void hws_one_freepaddrs(struct sockaddr *addrs);

/** The addresses that the socket is bound to (RFC 6458, 9.5); the IPv4 wildcard stands for all.
 * Otherwise as hws_one_getpaddrs; 0: not bound. The caller gives the list to hws_one_freeladdrs. */
HWS_API int hws_one_getladdrs(const struct hws_sock *sock, sctp_assoc_t id,
                              struct sockaddr **addrs);

/** Frees what hws_one_getladdrs gave; NULL is allowed. (RFC 6458, 9.6) */
HWS_API void hws_one_freeladdrs(struct sockaddr *addrs);

/** What is known of a path: what struct sctp_paddrinfo has, and more. */
struct hws_one_path_info {
    struct sockaddr_storage remote; /**< the peer's address */
    struct sockaddr_storage local;  /**< ours; the wildcard while the network chooses */
    int state;                      /**< enum sctp_spinfo_state */
    bool primary;
    uint32_t mtu_bytes; /**< of IP */
    uint32_t cwnd_bytes, ssthresh_bytes, flight_bytes;
    uint32_t srtt_us, rttvar_us; /**< 0: no round trip was measured yet */
    uint32_t rto_us;
    uint32_t errors;           /**< consecutive (RFC 9260, 8.2) */
    uint32_t heartbeat_rtt_us; /**< round trip of the last HEARTBEAT that was answered; 0: none */
    uint64_t heartbeats_acked;
};

/** Reads path number `index` (0, 1, ...) of the association, also after it is over.
 * @return 0, or -1: ENOENT (there are no more), ENOTCONN. */
HWS_API int hws_one_path_info(const struct hws_sock *sock, size_t index,
                              struct hws_one_path_info *info);

/** Takes the oldest event of a path: spc_state says that the address was confirmed, failed to
 * answer (potentially failed, RFC 7829), became unreachable, or is available again (RFC 6458,
 * 6.1.2). Events are kept, the last 64 of them, from the time on when SCTP_EVENT asks for
 * SCTP_PEER_ADDR_CHANGE; accepted sockets inherit that. Never waits.
 * @return 0, or -1: EAGAIN (there is none; HWS_PATH_EVENT tells of the next). */
HWS_API int hws_one_path_event(struct hws_sock *sock, struct sctp_paddr_change *change);

/* ---- Callbacks, for programs that do not block ---- */

/** A message, the end of the association or its error can be received, or an association can be
 * accepted. */
#define HWS_READABLE 0x1u
/** The socket is connected and its send buffer has room. */
#define HWS_WRITABLE 0x2u
/** The association is over (or never came up: getsockopt SO_ERROR tells why). */
#define HWS_CLOSED 0x4u
/** hws_one_path_event has something. */
#define HWS_PATH_EVENT 0x8u

typedef void (*hws_ready_callback)(struct hws_sock *sock, unsigned ready, void *arg);

/** Has `callback` called with the HWS_* that hold, on the thread that runs the loop, whenever
 * something came up: a receive after EAGAIN would succeed, a send after EAGAIN would, the state
 * changed. So read until EAGAIN. It runs soon after this call when something holds already. It may
 * call everything but hws_runtime_free, and close any socket. NULL ends that. */
HWS_API void hws_one_set_callback(struct hws_sock *sock, hws_ready_callback callback, void *arg);

#ifdef __cplusplus
}
#endif

#endif

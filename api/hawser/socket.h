/** @file
 * SCTP sockets with file descriptors, as RFC 6458 and POSIX have them.
 *
 * Every call is `hws_` and the name it has elsewhere: hws_socket, hws_bind, hws_bindx (sctp_bindx)
 * and so on; where RFC 6458 and POSIX use the same name, RFC 6458's has `hws_sctp_`. Structures and
 * constants are those of <linux/sctp.h>, errno values those of the Linux kernel: a program written
 * for the kernel's SCTP is ported by renaming calls.
 *
 * A socket is a descriptor: readable, writable, hang-up and error are right in poll, select, epoll
 * (level and edge triggered) and uv_poll_t, for listening and connected sockets. It is
 * close-on-exec unless hws_fcntl says otherwise. Nothing else may be done with it outside of this
 * library: no read, write, dup or close. A number closed with close(2) does no harm, but its socket
 * stays until the library meets the number again.
 *
 * Threads: any call from any thread. hws_close wakes calls that wait with EBADF, nothing is
 * delivered after it has returned, and a closed number answers EBADF until it is handed out again.
 * No callback runs under a lock.
 *
 * Signals: a call that waits and is interrupted by a handler answers EINTR; it goes on waiting when
 * every handler of the process has SA_RESTART and the socket has no timeout.
 *
 * A thread is not cancelled inside of a call (pthread_cancel), only when the call has ended. A call
 * that succeeds leaves errno alone.
 *
 * Errors of every call: EBADF (no such descriptor), ENOTSOCK (not one of this library), ESTALE
 * (inherited by fork, or its runtime is gone); of every call that takes a pointer: EFAULT when it
 * is NULL and needed. */
#ifndef HAWSER_SOCKET_H
#define HAWSER_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/sctp.h>
#if defined(__has_include)
#if __has_include(<netinet/sctp.h>)
#include <netinet/sctp.h>
#endif
#endif

#include "options.h"
#include "runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef SOL_SCTP
#define SOL_SCTP IPPROTO_SCTP /**< level of options and control data */
#endif

/* RFC 6458, 9.12 and 9.13, where <netinet/sctp.h> does not have them. */
#ifndef HAVE_SCTP_SENDV
#define SCTP_SENDV_NOINFO 0
#define SCTP_SENDV_SNDINFO 1
#define SCTP_SENDV_PRINFO 2
#define SCTP_SENDV_AUTHINFO 3
#define SCTP_SENDV_SPA 4

#define SCTP_SEND_SNDINFO_VALID 0x1
#define SCTP_SEND_PRINFO_VALID 0x2
#define SCTP_SEND_AUTHINFO_VALID 0x4

struct sctp_sendv_spa {
    uint32_t sendv_flags; /**< SCTP_SEND_*_VALID: which of the members below count */
    struct sctp_sndinfo sendv_sndinfo;
    struct sctp_prinfo sendv_prinfo;
    struct sctp_authinfo sendv_authinfo;
};

#define SCTP_RECVV_NOINFO 0
#define SCTP_RECVV_RCVINFO 1
#define SCTP_RECVV_NXTINFO 2
#define SCTP_RECVV_RN 3

struct sctp_recvv_rn {
    struct sctp_rcvinfo recvv_rcvinfo;
    struct sctp_nxtinfo recvv_nxtinfo;
};
#endif

/* ---- Making and ending sockets ---- */

/** Makes a socket in the default runtime (hws_runtime_default), which the first call makes.
 * @param domain    AF_INET, or AF_INET6 (which speaks IPv4 too, unless IPV6_V6ONLY is set).
 * @param type      SOCK_STREAM (one-to-one style, RFC 6458, 4) or SOCK_SEQPACKET (one-to-many
 *                  style, 3), with SOCK_NONBLOCK or not; SOCK_CLOEXEC is always on.
 * @param protocol  IPPROTO_SCTP, or 0.
 * @return the descriptor, which the caller gives to hws_close, or -1: EAFNOSUPPORT (domain),
 * EPROTONOSUPPORT (type or protocol), EINVAL (flags; a HAWSER_* variable has a wrong value), EPERM
 * (raw sockets need CAP_NET_RAW: hws_runtime_default_error says more), EMFILE, ENFILE, ENOMEM.
 * (RFC 6458, 3.1.1, 4.1.1) */
HWS_API int hws_socket(int domain, int type, int protocol);

/** The same in `runtime`. EINVAL also: the runtime is on a libuv loop. */
HWS_API int hws_runtime_socket(struct hws_runtime *runtime, int domain, int type, int protocol);

/** Closes the socket: the number is free when this returns, and calls that waited answer EBADF.
 * Associations end gracefully in the background (RFC 9260, 9.2), or with an ABORT when received
 * data was not read. With SO_LINGER on and a time above 0 this waits so long for the graceful end,
 * with time 0 it aborts.
 * @return 0, or -1: EBADF; ESTALE (the child's descriptor is closed, the parent's socket is not
 * touched). (RFC 6458, 3.1.5, 4.1.6) */
HWS_API int hws_close(int fd);

/** Starts the graceful end of a one-to-one association (RFC 9260, 9.2): what was sent before is
 * delivered first; what comes can still be received, until hws_recv answers 0.
 * @param how  SHUT_WR, SHUT_RDWR; SHUT_RD only ends receiving, SCTP does nothing.
 * @return 0, or -1: ENOTCONN, EINVAL (how), EOPNOTSUPP (one-to-many: send with SCTP_EOF instead).
 * (RFC 6458, 4.1.7) */
HWS_API int hws_shutdown(int fd, int how);

/* ---- Addresses and associations ---- */

/** Binds to one address and port (RFC 6458, 3.1.2, 4.1.2). Port 0: one that is free. A wildcard
 * address means all addresses, those that come later included.
 * @return 0, or -1: EINVAL (bound already, `len` too short), EADDRINUSE (another socket or process
 * has it), EADDRNOTAVAIL (not an address of this host), EAFNOSUPPORT, EACCES (a port below
 * net.ipv4.ip_unprivileged_port_start), ENOMEM. */
HWS_API int hws_bind(int fd, const struct sockaddr *addr, socklen_t len);

/** Binds to `count` addresses, packed back to back, all with the same port (RFC 6458, 9.1); they
 * become the paths' source addresses.
 * @param flags  SCTP_BINDX_ADD_ADDR or SCTP_BINDX_REM_ADDR: both hold for associations to come.
 * @return 0, or -1 as hws_bind; EINVAL (other flags, another port), EBUSY (the last address cannot
 * be removed). */
HWS_API int hws_bindx(int fd, struct sockaddr *addrs, int count, int flags);

/** Accepts associations from peers, binding first when that was not done.
 * @param backlog  one-to-one: how many may wait for hws_accept; more are refused with an ABORT.
 *                 One-to-many: not 0 turns accepting on, 0 off.
 * @return 0, or -1: EINVAL (connected), EADDRINUSE, ENOMEM. (RFC 6458, 3.1.3, 4.1.3) */
HWS_API int hws_listen(int fd, int backlog);

/** Takes the oldest association that waits, as a new blocking socket; waits for one (SO_RCVTIMEO).
 * @param addr, len  where the peer's primary address goes (value-result `len`), or NULL.
 * @return the descriptor, which the caller gives to hws_close, or -1: EAGAIN, EINVAL (not
 * listening), EOPNOTSUPP (one-to-many), EINTR, EMFILE, ENFILE, ENOMEM. (RFC 6458, 4.1.4) */
HWS_API int hws_accept(int fd, struct sockaddr *addr, socklen_t *len);

/** The same; `flags` are SOCK_NONBLOCK and SOCK_CLOEXEC, for the new socket. EINVAL: others. */
HWS_API int hws_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);

/** Begins an association and waits until it is up (SO_SNDTIMEO).
 * @return 0, or -1: EINPROGRESS (non-blocking, or the time is over: the descriptor becomes writable
 * when it is up, SO_ERROR tells), ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EALREADY,
 * EISCONN, EINVAL (port 0, `len` too short), EAFNOSUPPORT, EADDRINUSE, EINTR, ENOMEM.
 * (RFC 6458, 3.1.6, 4.1.5) */
HWS_API int hws_connect(int fd, const struct sockaddr *addr, socklen_t len);

/** The same with a peer known by `count` addresses, packed back to back (RFC 6458, 9.9).
 * @param id  where the id of the association goes, or NULL. */
HWS_API int hws_connectx(int fd, struct sockaddr *addrs, int count, sctp_assoc_t *id);

/** Makes a one-to-one socket of its own out of one association of a one-to-many socket
 * (RFC 6458, 9.2), with what was received for it and not read.
 * @return the descriptor, which the caller gives to hws_close, or -1: EINVAL (no such association,
 * or not a one-to-many socket), EMFILE, ENFILE, ENOMEM. */
HWS_API int hws_peeloff(int fd, sctp_assoc_t id);

/** The same; `flags` are SOCK_NONBLOCK and SOCK_CLOEXEC. EINVAL: others. */
HWS_API int hws_peeloff_flags(int fd, sctp_assoc_t id, unsigned flags);

/** The local address and port (value-result `len`; the address is cut when it does not fit).
 * @return 0, or -1: EINVAL (negative length). (RFC 6458, 7.3) */
HWS_API int hws_getsockname(int fd, struct sockaddr *addr, socklen_t *len);

/** The peer's primary address and port, of one-to-one sockets. @return 0, or -1: ENOTCONN, EINVAL.
 * (RFC 6458, 7.4) */
HWS_API int hws_getpeername(int fd, struct sockaddr *addr, socklen_t *len);

/** The addresses of the peer (RFC 6458, 9.3).
 * @param id     the association, of a one-to-many socket.
 * @param addrs  where the list goes, packed back to back; the caller gives it to hws_freepaddrs.
 * @return how many, or -1: EINVAL (no such association), ENOMEM. */
HWS_API int hws_getpaddrs(int fd, sctp_assoc_t id, struct sockaddr **addrs);

/** Frees what hws_getpaddrs gave; NULL is allowed. @return 0. (RFC 6458, 9.4) */
HWS_API int hws_freepaddrs(struct sockaddr *addrs);

/** The local addresses that the peer of an association was told or, with id 0 or without one, those
 * that the socket is bound to (RFC 6458, 9.5): with a wildcard address all that the host has, none
 * when it is not bound. Otherwise as hws_getpaddrs. */
HWS_API int hws_getladdrs(int fd, sctp_assoc_t id, struct sockaddr **addrs);

/** Frees what hws_getladdrs gave; NULL is allowed. @return 0. (RFC 6458, 9.6) */
HWS_API int hws_freeladdrs(struct sockaddr *addrs);

/* ---- Data ---- */

/** Sends one message on the default stream of the socket's association, as hws_sendmsg. */
HWS_API ssize_t hws_send(int fd, const void *buf, size_t len, int flags);

/** The same to the peer at `to`; a one-to-many socket begins an association when there is none. */
HWS_API ssize_t hws_sendto(int fd, const void *buf, size_t len, int flags,
                           const struct sockaddr *to, socklen_t tolen);

/** Sends one message (RFC 6458, 3.1.4, 4.1.8), whose bytes are copied; waits while the send buffer
 * is full (SO_SNDTIMEO).
 *
 * msg_name is the peer (needed by one-to-many sockets unless an association id is given; elsewhere
 * it names the path). msg_control may have, of level IPPROTO_SCTP, SCTP_INIT, SCTP_SNDRCV,
 * SCTP_SNDINFO, SCTP_PRINFO, SCTP_AUTHINFO, SCTP_DSTADDRV4 and SCTP_DSTADDRV6 (5.3).
 * @param flags  MSG_DONTWAIT, MSG_NOSIGNAL, MSG_EOR (which is how messages end anyway), MSG_MORE
 *               (a hint).
 * @return bytes sent, or -1: EAGAIN, EPIPE (shut down or over; SIGPIPE is raised unless
 * MSG_NOSIGNAL), ENOTCONN, EINVAL (control data, stream, association, address, empty message),
 * EMSGSIZE, EOPNOTSUPP (other flags), EINTR, ENOMEM, ENOBUFS, or once the error the association
 * ended with (ECONNRESET, ECONNREFUSED, ETIMEDOUT, ...). */
HWS_API ssize_t hws_sendmsg(int fd, const struct msghdr *msg, int flags);

/** Receives a message or a part of it, as hws_recvmsg. */
HWS_API ssize_t hws_recv(int fd, void *buf, size_t len, int flags);

/** The same; the sender's address goes to `from` (value-result `fromlen`), or NULL. */
HWS_API ssize_t hws_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *from,
                             socklen_t *fromlen);

/** Receives a message, or a part of it as large as fits or has come (RFC 6458, 3.1.4, 4.1.8); waits
 * for one (SO_RCVTIMEO). Parts of a message follow one another; msg_flags has MSG_EOR when the
 * bytes end their message, and MSG_NOTIFICATION when they are of a notification (6). What does not
 * fit is not lost. msg_control gets, as the options of the socket ask, SCM_TIMESTAMPNS of level
 * SOL_SOCKET (when the packet that completed the message was received, on CLOCK_REALTIME; of a
 * message that comes in parts the last packet so far), and of level IPPROTO_SCTP SCTP_SNDRCV,
 * SCTP_RCVINFO and SCTP_NXTINFO; MSG_CTRUNC when it is too small.
 * @param flags  MSG_DONTWAIT, MSG_PEEK.
 * @return bytes received; 0: the association ended gracefully (one-to-one); -1: EAGAIN, ENOTCONN,
 * EOPNOTSUPP (other flags), EINTR, or once the error the association ended with. */
HWS_API ssize_t hws_recvmsg(int fd, struct msghdr *msg, int flags);

/** Sends one message gathered from `iov` (RFC 6458, 9.12).
 * @param addrs, count       the peer's addresses, packed; NULL and 0: as hws_send.
 * @param info, infolen      a structure as `infotype` says; NULL and 0 with SCTP_SENDV_NOINFO.
 * @param infotype           SCTP_SENDV_*.
 * @return as hws_sendmsg. */
HWS_API ssize_t hws_sendv(int fd, const struct iovec *iov, int iovcnt, struct sockaddr *addrs,
                          int count, void *info, socklen_t infolen, unsigned infotype, int flags);

/** Receives as hws_recvmsg, scattered over `iov` (RFC 6458, 9.13).
 * @param from, fromlen   the sender's address (value-result), or NULL.
 * @param info, infolen   where the structure goes that `infotype` then names (value-result;
 *                        SCTP_RECVV_NOINFO leaves it alone).
 * @param infotype        out: SCTP_RECVV_*.
 * @param flags           in: as hws_recvmsg; out: MSG_EOR, MSG_NOTIFICATION. */
HWS_API ssize_t hws_recvv(int fd, const struct iovec *iov, int iovcnt, struct sockaddr *from,
                          socklen_t *fromlen, void *info, socklen_t *infolen, unsigned *infotype,
                          int *flags);

/** Sends with what struct sctp_sndrcvinfo says (RFC 6458, 9.10; hws_sendv is its successor). */
HWS_API ssize_t hws_sctp_send(int fd, const void *buf, size_t len,
                              const struct sctp_sndrcvinfo *info, int flags);

/** The same, item by item (RFC 6458, 9.7). `flags` are those of sinfo_flags, `ppid` goes to the
 * peer as it stands. */
HWS_API ssize_t hws_sctp_sendmsg(int fd, const void *buf, size_t len, const struct sockaddr *to,
                                 socklen_t tolen, uint32_t ppid, uint32_t flags, uint16_t stream,
                                 uint32_t timetolive_ms, uint32_t context);

/** Receives (RFC 6458, 9.8; hws_recvv is its successor).
 * @param info   what came with the message, when the option SCTP_EVENTS (data_io) asks for it.
 * @param flags  in: as hws_recvmsg; out: MSG_EOR, MSG_NOTIFICATION; NULL: none. */
HWS_API ssize_t hws_sctp_recvmsg(int fd, void *buf, size_t len, struct sockaddr *from,
                                 socklen_t *fromlen, struct sctp_sndrcvinfo *info, int *flags);

/* ---- Data without copying ---- */

/** Sends one message whose bytes stay the caller's: they may not change until `release` is called,
 * exactly once, when nothing of them is needed any more (the peer acknowledged them, or the
 * association is over). It is called with no lock held, on the thread that runs the runtime or in
 * some later call on one of its sockets (hws_close and hws_runtime_free included), and may call
 * everything. When this answers -1 it is not called.
 * @param info   as SCTP_SNDINFO of hws_sendmsg, or NULL.
 * @param flags  as hws_sendmsg.
 * @return as hws_sendmsg. */
HWS_API ssize_t hws_send_lent(int fd, const struct iovec *iov, int iovcnt,
                              const struct sctp_sndinfo *info, int flags,
                              void (*release)(void *arg), void *arg);

/** Received bytes where they lie, as hws_recv_view gives them. */
struct hws_view {
    const struct iovec *iov;  /**< the bytes; read only */
    int iovcnt;               /**< pieces at `iov` */
    size_t len;               /**< bytes in all */
    int flags;                /**< MSG_EOR, MSG_NOTIFICATION */
    struct sctp_rcvinfo info; /**< what came with the message (RFC 6458, 5.3.5) */
    void *opaque[2];          /**< the library's */
};

/** Receives as hws_recvmsg, but does not copy: `view` shows the bytes, which belong to the caller
 * until hws_view_release and count against the socket's receive buffer until then. A long message
 * comes in several views.
 * @param flags  MSG_DONTWAIT.
 * @return bytes, or 0 and -1 as hws_recvmsg (then there is nothing to release). */
HWS_API ssize_t hws_recv_view(int fd, struct hws_view *view, int flags);

/** Gives a view back: from any thread, also after its socket was closed, but before
 * hws_runtime_free. A view that was released, or is all zero, is left alone. */
HWS_API void hws_view_release(struct hws_view *view);

/* ---- Options ---- */

/** Sets an option (RFC 6458, 8; structures and units are the kernel's) of level IPPROTO_SCTP,
 * SOL_SOCKET, IPPROTO_IP or IPPROTO_IPV6.
 * @return 0, or -1: ENOPROTOOPT, EINVAL, EFAULT, and what the option's table says. */
HWS_API int hws_setsockopt(int fd, int level, int option, const void *value, socklen_t len);

/** Reads an option; `len` is value-result. @return 0, or -1 as hws_setsockopt. */
HWS_API int hws_getsockopt(int fd, int level, int option, void *value, socklen_t *len);

/** Reads an option of level IPPROTO_SCTP for one association: `id` is put into the structure at
 * `arg` (RFC 6458, 9.14). @return 0, or -1 as hws_getsockopt. */
HWS_API int hws_opt_info(int fd, sctp_assoc_t id, int option, void *arg, socklen_t *size);

/** As fcntl(2): F_GETFL (O_RDWR, with O_NONBLOCK or not), F_SETFL (O_NONBLOCK counts, the rest is
 * ignored), F_GETFD, F_SETFD (FD_CLOEXEC).
 * @return the flags, 0, or -1: EINVAL (another command). */
HWS_API int hws_fcntl(int fd, int cmd, ...);

#ifdef __cplusplus
}
#endif

#endif

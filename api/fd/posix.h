/* What the calls of this folder share. */
#ifndef HWS_API_POSIX_H
#define HWS_API_POSIX_H

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "api/fd/handle.h"
#include "proto/addr.h"

/** 0 and above as it is, a negative errno as -1 and errno. */
static inline ssize_t hws_posix(ssize_t rc)
{
    if (rc >= 0)
        return rc;
    errno = (int)-rc;
    return -1;
}

/** Reads an address for a socket of the handle's family. 0, -EFAULT or -EINVAL. */
int hws_fd_read_address(const struct hws_handle *handle, const struct sockaddr *sa, socklen_t len,
                        struct hws_addr *addr, uint16_t *port);

/** The same for `count` addresses packed back to back, with one port. */
int hws_fd_read_addresses(const struct hws_handle *handle, const struct sockaddr *sas, int count,
                          struct hws_addr addrs[HWS_LIMIT_PATHS], uint16_t *port);

/** Gives the addresses of a peer the encapsulation port that the socket's peers have (RFC 6951). */
void hws_fd_are_peers(const struct hws_handle *handle, struct hws_addr *addrs, uint32_t count);

/** Writes an address for the application as its socket shows addresses: cut when it does not fit,
 * the full length in `len`. NULL: nobody wants to know. */
void hws_fd_give_address(const struct hws_handle *handle, const struct hws_addr *addr,
                         uint16_t port, struct sockaddr *sa, socklen_t *len);

/** Waits for an association that is awaited to come up, as long as SO_SNDTIMEO lets it: 0,
 * -EINPROGRESS, or why it did not. */
int hws_fd_wait_connected(struct hws_handle *handle, sctp_assoc_t id);

/** Adds the length of one more buffer to `sum`. As in the kernel a length has to be a ssize_t, and
 * what makes the sum larger than one is cut off. 0 or -EINVAL. */
static inline int hws_fd_add_length(size_t *sum, size_t *len)
{
    if (*len > (size_t)SSIZE_MAX)
        return -EINVAL;
    if (*len > (size_t)SSIZE_MAX - *sum)
        *len = (size_t)SSIZE_MAX - *sum;
    *sum += *len;
    return 0;
}

/** The length of a single buffer, which is never wrong. */
static inline size_t hws_fd_length(size_t len)
{
    return len > (size_t)SSIZE_MAX ? (size_t)SSIZE_MAX : len;
}

/** Whether a call with these flags may wait. */
static inline bool hws_fd_may_wait(const struct hws_handle *handle, int flags)
{
    return !handle->sock->nonblocking && (flags & MSG_DONTWAIT) == 0;
}

/** How long a call waits. */
struct hws_fd_patience {
    uint64_t until_us;
    bool interrupted; /* by a signal: what the call asks for is tried once more, then it ends */
};

/** Of a call that may wait `timeout_us`; 0: without limit. */
struct hws_fd_patience hws_fd_patience(uint64_t timeout_us);

/** Waits after an attempt that was told `answer` (-EAGAIN, -EINPROGRESS). 0: try again. Else what
 * the call answers: `answer`, the time being over; -EINTR; -EBADF or -ESTALE, as hws_handle_wait.
 */
int hws_fd_wait(struct hws_handle *handle, enum hws_direction direction,
                struct hws_fd_patience *patience, int answer);

#endif

/* Calls that are declared and not there yet. */
#include "api/hawser/socket.h"

#include <errno.h>
#include <string.h>

#define STUB                                                                                       \
    {                                                                                              \
        errno = ENOSYS;                                                                            \
        return -1;                                                                                 \
    }
#pragma GCC diagnostic ignored "-Wunused-parameter"

int hws_socket(int domain, int type, int protocol) STUB
    int hws_runtime_socket(struct hws_runtime *runtime, int domain, int type, int protocol) STUB
    int hws_close(int fd) STUB int hws_shutdown(int fd, int how) STUB
    int hws_bind(int fd, const struct sockaddr *addr, socklen_t len) STUB
    int hws_bindx(int fd, struct sockaddr *addrs, int count, int flags) STUB
    int hws_listen(int fd, int backlog) STUB
    int hws_accept(int fd, struct sockaddr *addr, socklen_t *len) STUB
    int hws_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags) STUB
    int hws_connect(int fd, const struct sockaddr *addr, socklen_t len) STUB
    int hws_connectx(int fd, struct sockaddr *addrs, int count, sctp_assoc_t *id) STUB
    int hws_peeloff(int fd, sctp_assoc_t id) STUB
    int hws_peeloff_flags(int fd, sctp_assoc_t id, unsigned flags) STUB
    int hws_getsockname(int fd, struct sockaddr *addr, socklen_t *len) STUB
    int hws_getpeername(int fd, struct sockaddr *addr, socklen_t *len) STUB
    int hws_getpaddrs(int fd, sctp_assoc_t id, struct sockaddr **addrs) STUB
    int hws_freepaddrs(struct sockaddr *addrs) STUB
    int hws_getladdrs(int fd, sctp_assoc_t id, struct sockaddr **addrs) STUB
    int hws_freeladdrs(struct sockaddr *addrs) STUB ssize_t
    hws_send(int fd, const void *buf, size_t len, int flags) STUB ssize_t
    hws_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
               socklen_t tolen) STUB ssize_t
    hws_sendmsg(int fd, const struct msghdr *msg, int flags) STUB ssize_t
    hws_recv(int fd, void *buf, size_t len, int flags) STUB ssize_t
    hws_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *from,
                 socklen_t *fromlen) STUB ssize_t
    hws_recvmsg(int fd, struct msghdr *msg, int flags) STUB ssize_t
    hws_sendv(int fd, const struct iovec *iov, int iovcnt, struct sockaddr *addrs, int count,
              void *info, socklen_t infolen, unsigned infotype, int flags) STUB ssize_t
    hws_recvv(int fd, const struct iovec *iov, int iovcnt, struct sockaddr *from,
              socklen_t *fromlen, void *info, socklen_t *infolen, unsigned *infotype,
              int *flags) STUB ssize_t
    hws_sctp_send(int fd, const void *buf, size_t len, const struct sctp_sndrcvinfo *info,
                  int flags) STUB ssize_t
    hws_sctp_sendmsg(int fd, const void *buf, size_t len, const struct sockaddr *to,
                     socklen_t tolen, uint32_t ppid, uint32_t flags, uint16_t stream,
                     uint32_t timetolive_ms, uint32_t context) STUB ssize_t
    hws_sctp_recvmsg(int fd, void *buf, size_t len, struct sockaddr *from, socklen_t *fromlen,
                     struct sctp_sndrcvinfo *info, int *flags) STUB ssize_t
    hws_send_lent(int fd, const struct iovec *iov, int iovcnt, const struct sctp_sndinfo *info,
                  int flags, void (*release)(void *arg), void *arg) STUB ssize_t
    hws_recv_view(int fd, struct hws_view *view, int flags) STUB
    void hws_view_release(struct hws_view *view)
{
    memset(view, 0, sizeof(*view));
}
int hws_setsockopt(int fd, int level, int option, const void *value, socklen_t len) STUB
    int hws_getsockopt(int fd, int level, int option, void *value, socklen_t *len) STUB
    int hws_opt_info(int fd, sctp_assoc_t id, int option, void *arg, socklen_t *size) STUB
    int hws_fcntl(int fd, int cmd, ...) STUB struct hws_runtime *hws_runtime_default(void)
{
    errno = ENOSYS;
    return NULL;
}
const char *hws_runtime_default_error(void)
{
    return "";
}
int hws_runtime_run(struct hws_runtime *runtime) STUB
    int hws_runtime_fd(struct hws_runtime *runtime) STUB
    int hws_runtime_timeout_ms(struct hws_runtime *runtime) STUB

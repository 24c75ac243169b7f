/* The socket calls under the names a program for the kernel's SCTP uses; for hawser this header
 * renames them, and nothing else differs. To be included last. */
#ifndef HWS_SEMANTICS_CALLS_H
#define HWS_SEMANTICS_CALLS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef HWS_SEMANTICS_HAWSER
#include <hawser/socket.h>

#define socket hws_socket
#define bind hws_bind
#define listen hws_listen
#define accept hws_accept
#define accept4 hws_accept4
#define connect hws_connect
#define send hws_send
#define recv hws_recv
#define sendto hws_sendto
#define recvfrom hws_recvfrom
#define sendmsg hws_sendmsg
#define recvmsg hws_recvmsg
#define shutdown hws_shutdown
#define close hws_close
#define getsockname hws_getsockname
#define getpeername hws_getpeername
#define setsockopt hws_setsockopt
#define getsockopt hws_getsockopt
#define fcntl hws_fcntl
#define sctp_bindx hws_bindx
#define sctp_connectx hws_connectx
#define sctp_peeloff hws_peeloff
#define sctp_peeloff_flags hws_peeloff_flags
#define sctp_getpaddrs hws_getpaddrs
#define sctp_freepaddrs hws_freepaddrs
#define sctp_getladdrs hws_getladdrs
#define sctp_freeladdrs hws_freeladdrs
#define sctp_opt_info hws_opt_info
#define sctp_sendmsg hws_sctp_sendmsg
#define sctp_recvmsg hws_sctp_recvmsg
#define sctp_send hws_sctp_send
#define sctp_sendv hws_sendv
#define sctp_recvv hws_recvv
#else
#include <netinet/sctp.h>

/* Declared there, and not in the library. */
#define sctp_peeloff_flags kernel_peeloff_flags
static inline int kernel_peeloff_flags(int fd, sctp_assoc_t id, unsigned flags)
{
    sctp_peeloff_flags_arg_t argument = {.p_arg = {.associd = id}, .flags = flags};
    socklen_t size = sizeof(argument);
    return getsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF_FLAGS, &argument, &size);
}
#endif

#endif

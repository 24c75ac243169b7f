/* Options of level SOL_SOCKET (socket(7)). */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "api/sock/sockopt_value.h"

/* ---- SO_RCVBUF, SO_SNDBUF: the kernel sets, and tells, twice what it is asked for, so that half
 * of it can be overhead; the engine counts the half that is user data. ---- */

#define RCVBUF_MIN_BYTES 4096u
#define SNDBUF_MIN_BYTES 2304u
#define BUFFER_MAX_BYTES (INT_MAX / 2)

/* As in the kernel no size is wrong: those beyond a bound become it. */
static uint32_t buffer_bytes(int asked, uint32_t least)
{
    if ((uint32_t)asked > BUFFER_MAX_BYTES)
        return BUFFER_MAX_BYTES;
    return (uint32_t)asked > least ? (uint32_t)asked : least;
}

HWS_SOCKOPT_SET(rcvbuf)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.rcvbuf_bytes = buffer_bytes(value->number, RCVBUF_MIN_BYTES);
    params.rcvbuf_max_bytes = 0; /* who sets a size has it */
    if (params.pd_point_bytes > params.rcvbuf_bytes)
        params.pd_point_bytes = params.rcvbuf_bytes;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(rcvbuf)
{
    value->number = (int)(2 * target->sock->params.rcvbuf_bytes);
    return 0;
}

HWS_SOCKOPT_SET(sndbuf)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.sndbuf_bytes = buffer_bytes(value->number, SNDBUF_MIN_BYTES);
    params.sndbuf_max_bytes = 0;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(sndbuf)
{
    value->number = (int)(2 * target->sock->params.sndbuf_bytes);
    return 0;
}

/* ---- SO_TIMESTAMPNS: of what is received from then on ---- */

HWS_SOCKOPT_SET(timestampns)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.rx_times = value->number != 0;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(timestampns)
{
    value->number = target->sock->params.rx_times;
    return 0;
}

/* ---- SO_RCVTIMEO, SO_SNDTIMEO ---- */

/* A negative time, which the kernel takes as not to wait and tells as 0, is the shortest wait. */
#define TIMEOUT_MIN_US 1u

static int read_time(const struct timeval *time, uint64_t *us)
{
    if (time->tv_usec < 0 || time->tv_usec >= (suseconds_t)HWS_US_PER_S)
        return -EDOM;
    if (time->tv_sec < 0)
        *us = TIMEOUT_MIN_US;
    else if ((uint64_t)time->tv_sec >= UINT64_MAX / HWS_US_PER_S)
        *us = 0;
    else
        *us = (uint64_t)time->tv_sec * HWS_US_PER_S + (uint64_t)time->tv_usec;
    return 0;
}

static void write_time(uint64_t us, struct timeval *time)
{
    if (us == TIMEOUT_MIN_US)
        us = 0;
    *time = (struct timeval){.tv_sec = (time_t)(us / HWS_US_PER_S),
                             .tv_usec = (suseconds_t)(us % HWS_US_PER_S)};
}

HWS_SOCKOPT_SET(rcvtimeo)
{
    return read_time(&value->time, &target->sock->rcvtimeo_us);
}

HWS_SOCKOPT_GET(rcvtimeo)
{
    write_time(target->sock->rcvtimeo_us, &value->time);
    return 0;
}

HWS_SOCKOPT_SET(sndtimeo)
{
    return read_time(&value->time, &target->sock->sndtimeo_us);
}

HWS_SOCKOPT_GET(sndtimeo)
{
    write_time(target->sock->sndtimeo_us, &value->time);
    return 0;
}

/* ---- SO_LINGER: switched off, the time stays ---- */

HWS_SOCKOPT_SET(linger)
{
    struct linger *linger = &target->sock->linger;
    linger->l_onoff = value->linger.l_onoff != 0;
    if (linger->l_onoff != 0)
        linger->l_linger = value->linger.l_linger;
    return 0;
}

HWS_SOCKOPT_GET(linger)
{
    value->linger = target->sock->linger;
    return 0;
}

/* ---- Sharing of ports ---- */

HWS_SOCKOPT_SWITCH(reuse_address, reuse_address)
HWS_SOCKOPT_SWITCH(reuse_port, reuse_port)

/* SCTP_REUSE_PORT (RFC 6458, 8.1.27) */
HWS_SOCKOPT_SWITCH(sctp_reuse_port, sctp_reuse_port)

/* ---- SO_BINDTODEVICE: which interfaces are used is the link's, for all of its sockets ---- */

HWS_SOCKOPT_SET(interface)
{
    const char *used = target->sock->sockets->link.interface;
    if (strcmp(value->name, used) == 0)
        return 0;
    return value->name[0] == '\0' || if_nametoindex(value->name) != 0 ? -EOPNOTSUPP : -ENODEV;
}

int hws_sockopt_get_interface(const struct hws_sock *sock, void *value, socklen_t *len)
{
    const char *used = sock->sockets->link.interface;
    *len = used[0] != '\0' ? (socklen_t)strlen(used) + 1 : 0;
    memcpy(value, used, *len);
    return 0;
}

/* ---- What a socket is ---- */

HWS_SOCKOPT_GET(error)
{
    value->number = hws_sock_take_error(target->sock);
    return 0;
}

HWS_SOCKOPT_GET(type)
{
    value->number = hws_sockopt_is_one_to_one(target->sock) ? SOCK_STREAM : SOCK_SEQPACKET;
    return 0;
}

HWS_SOCKOPT_GET(protocol)
{
    (void)target;
    value->number = IPPROTO_SCTP;
    return 0;
}

HWS_SOCKOPT_GET(domain)
{
    value->number = target->sock->family;
    return 0;
}

HWS_SOCKOPT_GET(listening)
{
    value->number = target->sock->state == HWS_SOCK_LISTENING;
    return 0;
}

/* The public calls about addresses and paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/hawser/hawser.h"
#include "api/sock/sockaddr.h"
#include "api/sock/socket.h"
#include "api/sock/sockopt_value.h"

static int posix(int rc)
{
    if (rc >= 0)
        return rc;
    errno = -rc;
    return -1;
}

/* ---- Lists of addresses: back to back, as bindx and connectx take them ---- */

static int write_packed(const struct hws_addr *addrs, uint32_t count, uint16_t port,
                        struct sockaddr **out)
{
    struct sockaddr_storage storage;
    uint8_t *packed = malloc(count * sizeof(storage));
    size_t len = 0;
    if (packed == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        socklen_t one = hws_sockaddr_write(&addrs[i], port, &storage);
        memcpy(packed + len, &storage, one);
        len += one;
    }
    *out = (struct sockaddr *)(void *)packed;
    return (int)count;
}

static uint32_t peer_addresses(const struct hws_sock *sock, struct hws_addr *addrs, uint16_t *port)
{
    const struct hws_engine *engine = sock->sockets->engine;
    struct hws_assoc_status status;
    struct hws_path_status path;
    uint32_t count = 0;
    if (sock->assoc == 0 || hws_assoc_status(engine, sock->assoc, &status) < 0)
        return 0;
    *port = status.remote_port;
    for (uint32_t i = 0; i < status.path_count; i++) {
        if (hws_assoc_path_status(engine, sock->assoc, i, &path) == HWS_OK)
            addrs[count++] = path.remote;
    }
    return count;
}

int hws_one_getpaddrs(const struct hws_sock *sock, sctp_assoc_t id, struct sockaddr **addrs)
{
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    uint16_t port;
    (void)id;
    *addrs = NULL;
    uint32_t count = peer_addresses(sock, remotes, &port);
    return count == 0 ? 0 : posix(write_packed(remotes, count, port, addrs));
}

void hws_one_freepaddrs(struct sockaddr *addrs)
{
    free(addrs);
}

int hws_one_getladdrs(const struct hws_sock *sock, sctp_assoc_t id, struct sockaddr **addrs)
{
    static const struct hws_addr any = {.family = HWS_FAMILY_NONE};
    (void)id;
    *addrs = NULL;
    if (sock->port == NULL)
        return 0;
    if (sock->local_count == 0)
        return posix(write_packed(&any, 1, hws_sock_port(sock), addrs));
    return posix(write_packed(sock->locals, sock->local_count, hws_sock_port(sock), addrs));
}

void hws_one_freeladdrs(struct sockaddr *addrs)
{
    free(addrs);
}

/* ---- What is known of a path ---- */

int hws_one_path_info(const struct hws_sock *sock, size_t index, struct hws_one_path_info *info)
{
    const struct hws_engine *engine = sock->sockets->engine;
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (sock->assoc == 0 || hws_assoc_status(engine, sock->assoc, &status) < 0)
        return posix(-ENOTCONN);
    if (index >= status.path_count ||
        hws_assoc_path_status(engine, sock->assoc, (uint32_t)index, &path) < 0)
        return posix(-ENOENT);
    *info = (struct hws_one_path_info){
        .state = hws_sockopt_path_state(&path),
        .primary = path.primary,
        .mtu_bytes = path.mtu,
        .cwnd_bytes = path.cwnd,
        .ssthresh_bytes = path.ssthresh,
        .flight_bytes = path.flight_bytes,
        .srtt_us = path.srtt_us,
        .rttvar_us = path.rttvar_us,
        .rto_us = path.rto_us,
        .errors = path.errors,
        .heartbeat_rtt_us = path.heartbeat_rtt_us,
        .heartbeats_acked = path.heartbeats_acked,
    };
    hws_sockaddr_write(&path.remote, status.remote_port, &info->remote);
    hws_sockaddr_write(&path.local, status.local_port, &info->local);
    return 0;
}

/* ---- Path events ---- */

static int change_of(enum hws_event_type type)
{
    switch (type) {
    case HWS_EVENT_PATH_CONFIRMED:
        return SCTP_ADDR_CONFIRMED;
    case HWS_EVENT_PATH_FAILING:
        return SCTP_ADDR_POTENTIALLY_FAILED;
    case HWS_EVENT_PATH_DOWN:
        return SCTP_ADDR_UNREACHABLE;
    default:
        return SCTP_ADDR_AVAILABLE;
    }
}

static uint16_t remote_port(const struct hws_sock *sock)
{
    struct hws_assoc_status status;
    bool known = hws_assoc_status(sock->sockets->engine, sock->assoc, &status) == HWS_OK;
    return known ? status.remote_port : 0;
}

int hws_one_path_event(struct hws_sock *sock, struct sctp_paddr_change *change)
{
    struct hws_sock_path_event event;
    struct sockaddr_storage address;
    int rc = hws_sock_path_event(sock, &event);
    if (rc < 0)
        return posix(rc);
    hws_sockaddr_write(&event.remote, remote_port(sock), &address);
    *change = (struct sctp_paddr_change){
        .spc_type = SCTP_PEER_ADDR_CHANGE,
        .spc_length = sizeof(*change),
        .spc_aaddr = address,
        .spc_state = change_of(event.type),
    };
    return 0;
}

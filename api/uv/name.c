/* Names, options and paths of a handle. */
#include "api/uv/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"
#include "api/sock/sockopt.h"
#include "api/sock/sockopt_state.h"
#include "api/sock/sockopt_value.h"

static int write_name(const hws_uv_t *handle, const struct hws_addr *from, uint16_t port,
                      struct sockaddr *addr, int *len)
{
    struct sockaddr_storage storage;
    int need = (int)hws_sock_write_address(handle->sock, from, port, &storage);
    if (*len < 0)
        return UV_EINVAL;
    memcpy(addr, &storage, (size_t)(need < *len ? need : *len));
    *len = need;
    return 0;
}

/* Of a handle that has one association only its association, whatever `id` is. */
static hws_assoc_id association(const hws_uv_t *handle, sctp_assoc_t id)
{
    const struct hws_member *member;
    if (handle->sock == NULL)
        return 0;
    member = hws_uv_is_many(handle) ? hws_sock_member(handle->sock, id)
                                    : hws_sock_only_member(handle->sock);
    return member != NULL ? member->assoc : 0;
}

static bool status_of(const hws_uv_t *handle, hws_assoc_id assoc, struct hws_assoc_status *status)
{
    return assoc != 0 && hws_assoc_status(handle->sock->sockets->engine, assoc, status) == HWS_OK;
}

static bool path_of(const hws_uv_t *handle, hws_assoc_id assoc, uint32_t index,
                    struct hws_path_status *path)
{
    return hws_assoc_path_status(handle->sock->sockets->engine, assoc, index, path) == HWS_OK;
}

static bool primary_path(const hws_uv_t *handle, struct hws_assoc_status *status,
                         struct hws_path_status *path)
{
    hws_assoc_id assoc = hws_uv_is_many(handle) ? 0 : association(handle, 0);
    return assoc != 0 &&
           hws_sock_primary_path(handle->sock->sockets, assoc, status, path) == HWS_OK;
}

/* As long as the network chooses the source address the path does not have one either. */
int hws_uv_getsockname(const hws_uv_t *handle, struct sockaddr *addr, int *len)
{
    const struct hws_sock *sock = handle->sock;
    struct hws_assoc_status status;
    struct hws_path_status path = {0};
    const struct hws_addr *local = &path.local;
    if (sock == NULL || sock->port == NULL)
        return UV_EINVAL;
    if (!primary_path(handle, &status, &path) && sock->local_count > 0)
        local = &sock->locals[0];
    return write_name(handle, local, hws_sock_port(sock), addr, len);
}

int hws_uv_getpeername(const hws_uv_t *handle, struct sockaddr *addr, int *len)
{
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (!primary_path(handle, &status, &path))
        return UV_ENOTCONN;
    return write_name(handle, &path.remote, status.remote_port, addr, len);
}

/* ---- Lists of addresses: back to back, as bindx and connectx take them ---- */

static int write_packed(const hws_uv_t *handle, const struct hws_addr *addrs, uint32_t count,
                        uint16_t port, struct sockaddr **out)
{
    struct sockaddr_storage storage;
    uint8_t *packed = malloc(count * sizeof(storage));
    size_t len = 0;
    if (packed == NULL)
        return UV_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        socklen_t one = hws_sock_write_address(handle->sock, &addrs[i], port, &storage);
        memcpy(packed + len, &storage, one);
        len += one;
    }
    *out = (struct sockaddr *)(void *)packed;
    return (int)count;
}

int hws_uv_getpaddrs(const hws_uv_t *handle, sctp_assoc_t id, struct sockaddr **addrs)
{
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    uint16_t port;
    *addrs = NULL;
    int count = handle->sock != NULL ? hws_sock_peers(handle->sock, id, remotes, &port) : 0;
    return count > 0 ? write_packed(handle, remotes, (uint32_t)count, port, addrs) : 0;
}

int hws_uv_getladdrs(const hws_uv_t *handle, sctp_assoc_t id, struct sockaddr **addrs)
{
    static const struct hws_addr any = {.family = HWS_FAMILY_NONE};
    const struct hws_sock *sock = handle->sock;
    (void)id;
    *addrs = NULL;
    if (sock == NULL || sock->port == NULL)
        return 0;
    if (sock->local_count == 0)
        return write_packed(handle, &any, 1, hws_sock_port(sock), addrs);
    return write_packed(handle, sock->locals, sock->local_count, hws_sock_port(sock), addrs);
}

void hws_uv_freepaddrs(struct sockaddr *addrs)
{
    free(addrs);
}

void hws_uv_freeladdrs(struct sockaddr *addrs)
{
    free(addrs);
}

/* ---- Paths ---- */

/* Those that turned out not to be the peer's do not count. */
static bool nth_path(const hws_uv_t *handle, hws_assoc_id assoc,
                     const struct hws_assoc_status *status, unsigned index,
                     struct hws_path_status *path)
{
    for (uint32_t i = 0; i < status->path_count; i++) {
        if (path_of(handle, assoc, i, path) && index-- == 0)
            return true;
    }
    return false;
}

int hws_uv_get_path(const hws_uv_t *handle, sctp_assoc_t id, unsigned index, hws_uv_path_t *path)
{
    hws_assoc_id assoc = association(handle, id);
    struct hws_assoc_status status;
    struct hws_path_status of;
    if (!status_of(handle, assoc, &status))
        return UV_ENOTCONN;
    if (!nth_path(handle, assoc, &status, index, &of))
        return UV_ENOENT;
    *path = (hws_uv_path_t){
        .state = hws_sockopt_path_state(&of),
        .primary = of.primary,
        .mtu_bytes = of.mtu,
        .cwnd_bytes = of.cwnd,
        .ssthresh_bytes = of.ssthresh,
        .flight_bytes = of.flight_bytes,
        .srtt_us = of.srtt_us,
        .rttvar_us = of.rttvar_us,
        .rto_us = of.rto_us,
        .errors = of.errors,
        .heartbeat_rtt_us = of.heartbeat_rtt_us,
        .heartbeats_acked = of.heartbeats_acked,
    };
    hws_sock_write_address(handle->sock, &of.remote, status.remote_port, &path->remote);
    hws_sock_write_address(handle->sock, &of.local, status.local_port, &path->local);
    return 0;
}

/* ---- Options ---- */

int hws_uv_setsockopt(hws_uv_t *handle, int level, int option, const void *value, int len)
{
    int rc = len >= 0 ? hws_uv_open(handle) : UV_EINVAL;
    if (rc < 0)
        return rc;
    uint64_t now_us = hws_env_now_us();
    rc = hws_sockopt_set(handle->sock, level, option, value, (socklen_t)len, now_us);
    if (rc == 0) /* a HEARTBEAT may be due, or data may go another way */
        hws_uv_changed(handle);
    return rc;
}

int hws_uv_getsockopt(hws_uv_t *handle, int level, int option, void *value, int *len)
{
    int rc = len != NULL && *len >= 0 ? hws_uv_open(handle) : UV_EINVAL;
    if (rc < 0)
        return rc;
    socklen_t size = (socklen_t)*len;
    rc = hws_sockopt_get(handle->sock, level, option, value, &size);
    *len = (int)size;
    return rc;
}

/* Names, options and paths of a handle. */
#include "api/uv/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"
#include "api/sock/sockaddr.h"
#include "api/sock/sockopt.h"

static int write_name(const struct hws_addr *from, uint16_t port, struct sockaddr *addr, int *len)
{
    struct sockaddr_storage storage;
    int need = (int)hws_sockaddr_write(from, port, &storage);
    if (*len < 0)
        return UV_EINVAL;
    memcpy(addr, &storage, (size_t)(need < *len ? need : *len));
    *len = need;
    return 0;
}

static bool status_of(const hws_uv_t *handle, struct hws_assoc_status *status)
{
    const struct hws_sock *sock = handle->sock;
    return sock != NULL && sock->assoc != 0 &&
           hws_assoc_status(sock->sockets->engine, sock->assoc, status) == HWS_OK;
}

static bool path_of(const hws_uv_t *handle, uint32_t index, struct hws_path_status *path)
{
    const struct hws_sock *sock = handle->sock;
    return hws_assoc_path_status(sock->sockets->engine, sock->assoc, index, path) == HWS_OK;
}

static bool primary_path(const hws_uv_t *handle, struct hws_assoc_status *status,
                         struct hws_path_status *path)
{
    return status_of(handle, status) && path_of(handle, status->primary, path);
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
    return write_name(local, hws_sock_port(sock), addr, len);
}

int hws_uv_getpeername(const hws_uv_t *handle, struct sockaddr *addr, int *len)
{
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (!primary_path(handle, &status, &path))
        return UV_ENOTCONN;
    return write_name(&path.remote, status.remote_port, addr, len);
}

/* ---- Lists of addresses: back to back, as bindx and connectx take them ---- */

static int write_packed(const struct hws_addr *addrs, uint32_t count, uint16_t port,
                        struct sockaddr **out)
{
    struct sockaddr_storage storage;
    uint8_t *packed = malloc(count * sizeof(storage));
    size_t len = 0;
    if (packed == NULL)
        return UV_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        socklen_t one = hws_sockaddr_write(&addrs[i], port, &storage);
        memcpy(packed + len, &storage, one);
        len += one;
    }
    *out = (struct sockaddr *)(void *)packed;
    return (int)count;
}

int hws_uv_getpaddrs(const hws_uv_t *handle, sctp_assoc_t id, struct sockaddr **addrs)
{
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    struct hws_assoc_status status;
    struct hws_path_status path;
    uint32_t count = 0;
    (void)id;
    *addrs = NULL;
    if (!status_of(handle, &status))
        return 0;
    for (uint32_t i = 0; i < status.path_count; i++) {
        if (path_of(handle, i, &path))
            remotes[count++] = path.remote;
    }
    return count == 0 ? 0 : write_packed(remotes, count, status.remote_port, addrs);
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
        return write_packed(&any, 1, hws_sock_port(sock), addrs);
    return write_packed(sock->locals, sock->local_count, hws_sock_port(sock), addrs);
}

void hws_uv_freepaddrs(struct sockaddr *addrs)
{
    free(addrs);
}

void hws_uv_freeladdrs(struct sockaddr *addrs)
{
    free(addrs);
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
        hws_uv_changed(handle, now_us);
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

/* How associations begin and end: bind, listen, accept, connect, shutdown, abort. */
#include "api/uv/handle.h"

#include <errno.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"
#include "api/sock/sockaddr.h"
#include "api/sock/sockopt_state.h"

static socklen_t length_of(const struct sockaddr *addr)
{
    return addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* ---- Binding ---- */

static int bind_to(hws_uv_t *handle, const struct hws_addr *locals, uint32_t count, uint16_t port)
{
    int rc = hws_uv_open(handle);
    return rc < 0 ? rc : hws_sock_bind(handle->sock, locals, count, port);
}

int hws_uv_bind(hws_uv_t *handle, const struct sockaddr *addr)
{
    struct hws_addr local;
    uint16_t port;
    int rc = hws_sockaddr_read(addr, length_of(addr), &local, &port);
    return rc < 0 ? rc : bind_to(handle, &local, 1, port);
}

int hws_uv_bindx(hws_uv_t *handle, const struct sockaddr *addrs, int count, int flags)
{
    struct hws_addr locals[HWS_LIMIT_PATHS];
    uint16_t port;
    if (flags != SCTP_BINDX_ADD_ADDR)
        return UV_ENOTSUP;
    int rc = hws_sockaddr_read_packed(addrs, count, locals, HWS_LIMIT_PATHS, &port);
    return rc < 0 ? rc : bind_to(handle, locals, (uint32_t)count, port);
}

/* ---- Listening ---- */

int hws_uv_listen(hws_uv_t *handle, int backlog, hws_uv_connection_cb cb)
{
    int rc = cb != NULL ? hws_uv_open(handle) : UV_EINVAL;
    if (rc == 0)
        rc = hws_sock_listen(handle->sock, backlog > 0 ? (uint32_t)backlog : 1);
    if (rc < 0)
        return rc;
    handle->connection_cb = cb;
    handle->flags |= HWS_UV_LISTENING;
    hws_uv_settle(handle);
    return 0;
}

static bool association_waits(const hws_uv_t *handle)
{
    return hws_uv_is(handle, HWS_UV_LISTENING) &&
           (hws_sock_ready(handle->sock) & HWS_SOCK_READABLE) != 0;
}

bool hws_uv_step_accept(hws_uv_t *handle)
{
    while (association_waits(handle)) {
        uint64_t accepted = handle->accepted;
        handle->connection_cb(handle, 0);
        if (hws_uv_is(handle, HWS_UV_CLOSING))
            return false;
        if (handle->accepted == accepted)
            break;
    }
    return true;
}

int hws_uv_accept(hws_uv_t *server, hws_uv_t *client)
{
    struct hws_sock *sock;
    if (hws_uv_is(server, HWS_UV_CLOSING) || hws_uv_is(client, HWS_UV_CLOSING))
        return UV_EBADF;
    if (!hws_uv_is(server, HWS_UV_LISTENING) || client->runtime != server->runtime)
        return UV_EINVAL;
    if (client->sock != NULL)
        return UV_EBUSY;
    int rc = hws_sock_accept(server->sock, &sock);
    if (rc < 0)
        return rc;
    hws_uv_take(client, sock);
    server->accepted++;
    if (association_waits(server))
        hws_uv_schedule(server);
    return 0;
}

/* ---- Connecting ---- */

static int connect_to(hws_uv_connect_t *request, hws_uv_t *handle, struct hws_addr *remotes,
                      uint32_t count, uint16_t port, hws_uv_connect_cb cb)
{
    int rc = hws_uv_open(handle);
    if (rc < 0)
        return rc;
    uint64_t now_us = hws_env_now_us();
    for (uint32_t i = 0; i < count; i++)
        remotes[i].udp_port = hws_sock_peer_udp_port(handle->sock);
    rc = hws_sock_connect(handle->sock, remotes, count, port, now_us);
    if (rc != -EINPROGRESS)
        return rc;
    request->handle = handle;
    request->cb = cb;
    handle->connect_request = request;
    hws_uv_changed(handle, now_us);
    hws_uv_settle(handle);
    return 0;
}

int hws_uv_connect(hws_uv_connect_t *request, hws_uv_t *handle, const struct sockaddr *addr,
                   hws_uv_connect_cb cb)
{
    struct hws_addr remote;
    uint16_t port;
    int rc = hws_sockaddr_read(addr, length_of(addr), &remote, &port);
    return rc < 0 ? rc : connect_to(request, handle, &remote, 1, port, cb);
}

int hws_uv_connectx(hws_uv_connect_t *request, hws_uv_t *handle, const struct sockaddr *addrs,
                    int count, hws_uv_connect_cb cb)
{
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    uint16_t port;
    int rc = hws_sockaddr_read_packed(addrs, count, remotes, HWS_LIMIT_PATHS, &port);
    return rc < 0 ? rc : connect_to(request, handle, remotes, (uint32_t)count, port, cb);
}

bool hws_uv_step_connect(hws_uv_t *handle)
{
    hws_uv_connect_t *request = handle->connect_request;
    if (request == NULL)
        return true;
    int rc = hws_uv_over(handle) ? handle->error : hws_sock_connect_result(handle->sock);
    if (rc == -EINPROGRESS)
        return true;
    handle->connect_request = NULL;
    if (request->cb != NULL)
        request->cb(request, rc);
    return !hws_uv_is(handle, HWS_UV_CLOSING);
}

/* ---- The end ---- */

int hws_uv_shutdown(hws_uv_shutdown_t *request, hws_uv_t *handle, hws_uv_shutdown_cb cb)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return UV_EBADF;
    if (handle->shutdown_request != NULL)
        return UV_EALREADY;
    if (!hws_uv_has_association(handle) || hws_uv_over(handle))
        return UV_ENOTCONN;
    request->handle = handle;
    request->cb = cb;
    handle->shutdown_request = request;
    hws_uv_schedule(handle);
    return 0;
}

static void begin_shutdown(hws_uv_t *handle)
{
    uint64_t now_us = hws_env_now_us();
    if (hws_uv_is(handle, HWS_UV_SHUT) || handle->connect_request != NULL ||
        handle->waiting.first != NULL)
        return;
    if (hws_sock_shutdown(handle->sock, now_us) < 0)
        return;
    handle->flags |= HWS_UV_SHUT;
    hws_uv_changed(handle, now_us);
}

bool hws_uv_step_shutdown(hws_uv_t *handle)
{
    hws_uv_shutdown_t *request = handle->shutdown_request;
    if (request == NULL)
        return true;
    if (!hws_uv_over(handle)) {
        begin_shutdown(handle);
        return true;
    }
    handle->shutdown_request = NULL;
    if (request->cb != NULL)
        request->cb(request, handle->error);
    return !hws_uv_is(handle, HWS_UV_CLOSING);
}

int hws_uv_abort(hws_uv_t *handle, const void *reason, size_t reason_len)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return UV_EBADF;
    if (handle->sock == NULL)
        return UV_ENOTCONN;
    uint64_t now_us = hws_env_now_us();
    int rc = hws_sock_abort(handle->sock, reason, reason_len, now_us);
    if (rc == 0)
        hws_uv_changed(handle, now_us);
    return rc;
}

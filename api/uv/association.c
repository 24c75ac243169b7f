/* How associations begin and end: bind, listen, accept, connect, shutdown, abort. */
#include "api/uv/handle.h"

#include <errno.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"
#include "api/sock/sockaddr.h"
#include "api/sock/sockopt_state.h"

/* ---- Binding ---- */

int hws_uv_bind(hws_uv_t *handle, const struct sockaddr *addr)
{
    struct hws_addr local;
    uint16_t port;
    int rc = hws_sockaddr_read_packed(addr, 1, &local, 1, &port);
    if (rc == 0)
        rc = hws_uv_open(handle);
    return rc < 0 ? rc : hws_sock_bind(handle->sock, &local, 1, port);
}

int hws_uv_bindx(hws_uv_t *handle, const struct sockaddr *addrs, int count, int flags)
{
    struct hws_addr locals[HWS_LIMIT_PATHS];
    uint16_t port;
    if (flags != SCTP_BINDX_ADD_ADDR && flags != SCTP_BINDX_REM_ADDR)
        return UV_EINVAL;
    int rc = hws_sockaddr_read_packed(addrs, count, locals, HWS_LIMIT_PATHS, &port);
    if (rc == 0)
        rc = hws_uv_open(handle);
    if (rc < 0)
        return rc;
    return flags == SCTP_BINDX_ADD_ADDR
               ? hws_sock_bindx_add(handle->sock, locals, (uint32_t)count, port)
               : hws_sock_bindx_rem(handle->sock, locals, (uint32_t)count, port);
}

/* ---- Listening ---- */

int hws_uv_listen(hws_uv_t *handle, int backlog, hws_uv_connection_cb cb)
{
    bool many = hws_uv_is_many(handle);
    int rc = cb != NULL || many ? hws_uv_open(handle) : UV_EINVAL;
    if (rc == 0)
        rc = hws_sock_listen(handle->sock, backlog > 0 || many ? backlog : 1);
    if (rc < 0 || many)
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
    int rc = hws_uv_check_client(server, client);
    if (rc == 0)
        rc = hws_uv_is(server, HWS_UV_LISTENING) ? hws_sock_accept(server->sock, &sock) : UV_EINVAL;
    if (rc < 0)
        return rc;
    hws_uv_take(client, sock);
    server->accepted++;
    if (association_waits(server))
        hws_uv_schedule(server);
    return 0;
}

int hws_uv_peeloff(hws_uv_t *handle, sctp_assoc_t id, hws_uv_t *client)
{
    struct hws_sock *sock;
    int rc = hws_uv_check_client(handle, client);
    if (rc == 0)
        rc = hws_sock_peeloff(handle->sock, id, &sock, hws_env_now_us());
    if (rc < 0)
        return rc;
    hws_uv_take(client, sock);
    hws_uv_changed(handle); /* what waited for that association, or behind it, waits no more */
    return 0;
}

/* ---- Connecting ---- */

int hws_uv_read_peer(const hws_uv_t *handle, const struct sockaddr *addrs, int count,
                     struct hws_addr *remotes, uint16_t *port)
{
    int rc = hws_sockaddr_read_packed(addrs, count, remotes, HWS_LIMIT_PATHS, port);
    for (int i = 0; i < count && rc == 0; i++)
        remotes[i].udp_port = hws_sock_peer_udp_port(handle->sock);
    return rc;
}

static void append(hws_uv_connect_t **list, hws_uv_connect_t *request)
{
    while (*list != NULL)
        list = &(*list)->next;
    *list = request;
}

int hws_uv_connectx(hws_uv_connect_t *request, hws_uv_t *handle, const struct sockaddr *addrs,
                    int count, hws_uv_connect_cb cb)
{
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    uint16_t port;
    uint64_t now_us = hws_env_now_us();
    int rc = hws_uv_open(handle);
    if (rc == 0)
        rc = hws_uv_read_peer(handle, addrs, count, remotes, &port);
    if (rc == 0)
        rc = hws_sock_connect(handle->sock, remotes, (uint32_t)count, port, true,
                              &request->assoc_id, now_us);
    if (rc != -EINPROGRESS)
        return rc;
    request->handle = handle;
    request->cb = cb;
    request->next = NULL;
    append(&handle->connects, request);
    handle->flags &= ~HWS_UV_OVER; /* one that failed can be tried again */
    handle->error = 0;
    hws_uv_changed(handle);
    hws_uv_settle(handle);
    return 0;
}

int hws_uv_connect(hws_uv_connect_t *request, hws_uv_t *handle, const struct sockaddr *addr,
                   hws_uv_connect_cb cb)
{
    return hws_uv_connectx(request, handle, addr, 1, cb);
}

/* Takes the first request that has come to its end. */
static hws_uv_connect_t *take_connected(hws_uv_t *handle, int *status)
{
    uint64_t now_us = hws_env_now_us();
    hws_uv_connect_t **at;
    for (at = &handle->connects; *at != NULL; at = &(*at)->next) {
        hws_uv_connect_t *request = *at;
        *status = hws_sock_connect_result_of(handle->sock, request->assoc_id, now_us);
        if (*status != -EINPROGRESS) {
            *at = request->next;
            return request;
        }
    }
    return NULL;
}

bool hws_uv_step_connect(hws_uv_t *handle)
{
    hws_uv_connect_t *request;
    int status;
    while (handle->connects != NULL && (request = take_connected(handle, &status)) != NULL) {
        if (status < 0 && !hws_uv_is_many(handle))
            handle->error = status;
        if (request->cb != NULL)
            request->cb(request, status);
        if (hws_uv_is(handle, HWS_UV_CLOSING))
            return false;
    }
    return true;
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
    if (hws_uv_is(handle, HWS_UV_SHUT) || handle->connects != NULL || handle->waiting.first != NULL)
        return;
    if (hws_sock_shutdown(handle->sock, now_us) < 0)
        return;
    handle->flags |= HWS_UV_SHUT;
    hws_uv_changed(handle);
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
        hws_uv_changed(handle);
    return rc;
}

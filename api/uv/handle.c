/* Life of a handle: its timer, its steps, its end. */
#include "api/uv/handle.h"

#include <stddef.h>
#include <string.h>

#include "api/runtime/env.h"
#include "api/runtime/loop.h"
#include "api/runtime/runtime.h"

/* A timer set so far ahead never fires: it is there to keep the loop alive. */
#define NEVER_MS UINT64_MAX

/* ---- The loop ---- */

static bool wants_loop(const hws_uv_t *handle)
{
    return hws_uv_is(handle, HWS_UV_LISTENING) || handle->read_cb != NULL ||
           handle->connects != NULL || handle->shutdown_request != NULL || handle->lent_count > 0 ||
           handle->waiting.first != NULL || handle->done.first != NULL;
}

static void step(hws_uv_t *handle)
{
    bool open = hws_uv_step_connect(handle) && hws_uv_step_accept(handle) &&
                hws_uv_step_write(handle) && hws_uv_step_shutdown(handle) &&
                hws_uv_step_read(handle);
    if (open)
        hws_uv_settle(handle);
}

static void on_timer(uv_timer_t *timer)
{
    hws_uv_t *handle = timer->data;
    handle->flags &= ~(HWS_UV_SCHEDULED | HWS_UV_AWAKE);
    step(handle);
}

void hws_uv_schedule(hws_uv_t *handle)
{
    if (hws_uv_is(handle, HWS_UV_SCHEDULED) || hws_uv_is(handle, HWS_UV_CLOSING))
        return;
    handle->flags |= HWS_UV_SCHEDULED | HWS_UV_AWAKE;
    uv_timer_start(&handle->timer, on_timer, 0, 0);
}

void hws_uv_settle(hws_uv_t *handle)
{
    bool wanted = wants_loop(handle);
    if (hws_uv_is(handle, HWS_UV_SCHEDULED) || wanted == hws_uv_is(handle, HWS_UV_AWAKE))
        return;
    handle->flags ^= HWS_UV_AWAKE;
    if (wanted)
        uv_timer_start(&handle->timer, on_timer, NEVER_MS, 0);
    else
        uv_timer_stop(&handle->timer);
}

/* ---- The socket ---- */

bool hws_uv_over(hws_uv_t *handle)
{
    if (hws_uv_is(handle, HWS_UV_OVER) || (hws_sock_ready(handle->sock) & HWS_SOCK_CLOSED) == 0)
        return hws_uv_is(handle, HWS_UV_OVER);
    handle->flags |= HWS_UV_OVER;
    int error = hws_sock_take_error(handle->sock);
    if (error != 0)
        handle->error = -error;
    return true;
}

static void on_socket(struct hws_sock *sock, unsigned ready, void *arg)
{
    (void)sock;
    (void)ready;
    step(arg);
}

void hws_uv_take(hws_uv_t *handle, struct hws_sock *sock)
{
    handle->sock = sock;
    hws_sock_set_callback(sock, on_socket, handle);
}

int hws_uv_open(hws_uv_t *handle)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return UV_EBADF;
    if (handle->sock != NULL)
        return 0;
    enum hws_sock_style style =
        handle->type == SOCK_SEQPACKET ? HWS_SOCK_ONE_TO_MANY : HWS_SOCK_ONE_TO_ONE;
    struct hws_sock *sock = hws_sock_open(&handle->runtime->sockets, handle->domain, style);
    if (sock == NULL)
        return UV_ENOMEM;
    sock->options.plain_v4 = true;
    hws_uv_take(handle, sock);
    return 0;
}

int hws_uv_check_client(const hws_uv_t *server, const hws_uv_t *client)
{
    if (hws_uv_is(server, HWS_UV_CLOSING) || hws_uv_is(client, HWS_UV_CLOSING))
        return UV_EBADF;
    if (server->sock == NULL || client->runtime != server->runtime)
        return UV_EINVAL;
    return client->sock == NULL ? 0 : UV_EBUSY;
}

void hws_uv_changed(hws_uv_t *handle)
{
    hws_loop_kick(handle->runtime->loop);
}

/* ---- Handles ---- */

int hws_uv_init_ex(struct hws_runtime *runtime, hws_uv_t *handle, int domain, int type)
{
    const size_t after_data = offsetof(hws_uv_t, loop);
    if (runtime->loop == NULL)
        return UV_EINVAL;
    if (domain != AF_INET && domain != AF_INET6)
        return UV_EAFNOSUPPORT;
    if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
        return UV_EPROTONOSUPPORT;
    memset((char *)handle + after_data, 0, sizeof(*handle) - after_data);
    handle->loop = hws_loop_uv(runtime->loop);
    handle->runtime = runtime;
    handle->domain = domain;
    handle->type = type;
    uv_timer_init(handle->loop, &handle->timer);
    handle->timer.data = handle;
    return 0;
}

int hws_uv_init(struct hws_runtime *runtime, hws_uv_t *handle)
{
    return hws_uv_init_ex(runtime, handle, AF_INET6, SOCK_STREAM);
}

static void cancel_connects(hws_uv_t *handle)
{
    while (handle->connects != NULL) {
        hws_uv_connect_t *request = handle->connects;
        handle->connects = request->next;
        if (request->cb != NULL)
            request->cb(request, UV_ECANCELED);
    }
}

static void cancel_shutdown(hws_uv_t *handle)
{
    hws_uv_shutdown_t *request = handle->shutdown_request;
    handle->shutdown_request = NULL;
    if (request != NULL && request->cb != NULL)
        request->cb(request, UV_ECANCELED);
}

static void on_closed(uv_handle_t *timer)
{
    hws_uv_t *handle = timer->data;
    cancel_connects(handle);
    hws_uv_cancel_writes(handle);
    cancel_shutdown(handle);
    if (handle->close_cb != NULL)
        handle->close_cb(handle);
}

void hws_uv_finish_closing(hws_uv_t *handle)
{
    uv_close((uv_handle_t *)&handle->timer, on_closed);
}

void hws_uv_close(hws_uv_t *handle, hws_uv_close_cb cb)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return;
    handle->flags |= HWS_UV_CLOSING;
    handle->close_cb = cb;
    if (handle->sock != NULL) {
        uint64_t now_us = hws_env_now_us();
        hws_sock_close(handle->sock, now_us);
        handle->sock = NULL;
        hws_uv_changed(handle);
    }
    if (handle->lent_count == 0)
        hws_uv_finish_closing(handle);
}

int hws_uv_is_closing(const hws_uv_t *handle)
{
    return hws_uv_is(handle, HWS_UV_CLOSING);
}

int hws_uv_is_active(const hws_uv_t *handle)
{
    return !hws_uv_is(handle, HWS_UV_CLOSING) && wants_loop(handle);
}

void hws_uv_ref(hws_uv_t *handle)
{
    uv_ref((uv_handle_t *)&handle->timer);
}

void hws_uv_unref(hws_uv_t *handle)
{
    uv_unref((uv_handle_t *)&handle->timer);
}

int hws_uv_has_ref(const hws_uv_t *handle)
{
    return uv_has_ref((const uv_handle_t *)&handle->timer);
}

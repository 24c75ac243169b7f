/* Reading, while there is something and the application wants it. */
#include "api/uv/handle.h"

#include <errno.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"
#include "api/sock/sockopt_state.h"

/* What a reader is offered: room for most messages. */
#define SUGGESTED_BYTES 65536u
/* Reads before other handles of the loop get their turn. */
#define READS_PER_STEP 64u

static bool may_read(const hws_uv_t *handle)
{
    return !hws_uv_is(handle, HWS_UV_CLOSING) && handle->read_cb != NULL &&
           (hws_sock_ready(handle->sock) & HWS_SOCK_READABLE) != 0;
}

int hws_uv_read_start(hws_uv_t *handle, hws_uv_alloc_cb alloc_cb, hws_uv_read_cb read_cb)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return UV_EBADF;
    if (alloc_cb == NULL || read_cb == NULL || hws_uv_is(handle, HWS_UV_LISTENING))
        return UV_EINVAL;
    if (!hws_uv_is_many(handle) && !hws_uv_has_association(handle))
        return UV_ENOTCONN;
    int rc = hws_uv_open(handle);
    if (rc < 0)
        return rc;
    handle->alloc_cb = alloc_cb;
    handle->read_cb = read_cb;
    if (may_read(handle))
        hws_uv_schedule(handle);
    hws_uv_settle(handle);
    return 0;
}

int hws_uv_read_stop(hws_uv_t *handle)
{
    handle->alloc_cb = NULL;
    handle->read_cb = NULL;
    if (!hws_uv_is(handle, HWS_UV_CLOSING))
        hws_uv_settle(handle);
    return 0;
}

/* What is read, as the socket and as the application know it. */
struct received {
    struct hws_sock_recv msg;
    struct sockaddr_storage from;
    hws_uv_message_t message;
};

static void describe(const hws_uv_t *handle, struct received *received)
{
    const struct hws_sock_recv *msg = &received->msg;
    hws_sock_write_address(handle->sock, &msg->from, msg->from_port, &received->from);
    received->message = (hws_uv_message_t){
        .info = msg->rcv,
        .flags = msg->flags,
        .from = (const struct sockaddr *)&received->from,
        .next = msg->has_next ? &msg->next : NULL,
    };
    if (msg->rx_time_us != 0)
        received->message.timestamp = hws_env_realtime(msg->rx_time_us);
}

static ssize_t receive(hws_uv_t *handle, const uv_buf_t *buf, struct received *received)
{
    const struct hws_sock_iovec iov = {buf->base, buf->len};
    uint64_t now_us = hws_env_now_us();
    bool one = !hws_uv_is_many(handle);
    if (one)
        hws_uv_over(handle); /* keeps the error, which receiving would take away */
    received->msg = (struct hws_sock_recv){.iov = &iov, .iov_count = 1};
    int rc = hws_sock_recvmsg(handle->sock, &received->msg, now_us);
    if (rc < 0)
        return rc == UV_EAGAIN ? 0 : rc;
    if (received->msg.len == 0)
        return handle->error < 0 ? handle->error : UV_EOF;
    hws_uv_changed(handle); /* a window update may be due */
    describe(handle, received);
    return (ssize_t)received->msg.len;
}

/* One read and its callback; false: no further one now. An error of a one-to-many handle is that of
 * one association. */
static bool read_once(hws_uv_t *handle)
{
    uv_buf_t buf = uv_buf_init(NULL, 0);
    struct received received;
    hws_uv_read_cb read_cb = handle->read_cb;
    ssize_t nread = UV_ENOBUFS;
    handle->alloc_cb(handle, SUGGESTED_BYTES, &buf);
    if (!may_read(handle)) /* stopped or closed by the callback, which gets its buffer back */
        nread = 0;
    else if (buf.base != NULL && buf.len > 0)
        nread = receive(handle, &buf, &received);
    else
        hws_uv_schedule(handle);
    if (nread < 0 && nread != UV_ENOBUFS && !hws_uv_is_many(handle))
        hws_uv_read_stop(handle);
    read_cb(handle, nread, &buf, nread > 0 ? &received.message : NULL);
    return nread > 0 || (nread < 0 && nread != UV_ENOBUFS);
}

bool hws_uv_step_read(hws_uv_t *handle)
{
    bool more = !hws_uv_is(handle, HWS_UV_LISTENING);
    for (unsigned i = 0; i < READS_PER_STEP && more && may_read(handle); i++)
        more = read_once(handle);
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return false;
    if (more && may_read(handle))
        hws_uv_schedule(handle);
    return true;
}

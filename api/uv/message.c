/* Messages: requests that wait for the send buffer, and reading. */
#include "api/uv/handle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"

#define BUFS_MAX 64u
/* What a reader is offered: room for most messages. */
#define SUGGESTED_BYTES 65536u
/* Reads before other handles of the loop get their turn. */
#define READS_PER_STEP 64u

/* ---- Sending ---- */

static int read_sndinfo(const struct sctp_sndinfo *in, struct hws_sndinfo *out)
{
    const unsigned known = SCTP_UNORDERED | SCTP_SACK_IMMEDIATELY;
    if ((in->snd_flags & ~known) != 0)
        return UV_EINVAL;
    *out = (struct hws_sndinfo){.sid = in->snd_sid, .ppid = ntohl(in->snd_ppid)};
    if ((in->snd_flags & SCTP_UNORDERED) != 0)
        out->flags |= HWS_SEND_UNORDERED;
    if ((in->snd_flags & SCTP_SACK_IMMEDIATELY) != 0)
        out->flags |= HWS_SEND_SACK_IMMEDIATELY;
    return 0;
}

static int send_message(hws_uv_t *handle, const uv_buf_t *bufs, unsigned nbufs,
                        const struct sctp_sndinfo *info)
{
    struct hws_iovec parts[BUFS_MAX];
    struct hws_sndinfo sndinfo;
    int rc = read_sndinfo(info, &sndinfo);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < nbufs; i++)
        parts[i] = (struct hws_iovec){bufs[i].base, bufs[i].len};
    uint64_t now_us = hws_env_now_us();
    rc = hws_sock_send(handle->sock, &sndinfo, parts, nbufs, now_us);
    if (rc == 0)
        hws_uv_changed(handle, now_us);
    return rc;
}

static int may_write(hws_uv_t *handle, unsigned nbufs)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return UV_EBADF;
    if (nbufs < 1 || nbufs > BUFS_MAX)
        return UV_EINVAL;
    if (!hws_uv_has_association(handle))
        return UV_ENOTCONN;
    if (hws_uv_over(handle))
        return handle->error < 0 ? handle->error : UV_EPIPE;
    return handle->shutdown_request != NULL ? UV_EPIPE : 0;
}

static size_t total_bytes(const uv_buf_t *bufs, unsigned nbufs)
{
    size_t total = 0;
    for (unsigned i = 0; i < nbufs; i++)
        total += bufs[i].len;
    return total;
}

ssize_t hws_uv_try_write(hws_uv_t *handle, const uv_buf_t bufs[], unsigned nbufs,
                         const struct sctp_sndinfo *info)
{
    static const struct sctp_sndinfo plain;
    int rc = may_write(handle, nbufs);
    if (rc == 0 && handle->waiting.first != NULL)
        rc = UV_EAGAIN;
    if (rc == 0)
        rc = send_message(handle, bufs, nbufs, info != NULL ? info : &plain);
    return rc < 0 ? rc : (ssize_t)total_bytes(bufs, nbufs);
}

/* ---- Requests ---- */

static void append(struct hws_uv_write_list *list, hws_uv_write_t *request)
{
    request->next = NULL;
    if (list->last != NULL)
        list->last->next = request;
    else
        list->first = request;
    list->last = request;
}

static hws_uv_write_t *take_first(struct hws_uv_write_list *list)
{
    hws_uv_write_t *request = list->first;
    if (request == NULL)
        return NULL;
    list->first = request->next;
    if (list->first == NULL)
        list->last = NULL;
    return request;
}

static int keep_bufs(hws_uv_write_t *request, const uv_buf_t *bufs, unsigned nbufs)
{
    request->bufs = request->bufs_inline;
    if (nbufs > HWS_UV_BUFS_INLINE)
        request->bufs = malloc(nbufs * sizeof(*bufs));
    if (request->bufs == NULL)
        return UV_ENOMEM;
    memcpy(request->bufs, bufs, nbufs * sizeof(*bufs));
    request->buf_count = nbufs;
    return 0;
}

static void drop_bufs(hws_uv_write_t *request)
{
    if (request->bufs != request->bufs_inline)
        free(request->bufs);
    request->bufs = request->bufs_inline;
}

static void finish(hws_uv_t *handle, hws_uv_write_t *request, int status)
{
    drop_bufs(request);
    request->status = status;
    append(&handle->done, request);
}

static int wait_for_room(hws_uv_t *handle, hws_uv_write_t *request, const uv_buf_t *bufs,
                         unsigned nbufs)
{
    int rc = keep_bufs(request, bufs, nbufs);
    if (rc < 0)
        return rc;
    append(&handle->waiting, request);
    handle->waiting_bytes += request->bytes;
    handle->waiting_count++;
    hws_uv_settle(handle);
    return 0;
}

int hws_uv_write(hws_uv_write_t *request, hws_uv_t *handle, const uv_buf_t bufs[], unsigned nbufs,
                 const struct sctp_sndinfo *info, hws_uv_write_cb cb)
{
    int rc = may_write(handle, nbufs);
    if (rc < 0)
        return rc;
    request->handle = handle;
    request->cb = cb;
    request->info = info != NULL ? *info : (struct sctp_sndinfo){0};
    request->bytes = total_bytes(bufs, nbufs);
    request->bufs = request->bufs_inline;
    if (handle->waiting.first == NULL)
        rc = send_message(handle, bufs, nbufs, &request->info);
    else
        rc = UV_EAGAIN;
    if (rc == UV_EAGAIN)
        return wait_for_room(handle, request, bufs, nbufs);
    if (rc < 0)
        return rc;
    finish(handle, request, 0);
    hws_uv_schedule(handle);
    return 0;
}

/* An error is that of the association or of this message alone: the next one tells which. */
static int retry(hws_uv_t *handle, const hws_uv_write_t *request)
{
    if (hws_uv_over(handle))
        return handle->error < 0 ? handle->error : UV_EPIPE;
    return send_message(handle, request->bufs, request->buf_count, &request->info);
}

static void retry_waiting(hws_uv_t *handle)
{
    while (handle->waiting.first != NULL) {
        int rc = retry(handle, handle->waiting.first);
        if (rc == UV_EAGAIN)
            return;
        hws_uv_write_t *request = take_first(&handle->waiting);
        handle->waiting_bytes -= request->bytes;
        handle->waiting_count--;
        finish(handle, request, rc);
    }
}

/* What a callback writes is told of in a later turn. */
bool hws_uv_step_write(hws_uv_t *handle)
{
    retry_waiting(handle);
    const hws_uv_write_t *last = handle->done.last;
    for (bool more = last != NULL; more;) {
        hws_uv_write_t *request = take_first(&handle->done);
        more = request != last;
        if (request->cb != NULL)
            request->cb(request, request->status);
        if (hws_uv_is(handle, HWS_UV_CLOSING))
            return false;
    }
    return true;
}

void hws_uv_cancel_writes(hws_uv_t *handle)
{
    hws_uv_write_t *request;
    while ((request = take_first(&handle->waiting)) != NULL)
        finish(handle, request, UV_ECANCELED);
    handle->waiting_bytes = handle->waiting_count = 0;
    while ((request = take_first(&handle->done)) != NULL) {
        if (request->cb != NULL)
            request->cb(request, request->status);
    }
}

size_t hws_uv_get_write_queue_size(const hws_uv_t *handle)
{
    return handle->waiting_bytes;
}

size_t hws_uv_get_write_queue_count(const hws_uv_t *handle)
{
    return handle->waiting_count;
}

/* ---- Reading ---- */

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
    if (!hws_uv_has_association(handle))
        return UV_ENOTCONN;
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

static void write_message(const struct hws_rcvinfo *info, hws_uv_message_t *message)
{
    message->info = (struct sctp_rcvinfo){
        .rcv_sid = info->sid,
        .rcv_ssn = info->ssn,
        .rcv_flags = (info->flags & HWS_RECV_UNORDERED) != 0 ? SCTP_UNORDERED : 0,
        .rcv_ppid = htonl(info->ppid),
        .rcv_tsn = info->tsn,
    };
    message->flags = (info->flags & HWS_RECV_EOR) != 0 ? MSG_EOR : 0;
}

static ssize_t receive(hws_uv_t *handle, const uv_buf_t *buf, hws_uv_message_t *message)
{
    struct hws_rcvinfo info = {0};
    uint64_t now_us = hws_env_now_us();
    size_t len;
    hws_uv_over(handle); /* keeps the error, which receiving would take away */
    int rc = hws_sock_recv(handle->sock, buf->base, buf->len, &len, &info, now_us);
    if (rc < 0)
        return rc == UV_EAGAIN ? 0 : rc;
    if (len == 0)
        return handle->error < 0 ? handle->error : UV_EOF;
    hws_uv_changed(handle, now_us); /* a window update may be due */
    write_message(&info, message);
    return (ssize_t)len;
}

/* One read and its callback; false: no further one now. */
static bool read_once(hws_uv_t *handle)
{
    uv_buf_t buf = uv_buf_init(NULL, 0);
    hws_uv_message_t message;
    hws_uv_read_cb read_cb = handle->read_cb;
    ssize_t nread = UV_ENOBUFS;
    handle->alloc_cb(handle, SUGGESTED_BYTES, &buf);
    if (!may_read(handle)) /* stopped or closed by the callback, which gets its buffer back */
        nread = 0;
    else if (buf.base != NULL && buf.len > 0)
        nread = receive(handle, &buf, &message);
    else
        hws_uv_schedule(handle);
    if (nread < 0 && nread != UV_ENOBUFS)
        hws_uv_read_stop(handle);
    read_cb(handle, nread, &buf, nread > 0 ? &message : NULL);
    return nread > 0;
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

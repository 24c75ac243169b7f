/* Writing: messages go to the socket at once, or wait as requests for the send buffer. */
#include "api/uv/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"

#define BUFS_MAX 64u

/* Whom a message is for, when addresses say so. */
struct peer {
    uint32_t count;
    uint16_t port;
    struct hws_addr remotes[HWS_LIMIT_PATHS];
};

struct message {
    const uv_buf_t *bufs;
    unsigned buf_count;
    const struct sctp_sndinfo *info; /* NULL: the defaults */
    const struct peer *peer;         /* NULL: the association says it */
    hws_uv_write_t *lent;            /* whose bytes are not copied; NULL: they are */
};

static void on_release(void *arg);

/* ---- One message ---- */

static size_t total_bytes(const uv_buf_t *bufs, unsigned nbufs)
{
    size_t total = 0;
    for (unsigned i = 0; i < nbufs; i++)
        total += bufs[i].len;
    return total;
}

static int send_message(hws_uv_t *handle, const struct message *message)
{
    struct hws_iovec parts[BUFS_MAX];
    struct hws_sock_send msg = {.iov = parts, .iov_count = message->buf_count};
    const struct sctp_sndinfo *info = message->info;
    for (unsigned i = 0; i < message->buf_count; i++)
        parts[i] = (struct hws_iovec){message->bufs[i].base, message->bufs[i].len};
    if (info != NULL) {
        msg.has_info = true;
        msg.assoc_id = info->snd_assoc_id;
        msg.sid = info->snd_sid;
        msg.flags = info->snd_flags;
        msg.ppid = info->snd_ppid;
        msg.context = info->snd_context;
    }
    if (message->peer != NULL) {
        msg.remotes = message->peer->remotes;
        msg.remote_count = message->peer->count;
        msg.remote_port = message->peer->port;
    }
    if (message->lent != NULL) {
        msg.release = on_release;
        msg.release_arg = message->lent;
    }
    uint64_t now_us = hws_env_now_us();
    int rc = hws_sock_sendmsg(handle->sock, &msg, now_us);
    if (rc == 0) {
        handle->lent_count += message->lent != NULL;
        hws_uv_changed(handle);
    }
    return rc;
}

/* Sent to all it cannot wait: those that took it would get it again. */
static bool may_wait(const hws_uv_t *handle, const struct sctp_sndinfo *info)
{
    return !hws_uv_is_many(handle) || info == NULL || (info->snd_flags & SCTP_SENDALL) == 0;
}

static int may_write(hws_uv_t *handle, unsigned nbufs)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return UV_EBADF;
    if (nbufs > BUFS_MAX)
        return UV_EINVAL;
    if (hws_uv_is_many(handle))
        return hws_uv_open(handle);
    if (hws_uv_is(handle, HWS_UV_LISTENING))
        return UV_EPIPE;
    if (hws_uv_has_association(handle) && hws_uv_over(handle))
        return handle->error < 0 ? handle->error : UV_EPIPE;
    return handle->shutdown_request != NULL ? UV_EPIPE : 0;
}

/* The same where no address says whom it is for. */
static int may_write_on(hws_uv_t *handle, unsigned nbufs)
{
    int rc = may_write(handle, nbufs);
    return rc == 0 && !hws_uv_is_many(handle) && !hws_uv_has_association(handle) ? UV_ENOTCONN : rc;
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

static void drop_copies(hws_uv_write_t *request)
{
    if (request->bufs != request->bufs_inline)
        free(request->bufs);
    free(request->peer);
    request->bufs = request->bufs_inline;
    request->peer = NULL;
}

static int keep_copies(hws_uv_write_t *request, const struct message *message)
{
    unsigned count = message->buf_count;
    if (count > HWS_UV_BUFS_INLINE)
        request->bufs = malloc(count * sizeof(*request->bufs));
    if (message->peer != NULL)
        request->peer = malloc(sizeof(*message->peer));
    if (request->bufs == NULL || (message->peer != NULL && request->peer == NULL)) {
        drop_copies(request);
        return UV_ENOMEM;
    }
    memcpy(request->bufs, message->bufs, count * sizeof(*request->bufs));
    if (message->peer != NULL)
        memcpy(request->peer, message->peer, sizeof(*message->peer));
    request->buf_count = count;
    return 0;
}

static void finish(hws_uv_t *handle, hws_uv_write_t *request, int status)
{
    drop_copies(request);
    request->status = status;
    append(&handle->done, request);
}

/* The message was accepted: its bytes are free now, or will be. */
static void accepted(hws_uv_t *handle, hws_uv_write_t *request)
{
    if (request->lent)
        drop_copies(request);
    else
        finish(handle, request, 0);
}

static int lent_status(hws_uv_t *handle)
{
    if (hws_uv_is(handle, HWS_UV_CLOSING))
        return UV_ECANCELED;
    return !hws_uv_is_many(handle) && hws_uv_over(handle) ? handle->error : 0;
}

static void on_release(void *arg)
{
    hws_uv_write_t *request = arg;
    hws_uv_t *handle = request->handle;
    finish(handle, request, lent_status(handle));
    handle->lent_count--;
    if (!hws_uv_is(handle, HWS_UV_CLOSING))
        hws_uv_schedule(handle);
    else if (handle->lent_count == 0)
        hws_uv_finish_closing(handle);
}

static int wait_for_room(hws_uv_t *handle, hws_uv_write_t *request, const struct message *message)
{
    int rc = keep_copies(request, message);
    if (rc < 0)
        return rc;
    append(&handle->waiting, request);
    handle->waiting_bytes += request->bytes;
    handle->waiting_count++;
    hws_uv_settle(handle);
    return 0;
}

/* ---- Trying again ---- */

static const struct sctp_sndinfo *info_of(const hws_uv_write_t *request)
{
    return request->has_info ? &request->info : NULL;
}

/* Whether the association that the message is for has said that its buffer is full. */
static bool is_blocked(const hws_uv_t *handle, const struct message *message)
{
    const struct peer *peer = message->peer;
    const struct hws_member *member;
    if (peer != NULL)
        member = hws_sock_member_at(handle->sock, &peer->remotes[0], peer->port);
    else
        member =
            hws_sock_member(handle->sock, message->info != NULL ? message->info->snd_assoc_id : 0);
    return member != NULL && member->blocked;
}

static int retry(hws_uv_t *handle, hws_uv_write_t *request)
{
    const struct message message = {.bufs = request->bufs,
                                    .buf_count = request->buf_count,
                                    .info = info_of(request),
                                    .peer = request->peer,
                                    .lent = request->lent ? request : NULL};
    if (!hws_uv_is_many(handle) && hws_uv_over(handle))
        return handle->error < 0 ? handle->error : UV_EPIPE;
    return is_blocked(handle, &message) ? UV_EAGAIN : send_message(handle, &message);
}

/* Of each association in order; one that is full does not hold up the others. */
static void retry_waiting(hws_uv_t *handle)
{
    struct hws_uv_write_list waiting = handle->waiting;
    hws_uv_write_t *request;
    bool full = false;
    handle->waiting = (struct hws_uv_write_list){NULL, NULL};
    while ((request = take_first(&waiting)) != NULL) {
        int rc = full ? UV_EAGAIN : retry(handle, request);
        full = rc == UV_EAGAIN && !hws_uv_is_many(handle);
        if (rc == UV_EAGAIN) {
            append(&handle->waiting, request);
            continue;
        }
        handle->waiting_bytes -= request->bytes;
        handle->waiting_count--;
        if (rc == 0)
            accepted(handle, request);
        else
            finish(handle, request, rc);
    }
}

/* Once no other message of its association waits. */
static int send_in_order(hws_uv_t *handle, const struct message *message)
{
    if (handle->waiting.first != NULL) {
        retry_waiting(handle);
        if (handle->done.first != NULL)
            hws_uv_schedule(handle);
    }
    if (handle->waiting.first != NULL && is_blocked(handle, message))
        return UV_EAGAIN;
    return send_message(handle, message);
}

/* ---- The calls ---- */

static int write_message(hws_uv_write_t *request, hws_uv_t *handle, const struct message *message,
                         hws_uv_write_cb cb)
{
    request->handle = handle;
    request->cb = cb;
    request->has_info = message->info != NULL;
    request->lent = message->lent != NULL;
    if (message->info != NULL)
        request->info = *message->info;
    request->bytes = total_bytes(message->bufs, message->buf_count);
    request->bufs = request->bufs_inline;
    request->peer = NULL;
    int rc = send_in_order(handle, message);
    if (rc == UV_EAGAIN && may_wait(handle, message->info))
        return wait_for_room(handle, request, message);
    if (rc < 0)
        return rc;
    accepted(handle, request);
    if (handle->done.first != NULL)
        hws_uv_schedule(handle);
    hws_uv_settle(handle);
    return 0;
}

int hws_uv_write(hws_uv_write_t *request, hws_uv_t *handle, const uv_buf_t bufs[], unsigned nbufs,
                 const struct sctp_sndinfo *info, hws_uv_write_cb cb)
{
    const struct message message = {.bufs = bufs, .buf_count = nbufs, .info = info};
    int rc = may_write_on(handle, nbufs);
    return rc < 0 ? rc : write_message(request, handle, &message, cb);
}

int hws_uv_write_lent(hws_uv_write_t *request, hws_uv_t *handle, const uv_buf_t bufs[],
                      unsigned nbufs, const struct sctp_sndinfo *info, hws_uv_write_cb cb)
{
    const struct message message = {
        .bufs = bufs, .buf_count = nbufs, .info = info, .lent = request};
    int rc = may_write_on(handle, nbufs);
    return rc < 0 ? rc : write_message(request, handle, &message, cb);
}

int hws_uv_write_to(hws_uv_write_t *request, hws_uv_t *handle, const uv_buf_t bufs[],
                    unsigned nbufs, const struct sockaddr *addrs, int count,
                    const struct sctp_sndinfo *info, hws_uv_write_cb cb)
{
    struct peer peer;
    const struct message message = {.bufs = bufs, .buf_count = nbufs, .info = info, .peer = &peer};
    int rc = may_write(handle, nbufs);
    if (rc == 0)
        rc = hws_uv_open(handle);
    if (rc == 0)
        rc = hws_uv_read_peer(handle, addrs, count, peer.remotes, &peer.port);
    peer.count = (uint32_t)count;
    return rc < 0 ? rc : write_message(request, handle, &message, cb);
}

ssize_t hws_uv_try_write(hws_uv_t *handle, const uv_buf_t bufs[], unsigned nbufs,
                         const struct sctp_sndinfo *info)
{
    const struct message message = {.bufs = bufs, .buf_count = nbufs, .info = info};
    int rc = may_write_on(handle, nbufs);
    if (rc == 0)
        rc = send_in_order(handle, &message);
    return rc < 0 ? rc : (ssize_t)total_bytes(bufs, nbufs);
}

/* ---- Callbacks ---- */

/* What a callback writes is told of in a later turn. */
bool hws_uv_step_write(hws_uv_t *handle)
{
    if (handle->waiting.first != NULL)
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

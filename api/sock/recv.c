/* What is received next, and how. Each association has an order of its own, messages and between
 * them notifications; associations that have something to receive take turns, a message each.
 * As from the kernel's one queue what an association sent follows the notification that it is up:
 * those that come once keep the turn. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "api/sock/socket_internal.h"

/* ---- Whose turn it is ---- */

static void set_readable(struct hws_member *member, bool readable)
{
    struct hws_sock *sock = member->sock;
    if (readable == member->readable)
        return;
    member->readable = readable;
    if (readable)
        TAILQ_INSERT_TAIL(&sock->ready, member, in_ready);
    else
        TAILQ_REMOVE(&sock->ready, member, in_ready);
}

static void set_begun(struct hws_member *member, bool begun, const struct hws_rcvinfo *info)
{
    struct hws_sock *sock = member->sock;
    member->begun = begun;
    member->ended_unmarked = false;
    member->begun_info = *info;
    if (begun)
        sock->partial = member;
    else if (sock->partial == member)
        sock->partial = NULL;
}

/* Of a message that was cut off nothing more comes: where that is told, it is told before anything
 * else is received. */
static void end_without_mark(struct hws_member *member)
{
    const struct hws_rcvinfo info = member->begun_info;
    bool why_is_known = member->cut_off > 0;
    set_begun(member, false, &info);
    member->cut_off -= why_is_known;
    member->ended_unmarked = !why_is_known;
    if (why_is_known && hws_note_cut_off(member, info.sid, info.ssn))
        member->sock->partial = member;
}

void hws_member_cut_off(struct hws_member *member, uint16_t sid, uint16_t ssn)
{
    const struct hws_rcvinfo *info = &member->begun_info;
    bool ended = member->ended_unmarked && info->sid == sid && info->ssn == ssn;
    member->cut_off += !ended;
    member->ended_unmarked = false;
    if (ended && hws_note_cut_off(member, sid, ssn))
        member->sock->partial = member;
}

/* Looks at the data the engine has. A message that was begun and is cut off (PARTIAL_ABORTED) ends
 * without a mark: another one follows, or none. */
static bool has_data(struct hws_member *member, uint64_t now_us)
{
    uint8_t byte;
    size_t len;
    struct hws_rcvinfo info;
    if (!member->begun)
        return hws_assoc_readable(member->sock->sockets->engine, member->assoc);
    int rc = hws_assoc_peek(member->sock->sockets->engine, member->assoc, &byte, sizeof(byte), &len,
                            &info, now_us);
    if (rc == HWS_OK ? info.tsn != member->begun_info.tsn
                     : member->cut_off > 0 || member->state == HWS_MEMBER_OVER)
        end_without_mark(member);
    return rc == HWS_OK;
}

/* After shutdown(SHUT_RD) what comes is thrown away, as in the kernel, so that the window stays
 * open; what had come before can still be received. */
static void drop_beyond_limit(struct hws_member *member, uint64_t now_us)
{
    struct hws_assoc_status status;
    if (member->receive_ended &&
        hws_assoc_status(member->sock->sockets->engine, member->assoc, &status) == HWS_OK &&
        status.messages_taken >= member->receive_limit)
        hws_member_drain(member, now_us);
}

void hws_member_end_reception(struct hws_member *member, uint64_t now_us)
{
    struct hws_assoc_status status;
    if (member->receive_ended ||
        hws_assoc_status(member->sock->sockets->engine, member->assoc, &status) != HWS_OK)
        return;
    member->receive_ended = true;
    member->receive_limit = status.messages_ready;
    hws_member_refresh(member, now_us);
}

void hws_member_refresh(struct hws_member *member, uint64_t now_us)
{
    drop_beyond_limit(member, now_us);
    bool readable = has_data(member, now_us) || hws_note_due(member) != NULL;
    set_readable(member, readable);
}

static void to_the_tail(struct hws_member *member)
{
    if (!member->readable)
        return;
    TAILQ_REMOVE(&member->sock->ready, member, in_ready);
    TAILQ_INSERT_TAIL(&member->sock->ready, member, in_ready);
}

/* At interleave level 0 a message that was begun is received to its end before anything else. */
static struct hws_member *next_member(const struct hws_sock *sock)
{
    if (sock->partial != NULL && !sock->options.fragment_interleave)
        return sock->partial->readable ? sock->partial : NULL;
    return TAILQ_FIRST(&sock->ready);
}

void hws_member_drain(struct hws_member *member, uint64_t now_us)
{
    uint8_t scrap[4096];
    size_t len;
    struct hws_rcvinfo info;
    while (hws_assoc_recv(member->sock->sockets->engine, member->assoc, scrap, sizeof(scrap), &len,
                          &info, now_us) == HWS_OK)
        ;
}

bool hws_member_has_unread(struct hws_member *member, uint64_t now_us)
{
    struct hws_assoc_status status;
    return has_data(member, now_us) ||
           (hws_assoc_status(member->sock->sockets->engine, member->assoc, &status) == HWS_OK &&
            status.charged_bytes > 0);
}

/* ---- What is said of what was received ---- */

static void describe_peer(const struct hws_member *member, struct hws_sock_recv *msg)
{
    struct hws_assoc_status status;
    struct hws_path_status path;
    msg->id = member->id;
    if (msg->no_from ||
        hws_sock_primary_path(member->sock->sockets, member->assoc, &status, &path) != HWS_OK)
        return;
    msg->from = path.remote;
    msg->from_port = status.remote_port;
}

static void describe_data(const struct hws_member *member, const struct hws_rcvinfo *info,
                          struct hws_sock_recv *msg)
{
    msg->rcv = (struct sctp_rcvinfo){
        .rcv_sid = info->sid,
        .rcv_ssn = info->ssn,
        .rcv_flags = (info->flags & HWS_RECV_UNORDERED) != 0 ? SCTP_UNORDERED : 0,
        .rcv_ppid = htonl(info->ppid),
        .rcv_tsn = info->tsn,
        .rcv_context = member->options.receive_context,
        .rcv_assoc_id = member->id,
    };
    msg->rx_time_us = member->sock->params.rx_times ? info->rx_time_us : 0;
    if ((info->flags & HWS_RECV_EOR) != 0)
        msg->flags |= MSG_EOR;
}

static void describe_next_note(const struct hws_member *member, const struct hws_note *note,
                               struct hws_sock_recv *msg)
{
    msg->has_next = true;
    msg->next = (struct sctp_nxtinfo){.nxt_flags = SCTP_NOTIFICATION,
                                      .nxt_length = note->len - note->taken,
                                      .nxt_assoc_id = member->id};
}

/* Of a message that was begun what is left of it comes next. */
static bool next_data(struct hws_member *member, struct hws_next *next, uint64_t now_us)
{
    uint8_t byte;
    size_t len;
    const struct hws_engine *engine = member->sock->sockets->engine;
    if (!member->begun)
        return hws_assoc_next(engine, member->assoc, next) == HWS_OK;
    return hws_assoc_peek(member->sock->sockets->engine, member->assoc, &byte, sizeof(byte), &len,
                          &next->info, now_us) == HWS_OK;
}

/* SCTP_RECVNXTINFO (RFC 6458, 5.3.6). */
static void describe_next(const struct hws_sock *sock, struct hws_sock_recv *msg, uint64_t now_us)
{
    struct hws_member *member = sock->options.receive_nxtinfo ? next_member(sock) : NULL;
    struct hws_next next = {0};
    if (member == NULL)
        return;
    const struct hws_note *note = hws_note_due(member);
    if (note != NULL) {
        describe_next_note(member, note, msg);
    } else if (next_data(member, &next, now_us)) {
        msg->has_next = true;
        msg->next = (struct sctp_nxtinfo){
            .nxt_sid = next.info.sid,
            .nxt_flags = (next.info.flags & HWS_RECV_UNORDERED) != 0 ? SCTP_UNORDERED : 0,
            .nxt_ppid = htonl(next.info.ppid),
            .nxt_length = next.len,
            .nxt_assoc_id = member->id,
        };
    }
}

/* ---- Notifications ---- */

static size_t copy_out(const struct hws_sock_recv *msg, const uint8_t *bytes, size_t len)
{
    size_t done = 0;
    for (size_t i = 0; i < msg->iov_count && done < len; i++) {
        size_t part = len - done < msg->iov[i].len ? len - done : msg->iov[i].len;
        if (part > 0)
            memcpy(msg->iov[i].base, bytes + done, part);
        done += part;
    }
    return done;
}

static void has_told(struct hws_member *member, const struct hws_note *note)
{
    if (member->sock->partial == member)
        member->sock->partial = NULL;
    if (hws_note_recurs(note))
        to_the_tail(member);
}

/* One that does not fit is received in parts (RFC 6458, 6.1). */
static void receive_note(struct hws_member *member, struct hws_note *note,
                         struct hws_sock_recv *msg)
{
    msg->len = copy_out(msg, note->bytes + note->taken, note->len - note->taken);
    msg->flags = MSG_NOTIFICATION;
    bool whole = note->taken + msg->len == note->len;
    if (whole)
        msg->flags |= MSG_EOR;
    if (msg->peek)
        return;
    note->taken += (uint32_t)msg->len;
    if (whole) {
        has_told(member, hws_note_take(member));
        hws_note_free(member->sock->sockets, note);
    }
}

/* ---- Data ---- */

static int take_parts(struct hws_member *member, struct hws_sock_recv *msg,
                      struct hws_rcvinfo *info, uint64_t now_us)
{
    struct hws_engine *engine = member->sock->sockets->engine;
    int rc = HWS_OK;
    for (size_t i = 0; i < msg->iov_count && (info->flags & HWS_RECV_EOR) == 0; i++) {
        struct hws_rcvinfo part = {0};
        size_t got;
        if (msg->iov[i].len == 0)
            continue;
        rc = hws_assoc_recv(engine, member->assoc, msg->iov[i].base, msg->iov[i].len, &got, &part,
                            now_us);
        if (rc != HWS_OK)
            break;
        *info = part;
        msg->len += got;
        if (got < msg->iov[i].len)
            break;
    }
    return msg->len > 0 ? HWS_OK : rc;
}

static size_t capacity_of(const struct hws_sock_recv *msg)
{
    size_t capacity = 0;
    for (size_t i = 0; i < msg->iov_count; i++)
        capacity += msg->iov[i].len;
    return capacity;
}

/* The engine shows one stretch of memory only: several get it from a copy. */
static int peek_scattered(struct hws_member *member, struct hws_sock_recv *msg,
                          struct hws_rcvinfo *info, size_t capacity, uint64_t now_us)
{
    struct hws_sockets *sockets = member->sock->sockets;
    struct hws_assoc_status status;
    if (hws_assoc_status(sockets->engine, member->assoc, &status) == HWS_OK &&
        capacity > status.charged_bytes)
        capacity = status.charged_bytes; /* no more can have come */
    uint8_t *copy = hws_pool_alloc(&sockets->pool, capacity);
    if (copy == NULL)
        return HWS_E_NOMEM;
    size_t len = 0;
    int rc = hws_assoc_peek(sockets->engine, member->assoc, copy, capacity, &len, info, now_us);
    if (rc == HWS_OK)
        msg->len = copy_out(msg, copy, len);
    hws_pool_free(&sockets->pool, copy, capacity);
    return rc;
}

static int peek_parts(struct hws_member *member, struct hws_sock_recv *msg,
                      struct hws_rcvinfo *info, uint64_t now_us)
{
    if (msg->iov_count > 1)
        return peek_scattered(member, msg, info, capacity_of(msg), now_us);
    return hws_assoc_peek(member->sock->sockets->engine, member->assoc, msg->iov[0].base,
                          msg->iov[0].len, &msg->len, info, now_us);
}

/* At interleave level 1 a message that is there stays first until it was received; of one that is
 * still coming the parts of other associations go between. */
static void has_received(struct hws_member *member, const struct hws_rcvinfo *info, bool filled)
{
    bool ended = (info->flags & HWS_RECV_EOR) != 0;
    set_begun(member, !ended, info);
    if (ended || !filled)
        to_the_tail(member);
}

static int receive_data(struct hws_member *member, struct hws_sock_recv *msg, uint64_t now_us)
{
    struct hws_rcvinfo info = {0};
    size_t capacity = capacity_of(msg);
    if (capacity == 0)
        return 0;
    int rc =
        msg->peek ? peek_parts(member, msg, &info, now_us) : take_parts(member, msg, &info, now_us);
    if (rc != HWS_OK)
        return -hws_sock_errno(rc);
    describe_data(member, &info, msg);
    if (!msg->peek)
        has_received(member, &info, msg->len == capacity);
    return 0;
}

/* ---- recvmsg ---- */

static int nothing_to_receive(struct hws_sock *sock)
{
    const struct hws_member *only = hws_sock_only_member(sock);
    int error = hws_sock_take_error(sock);
    if (error != 0)
        return -error;
    bool over = sock->state == HWS_SOCK_OVER && only->was_up;
    return over || (sock->shutdown & HWS_SOCK_SHUT_RECV) != 0 ? 0 : -EAGAIN;
}

/* What the answer does not say is said nowhere: it begins empty. */
static void reset(struct hws_sock_recv *msg)
{
    *msg = (struct hws_sock_recv){
        .iov = msg->iov, .iov_count = msg->iov_count, .peek = msg->peek, .no_from = msg->no_from};
}

static bool is_listener(const struct hws_sock *sock)
{
    return sock->style == HWS_SOCK_ONE_TO_ONE && sock->state == HWS_SOCK_LISTENING;
}

/* Whose data or notification comes next. Without one `rc` is what the call answers. */
static struct hws_member *choose(struct hws_sock *sock, struct hws_sock_recv *msg, int *rc)
{
    struct hws_member *member = NULL;
    reset(msg);
    if (is_listener(sock))
        *rc = -ENOTCONN;
    else if ((member = next_member(sock)) == NULL)
        *rc = nothing_to_receive(sock);
    return member;
}

static void has_answered(struct hws_sock *sock, struct hws_member *member,
                         struct hws_sock_recv *msg, uint64_t now_us)
{
    describe_peer(member, msg);
    if (msg->peek)
        return;
    hws_member_refresh(member, now_us);
    describe_next(sock, msg, now_us);
    hws_member_reap(member, now_us);
}

int hws_sock_recvmsg(struct hws_sock *sock, struct hws_sock_recv *msg, uint64_t now_us)
{
    int rc = 0;
    struct hws_member *member = choose(sock, msg, &rc);
    if (member == NULL)
        return rc;
    struct hws_note *note = hws_note_due(member);
    if (note != NULL)
        receive_note(member, note, msg);
    else
        rc = receive_data(member, msg, now_us);
    if (rc == 0)
        has_answered(sock, member, msg, now_us);
    return rc;
}

int hws_sock_may_wait(const struct hws_sock *sock)
{
    return sock->live_count > 0 || hws_sock_may_accept(sock) ? 0 : -ENOTCONN;
}

/* ---- Views ---- */

static void view_note(struct hws_member *member, struct hws_sock_recv *msg,
                      struct hws_sock_view *view)
{
    struct hws_note *note = hws_note_take(member);
    view->note = note;
    view->data.iov[0] =
        (struct hws_iovec){note->bytes + note->taken, (size_t)(note->len - note->taken)};
    view->data.iov_count = 1;
    view->data.len = view->data.iov[0].len;
    msg->len = view->data.len;
    msg->flags = MSG_NOTIFICATION | MSG_EOR;
    has_told(member, note);
}

static int view_data(struct hws_member *member, struct hws_sock_recv *msg,
                     struct hws_sock_view *view)
{
    int rc = hws_assoc_recv_view(member->sock->sockets->engine, member->assoc, &view->data);
    if (rc != HWS_OK)
        return -hws_sock_errno(rc);
    msg->len = view->data.len;
    describe_data(member, &view->data.info, msg);
    has_received(member, &view->data.info, true);
    return 0;
}

int hws_sock_recv_view(struct hws_sock *sock, struct hws_sock_recv *msg, struct hws_sock_view *view,
                       uint64_t now_us)
{
    *view = (struct hws_sock_view){0};
    msg->peek = false;
    int rc = 0;
    struct hws_member *member = choose(sock, msg, &rc);
    if (member == NULL)
        return rc;
    if (hws_note_due(member) != NULL)
        view_note(member, msg, view);
    else
        rc = view_data(member, msg, view);
    if (rc == 0)
        has_answered(sock, member, msg, now_us);
    return rc;
}

void hws_sock_view_release(struct hws_sockets *sockets, struct hws_sock_view *view)
{
    hws_recv_view_release(sockets->engine, &view->data);
    if (view->note != NULL)
        hws_note_free(sockets, view->note);
    *view = (struct hws_sock_view){0};
}

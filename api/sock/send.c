/* Sending: which association is meant, what the flags ask for, and the message itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "api/sock/socket_internal.h"

/* The kernel's header names PR-SCTP's policies here, too: an extension, no error. */
#define KNOWN_FLAGS                                                                                \
    (SCTP_UNORDERED | SCTP_ADDR_OVER | SCTP_SACK_IMMEDIATELY | SCTP_SENDALL | SCTP_PR_SCTP_MASK |  \
     SCTP_ABORT | SCTP_EOF)

/* A message on its way to one association. */
struct message {
    const struct hws_sock_send *msg;
    size_t len;
    struct hws_lent *lent; /* NULL: copied */
    size_t taken;          /* bytes that an association took */
    sctp_assoc_t begun;    /* the association that was begun for it, 0: none */
};

static size_t total_len(const struct hws_sock_send *msg)
{
    size_t len = 0;
    for (size_t i = 0; i < msg->iov_count; i++) {
        if (msg->iov[i].len > SIZE_MAX - len)
            return SIZE_MAX;
        len += msg->iov[i].len;
    }
    return len;
}

static unsigned flags_of(const struct hws_sock_send *msg)
{
    return msg->has_info ? msg->flags : 0;
}

/* ---- What is refused at once (in the kernel's order) ---- */

static int check(const struct hws_sock *sock, const struct hws_sock_send *msg, size_t len)
{
    unsigned flags = flags_of(msg);
    bool ends = (flags & (SCTP_EOF | SCTP_ABORT)) != 0;
    if (sock->style == HWS_SOCK_ONE_TO_ONE && sock->state == HWS_SOCK_LISTENING)
        return -EPIPE;
    if (len > sock->params.sndbuf_bytes && len > sock->params.sndbuf_max_bytes)
        return -EMSGSIZE;
    if ((flags & ~(unsigned)KNOWN_FLAGS) != 0 || (sock->style == HWS_SOCK_ONE_TO_ONE && ends) ||
        ((flags & SCTP_EOF) != 0 && len > 0) || (!ends && len == 0) ||
        ((flags & SCTP_ADDR_OVER) != 0 && msg->remote_count == 0))
        return -EINVAL;
    return 0;
}

/* ---- The message ---- */

static void describe(const struct hws_member *member, const struct hws_sock_send *msg,
                     struct hws_sndinfo *info)
{
    const struct hws_assoc_options *defaults = &member->options;
    unsigned flags = msg->has_info ? msg->flags : defaults->send_flags;
    *info = (struct hws_sndinfo){
        .sid = msg->has_info ? msg->sid : defaults->send_sid,
        .ppid = ntohl(msg->has_info ? msg->ppid : defaults->send_ppid),
        .context = msg->has_info ? msg->context : defaults->send_context,
    };
    if ((flags & SCTP_UNORDERED) != 0)
        info->flags |= HWS_SEND_UNORDERED;
    if ((flags & SCTP_SACK_IMMEDIATELY) != 0)
        info->flags |= HWS_SEND_SACK_IMMEDIATELY;
}

/* An address says which path to take on a one-to-one socket, or when SCTP_ADDR_OVER is set. */
static uint8_t path_of(const struct hws_member *member, const struct hws_sock_send *msg)
{
    uint32_t index;
    enum hws_sock_style style = member->sock->style;
    bool named = style == HWS_SOCK_ONE_TO_ONE || (flags_of(msg) & SCTP_ADDR_OVER) != 0;
    if (!named || msg->remote_count == 0 || style == HWS_SOCK_PEELED)
        return 0;
    bool found = hws_sock_find_path(member->sock->sockets, member->assoc, &msg->remotes[0], &index);
    return found ? (uint8_t)(index + 1) : 0;
}

static bool needs_fragments(const struct hws_member *member, size_t len)
{
    struct hws_assoc_status status;
    return member->sock->options.no_fragments &&
           hws_assoc_status(member->sock->sockets->engine, member->assoc, &status) == HWS_OK &&
           len > status.fragmentation_point;
}

static int send_errno(struct hws_member *member, int rc)
{
    switch (rc) {
    case HWS_OK:
        return 0;
    case HWS_E_AGAIN:
        hws_member_set_blocked(member, true);
        member->sock->refusals++;
        return -EAGAIN;
    case HWS_E_SHUTDOWN:
        return member->state == HWS_MEMBER_OVER ? -EPIPE : -ESHUTDOWN;
    case HWS_E_INVAL:
    case HWS_E_MSGSIZE:
    case HWS_E_NOMEM:
        return -hws_sock_errno(rc);
    default:
        return -EPIPE; /* over, though the event has not been taken yet */
    }
}

static int queue(struct hws_member *member, const struct message *message,
                 const struct hws_iovec *iov, size_t iov_count, uint64_t now_us)
{
    struct hws_engine *engine = member->sock->sockets->engine;
    struct hws_sndinfo info;
    describe(member, message->msg, &info);
    info.path = path_of(member, message->msg);
    int rc;
    if (message->lent != NULL)
        rc = hws_assoc_send_lent(engine, member->assoc, &info, iov, iov_count, message->lent,
                                 now_us);
    else
        rc = hws_assoc_send(engine, member->assoc, &info, iov, iov_count, now_us);
    if (rc == HWS_OK && message->lent != NULL)
        message->lent->refs++;
    return send_errno(member, rc);
}

/* ---- Messages in parts (explicit EOR; RFC 6458, 8.1.26) ---- */

static bool grow(struct hws_member *member, size_t len)
{
    struct hws_pool *pool = &member->sock->sockets->pool;
    size_t capacity = member->parts_capacity > 0 ? member->parts_capacity : 1024;
    while (capacity < len)
        capacity *= 2;
    if (capacity == member->parts_capacity)
        return true;
    uint8_t *parts = hws_pool_alloc(pool, capacity);
    if (parts == NULL)
        return false;
    if (member->parts_len > 0)
        memcpy(parts, member->parts, member->parts_len);
    hws_pool_free(pool, member->parts, member->parts_capacity);
    member->parts = parts;
    member->parts_capacity = capacity;
    return true;
}

static void append(struct hws_member *member, const struct hws_sock_send *msg)
{
    for (size_t i = 0; i < msg->iov_count; i++) {
        if (msg->iov[i].len > 0)
            memcpy(member->parts + member->parts_len, msg->iov[i].base, msg->iov[i].len);
        member->parts_len += msg->iov[i].len;
    }
}

static void drop_parts(struct hws_member *member)
{
    hws_pool_free(&member->sock->sockets->pool, member->parts, member->parts_capacity);
    member->parts = NULL;
    member->parts_len = member->parts_capacity = 0;
}

/* Parts wait here until the last one comes; what it says of the message holds for all. */
static int send_part(struct hws_member *member, const struct message *message, uint64_t now_us)
{
    struct hws_sndinfo info;
    describe(member, message->msg, &info);
    if (member->parts_len > 0 && info.sid != member->parts_sid)
        return -EINVAL;
    if (message->len > HWS_LIMIT_MESSAGE_BYTES - member->parts_len)
        return -EMSGSIZE;
    if (!grow(member, member->parts_len + message->len))
        return -ENOMEM;
    append(member, message->msg);
    member->parts_sid = info.sid;
    if (message->msg->more)
        return 0;
    const struct hws_iovec whole = {member->parts, member->parts_len};
    const struct message copied = {.msg = message->msg, .len = member->parts_len};
    int rc = queue(member, &copied, &whole, 1, now_us);
    if (rc == 0)
        drop_parts(member);
    else
        member->parts_len -= message->len; /* it was not taken */
    return rc;
}

static int to_member(struct hws_member *member, const struct message *message, uint64_t now_us)
{
    if (needs_fragments(member, message->len))
        return -EMSGSIZE;
    if (member->sock->options.explicit_eor && (message->msg->more || member->parts_len > 0))
        return send_part(member, message, now_us);
    return queue(member, message, message->msg->iov, message->msg->iov_count, now_us);
}

/* ---- What is no message ---- */

static int abort_member(struct hws_member *member, const struct hws_sock_send *msg, uint64_t now_us)
{
    uint8_t reason[HWS_LIMIT_ABORT_REASON_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < msg->iov_count && len < sizeof(reason); i++) {
        size_t part =
            msg->iov[i].len < sizeof(reason) - len ? msg->iov[i].len : sizeof(reason) - len;
        if (part > 0)
            memcpy(reason + len, msg->iov[i].base, part);
        len += part;
    }
    int rc = hws_assoc_abort(member->sock->sockets->engine, member->assoc, reason, len, now_us);
    return -hws_sock_errno(rc);
}

static int do_member(struct hws_member *member, struct message *message, uint64_t now_us)
{
    unsigned flags = flags_of(message->msg);
    if ((flags & SCTP_EOF) != 0) {
        (void)hws_assoc_shutdown(member->sock->sockets->engine, member->assoc, now_us);
        hws_sock_changed(member->sock); /* who waits for room waits in vain */
        return 0;
    }
    if ((flags & SCTP_ABORT) != 0)
        return abort_member(member, message->msg, now_us);
    int rc = to_member(member, message, now_us);
    if (rc == 0)
        message->taken = message->len;
    return rc;
}

/* ---- Which association ---- */

static int begin(struct hws_sock *sock, const struct hws_sock_send *msg, uint64_t now_us,
                 struct hws_member **out)
{
    const struct hws_member *only = hws_sock_only_member(sock);
    if ((flags_of(msg) & (SCTP_EOF | SCTP_ABORT)) != 0)
        return -EINVAL;
    if (only != NULL && (only->was_up || only->state == HWS_MEMBER_CONNECTING))
        return -EADDRNOTAVAIL;
    return hws_sock_begin(sock, msg, now_us, out);
}

/* `*made`: it was begun for this message. */
static int choose(struct hws_sock *sock, const struct hws_sock_send *msg, uint64_t now_us,
                  struct hws_member **out, bool *made)
{
    *made = false;
    if (msg->remote_count == 0 || sock->style == HWS_SOCK_PEELED) {
        *out = hws_sock_member(sock, msg->has_info ? msg->assoc_id : SCTP_FUTURE_ASSOC);
        return *out != NULL ? 0 : -EPIPE;
    }
    *out = hws_sock_member_at(sock, &msg->remotes[0], msg->remote_port);
    if (*out != NULL)
        return 0;
    *made = true;
    return begin(sock, msg, now_us, out);
}

static int send_one(struct hws_sock *sock, struct message *message, uint64_t now_us)
{
    struct hws_member *member;
    bool made;
    int rc = choose(sock, message->msg, now_us, &member, &made);
    if (rc < 0)
        return rc;
    rc = do_member(member, message, now_us);
    if (rc < 0 && made) { /* without its message it was not meant */
        sock->state = sock->style == HWS_SOCK_ONE_TO_ONE ? HWS_SOCK_BOUND : sock->state;
        hws_member_free(member, now_us);
    } else if (made) {
        message->begun = member->id;
        member->awaited = message->msg->begun != NULL;
    }
    return rc;
}

static bool is_open(const struct hws_member *member)
{
    return member->state == HWS_MEMBER_UP && !member->shut;
}

/* The engine answers -EAGAIN, and tells when there is room again. */
static bool is_full(struct hws_member *member)
{
    struct hws_assoc_status status;
    return hws_assoc_status(member->sock->sockets->engine, member->assoc, &status) == HWS_OK &&
           status.send_blocked;
}

/* When one association has no room none gets the message: a second attempt would send it twice to
 * the others. */
static int refuse_if_any_is_full(struct hws_sock *sock, struct message *message, uint64_t now_us)
{
    struct hws_member *member;
    int rc = 0;
    if ((flags_of(message->msg) & (SCTP_EOF | SCTP_ABORT)) != 0)
        return 0;
    for (member = hws_sock_first_member(sock); member != NULL && rc == 0;
         member = hws_sock_next_member(member)) {
        if (is_open(member) && is_full(member))
            rc = do_member(member, message, now_us);
    }
    return rc;
}

/* SCTP_SENDALL (RFC 6458, 5.3.4): those that are up. */
static int send_all(struct hws_sock *sock, struct message *message, uint64_t now_us)
{
    struct hws_member *member;
    int rc = refuse_if_any_is_full(sock, message, now_us);
    for (member = hws_sock_first_member(sock); member != NULL && rc == 0;
         member = hws_sock_next_member(member)) {
        if (is_open(member))
            rc = do_member(member, message, now_us);
    }
    return rc;
}

static int dispatch(struct hws_sock *sock, struct message *message, uint64_t now_us)
{
    bool all = (flags_of(message->msg) & SCTP_SENDALL) != 0;
    if (all && sock->style == HWS_SOCK_ONE_TO_MANY)
        return send_all(sock, message, now_us);
    return send_one(sock, message, now_us);
}

/* A lent message that nobody refers to was copied (in parts) or sent to nobody. */
static void settle_lent(struct hws_sockets *sockets, struct hws_lent *lent, int rc)
{
    if (lent == NULL || lent->refs > 0)
        return;
    if (rc < 0)
        hws_lent_forget(sockets, lent);
    else
        hws_lent_done(sockets, lent);
}

int hws_sock_sendmsg(struct hws_sock *sock, const struct hws_sock_send *msg, uint64_t now_us)
{
    struct message message = {.msg = msg, .len = total_len(msg)};
    int rc = check(sock, msg, message.len);
    if (rc == 0 && msg->release != NULL) {
        message.lent = hws_lent_new(sock->sockets, msg);
        rc = message.lent != NULL ? 0 : -ENOMEM;
    }
    if (rc == 0) {
        rc = dispatch(sock, &message, now_us);
        if (message.lent != NULL && message.lent->refs > 0)
            rc = 0; /* one of all took the bytes: only `release` gives them back, no error may */
        settle_lent(sock->sockets, message.lent, rc);
    }
    if (msg->taken != NULL)
        *msg->taken = message.taken;
    if (msg->begun != NULL)
        *msg->begun = message.begun;
    if (rc != -EPIPE)
        return rc;
    int error = hws_sock_take_error(sock);
    return error != 0 ? -error : rc;
}

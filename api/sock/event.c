/* What the engine reports becomes state, notifications and readiness of sockets. */
#include "api/sock/socket_internal.h"

typedef void (*handler)(struct hws_member *member, const struct hws_event *event, uint64_t now_us);

static bool is_many(const struct hws_member *member)
{
    return member->sock->style == HWS_SOCK_ONE_TO_MANY;
}

static void on_path_new(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)event;
    (void)now_us;
    hws_member_add_peers(member);
}

static void on_path(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)now_us;
    hws_notify_path(member, event);
}

static void on_up(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)now_us;
    member->state = HWS_MEMBER_UP;
    member->was_up = true;
    if (!is_many(member))
        member->sock->state = HWS_SOCK_CONNECTED;
    hws_member_add_peers(member);
    hws_notify_up(member, event);
}

static void on_restart(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)now_us;
    hws_member_add_peers(member);
    hws_notify_restart(member, event);
}

static void on_writable(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)event;
    (void)now_us;
    hws_member_set_blocked(member, false);
}

static void on_send_failed(struct hws_member *member, const struct hws_event *event,
                           uint64_t now_us)
{
    (void)event;
    (void)now_us;
    hws_note_add_failed(member);
}

static void on_peer_shutdown(struct hws_member *member, const struct hws_event *event,
                             uint64_t now_us)
{
    (void)event;
    (void)now_us;
    member->shut = true;
    if (member->sock->style == HWS_SOCK_ONE_TO_ONE)
        member->sock->shutdown |= HWS_SOCK_SHUT_RECV;
    hws_notify_shutdown(member);
}

static void on_remote_error(struct hws_member *member, const struct hws_event *event,
                            uint64_t now_us)
{
    (void)now_us;
    hws_notify_remote_error(member, event);
}

static void on_dry(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)event;
    (void)now_us;
    hws_notify_dry(member);
}

static void on_adaptation(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)now_us;
    hws_notify_adaptation(member, event);
}

static void on_extension(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    (void)now_us;
    hws_notify_extension(member, event);
}

static void on_partial_aborted(struct hws_member *member, const struct hws_event *event,
                               uint64_t now_us)
{
    (void)now_us;
    hws_notify_partial_aborted(member, event);
    hws_member_cut_off(member, event->sid, event->ssn);
}

/* The kernel tells of the end first, then of the messages that went with it. */
static void on_down(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    struct hws_sock *sock = member->sock;
    (void)now_us;
    hws_member_over(member, event->reason);
    hws_notify_down(member, event);
    hws_note_add_failed(member);
    if (is_many(member))
        return;
    sock->error = member->error;
    sock->state = HWS_SOCK_OVER;
}

static const handler handlers[] = {
    [HWS_EVENT_PATH_NEW] = on_path_new,
    [HWS_EVENT_UP] = on_up,
    [HWS_EVENT_RESTART] = on_restart,
    [HWS_EVENT_PATH_CONFIRMED] = on_path,
    [HWS_EVENT_PATH_FAILING] = on_path,
    [HWS_EVENT_PATH_DOWN] = on_path,
    [HWS_EVENT_PATH_UP] = on_path,
    [HWS_EVENT_WRITABLE] = on_writable,
    [HWS_EVENT_SEND_FAILED] = on_send_failed,
    [HWS_EVENT_PEER_SHUTDOWN] = on_peer_shutdown,
    [HWS_EVENT_REMOTE_ERROR] = on_remote_error,
    [HWS_EVENT_DRY] = on_dry,
    [HWS_EVENT_DOWN] = on_down,
    [HWS_EVENT_ADAPTATION] = on_adaptation,
    [HWS_EVENT_PARTIAL_ABORTED] = on_partial_aborted,
    [HWS_EVENT_EXTENSION] = on_extension,
};

/* Closed by the application: nobody is told, and what comes is thrown away, so that the window
 * stays open and the association can end (9.2). */
static void on_orphan(struct hws_member *member, const struct hws_event *event, uint64_t now_us)
{
    struct hws_sock *sock = member->sock;
    if (event->type == HWS_EVENT_READABLE)
        hws_member_drain(member, now_us);
    if (event->type != HWS_EVENT_DOWN)
        return;
    hws_member_free(member, now_us);
    if (sock->member_count == 0)
        hws_sock_destroy(sock, now_us);
}

/* New data tells edge-triggered users even when there is old data; other things only when there is
 * something new to receive. */
static void settle(struct hws_member *member, const struct hws_event *event, uint32_t notes,
                   uint64_t now_us)
{
    struct hws_sock *sock = member->sock;
    hws_member_refresh(member, now_us);
    if (event->type == HWS_EVENT_READABLE || member->note_count != notes)
        sock->arrivals++;
    hws_sock_changed(sock);
    hws_member_reap(member, now_us);
}

void hws_sockets_event(struct hws_sockets *sockets, const struct hws_event *event, uint64_t now_us)
{
    struct hws_member *member = hws_member_by_assoc(sockets, event->assoc);
    if (member == NULL) {
        if (event->type == HWS_EVENT_UP && event->passive)
            hws_sock_passive_up(sockets, event, now_us);
        return;
    }
    if (member->sock->orphaned) {
        on_orphan(member, event, now_us);
        return;
    }
    uint32_t notes = member->note_count;
    bool known = (size_t)event->type < sizeof(handlers) / sizeof(handlers[0]);
    if (known && handlers[event->type] != NULL)
        handlers[event->type](member, event, now_us);
    settle(member, event, notes, now_us);
}

/* Path events for applications that ask for them by hws_one_path_event. */
#include <errno.h>

#include "api/sock/socket_internal.h"

static void drop(struct hws_sock *sock)
{
    struct hws_sock_path_event *first = TAILQ_FIRST(&sock->path_events);
    TAILQ_REMOVE(&sock->path_events, first, in_queue);
    sock->path_event_count--;
    hws_pool_free(&sock->sockets->pool, first, sizeof(*first));
}

void hws_sock_keep_path_event(struct hws_sock *sock, const struct hws_event *event)
{
    if (!sock->wants_path_events)
        return;
    if (sock->path_event_count == HWS_SOCK_PATH_EVENTS_MAX)
        drop(sock);
    struct hws_sock_path_event *kept = hws_pool_zalloc(&sock->sockets->pool, sizeof(*kept));
    if (kept == NULL)
        return;
    kept->type = event->type;
    kept->remote = event->remote;
    TAILQ_INSERT_TAIL(&sock->path_events, kept, in_queue);
    sock->path_event_count++;
    hws_sock_changed(sock);
}

void hws_sock_want_path_events(struct hws_sock *sock, bool want)
{
    sock->wants_path_events = want;
    while (!want && sock->path_event_count > 0)
        drop(sock);
}

int hws_sock_path_event(struct hws_sock *sock, struct hws_sock_path_event *out)
{
    if (sock->path_event_count == 0)
        return -EAGAIN;
    *out = *TAILQ_FIRST(&sock->path_events);
    drop(sock);
    return 0;
}

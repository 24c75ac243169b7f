/* Which notifications are made (RFC 6458, 6.2), with the kernel's rules about ids. */
#include <errno.h>

#include "api/sock/socket_internal.h"

bool hws_wants_failed(const struct hws_assoc_options *options)
{
    return hws_assoc_options_want(options, SCTP_SEND_FAILED_EVENT) ||
           hws_assoc_options_want(options, SCTP_SEND_FAILED);
}

void hws_member_keep_failed(struct hws_member *member, uint64_t now_us)
{
    struct hws_engine *engine = member->sock->sockets->engine;
    struct hws_params params;
    bool keep = hws_wants_failed(&member->options);
    if (hws_assoc_params(engine, member->assoc, &params) != HWS_OK || params.keep_failed == keep)
        return;
    params.keep_failed = keep;
    hws_assoc_set_params(engine, member->assoc, &params, now_us);
}

static bool is_dry(const struct hws_member *member)
{
    struct hws_assoc_status status;
    return member->state == HWS_MEMBER_UP &&
           hws_assoc_status(member->sock->sockets->engine, member->assoc, &status) == HWS_OK &&
           status.unacked_bytes == 0;
}

/* With nothing outstanding SCTP_SENDER_DRY_EVENT is told at once (6.1.9). */
static void set_member_events(struct hws_member *member, uint32_t events, uint32_t mask,
                              uint64_t now_us)
{
    uint32_t dry = 1u << (SCTP_SENDER_DRY_EVENT - SCTP_SN_TYPE_BASE);
    member->options.events = (member->options.events & ~mask) | (events & mask);
    hws_member_keep_failed(member, now_us);
    if ((events & mask & dry) == 0 || !is_dry(member))
        return;
    hws_notify_dry(member);
    hws_member_refresh(member, now_us);
    hws_sock_arrived(member->sock);
}

static void set_future_events(struct hws_sock *sock, uint32_t events, uint32_t mask)
{
    struct hws_assoc_options *future = &sock->options.future;
    future->events = (future->events & ~mask) | (events & mask);
}

static void set_all_events(struct hws_sock *sock, uint32_t events, uint32_t mask, uint64_t now_us)
{
    struct hws_member *member;
    for (member = hws_sock_first_member(sock); member != NULL;
         member = hws_sock_next_member(member))
        set_member_events(member, events, mask, now_us);
}

int hws_sock_set_event(struct hws_sock *sock, sctp_assoc_t id, uint16_t type, bool on,
                       uint64_t now_us)
{
    if (type < SCTP_SN_TYPE_BASE || type > SCTP_SN_TYPE_MAX)
        return -EINVAL;
    uint32_t mask = 1u << (type - SCTP_SN_TYPE_BASE);
    uint32_t events = on ? mask : 0;
    struct hws_member *member = hws_sock_member(sock, id);
    if (member != NULL) {
        set_member_events(member, events, mask, now_us);
        return 0;
    }
    if (sock->style != HWS_SOCK_ONE_TO_MANY)
        id = SCTP_FUTURE_ASSOC;
    else if (id < SCTP_FUTURE_ASSOC || id > SCTP_ALL_ASSOC)
        return -EINVAL;
    if (id != SCTP_CURRENT_ASSOC)
        set_future_events(sock, events, mask);
    if (id != SCTP_FUTURE_ASSOC)
        set_all_events(sock, events, mask, now_us);
    return 0;
}

int hws_sock_set_events(struct hws_sock *sock, uint32_t events, uint32_t mask, uint64_t now_us)
{
    set_future_events(sock, events, mask);
    set_all_events(sock, events, mask, now_us);
    return 0;
}

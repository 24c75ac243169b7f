/* Which notifications are made (RFC 6458, 6.2). */
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

void hws_sock_subscribe(struct hws_sock *sock, struct hws_member *member, uint32_t events,
                        uint32_t mask, uint64_t now_us)
{
    struct hws_assoc_options *future = &sock->options.future;
    if (member != NULL)
        set_member_events(member, events, mask, now_us);
    else
        future->events = (future->events & ~mask) | (events & mask);
}

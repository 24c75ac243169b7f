/* Which notifications are wanted (RFC 6458, 6.2). */
#include <errno.h>

#include "api/sock/sockopt_value.h"

/* ---- SCTP_EVENT (6.2.2) ---- */

static bool is_type(uint16_t type)
{
    return (type >= SCTP_SN_TYPE_BASE && type <= SCTP_SN_TYPE_MAX) || type == HWS_EXTENSION_EVENT;
}

HWS_SOCKOPT_SET(event)
{
    const struct sctp_event *in = &value->event;
    uint32_t mask = is_type(in->se_type) ? 1u << (in->se_type - SCTP_SN_TYPE_BASE) : 0;
    if (mask == 0)
        return -EINVAL;
    hws_sock_subscribe(target->sock, target->member, in->se_on != 0 ? mask : 0, mask,
                       target->now_us);
    return 0;
}

HWS_SOCKOPT_GET(event)
{
    if (!is_type(value->event.se_type))
        return -EINVAL;
    value->event.se_on = hws_assoc_options_want(target->options, value->event.se_type);
    return 0;
}

/* ---- SCTP_EVENTS (6.2.1): a byte for each type, in order; those beyond the value stay ---- */

HWS_SOCKOPT_SET(events)
{
    uint32_t events = 0;
    for (socklen_t i = 0; i < target->len; i++)
        events |= value->events[i] != 0 ? 1u << i : 0;
    hws_sock_subscribe(target->sock, target->member, events, (1u << target->len) - 1,
                       target->now_us);
    return 0;
}

HWS_SOCKOPT_GET(events)
{
    for (unsigned i = 0; i < sizeof(value->events); i++)
        value->events[i] =
            hws_assoc_options_want(target->options, (uint16_t)(SCTP_SN_TYPE_BASE + i));
    return 0;
}

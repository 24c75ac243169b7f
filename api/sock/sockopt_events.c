/* Which notifications are wanted (RFC 6458, 6.2). */
#include <errno.h>

#include "api/sock/sockopt_value.h"

static void want(struct hws_assoc_options *options, unsigned index, bool on)
{
    if (on)
        options->events |= 1u << index;
    else
        options->events &= ~(1u << index);
}

/* Applications that take path events by hws_one_path_event want them kept. */
static void follow(const struct hws_sockopt_target *target)
{
    hws_sock_want_path_events(target->sock,
                              hws_assoc_options_want(target->options, SCTP_PEER_ADDR_CHANGE));
}

/* ---- SCTP_EVENT (6.2.2) ---- */

static bool is_type(uint16_t type)
{
    return type >= SCTP_SN_TYPE_BASE && type <= SCTP_SN_TYPE_MAX;
}

HWS_SOCKOPT_SET(event)
{
    if (!is_type(value->event.se_type))
        return -EINVAL;
    want(target->options, value->event.se_type - SCTP_SN_TYPE_BASE, value->event.se_on != 0);
    follow(target);
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
    for (socklen_t i = 0; i < target->len; i++)
        want(target->options, i, value->events[i] != 0);
    follow(target);
    return 0;
}

HWS_SOCKOPT_GET(events)
{
    for (unsigned i = 0; i < sizeof(value->events); i++)
        value->events[i] =
            hws_assoc_options_want(target->options, (uint16_t)(SCTP_SN_TYPE_BASE + i));
    return 0;
}
